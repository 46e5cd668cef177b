"""A deal with 108 fields costs the statements of a deal with few: written, read, on the board, carried along."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import orjson
import pytest

from crm_core import presets
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.definitions.fields import FieldType
from crm_core.model.user import Role, User
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.configuration import applied
from crm_core.storage.queries import boards
from crm_core.storage.queries.boards import BoardFilter, BoardOrder
from hub.office.presets import parsed
from tests.integration.storage.world import World
from tests.statements import statements

PRESET = parsed(presets.text("four-r"), "four-r")
BODIES = [each for each in PRESET.definitions[Section.FIELD].values() if isinstance(each, FieldBody)]
FILLED = [each for each in BODIES if each.of == "deal" and each.type is not FieldType.FORMULA]
APART = [each for each in FILLED if each.kept_apart]
_numbers = count(1)


def values(bodies: list[FieldBody]) -> dict[str, Any]:
    """Something for each of these fields, different every time."""
    number = next(_numbers)
    made: dict[FieldType, Callable[[FieldBody], Any]] = {
        FieldType.NUMBER: lambda _: number,
        FieldType.MONEY: lambda _: {"amount": number * 100, "currency": "RUB"},
        FieldType.DATE: lambda _: f"2026-06-{number % 28 + 1:02}",
        FieldType.FLAG: lambda _: number % 2 == 0,
        FieldType.LIST: lambda body: body.options[number % len(body.options)],
        FieldType.MULTI: lambda body: body.options[: number % len(body.options) + 1],
    }

    def text(body: FieldBody) -> str:
        return f"{body.title} {number}"

    return {each.key: made.get(each.type, text)(each) for each in bodies}


@pytest.fixture
async def office(world: World) -> World:
    await world.store.run(lambda desk: applied(desk, PRESET, "root"))
    return world


async def cost(world: World, act: Callable[[], Any]) -> int:
    """The statements that an act takes, without those that fetch ids."""
    with statements(world.store) as seen:
        await act()
    apart = ("BEGIN", "COMMIT")
    return len(
        [each for each in seen if not each.startswith(apart) and "nextval" not in each and "id_block" not in each]
    )


async def opened(world: World, fields: dict[str, Any]) -> int:
    """A deal's id."""
    change = DealChange(title="Фурнитура", fields=fields)
    return (await world.store.run(lambda desk: deals.create(desk, "ivan", change, "React", None))).deal.id


def test_one_firm_fills_in_108() -> None:
    assert len(FILLED) == 108
    assert len([each for each in FILLED if each.group == "Формула прибыли"]) == 23
    assert len(APART) >= 5


async def test_the_number_of_fields_costs_no_statement(office: World) -> None:
    await opened(office, values(APART))
    few = await cost(office, lambda: opened(office, values(APART)))
    all_ = await cost(office, lambda: opened(office, values(FILLED)))
    assert few == all_ <= 20
    ident = await opened(office, values(FILLED))

    async def change(bodies: list[FieldBody]) -> None:
        given = DealChange(fields=values(bodies))
        await office.store.run(lambda desk: deals.change(desk, ident, given, None))

    await change(FILLED)
    assert await cost(office, lambda: change(APART)) == await cost(office, lambda: change(FILLED)) <= 20
    one = await cost(office, lambda: change([each for each in FILLED if each.key == "volume"]))
    assert one <= 12


async def test_what_is_read_and_kept_is_as_small_as_what_was_said(office: World) -> None:
    said = values(FILLED)
    ident = await opened(office, said)
    for _ in range(19):
        await opened(office, values(FILLED))
    row = await office.row("deal", id=ident)
    assert len(orjson.dumps(row.fields)) < len(orjson.dumps(said)) + 200, "the fields, and what is worked out of them"
    # Of the index, one row for each field that is filtered by, and none for the others.
    indexed = [each for each in BODIES if each.of == "deal" and each.kept_apart]
    assert len(await office.rows("field_value", subject_id=ident)) == len(indexed)

    def board(conn: Any) -> Any:
        catalogue = office.store.catalogue(conn)
        access = office.store.access(conn, User(1, "root", "Root", Role.ADMIN))
        react = next(each for each in catalogue.pipelines if each.name == "React")
        return boards.board(conn, access, react, BoardFilter(), BoardOrder.GRADE, limit=20)

    with statements(office.store) as seen:
        columns = await office.store.read(board)
    assert len(columns[0].cards) == 20
    assert len([each for each in seen if not each.startswith(("BEGIN", "COMMIT"))]) <= 5
    # A change of one field writes down that one.
    await office.store.run(lambda desk: deals.change(desk, ident, DealChange(fields={"volume": 999}), None))
    last = (await office.rows("change", kind="deal", subject_id=ident))[-1]
    assert [name for name, _, _ in last.changes] == ["fields.volume"]
