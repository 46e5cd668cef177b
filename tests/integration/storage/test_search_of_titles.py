"""Searching deals, leads, tasks, products and documents: by words of any title, however old, along indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from crm_core.model.access import Reach, Right, Sight
from crm_core.services.acts.deals import DealChange, change
from crm_core.services.money.products import ProductChange
from crm_core.services.money.products import create as create_product
from crm_core.storage import tables
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.search import Found, search, titled_kinds
from tests.integration.storage.test_workspace import act, deal, look, plans, task
from tests.integration.storage.world import World, at, message

_GROUPS = ("deals", "leads", "tasks", "documents")
_LIMIT = 3
_AMONG = 200 * (_LIMIT + 1) + 100
"""More of each than are read for so many."""


async def found_by(world: World, typed: str, login: str = "head") -> Found:
    answer: Found = await look(world, login, lambda conn, asker: search(conn, asker, typed, limit=_LIMIT))
    return answer


def titles(found: Found, group: str) -> list[str]:
    return [getattr(each, group.removesuffix("s")).title for each in getattr(found, group)]


async def document(world: World, ident: int, number: int, title: str, **more: Any) -> None:
    row = {"id": ident, "template": "Счёт", "number": number, "title": title, "created_at": at(0), "author": "ivan"}
    file = {"name": "a.pdf", "content_type": "application/pdf", "size": 1, "sha256": "a"}
    await world.store.database.write(lambda conn: conn.execute(insert(tables.document), [row | file | more]))


async def one_of_each(world: World, title: str) -> None:
    """A deal, a lead, a task and a document of this title, and many newer ones of others."""
    await world.take(message(7, "first", at(0), title))
    await deal(world, "ivan", title)
    await task(world, "ivan", title)
    await document(world, 500, 17, title)
    first = {name: (await world.row(name, title=title))._asdict() for name in ("deal", "lead", "task", "document")}
    apart: dict[str, dict[str, Any]] = {"lead": {"status": "converted"}}

    def write(conn: Connection) -> None:
        for name, row in first.items():
            rows = [
                row
                | {"id": row["id"] + 10_000_000 + n, "title": f"Договор {n}", **apart.get(name, {})}
                | ({"number": 1_000 + n} if name == "document" else {})
                for n in range(_AMONG)
            ]
            conn.execute(insert(tables.metadata.tables[name]), rows)
            conn.exec_driver_sql(f"ANALYZE {name}")

    await world.store.database.write(write)


async def test_however_old_a_title_is_its_words_find_it(world: World) -> None:
    await one_of_each(world, "«Лоджия» под-ключ")
    for typed in ("лоджия", "ЛОДЖ", "ключ лодж", "по ло", "«лоджия»", "под-кл", "л под"):
        found = await found_by(world, typed)
        assert [titles(found, group) for group in _GROUPS] == [["«Лоджия» под-ключ"]] * 4, typed
        assert found.more == frozenset()


async def test_words_of_many_titles_are_found_among_the_newest_and_parts_of_words_there_alone(world: World) -> None:
    await one_of_each(world, "Лоджия")
    many = await found_by(world, "договор")
    newest = [f"Договор {n}" for n in reversed(range(_AMONG - _LIMIT, _AMONG))]
    assert {group: titles(many, group) for group in _GROUPS} == dict.fromkeys(_GROUPS, newest)
    assert many.more == {*_GROUPS}
    inside = await found_by(world, "оговор")
    assert titles(inside, "deals") == newest
    assert (await found_by(world, "оджия")).empty
    assert (await found_by(world, "л ж")).empty


async def test_titles_are_found_along_their_indexes_alone(world: World) -> None:
    await one_of_each(world, "Лоджия")
    whole = await plans(world, "head", lambda conn, asker: search(conn, asker, "лодж", limit=_LIMIT))
    assert len(whole.statements) <= 17
    assert [len(getattr(whole.answer, group)) for group in _GROUPS] == [1, 1, 1, 1]
    numbered = await plans(world, "head", lambda conn, asker: search(conn, asker, "№ 1234567", limit=_LIMIT))
    assert len(numbered.statements) <= 17
    for seen in (whole, numbered):
        assert seen.scans("deal", "lead", "task", "document", "product", "identity", "timeline") == []

    def far(conn: Connection, asker: Asker) -> list[int]:
        wanted = [each.far(_LIMIT) for each in titled_kinds(asker, "лодж")]
        return [len(conn.execute(each).all()) for each in wanted if each is not None]

    far_ones = await plans(world, "head", far)
    assert far_ones.answer == [1, 1, 1, 1]
    for name, plan in zip(("deal", "lead", "task", "document"), far_ones.plans, strict=True):
        assert f"SCAN {name}_search VIRTUAL TABLE" in plan or f"ix_{name}_title_words" in plan, plan
    assert sum("title_words" in plan or "_search VIRTUAL" in plan for plan in whole.plans) >= 1


async def test_what_is_open_comes_first_however_old(world: World) -> None:
    await one_of_each(world, "Лоджия открытая")
    await deal(world, "ivan", "Лоджия новая")

    def close(conn: Connection) -> None:
        conn.execute(tables.deal.update().where(tables.deal.c.title == "Лоджия новая").values(closed_at=at(5)))

    await world.store.database.write(close)
    assert titles(await found_by(world, "лоджия"), "deals") == ["Лоджия открытая", "Лоджия новая"]


async def test_a_title_is_found_as_it_is_now(world: World) -> None:
    made = await deal(world, "ivan", "Балкон")
    await one_of_each(world, "Лоджия")
    assert titles(await found_by(world, "балкон"), "deals") == ["Балкон"]
    await act(world, "ivan", lambda desk: change(desk, made.id, DealChange(title="Терраса"), None))
    assert (await found_by(world, "балкон")).empty
    assert titles(await found_by(world, "террас"), "deals") == ["Терраса"]
    await world.store.database.write(lambda conn: conn.execute(tables.deal.delete().where(tables.deal.c.id == made.id)))
    assert (await found_by(world, "террас")).empty


async def test_products_by_name_and_article(world: World) -> None:
    first, second = (
        ProductChange(name="Створка поворотная", sku="СТ-70-140"),
        ProductChange(name="Створка глухая", archived=True),
    )
    await world.store.run(lambda desk: [create_product(desk, given) for given in (first, second)])
    assert [each.name for each in (await found_by(world, "створ")).products] == [
        "Створка поворотная",
        "Створка глухая",
    ]
    assert [each.name for each in (await found_by(world, "70-14")).products] == ["Створка поворотная"]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [("№ 7", [7]), ("№7", [7]), ("17", [17, 170, 171]), ("№ 171", [171]), ("счёт 17", [17, 170, 171]), ("№ 9", [])],
)
async def test_documents_by_their_numbers(world: World, typed: str, wanted: Sequence[int]) -> None:
    for ident, number in enumerate((171, 170, 17, 7), start=500):
        await document(world, ident, number, "Счёт на замер")
    found = await found_by(world, typed)
    assert sorted(each.document.number for each in found.documents) == list(wanted)
    assert (await found_by(world, f"№ {2**40}")).empty


async def test_tasks_and_documents_of_cards_that_somebody_does_not_see(world: World) -> None:
    card = await deal(world, "ivan", "Терраса")
    await task(world, "ivan", "Терраса: замер", deal_id=card.id)
    await task(world, "ivan", "Терраса вообще")
    await document(world, 500, 17, "Терраса: договор", deal_id=card.id)

    def own_alone(conn: Connection, asker: Asker) -> Found:
        every = frozenset(each.id for each in asker.catalogue.pipelines)
        sight = Sight(replace(asker.access.people, own=frozenset({asker.login})), own=every)
        return search(conn, replace(asker, access=replace(asker.access, sight=sight)), "террас")

    theirs = await look(world, "ivan", own_alone)
    assert [len(getattr(theirs, group)) for group in ("deals", "tasks", "documents")] == [1, 2, 1]
    others = await look(world, "petr", own_alone)
    assert [titles(others, group) for group in ("deals", "tasks", "documents")] == [[], ["Терраса вообще"], []]


async def test_who_sees_no_sales_finds_clients_alone(world: World) -> None:
    await one_of_each(world, "Лоджия")
    await world.store.run(lambda desk: create_product(desk, ProductChange(name="Лоджия")))

    def without(conn: Connection, asker: Asker) -> Found:
        access = replace(asker.access, reaches={**asker.access.reaches, Right.SEE_SALES: Reach.NONE})
        return search(conn, replace(asker, access=access), "лоджия")

    assert not (await found_by(world, "лоджия")).empty
    assert (await look(world, "head", without)).empty
