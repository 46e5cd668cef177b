"""API tokens over HTTP: what scopes open, how long, what a token may hand on, when it was used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.model.scopes import Scopes
from crm_core.storage.tokens import add_token
from hub.access.security import token_digest
from tests.integration.http.world import World


async def token_with(world: World, *scopes: str, token: str = "", **more: Any) -> dict[str, str]:
    """The header of a token of Ivan's with these scopes."""
    token = token or "-".join(("token", *scopes))
    named = Scopes.parse(scopes or None)
    await world.hub.store.run(lambda desk: add_token(desk, "ivan", token_digest(token), scopes=named, **more))
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("scopes", "reads_contacts", "writes_contacts", "reads_calls"),
    [
        ((), 200, 201, 200),
        (("read",), 200, 403, 200),
        (("write",), 200, 201, 200),
        (("contacts:read",), 200, 403, 403),
        (("contacts:write",), 200, 201, 403),
        (("calls:write",), 403, 403, 200),
        (("calls:read", "contacts:read"), 200, 403, 200),
    ],
    ids=lambda value: " ".join(value) or "all" if isinstance(value, tuple) else None,
)
async def test_a_token_opens_what_its_scopes_name(
    world: World, scopes: tuple[str, ...], reads_contacts: int, writes_contacts: int, reads_calls: int
) -> None:
    headers = await token_with(world, *scopes)
    for method, path, body, status in (
        ("GET", "/contacts", None, reads_contacts),
        ("HEAD", "/contacts", None, reads_contacts),
        ("POST", "/contacts", {"name": "Анна"}, writes_contacts),
        ("GET", "/calls", None, reads_calls),
    ):
        response = await world.call(method, path, body, headers=headers)
        assert response.status == status, (method, path)
        if status == 403:
            assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
            assert response.headers["Content-Type"] == "application/problem+json"


async def test_no_scope_gives_more_than_the_persons_rights(world: World) -> None:
    headers = await token_with(world, "write")
    assert (await world.call("GET", "/journal", headers=headers)).status == 403


async def test_a_token_is_made_told_once_used_and_revoked(world: World) -> None:
    body = {"name": "отчёты", "scopes": ["read", "tasks:write"], "expires_at": "2027-01-01T00:00:00Z"}
    fresh = await world.post("/tokens", body, status=201)
    assert fresh["scopes"] == ["read", "tasks:write"]
    headers = {"Authorization": f"Bearer {fresh['token']}"}
    assert (await world.call("GET", "/tokens", headers=headers)).status == 200
    listed = (await world.get("/tokens"))["items"]
    (mine,) = [each for each in listed if each["id"] == fresh["id"]]
    assert (mine["name"], mine["expires_at"], mine["last_used_at"]) == ("отчёты", "2027-01-01T00:00:00Z", None)
    assert fresh["token"] not in str(listed)
    assert fresh["id"] not in [each["id"] for each in (await world.get("/tokens", login="root"))["items"]]
    await world.ask("DELETE", f"/tokens/{fresh['id']}", login="root", status=404)
    await world.ask("DELETE", f"/tokens/{fresh['id']}", status=204)
    await world.ask("DELETE", f"/tokens/{fresh['id']}", status=204)
    assert (await world.call("GET", "/contacts", headers=headers)).status == 401
    said = [(each["what"], each["login"]) for each in (await world.get("/audit", login="root"))["items"]]
    assert said[:2] == [("token.revoked", "ivan"), ("token.issued", "ivan")]


async def test_a_token_hands_on_no_more_than_it_holds(world: World) -> None:
    ends = world.clock.now() + timedelta(days=1)
    headers = await token_with(world, "tokens:write", "contacts:read", expires_at=ends)
    for scopes in (["read"], ["contacts:write"], ["calls:read"]):
        response = await world.call("POST", "/tokens", {"scopes": scopes}, headers=headers)
        assert response.status == 403, scopes
    whole = await (await world.call("POST", "/tokens", {}, headers=headers)).json()
    assert whole["scopes"] == ["contacts:read", "tokens:write"]
    later = {"scopes": ["contacts:read"], "expires_at": "2030-01-01T00:00:00Z"}
    bounded = await (await world.call("POST", "/tokens", later, headers=headers)).json()
    assert bounded["expires_at"] == whole["expires_at"] == ends.isoformat().replace("+00:00", "Z")


async def test_what_is_no_scope_or_over_already_is_refused(world: World) -> None:
    for scopes in (["admin"], ["ufo:read"], ["read:calls"], []):
        await world.post("/tokens", {"scopes": scopes}, status=422)
    await world.post("/tokens", {"expires_at": "2020-01-01T00:00:00Z"}, status=422)
    await world.post("/tokens", {"name": "x" * 101}, status=422)


async def test_an_expired_token_opens_nothing(world: World) -> None:
    headers = await token_with(world, expires_at=world.clock.now() + timedelta(hours=1))
    assert (await world.call("GET", "/contacts", headers=headers)).status == 200
    world.clock.advance(timedelta(hours=1))
    assert (await world.call("GET", "/contacts", headers=headers)).status == 401


async def test_the_last_use_is_kept_to_the_hour_and_many_at_once(world: World) -> None:
    headers = await token_with(world, token="used")
    other = await token_with(world, token="unused")

    async def used() -> list[object]:
        await world.hub.token_uses.turn()
        sql = "SELECT last_used_at IS NOT NULL FROM api_token WHERE login = 'ivan' ORDER BY id"
        return list(await world.hub.store.read(lambda conn: conn.exec_driver_sql(sql).scalars().all()))

    async def moment() -> str:
        tokens = (await world.ask("GET", "/tokens", headers=other))["items"]
        return str(max(each["last_used_at"] or "" for each in tokens))

    assert not any(await used())
    for _ in range(3):
        await world.call("GET", "/contacts", headers=headers)
    assert sum(map(bool, await used())) == 1
    first = await moment()
    await used()
    world.clock.advance(timedelta(minutes=59))
    await world.call("GET", "/contacts", headers=headers)
    await used()
    assert await moment() == first
    world.clock.advance(timedelta(minutes=1))
    await world.call("GET", "/contacts", headers=headers)
    await used()
    assert await moment() > first
