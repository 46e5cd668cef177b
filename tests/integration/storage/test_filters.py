"""Filters find the same records on both engines, led by indexes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Catalogue, FieldBody
from crm_core.model.definitions.fields import FieldType
from crm_core.model.filters import filter_of
from crm_core.model.identity import parse_identity
from crm_core.model.outreach import OptOutRecord
from crm_core.model.selling import ClientScoreRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.clients import contacts
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.desk import Desk
from crm_core.storage.filtering import Asking, condition, count, living, matching
from crm_core.storage.tables import contact, field_value
from tests.integration.storage.test_fields import declare
from tests.integration.storage.world import World

CLIENTS: tuple[tuple[str, str | None, list[str], dict[str, Any]], ...] = (
    ("Анна Ёлкина", "Москва", ["vip", "окна"], {"size": 10, "kind": ["Розница"], "until": "2026-03-12"}),
    ("Пётр Иванов", "Казань", ["окна"], {"size": 20, "kind": ["Опт", "Розница"], "budget": "1 500 ₽"}),
    ("Ольга Петрова", "Москва", [], {"size": 30, "budget": "2 000,50 ₽", "until": "2026-04-01"}),
    ("Завод", None, ["опт"], {}),
)


@pytest.fixture
async def office(world: World) -> World:
    """Four clients with fields, tags, scores, deals and tasks."""
    kinds = {"size": FieldType.NUMBER, "budget": FieldType.MONEY, "until": FieldType.DATE}
    await declare(
        world,
        *(FieldBody(of="contact", key=key, title=key.title(), type=kind, indexed=True) for key, kind in kinds.items()),
        FieldBody(
            of="contact", key="kind", title="Вид", type=FieldType.MULTI, options=["Опт", "Розница"], indexed=True
        ),
        FieldBody(of="contact", key="plain", title="Простое"),
        FieldBody(of="deal", key="size", title="Размер", type=FieldType.NUMBER, indexed=True),
    )

    def service(desk: Desk) -> None:
        desk.work.author = "ivan"
        made = []
        for number, (name, city, tags, fields) in enumerate(CLIENTS):
            identities = [parse_identity(f"tel:+7916123456{number}")]
            change = ContactChange(name=name, city=city, tags=tags, fields=fields, identities=identities)
            made.append(contacts.create(desk, change)[0])
        for number, each in enumerate(made[:3]):
            desk.work.put(each._replace(last_contact_at=desk.now - timedelta(days=10 * number)))
            desk.work.put(
                ClientScoreRecord(
                    each.id, "постоянный" if number else "ушедший", number, 0, desk.now, abc="ABC"[number]
                )
            )
            deal = deals.create(
                desk, "ivan", DealChange(title=f"Окна {number}", contact_id=each.id, amount=100 * number), None, None
            ).deal
            for overdue in range(number):
                desk.work.put(TaskRecord(
                    desk.work.next_id(), "позвонить", TaskState.OPEN, desk.now, desk.now, "ivan", contact_id=each.id,
                    deal_id=deal.id, due_at=desk.now + timedelta(hours=1 - 2 * overdue),
                ))  # fmt: skip
        desk.work.put(OptOutRecord("tel:+79161234561", made[1].id, desk.now, "form"))
        desk.work.put(made[3]._replace(company="ООО Ромашка"))

    await world.store.run(service)
    return world


async def asking(world: World) -> Asking:
    catalogue: Catalogue = await world.store.run(lambda desk: desk.catalogue)
    return Asking(catalogue, world.clock.now(), ZoneInfo("Europe/Moscow"))


async def found(world: World, kind: str, given: Any) -> list[str]:
    """The first words of the names found."""
    ask = await asking(world)
    ids = await world.store.read(lambda conn: matching(conn, kind, filter_of(given), ask, limit=100))
    rows = {row.id: row for row in await world.rows(kind)}
    name = "name" if kind == "contact" else "title"
    return [getattr(rows[ident], name).split()[-1 if kind == "deal" else 0] for ident in ids]


def term(field: str, value: Any = None, op: str = "=") -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


ANNA, PETR, OLGA, PLANT = "Анна", "Пётр", "Ольга", "Завод"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [ANNA, PETR, OLGA, PLANT]),
        (term("city", "Москва"), [ANNA, OLGA]),
        (term("city", "Москва", "!="), [PETR, PLANT]),
        (term("city", None, "empty"), [PLANT]),
        (term("city", False, "empty"), [ANNA, PETR, OLGA]),
        (term("city", ["Казань", "Омск"], "in"), [PETR]),
        (term("city", "КАЗ", "starts"), [PETR]),
        (term("company", "ромаш", "contains"), [PLANT]),
        (term("tags", "окна"), [ANNA, PETR]),
        (term("tags", ["vip", "опт"], "in"), [ANNA, PLANT]),
        (term("tags", None, "empty"), [OLGA]),
        ({"not": term("tags", "окна")}, [OLGA, PLANT]),
        (term("fields.size", 20, ">="), [PETR, OLGA]),
        (term("fields.size", "20"), [PETR]),
        (term("fields.size", 20, "!="), [ANNA, OLGA, PLANT]),
        (term("fields.size", None, "empty"), [PLANT]),
        (term("fields.size", [10, 30], "in"), [ANNA, OLGA]),
        (term("fields.budget", "1 999 ₽", ">"), [OLGA]),
        (term("fields.budget", 1500), [PETR]),
        (term("fields.until", "12.03.2026"), [ANNA]),
        (term("fields.until", "2026-03-12", ">"), [OLGA]),
        (term("fields.вид", "опт"), [PETR]),
        (term("fields.kind", "розница", "contains"), [ANNA, PETR]),
        ({"all": [term("fields.size", 10, ">"), term("fields.kind", "Опт")]}, [PETR]),
        ({"any": [term("fields.size", 10), term("tags", "опт")]}, [ANNA, PLANT]),
        ({"not": {"any": [term("fields.size", 10), term("tags", "опт")]}}, [PETR, OLGA]),
        (term("last_contact_at", "-15d", "<"), [OLGA]),
        (term("last_contact_at", "today"), [ANNA]),
        ({"not": term("last_contact_at", "-15d", ">=")}, [OLGA, PLANT]),
        (term("client.status", "постоянный"), [PETR, OLGA]),
        (term("client.abc", "A", "!="), [PETR, OLGA, PLANT]),
        (term("client.status", None, "empty"), [PLANT]),
        (term("opted_out", True), [PETR]),
        (term("opted_out", False), [ANNA, OLGA, PLANT]),
        (term("identity", "tel:+79161234562"), [OLGA]),
        (term("identity", "mailto:", "starts"), []),
        ({"not": term("identity", "tel:+79161234562")}, [ANNA, PETR, PLANT]),
        (term("open_task", True), [PETR, OLGA]),
        (term("overdue_task", True), [OLGA]),
        (term("next_step", False), [ANNA, PLANT]),
        (term("deals", term("amount", 1, ">="), "any"), [PETR, OLGA]),
        (term("deals", None, "none"), [PLANT]),
        (term("q", "елкин ан"), []),
        (term("q", "ёлкин ан"), [ANNA]),
        (term("q", "123-45-62"), [OLGA]),
        (term("q", "пе"), [OLGA]),
        ({"not": term("q", "иванов")}, [ANNA, OLGA, PLANT]),
        ([term("city", "Москва"), term("tags", "vip")], [ANNA]),
    ],
)  # fmt: skip
async def test_contacts_are_found(office: World, given: Any, expected: list[str]) -> None:
    assert await found(office, "contact", given) == expected
    if given:
        everybody = {ANNA, PETR, OLGA, PLANT}
        opposite = {"not": given if isinstance(given, dict) else {"all": given}}
        assert set(await found(office, "contact", opposite)) == everybody - set(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (term("pipeline", "Продажи"), ["0", "1", "2"]),
        (term("stage", "Новая"), ["0", "1", "2"]),
        (term("state", "won"), []),
        (term("state", "open"), ["0", "1", "2"]),
        (term("amount", "1 ₽", ">="), ["1", "2"]),
        (term("contact.city", "Москва"), ["0", "2"]),
        ({"not": term("contact.city", "Москва")}, ["1"]),
        (term("contact.fields.size", 20), ["1"]),
        (term("contact.tags", "vip"), ["0"]),
        (term("company.city", None, "empty"), ["0", "1", "2"]),
        (term("client.abc", "B"), ["1"]),
        (term("last_contact_at", "-5d", "<"), ["1", "2"]),
        (term("opted_out", True), ["1"]),
        (term("next_step", True), ["1", "2"]),
        (term("overdue_task", True), ["2"]),
        (term("tasks", term("title", "ПОЗВ", "starts"), "any"), ["1", "2"]),
        (term("q", "иванов"), ["1"]),
        (term("q", "окна 2"), ["2"]),
        (term("fields.size", 5), []),
    ],
)
async def test_deals_are_found(office: World, given: Any, expected: list[str]) -> None:
    assert await found(office, "deal", given) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{", "no JSON"),
        (term("nonsense", 1), "nonsense"),
        (term("search", 1), "search"),
        (term("fields.plain", 1), "«Простое» is not indexed"),
        (term("fields.nothing", 1), "no field"),
        (term("fields.size", "много"), "no number"),
        (term("fields.size", 1, "contains"), "texts"),
        (term("last_contact_at", "вчерась"), "no day"),
        (term("city", {"a": 1}), "text"),
        (term("city", "x", "between"), "op"),
        ({"field": "city", "all": []}, "one of all"),
        ({"value": 1}, "field"),
        (term("deals", {"field": "nonsense"}, "any"), "nonsense"),
        (term("tags", 1, "<"), "tags"),
        (term("client.nothing", 1), "client.nothing"),
        ({"all": [{}] * 101}, "100"),
        ({"all": [{"all": [term("city", "x")] * 60}] * 2}, "at most 100"),
        (json.loads('{"not":' * 9 + "{}" + "}" * 9), "nested"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(office: World, given: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        await found(office, "contact", given)


# ---------------------------------------------------------------- plans

_MANY = 20_000


@pytest.fixture
async def full(office: World) -> World:
    """Many more clients, so that a planner cares."""

    def fill(conn: Any) -> None:
        now = office.clock.now()
        rows = [
            {
                "id": 1_000_000 + n, "name": f"Клиент {n}", "created_at": now, "updated_at": now, "fields": {},
                "tags": ["редкий"] if n % 5000 == 0 else [], "marks": {},
                "search": f"клиент{n:05} фамилия{n % 700} +7917{n:07}", "name_key": "", "version": 1,
            }
            for n in range(_MANY)
        ]  # fmt: skip
        conn.execute(contact.insert(), rows)
        size = conn.exec_driver_sql("SELECT id FROM definition WHERE name = 'contact.size'").scalar_one()
        kind = conn.exec_driver_sql("SELECT id FROM definition WHERE name = 'contact.kind'").scalar_one()
        values = field_value
        conn.execute(
            values.insert(),
            [
                {"key": f"{size}:{1_000_000 + n}:0", "field_id": size, "subject_id": 1_000_000 + n, "number": float(n)}
                for n in range(_MANY)
            ],
        )
        conn.execute(
            values.insert(),
            [
                {
                    "key": f"{kind}:{1_000_000 + n}:0",
                    "field_id": kind,
                    "subject_id": 1_000_000 + n,
                    "text_key": f"вид {n % 400}",
                }
                for n in range(_MANY)
            ],
        )
        conn.exec_driver_sql("ANALYZE")

    await office.store.database.write(fill)
    return office


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (term("q", "фамилия13 клиент000"), 1),
        (term("q", "9170000777"), 1),
        (term("q", "лиент19999"), 1),
        ({"all": [term("fields.size", 500, "<"), term("fields.kind", "вид 7")]}, 2),
        (term("fields.size", 19_990, ">"), 9),
        (term("tags", "редкий"), 4),
    ],
)
async def test_filters_are_led_by_indexes(full: World, given: Any, number: int) -> None:
    ask = await asking(full)
    wanted = filter_of(given)
    assert await full.store.read(lambda conn: count(conn, "contact", wanted, ask)) == number
    statement = (
        select(contact.c.id)
        .where(living("contact"), condition("contact", wanted, ask))
        .order_by(contact.c.id.desc())
        .limit(101)
    )

    def plan(conn: Any) -> list[str]:
        prefix = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
        written = statement.compile(dialect=conn.dialect, compile_kwargs={"render_postcompile": True})
        given, made = written.construct_params(), cast(dict[str, Any], written._bind_processors)
        values = tuple(made[key](given[key]) if key in made else given[key] for key in written.positiontup or ())
        return [str(row[-1]) for row in conn.exec_driver_sql(prefix + str(written), values)]

    lines = await full.store.read(plan)
    assert lines
    if full.store.database.sqlite and "tags" in str(given):
        return  # SQLite has no index of lists: it looks through the clients
    assert [line for line in lines if "Seq Scan" in line or (line.startswith("SCAN ") and "VIRTUAL" not in line)] == []
