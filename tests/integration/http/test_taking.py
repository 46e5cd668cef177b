"""What people take away and hear whose role reaches their own or their group's alone: those rows go out, no others."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, UserChange, add_user, update_user
from hub.access.security import token_digest
from tests.integration.http.world import World, token_of
from tests.integration.storage.world import answered, ended, moved, ringing
from tests.unit.hub.test_recording_files import sound

OWNERS = ("ivan", "petr", "nina", None)
"""Ivan and Petr are of one group, Nina of another; the last is nobody."""

KINDS = ("contacts", "companies", "leads", "deals", "tasks", "sales")
_TITLES = ("Клиент", "Фирма", "Лид", "Сделка", "Задача", "Продажа")


@pytest.fixture
async def office(world: World) -> World:
    """Everybody has one record of each kind, whose number in the list of owners it bears."""

    def service(desk: Desk) -> None:
        add_user(desk, NewUser("nina", "Нина", Role.MANAGER, extension="PJSIP/103", group="опт"))
        add_token(desk, "nina", token_digest(token_of("nina")))
        for login in ("ivan", "petr"):
            update_user(desk, login, UserChange(group="окна"))

    await world.hub.recordings.stop()
    await world.hub.store.run(service)
    await world.post("/pipelines", {"name": "Окна", "stages": [{"name": "Новая"}]}, login="root", status=201)
    make = partial(world.post, login="root", status=201)
    for number, owner in enumerate(OWNERS):
        of = {"manager": owner} if owner is not None else {}
        number_ = f"tel:+7916000000{number}"
        client = (await make("/contacts", {"name": f"Клиент {number}", "identities": [number_], **of}))["id"]
        await make("/companies", {"name": f"Фирма {number}", **of})
        lead = (await make("/leads", {"contact_id": client, "title": f"Лид {number}"}))["id"]
        deal = (await make("/deals", {"contact_id": client, "title": f"Сделка {number}"}))["id"]
        task = (await make("/tasks", {"title": f"Задача {number}", "contact_id": client}))["id"]
        for path, whose in (
            (f"/leads/{lead}", "manager"),
            (f"/deals/{deal}", "manager"),
            (f"/tasks/{task}", "assignee"),
        ):
            await world.patch(path, {whose: owner}, login="root")
        row = {"external_id": f"A{number}", "amount": 100, "contact_id": client, "name": f"Продажа {number}"}
        row["at"] = world.clock.now().isoformat()
        done = await world.post("/sales", {"rows": [row]}, login="root")
        assert done["created"] == 1, done
    return world


async def reaches(world: World, **rights: str) -> None:
    """What managers may from now on, where it is not the usual."""
    known = (await world.get("/roles", login="root"))["items"]
    if not known:
        await world.post("/roles", {"name": "manager", "rights": rights}, login="root", status=201)
        return
    body = {"rights": rights, "version": known[0]["version"]}
    await world.patch(f"/roles/{known[0]['id']}", body, login="root")


async def taken(world: World, kind: str, login: str = "ivan") -> set[str | None]:
    """Whose records go out, by the owners' numbers in them; the table is a whole one."""
    response = await world.call("GET", f"/exports/{kind}", login=login)
    assert response.status == 200, await response.text()
    text = (await response.read()).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.splitlines()[0] else ","))
    found = [OWNERS[number] for row in rows for number in range(len(OWNERS)) if f" {number}" in _title(row)]
    assert len(found) == len(rows) == len(set(found)), text
    return set(found)


def _title(row: dict[str, str]) -> str:
    return next(
        value for value in row.values() if value.startswith(("Клиент", "Фирма", "Лид", "Сделка", "Задача", "Про"))
    )


@pytest.mark.parametrize(
    ("reach", "owners"),
    [("own", {"ivan"}), ("group", {"ivan", "petr", None}), ("all", set(OWNERS))],
)
async def test_of_each_kind_those_rows_go_out_that_the_role_reaches(
    office: World, reach: str, owners: set[str | None]
) -> None:
    for kind in KINDS:
        await office.ask("GET", f"/exports/{kind}", status=403)
    await reaches(office, export=reach)
    assert {kind: await taken(office, kind) for kind in KINDS} == dict.fromkeys(KINDS, owners)
    # Who took how many is noted, once for each table.
    notes = (await office.get("/access-log?login=ivan", login="root"))["items"]
    assert len(notes) == len(KINDS)
    assert {(each["login"], each["what"], each["subject_id"]) for each in notes} == {
        ("ivan", f"export.{kind}", len(owners)) for kind in KINDS
    }
    # A filter narrows it, and never widens it.
    wide = {"filter": '{"field": "name", "op": "starts", "value": "Клиент"}'}
    response = await office.call("GET", "/exports/contacts", params=wide)
    text = await response.text()
    assert sum(f"Клиент {number}" in text for number in range(len(OWNERS))) == len(owners)
    assert await taken(office, "contacts", "root") == set(OWNERS)


async def test_who_stands_in_for_somebody_takes_theirs_as_own(office: World) -> None:
    await reaches(office, export="own")
    await office.hub.store.run(lambda desk: update_user(desk, "nina", UserChange(deputy="ivan")))
    assert await taken(office, "contacts") == {"ivan", "nina"}


@pytest.mark.parametrize(
    ("reach", "heard"),
    [("none", set()), ("own", {"ivan", None}), ("group", {"ivan", "petr", None}), ("all", set(OWNERS))],
)
async def test_those_calls_are_heard_that_the_role_reaches(office: World, reach: str, heard: set[str | None]) -> None:
    calls = await _calls(office)
    await reaches(office, hear_calls=reach)
    statuses = {
        owner: (await office.call("GET", f"/calls/{ident}/recording", login="ivan")).status
        for owner, ident in calls.items()
    }
    assert statuses == {owner: 200 if owner in heard else 403 for owner in OWNERS}
    notes = (await office.get("/access-log?what=recording.played", login="root"))["items"]
    assert sorted(each["subject_id"] for each in notes) == sorted(calls[owner] for owner in heard)


async def _calls(office: World) -> dict[str | None, Any]:
    """A recorded call of each owner's client, whom somebody unknown talked with; their ids."""
    (office.folder / "monitor").mkdir()
    for number, _owner in enumerate(OWNERS):
        start, name = office.clock.now(), f"1772442000.{number}"
        call = ended(answered(ringing(name, f"+7916000000{number}", start), 5, "PJSIP/999"), 60)
        await office.take(moved(replace(call, recording=f"{name}.wav")))
        sound(office.folder / "monitor" / f"{name}.wav", 55)
    for seconds in (6.0, 4.0):
        office.clock.advance(seconds)
        await office.hub.recordings.turn()
    found = (await office.get("/calls", login="root"))["items"]
    return {OWNERS[int(each["number"][-1])]: each["id"] for each in found}
