"""A field that changes is followed through all existing records, chunk by chunk; what does not fit is reported."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from crm_core.errors import InvalidInput
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.model.records import DeadlineKind, DeadlineRecord
from crm_core.services import defining
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.custom import rechecking
from crm_core.services.desk import Desk
from crm_core.services.firing import fire
from tests.integration.storage.world import World

MANY = 12


@pytest.fixture
async def office(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Clients whose sizes are texts."""
    monkeypatch.setattr(rechecking, "CHUNK", 5)

    def service(desk: Desk) -> None:
        desk.work.author = "ivan"
        for n in range(MANY):
            contacts.create(desk, ContactChange(name=f"К{n}", fields={"size": f"{n % 10},5" if n else "много"}))

    await world.store.run(service)
    return world


async def change(world: World, **more: Any) -> None:
    """Add the field, or change it."""
    body = FieldBody(of="contact", key="size", title="Размер", **more)

    def service(desk: Desk) -> None:
        known = defining.of_section(desk, Section.FIELD)
        if known:
            defining.change(desk, Section.FIELD, known[0].id, "head", body=body)
        else:
            defining.add(desk, Section.FIELD, "contact.size", body, "head")

    await world.store.run(service)


def _fire_all(due: list[DeadlineRecord], desk: Desk) -> None:
    for each in due:
        fire(desk, each)


async def settle(world: World) -> int:
    """Fire what is due until nothing is; how often."""
    for turn in range(50):
        due = [DeadlineRecord(*row) for row in await world.rows("deadline", kind=DeadlineKind.FIELD)]
        if not due:
            return turn
        await world.store.run(partial(_fire_all, due))
    raise AssertionError("it never ends")


async def test_a_long_look_leaves_time_to_everybody_else(office: World) -> None:
    await change(office, type=FieldType.NUMBER, indexed=True)
    first = DeadlineRecord(*(await office.row("deadline", kind=DeadlineKind.FIELD)))
    assert first.due_at == office.clock.now()
    await office.store.run(partial(_fire_all, [first]))
    second = await office.row("deadline", kind=DeadlineKind.FIELD)
    assert second.due_at == office.clock.now() + rechecking.REST


async def test_existing_values_take_a_new_type_and_what_does_not_fit_is_named(office: World) -> None:
    await change(office, type=FieldType.NUMBER, indexed=True)
    assert await settle(office) == 3
    check = await office.row("field_check")
    first, *others = await office.rows("contact")
    assert (check.state, check.looked, check.changed, check.problems) == ("done", MANY, MANY - 1, 1)
    assert check.samples[0][:2] == [first.id, "много"]
    assert first.fields == {"size": "много"}
    assert [each.fields["size"] for each in others[:2]] == [1.5, 2.5]
    assert len(await office.rows("field_value")) == MANY - 1
    history = await office.rows("change", subject_id=others[0].id)
    assert [(row.author, row.changes) for row in history] == [("field:contact.size", [["fields.size", "1,5", 1.5]])]


async def test_what_becomes_unique_tells_who_shares_a_value(office: World) -> None:
    await change(office)
    await change(office, unique=True)
    await settle(office)
    check = await office.row("field_check")
    assert check.problems == 1  # 1,5 stands twice
    assert "stands with contact" in check.samples[0][2]
    rows = await office.rows("field_value")
    assert (len(rows), len([row for row in rows if row.unique_key is None])) == (MANY, 1)
    await change(office)
    await settle(office)
    assert await office.rows("field_value") == []


async def test_a_field_put_away_leaves_the_index_and_comes_back_to_it(office: World) -> None:
    await change(office, indexed=True)
    await settle(office)
    ident = (await office.row("definition")).id
    await office.store.run(lambda desk: defining.put_away(desk, Section.FIELD, ident, "head"))
    await settle(office)
    assert await office.rows("field_value") == []
    assert (await office.rows("contact"))[1].fields == {"size": "1,5"}
    body = FieldBody(of="contact", key="size", title="Размер", indexed=True)
    await office.store.run(lambda desk: defining.add(desk, Section.FIELD, "contact.size", body, "head"))
    await settle(office)
    assert len(await office.rows("field_value")) == MANY


async def test_a_formula_is_worked_out_for_those_who_are_there(office: World) -> None:
    await change(office, type=FieldType.FORMULA, expression='contact.name == "К1" ? 3 : 2', indexed=True)
    await settle(office)
    assert {row.number for row in await office.rows("field_value")} == {2.0, 3.0}


async def test_a_field_keeps_its_place(office: World) -> None:
    await change(office)
    ident = (await office.row("definition")).id
    body = FieldBody(of="deal", key="size", title="Размер")
    with pytest.raises(InvalidInput, match="keeps its key"):
        await office.store.run(lambda desk: defining.change(desk, Section.FIELD, ident, "head", body=body))


async def test_what_was_mended_on_the_card_is_no_problem_any_more(office: World) -> None:
    await change(office, type=FieldType.NUMBER, indexed=True)
    await settle(office)
    first, second, *_ = await office.rows("contact")

    def give(desk: Desk, ident: int, **fields: Any) -> None:
        contacts.change(desk, ident, ContactChange(fields=fields))

    await office.store.run(lambda desk: give(desk, second.id, size=7))
    assert (await office.row("field_check")).problems == 1
    await office.store.run(lambda desk: give(desk, first.id, size=3))
    check = await office.row("field_check")
    assert (check.problems, check.samples) == (0, [])
    assert (check.state, check.looked) == ("done", MANY)
