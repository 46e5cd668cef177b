"""Custom fields of the record: read by type, worked out, indexed, kept apart; nothing that a fact brings is lost."""

from __future__ import annotations

from typing import Any

import pytest

from crm_core.errors import Duplicate, InvalidInput
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.services import defining
from crm_core.services.acts import deals, removing
from crm_core.services.acts.deals import DealChange
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.desk import Desk
from tests.integration.storage.world import World, at, form, message
from tests.statements import statements

MANY = 108


async def declare(world: World, *bodies: FieldBody) -> None:
    def service(desk: Desk) -> None:
        for body in bodies:
            defining.add(desk, Section.FIELD, f"{body.of}.{body.key}", body, "head")

    await world.store.run(service)


async def make(world: World, kind: str, fields: dict[str, Any], **more: Any) -> Any:
    """A contact or a deal with these fields; the id."""

    def service(desk: Desk) -> int:
        desk.work.author = "ivan"
        if kind == "contact":
            return contacts.create(desk, ContactChange(name="Анна", fields=fields, **more))[0].id
        return deals.create(desk, "ivan", DealChange(title="Окна", fields=fields, **more), None, None).deal.id

    return await world.store.run(service)


async def set_fields(world: World, kind: str, ident: int, fields: dict[str, Any]) -> None:
    def service(desk: Desk) -> None:
        desk.work.author = "ivan"
        if kind == "contact":
            contacts.change(desk, ident, ContactChange(fields=fields))
        else:
            deals.change(desk, ident, DealChange(fields=fields))

    await world.store.run(service)


def field(of: str, key: str, kind: FieldType = FieldType.TEXT, **more: Any) -> FieldBody:
    return FieldBody(of=of, key=key, title=more.pop("title", key.title()), type=kind, **more)


async def test_values_are_kept_by_their_types_whatever_name_brings_them(world: World) -> None:
    await declare(
        world,
        field("deal", "budget", FieldType.MONEY, title="Бюджет", also=["смета"]),
        field("deal", "starts", FieldType.DATE),
        field("deal", "need", FieldType.LIST, options=["Горячая", "Холодная"]),
        field("deal", "owner", FieldType.USER),
    )
    given = {"Смета": "150 000,50 ₽", "starts": "12.03.2026", "need": "горячая", "owner": "Ivan", "прочее": 5}
    ident = await make(world, "deal", given)
    assert (await world.row("deal", id=ident)).fields == {
        "budget": {"amount": 15000050, "currency": "RUB"},
        "starts": "2026-03-12",
        "need": "Горячая",
        "owner": "ivan",
        "прочее": 5,
    }
    await set_fields(world, "deal", ident, {"Бюджет": None, "need": ""})
    assert set((await world.row("deal", id=ident)).fields) == {"starts", "owner", "прочее"}


@pytest.mark.parametrize(
    ("value", "said"),
    [("10000000000000000 ₽", "too large"), ("много", "no sum"), ({"amount": 10**16}, "too large"), (True, "no number")],
)
async def test_what_a_person_gives_wrong_is_refused_by_the_name_of_the_field(
    sqlite_world: World, value: Any, said: str
) -> None:
    await declare(sqlite_world, field("deal", "budget", FieldType.MONEY, title="Бюджет"))
    with pytest.raises(InvalidInput, match=rf"fields.budget \(«Бюджет»\): .*{said}"):
        await make(sqlite_world, "deal", {"budget": value})


async def test_a_fact_never_loses_what_can_not_be_read(world: World) -> None:
    await declare(
        world,
        field("lead", "budget", FieldType.MONEY, title="Бюджет"),
        field("lead", "phone2", unique=True, title="Второй телефон"),
    )
    given = (("Бюджет", "сколько не жалко"), ("Второй телефон", "5"), ("цвет", "белый"))
    await world.take(form(at(0), name="Анна", phone="+79161234567", fields=given))
    lead = await world.row("lead")
    assert lead.fields == {"budget_text": "сколько не жалко", "phone2": "5", "цвет": "белый"}
    noted = [row.text for row in await world.rows("timeline", kind="system")]
    assert any("Бюджет" in text and "сколько не жалко" in text for text in noted)
    await world.take(form(at(10), name="Пётр", phone="+79161234568", fields=(("Второй телефон", "5"),)))
    second = (await world.rows("lead"))[1]
    assert second.fields == {"phone2_text": "5"}
    assert len(await world.rows("field_value")) == 1


