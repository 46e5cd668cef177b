"""Whoever corrects what somebody else changed meanwhile is told so, and shown it as it is now."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.http.world import World

_NAMED = {"contacts": "name", "companies": "name", "leads": "title", "deals": "title", "tasks": "title"}


async def _made(world: World, path: str) -> Any:
    body: dict[str, Any] = {_NAMED[path]: "Окна"}
    if path == "leads":
        body["contact_id"] = (await world.contact(name="Анна"))["id"]
    return await world.post(f"/{path}", body, status=201)


@pytest.mark.parametrize("path", _NAMED)
async def test_what_was_changed_meanwhile_is_shown(world: World, path: str) -> None:
    name = _NAMED[path]
    record = await _made(world, path)
    where = f"/{path}/{record['id']}"
    changed = await world.patch(where, {name: "Двери", "version": record["version"]})
    assert (changed[name], changed["version"]) == ("Двери", record["version"] + 1)
    stale = {"tags": ["опоздал"], "version": record["version"]}
    refused = await world.ask("PATCH", where, stale, status=409, login="petr")
    assert refused["current"] == changed
    assert f"version {changed['version']}, not {record['version']}" in refused["detail"]
    now = await world.get(where)
    assert (now[name], now["tags"]) == ("Двери", [])
    # whoever names no version knows what they do
    assert (await world.patch(where, {"tags": ["всё равно"]}))["tags"] == ["всё равно"]


@pytest.mark.parametrize("path", _NAMED)
async def test_of_two_at_the_same_moment_one_is_told(world: World, path: str) -> None:
    record = await _made(world, path)
    body = {"version": record["version"]}
    asked = [
        world.call("PATCH", f"/{path}/{record['id']}", {**body, "tags": [login]}, login=login)
        for login in ("ivan", "petr")
    ]
    answers = await asyncio.gather(*asked)
    assert sorted(each.status for each in answers) == [200, 409]
    winner = next([login] for login, each in zip(("ivan", "petr"), answers, strict=True) if each.status == 200)
    refused = next(each for each in answers if each.status == 409)
    assert (await refused.json())["current"]["tags"] == winner
