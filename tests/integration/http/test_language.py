"""Problems are told in the language that is asked for; what programs read is the same in all."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientResponse

from crm_core.model.user import Language, Tastes
from crm_core.storage.entering import set_tastes
from tests.integration.http.world import World, token_of

BEARER = {"Authorization": f"Bearer {token_of('ivan')}"}


async def told(world: World, language: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """What a problem says, asked for in a language."""
    headers = {**BEARER, "Accept-Language": language, **more.get("headers", {})}
    response: ClientResponse = await world.client.request(method, f"/api/v1{path}", json=body, headers=headers)
    found: dict[str, Any] = await response.json()
    assert response.status == found["status"] >= 400, found
    assert response.headers["Vary"] == "Accept-Language"
    return {**found, "language": response.headers["Content-Language"]}


@pytest.mark.parametrize(
    ("method", "path", "body", "english", "russian"),
    [
        ("GET", "/contacts/999999", None, "there is no contact 999999", "Клиента № 999999 нет"),
        ("GET", "/nowhere", None, "there is nothing at this address", "По этому адресу ничего нет"),
        ("DELETE", "/contacts", None, "this address takes", "Этот адрес принимает"),
        ("POST", "/contacts", {"nonsense": 1}, "Extra inputs are not permitted", "nonsense"),
        ("POST", "/contacts", [], "the body: ", "Тело запроса: "),
        ("GET", "/users/ivan/tokens/x", None, "there is nothing", "ничего нет"),
    ],
)
async def test_a_problem_is_told_in_both(
    world: World, method: str, path: str, body: Any, english: str, russian: str
) -> None:
    first = await told(world, "en", method, path, body)
    second = await told(world, "ru-RU,ru;q=0.9,en;q=0.5", method, path, body)
    assert english in first["detail"]
    assert russian in second["detail"]
    assert second["detail"] != first["detail"]
    assert (first["language"], second["language"]) == ("en", "ru")
    assert (first["type"], first["status"]) == (second["type"], second["status"])
    assert first["title"] != second["title"]
    flaws = [[each["pointer"] for each in found.get("errors", [])] for found in (first, second)]
    assert flaws[0] == flaws[1]


async def test_a_refusal_in_the_offices_own_words_is_told_in_both(world: World) -> None:
    anna = await world.contact(name="Анна")
    calls = ("POST", "/calls", {"contact_id": anna["id"]})
    assert (await told(world, "en", *calls))["detail"] == "The client has no telephone"
    assert (await told(world, "ru", *calls))["detail"] == "У клиента нет телефона"


async def test_without_a_wish_it_is_the_persons_language_or_the_offices(world: World) -> None:
    assert (await told(world, "", "GET", "/contacts/999999"))["language"] == world.hub.settings.language.value
    assert (await told(world, "de", "GET", "/contacts/999999"))["language"] == "ru"
    english = Tastes(language=Language.EN)
    await world.hub.store.run(lambda desk: set_tastes(desk, "ivan", english))
    assert (await told(world, "", "GET", "/contacts/999999"))["language"] == "en"
    assert (await told(world, "ru", "GET", "/contacts/999999"))["language"] == "ru"


async def test_whoever_is_not_let_in_is_told_in_their_language_too(world: World) -> None:
    for language, said in (("en", "Bearer TOKEN"), ("ru", "Bearer ТОКЕН")):
        response = await world.client.get("/api/v1/contacts", headers={"Accept-Language": language})
        assert (response.status, said in (await response.json())["detail"]) == (401, True)
        assert response.headers["Content-Language"] == language


async def test_the_description_says_how_to_ask(world: World) -> None:
    document = await (await world.client.get("/api/v1/openapi.json")).json()
    parameter = document["components"]["parameters"]["AcceptLanguage"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("Accept-Language", "header", False)
    every = [operation for path in document["paths"].values() for operation in path.values()]
    asked = {"$ref": "#/components/parameters/AcceptLanguage"}
    assert all(asked in operation["parameters"] for operation in every)