async def test_the_index_follows_the_values(world: World) -> None:
    await declare(
        world,
        field("contact", "size", FieldType.NUMBER, indexed=True),
        field("contact", "colours", FieldType.MULTI, options=["Белый", "Синий"], indexed=True),
    )
    ident = await make(world, "contact", {"size": "1 500,5", "colours": "белый; синий"})
    rows = [(row.text_key, row.number) for row in await world.rows("field_value")]
    assert sorted(rows, key=str) == [("белый", None), ("синий", None), (None, 1500.5)]
    await set_fields(world, "contact", ident, {"size": 2, "colours": ["Синий"]})
    rows = [(row.text_key, row.number) for row in await world.rows("field_value")]
    assert sorted(rows, key=str) == [("синий", None), (None, 2.0)]
    await set_fields(world, "contact", ident, {"size": None, "colours": None})
    assert await world.rows("field_value") == []


async def test_a_unique_value_stands_once_and_its_holder_is_named(world: World) -> None:
    await declare(world, field("contact", "inn", unique=True, title="ИНН"))
    first = await make(world, "contact", {"inn": "7701"})
    with pytest.raises(Duplicate, match=rf"«ИНН» «7701» stands with contact {first}"):
        await make(world, "contact", {"inn": " 7701 "})
    await set_fields(world, "contact", first, {"inn": "7702"})
    second = await make(world, "contact", {"inn": "7701"})

    def swap(desk: Desk) -> None:
        desk.work.author = "ivan"
        for ident, value in ((first, None), (second, "7702"), (first, "7701")):
            contacts.change(desk, ident, ContactChange(fields={"inn": value}))

    with pytest.raises(Duplicate):
        await world.store.run(lambda desk: contacts.change(desk, second, ContactChange(fields={"inn": "7702"})))
    await set_fields(world, "contact", first, {"inn": None})
    await set_fields(world, "contact", second, {"inn": "7702"})
    assert [row.unique_key for row in await world.rows("field_value")] == ["7702"]


async def test_two_at_the_same_moment_do_not_both_get_a_unique_value(world: World, second: World) -> None:
    await declare(world, field("contact", "inn", unique=True))
    await make(world, "contact", {"inn": "7700"})
    outcomes = []
    for one in (world, second):
        try:
            outcomes.append(await make(one, "contact", {"inn": "7701"}))
        except Duplicate as err:
            outcomes.append(str(err))
    assert sum(isinstance(each, int) for each in outcomes) == 1


async def test_formulas_are_worked_out_and_their_errors_shown(world: World) -> None:
    await declare(
        world,
        field("deal", "need", FieldType.NUMBER),
        field("deal", "money", FieldType.MONEY),
        field("deal", "twice", FieldType.FORMULA, expression="fields.score * 2"),
        field("deal", "score", FieldType.FORMULA, expression="fields.need + fields.money / 1000", indexed=True),
        field("deal", "grade", FieldType.FORMULA, expression='fields.score > 100 ? "A" : "B"'),
        field("deal", "bad", FieldType.FORMULA, expression="deal.title + 1"),
        field("deal", "left", FieldType.FORMULA, expression="fields.right + 1"),
        field("deal", "right", FieldType.FORMULA, expression="fields.left + 1"),
    )
    ident = await make(world, "deal", {"need": 50, "money": "60 000 ₽"})
    found = (await world.row("deal", id=ident)).fields
    assert (found["score"], found["twice"], found["grade"]) == (110, 220, "A")
    assert "error" in found["bad"]
    assert "circle" in found["left"]["error"]
    assert [row.number for row in await world.rows("field_value")] == [110.0]
    await set_fields(world, "deal", ident, {"need": None})
    found = (await world.row("deal", id=ident)).fields
    assert "score" not in found
    with pytest.raises(InvalidInput, match="worked out"):
        await set_fields(world, "deal", ident, {"score": 5})


async def test_a_deal_with_108_fields_costs_no_more_statements_than_one_with_two(world: World) -> None:
    await declare(world, *(field("deal", f"f{n}", FieldType.NUMBER, indexed=n % 2 == 0) for n in range(MANY)))
    for _ in range(2):  # the first one makes the pipeline
        await make(world, "deal", {"f0": 1})
    with statements(world.store) as few:
        await make(world, "deal", {"f0": 1, "f2": 2})
    with statements(world.store) as many:
        ident = await make(world, "deal", {f"f{n}": n for n in range(MANY)})
    assert len(many) == len(few)
    assert len((await world.row("deal", id=ident)).fields) == MANY


async def test_a_deleted_client_who_writes_again_is_back(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    ident = (await world.row("contact")).id
    await world.store.run(lambda desk: removing.remove(desk, "contact", ident))
    assert (await world.row("contact")).deleted_at is not None
    assert (await world.row("lead")).deleted_at is not None
    await world.take(message(7, "m2", at(60)))
    assert (await world.row("contact")).deleted_at is None
    assert [row.status for row in await world.rows("lead") if row.deleted_at is None] == ["new"]
