"""The description keeps its word: whatever fits or does not fit it is answered as it says, and never by a failure."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.core.result import Ok

from hub.http.api import OPERATIONS, PREFIX
from hub.http.openapi import describe
from tests.integration.http.world import World, later, token_of
from tests.integration.storage.world import message, missed

ENDLESS = "/api/v1/events"
EXAMPLES = 12


@cache
def document() -> dict[str, Any]:
    return describe(OPERATIONS, PREFIX, "Hub", "1")


def cases_of(operation: Any) -> list[Any]:
    """Requests that fit the description of an operation."""
    cases: list[Any] = []

    @seed(20260302)
    @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases


async def known_ids(world: World) -> dict[str, list[int]]:
    """Something for every address to be about."""
    await world.take(message(1001, "m1", later(1)), missed("c1", "+79161234567", later(2)))
    await world.client.post("/in/telegram/shop", data=b"junk", headers={"x-secret": "s3cret"})
    contacts = [each["id"] for each in (await world.get("/contacts"))["items"]]
    leads = [each["id"] for each in (await world.get("/leads"))["items"]]
    await world.post("/deals", {"title": "x", "contact_id": contacts[0]}, status=201)
    found = {"contacts": contacts, "leads": leads}
    for name in ("deals", "pipelines", "calls", "cases", "journal"):
        found[name] = [each["id"] for each in (await world.get(f"/{name}", login="root"))["items"]]
    return found


@pytest.mark.parametrize("migrated_url", ["postgresql"], indirect=True)  # the stricter engine: it is long
@pytest.mark.timeout(600)  # a dozen requests for every operation there is
async def test_the_description_is_valid_and_kept(world: World) -> None:
    schema = schemathesis.openapi.from_dict(document())
    schema.validate()
    ids = await known_ids(world)
    headers = {"Authorization": f"Bearer {token_of('root')}"}
    wrong: list[str] = []
    answered: set[int] = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.path == ENDLESS:
            continue
        known = ids.get(operation.path.split("/")[3], [])
        for number, case in enumerate(cases_of(operation)):
            if known and number % 3 and "id" in case.path_parameters:
                case.path_parameters["id"] = known[number % len(known)]
            if "login" in case.path_parameters:
                case.path_parameters["login"] = "petr"
            status, media, body = await sent(world, case, headers)
            answered.add(status)
            flaw = flaw_of(operation, status, media, body)
            if flaw:
                wrong.append(f"{operation.label} {case.path_parameters} {case.query} {case.body!r}: {status} {flaw}")
    assert wrong == []
    assert {200, 201, 404, 409, 415, 422} <= answered


async def sent(world: World, case: Any, headers: dict[str, str]) -> tuple[int, str, bytes]:
    plain = case.as_transport_kwargs(base_url="http://hub")
    path = urlsplit(plain["url"]).path
    sending: dict[str, Any] = {"params": [(name, str(value)) for name, value in plain.get("params", {}).items()]}
    if plain.get("json") is not None:
        sending["data"] = json.dumps(plain["json"]).encode()
    response = await world.client.request(case.method, path, headers=headers, **sending)
    return response.status, response.content_type, await response.read()


def flaw_of(operation: Any, status: int, media: str, body: bytes) -> str:
    """What is wrong with an answer."""
    described = document()["paths"][operation.path][operation.method]["responses"]
    if status >= 500 and b'"urn:hub:problem:pending"' not in body:
        return body[:300].decode("utf-8", "replace")
    if status >= 400:
        return problem_flaw(status, media, body)
    if str(status) not in described and status != 206:
        return "a status that is not described"
    if "application/json" not in described[str(status)].get("content", {}):
        return ""
    flaw = next(iter(judge_of(operation.path, operation.method, status).iter_errors(json.loads(body))), None)
    return f"{flaw.message} at {flaw.instance_path}" if flaw is not None else ""


@cache
def judge_of(path: str, method: str, status: int) -> Any:
    """What judges the answers of one operation; made once, for it takes in every schema there is."""
    content = document()["paths"][path][method]["responses"][str(status)]["content"]
    return jsonschema_rs.validator_for(
        {**content["application/json"]["schema"], "components": document()["components"]}
    )


def problem_flaw(status: int, media: str, body: bytes) -> str:
    if media != "application/problem+json":
        return f"no problem: {media}"
    problem = json.loads(body)
    return "" if problem["status"] == status and problem["detail"] else "a problem that tells nothing"
