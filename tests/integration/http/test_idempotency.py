"""The same key acts once, whatever is repeated, crashes or comes twice at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crm_core.storage.queries import idempotency
from tests.integration.http.world import World


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


async def test_a_repeat_gets_the_first_answer(world: World) -> None:
    body = {"name": "Анна", "identities": ["tel:+79161234567"]}
    first = await world.call("POST", "/contacts", body, headers=key("k1"))
    again = await world.call("POST", "/contacts", body, headers=key("k1"))
    assert (first.status, again.status) == (201, 201)
    assert await first.read() == await again.read()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await world.count("contact") == 1


async def test_another_request_under_the_key_is_refused(world: World) -> None:
    await world.post("/contacts", {"name": "Анна"}, status=201, headers=key("k1"))
    problem = await world.post("/contacts", {"name": "Борис"}, status=422, headers=key("k1"))
    assert problem["type"].endswith("idempotency-key-reused")
    lead = {"contact_id": (await world.get("/contacts"))["items"][0]["id"]}
    await world.post("/leads", lead, status=422, headers=key("k1"))
    assert await world.count("contact") == 1


async def test_keys_are_everybodys_own(world: World) -> None:
    for login in ("ivan", "petr"):
        await world.post("/contacts", {"name": login}, status=201, headers=key("k1"), login=login)
    assert await world.count("contact") == 2


async def test_two_at_a_time_act_once(world: World) -> None:
    async def make(_: int) -> Any:
        return await world.post("/contacts", {"name": "Анна"}, status=201, headers=key("same"))

    answers = await asyncio.gather(*(make(number) for number in range(8)))
    assert len({each["id"] for each in answers}) == 1
    assert await world.count("contact") == 1


async def test_an_answer_that_can_not_be_kept_undoes_the_act(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("crash between the act and its answer")

    monkeypatch.setattr(idempotency, "keep", broken)
    await world.post("/contacts", {"name": "Анна"}, status=500, headers=key("k1"))
    assert await world.count("contact") == 0
    monkeypatch.undo()
    await world.post("/contacts", {"name": "Анна"}, status=201, headers=key("k1"))


async def test_refusals_are_not_kept(world: World) -> None:
    body = {"name": "Анна", "manager": "new"}
    await world.post("/contacts", body, status=422, headers=key("k1"))
    await world.post("/users", {"login": "new", "name": "New", "role": "manager"}, status=201, login="root")
    await world.post("/contacts", body, status=201, headers=key("k1"))


async def test_a_key_is_free_again_after_a_day(world: World) -> None:
    await world.post("/contacts", {"name": "Анна"}, status=201, headers=key("k1"))
    world.clock.advance(timedelta(hours=24))
    await world.post("/contacts", {"name": "Борис"}, status=201, headers=key("k1"))


async def test_what_is_no_key(world: World) -> None:
    for wrong in ("", "a b", "x" * 256):
        await world.post("/contacts", {"name": "Анна"}, status=400, headers=key(wrong))
    assert await world.count("contact") == 0
