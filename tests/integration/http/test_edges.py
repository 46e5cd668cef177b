"""The edges of the API: who may, what is malformed, what went wrong."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from crm_core.errors import StorageUnavailable
from tests.integration.http.world import World, token_of


async def told(response: Any, status: int) -> dict[str, Any]:
    """The problem of an answer."""
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    problem: dict[str, Any] = await response.json(content_type=None)
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert problem["status"] == status
    assert response.headers["X-Correlation-ID"] == problem["correlation_id"]
    return problem


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Basic aXZhbjp4", "Bearer ", "Bearer " + "x" * 10_000, "Bearer \u00ff\u00fe"]
)
async def test_nobody_gets_in_without_a_token(world: World, header: str | None) -> None:
    headers = {"Authorization": header} if header is not None else {}
    response = await world.client.get("/api/v1/contacts", headers=headers)
    if response.status != 400:  # a header too long for HTTP itself
        await told(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_tokens_of_disabled_people_open_nothing(world: World) -> None:
    await world.patch("/users/petr", {"active": False}, login="root")
    response = await world.client.get("/api/v1/contacts", headers={"Authorization": f"Bearer {token_of('petr')}"})
    await told(response, 401)


async def test_only_administrators_see_the_journal_and_keep_the_staff(world: World) -> None:
    for method, path, body in (
        ("GET", "/journal", None),
        ("GET", "/journal/1", None),
        ("POST", "/journal/1/replay", None),
        ("POST", "/users", {"login": "x", "name": "x", "role": "manager"}),
        ("PATCH", "/users/petr", {"do_not_disturb": True}),
        ("PATCH", "/users/ivan", {"role": "admin"}),
    ):
        await told(await world.call(method, path, body), 403)
    await world.get("/journal", login="root")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b'{"name": "\xd0"}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": NaN}', 400),
        (b"[" * 100_000, 400),
        (b'{"fields": ' + b'{"a":' * 200 + b"1" + b"}" * 201, 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b'{"name": "' + b"x" * (5 * 1024 * 1024) + b'"}', 413),
    ],
)
async def test_malformed_bodies(world: World, body: bytes, status: int) -> None:
    response = await world.client.post(
        "/api/v1/contacts", data=BytesIO(body), headers={"Authorization": f"Bearer {token_of('ivan')}"}
    )
    await told(response, status)
    assert await world.count("contact") == 0


async def test_a_body_without_end_is_cut_off(world: World) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b" " * 65536

    response = await world.client.post(
        "/api/v1/contacts", data=endless(), headers={"Authorization": f"Bearer {token_of('ivan')}"}
    )
    await told(response, 413)


async def test_addresses_and_methods_that_are_not_there(world: World) -> None:
    await told(await world.call("GET", "/contacts/abc"), 404)
    await told(await world.call("GET", "/nothing"), 404)
    response = await world.call("PUT", "/contacts")
    await told(response, 405)
    assert "POST" in response.headers["Allow"]
    await told(await world.client.get("/in/telegram/nobody"), 404)


@pytest.mark.parametrize(
    "query",
    [
        "after=abc",
        "after=-1",
        "after=99999999999999999999999",
        "limit=0",
        "limit=x",
        "limit=100000",
        "identity=fax:1",
        "q=%00",
        "after=%00",
    ],
)
async def test_malformed_queries_of_lists(world: World, query: str) -> None:
    await told(await world.call("GET", f"/contacts?{query}"), 422)


@pytest.mark.parametrize("query", ["q=%ff%fe", "q=%ed%a0%80", "limit=5&q=%"])
async def test_queries_that_are_no_text_find_nothing(world: World, query: str) -> None:
    response = await world.call("GET", f"/contacts?{query}")
    assert response.status in {200, 422}


@pytest.mark.parametrize(
    "query", ["state=open", "since=yesterday", "since=2026-01-01T00:00:00", "since=0001-01-01T00:00:00Z", "after=AAAA"]
)
async def test_malformed_queries_of_calls(world: World, query: str) -> None:
    await told(await world.call("GET", f"/calls?{query}"), 422)


async def test_a_moment_with_an_offset_is_read_also_where_its_plus_became_a_space(world: World) -> None:
    assert await world.get("/calls?since=2026-01-01T00:00:00+03:00") == {"items": [], "next": None}


async def test_the_correlation_id_comes_back(world: World) -> None:
    response = await world.call("GET", "/contacts", headers={"X-Correlation-ID": "abc-1"})
    assert response.headers["X-Correlation-ID"] == "abc-1"
    response = await world.call("GET", "/contacts", headers={"X-Correlation-ID": "a b\tc"})
    assert response.headers["X-Correlation-ID"] not in {"", "a b\tc"}


async def test_a_database_that_is_away_is_said_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable("postgresql://hub:secret@db is away")

    monkeypatch.setattr(type(world.hub.store.database), "read", away)
    response = await world.call("GET", "/contacts")
    problem = await told(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    assert "secret" not in json.dumps(problem)


async def test_what_nobody_foresaw_is_no_traceback(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(type(world.hub.store.database), "read", broken)
    problem = await told(await world.call("GET", "/contacts"), 500)
    assert "swordfish" not in json.dumps(problem)
