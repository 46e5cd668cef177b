"""Searching everything, scrolling a timeline both ways, filters kept under names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from crm_core.errors import Conflict, Duplicate, InvalidInput, NotFound
from crm_core.model.access import Sight
from crm_core.model.timeline import EntryKind
from crm_core.services.acts.deals import put_away
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.clients.companies import create as create_company
from crm_core.services.clients.contacts import ContactChange
from crm_core.services.clients.contacts import create as create_contact
from crm_core.storage import tables
from crm_core.storage.queries.workspace import entries, saved
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.entries import Stretch, count_by_kind, stretch
from crm_core.storage.queries.workspace.search import Found, search
from tests.integration.storage.test_workspace import ANNA, BORIS, LARGE, act, deal, look, plans
from tests.integration.storage.world import World, at, message, missed

# ---------------------------------------------------------------- searching


async def found_by(world: World, typed: str, login: str = "head", limit: int = 7) -> Found:
    answer: Found = await look(world, login, lambda conn, asker: search(conn, asker, typed, limit=limit))
    return answer


async def named(world: World, name: str) -> int:
    contact, _ = await world.store.run(lambda desk: create_contact(desk, ContactChange(name=name)))
    return int(contact.id)


async def test_a_whole_number_comes_before_a_part_of_one(world: World) -> None:
    await world.take(missed("a", ANNA, at(0)), missed("b", BORIS, at(60)))
    exact = await found_by(world, "8 (916) 111-00-01")
    assert (exact.clients[0].client.number, exact.clients[0].exact) == (ANNA, True)
    part = await found_by(world, "111000")
    assert {each.client.number for each in part.clients} == {ANNA, BORIS}
    assert not any(each.exact for each in part.clients)


async def test_everything_that_has_the_word(world: World) -> None:
    await named(world, "Мария Орлова")
    orlov = await named(world, "Орлов Пётр")
    await world.store.run(lambda desk: create_company(desk, CompanyChange(name="ООО «Орлан»")))
    await deal(world, "ivan", "Замена окон", contact_id=orlov)
    await deal(world, "ivan", "Орлиное гнездо")
    found = await found_by(world, "орл")
    assert [each.client.name for each in found.clients] == ["Орлов Пётр", "Мария Орлова"]
    assert [each.name for each in found.companies] == ["ООО «Орлан»"]
    assert {each.deal.title for each in found.deals} == {"Замена окон", "Орлиное гнездо"}
    assert next(each for each in found.deals if each.client).client == found.clients[0].client
    assert found.more == frozenset()
    assert (await found_by(world, "орл", limit=1)).more >= {"clients", "deals"}
    assert (await found_by(world, "о")).empty
    assert (await found_by(world, "  ")).empty
    assert (await found_by(world, "%_")).empty


async def test_a_card_is_found_by_its_number_by_whoever_sees_it(world: World) -> None:
    other = await deal(world, "ivan", "Балкон")
    wanted = await deal(world, "ivan", "Окна")
    named_so = await deal(world, "ivan", f"Вместо {wanted.id}")
    for typed in (f"{wanted.id}", f"№ {wanted.id}", f"№{wanted.id}", f" #{wanted.id} "):
        found = await found_by(world, typed)
        assert found.deals[0].deal.id == wanted.id, typed
        assert other.id not in {each.deal.id for each in found.deals}
    found = await found_by(world, f"{wanted.id}")
    assert [each.deal.id for each in found.deals] == [wanted.id, named_so.id]
    assert (await found_by(world, "№ " + "9" * 18)).deals == ()
    assert (await found_by(world, "№ " + "9" * 40)).deals == ()

    def own_alone(conn: Connection, asker: Asker) -> Found:
        every = frozenset(each.id for each in asker.catalogue.pipelines)
        sight = Sight(replace(asker.access.people, own=frozenset({asker.login})), own=every)
        return search(conn, replace(asker, access=replace(asker.access, sight=sight)), f"№ {wanted.id}")

    assert (await look(world, "ivan", own_alone)).deals[0].deal.id == wanted.id
    assert (await look(world, "petr", own_alone)).deals == ()
    await world.store.run(lambda desk: put_away(desk, wanted.id))
    assert (await found_by(world, f"№ {wanted.id}")).deals == ()


async def test_what_searching_costs(world: World) -> None:
    await world.take(*(missed(f"x{n}", f"+7916222{n:04}", at(n)) for n in range(40)))
    for n in range(8):
        await deal(world, "ivan", f"Окна {n}")
    seen = await plans(world, "head", lambda conn, asker: search(conn, asker, "+79162220007"))
    assert seen.answer.clients[0].exact
    assert len(seen.statements) <= 12
    words = await plans(world, "head", lambda conn, asker: search(conn, asker, "окна"))
    assert len(words.answer.deals) == 7
    assert len(words.statements) <= 12
    for each in (seen, words):
        assert each.scans("identity", "contact_case", "timeline", "task") == []
    by_number = await plans(
        world, "head", lambda conn, asker: search(conn, asker, f"№ {words.answer.deals[0].deal.id}")
    )
    assert len(by_number.answer.deals) == 1
    assert by_number.scans("deal") == []
    assert len(by_number.statements) <= 12


# ---------------------------------------------------------------- a timeline both ways


async def talkative(world: World, number: int) -> int:
    """A client with so many entries, every tenth of them a note."""
    await world.take(message(7, "first", at(0)))
    first = await world.row("timeline")
    rows = [
        first._asdict()
        | {
            "id": 10_000_000 + n,
            "seq": 1_000_000 + n,
            "occurred_at": at(60 + n // 3),  # three of one moment
            "sequence": n % 3,
            "kind": EntryKind.NOTE if n % 10 == 0 else EntryKind.MESSAGE,
            "text": str(n),
            "ref": None,
            "external_id": None,
            "journal_id": None,
            "signal": None,
        }
        for n in range(number)
    ]

    def write(conn: Connection) -> None:
        conn.execute(insert(tables.timeline), rows)
        conn.exec_driver_sql("ANALYZE timeline")  # plans follow what lies there, not what others left

    await world.store.database.write(write)
    return int(first.contact_id)


def numbers(found: Stretch) -> list[int]:
    return [int(each.entry.text) for each in found.entries if each.entry.text.isdigit()]


async def test_scrolling_up_and_down_shows_every_entry_once(world: World) -> None:
    contact = await talkative(world, 1000)

    async def part(**where: Any) -> Stretch:
        answer: Stretch = await look(world, "ivan", lambda conn, asker: stretch(conn, asker, contact, **where))
        return answer

    newest = await part(limit=70)
    assert numbers(newest) == list(range(930, 1000))
    assert newest.newer is None
    shown, place = numbers(newest), newest.older
    while place is not None:
        before = await part(older=place, limit=70)
        shown, place = [*numbers(before), *shown], before.older
    assert shown == list(range(1000))
    first = await part(older=newest.older, limit=70)
    down = await part(newer=first.newer, limit=500)
    assert numbers(down) == list(range(930, 1000))
    assert down.newer is None
    assert numbers(await part(newer=first.newer, limit=10)) == list(range(930, 940))
    middle = await part(around=10_000_500, limit=20)
    assert numbers(middle) == list(range(490, 511))
    again = await part(older=middle.older, limit=5)
    assert numbers(again) == list(range(485, 490))
    assert numbers(await part(newer=middle.newer, limit=5)) == list(range(511, 516))
    moment = middle.entries[0].entry.occurred_at
    since = await part(since=moment, limit=20)
    assert numbers(since) == list(range(479, 499)), "half before the moment, which is that of three, half from then on"
    assert since.at == 10_000_489
    assert numbers(await part(older=since.older, limit=2)) == [477, 478]
    assert numbers(await part(newer=since.newer, limit=2)) == [499, 500]
    past, ahead = await part(since=moment - timedelta(days=999)), await part(since=moment + timedelta(days=999))
    assert (past.older, numbers(past)[0], ahead.newer, numbers(ahead)[-1], ahead.at) == (None, 0, None, 999, None)
    notes = await part(kinds=frozenset({EntryKind.NOTE}), limit=3)
    assert numbers(notes) == [970, 980, 990]
    with pytest.raises(NotFound):
        await part(around=5)
    with pytest.raises(InvalidInput):
        await part(older="nonsense")
    kinds = await look(world, "ivan", lambda conn, asker: count_by_kind(conn, asker, contact))
    assert kinds == {EntryKind.NOTE: 100, EntryKind.MESSAGE: 900}


async def test_a_stretch_reads_no_more_than_it_shows(world: World) -> None:
    contact = await talkative(world, 400)
    middle = await look(world, "ivan", lambda conn, asker: stretch(conn, asker, contact, around=10_000_200, limit=10))
    places: tuple[dict[str, Any], ...] = (
        {},
        {"older": middle.older},
        {"newer": middle.newer},
        {"around": 10_000_200},
        {"since": middle.entries[0].entry.occurred_at},
    )
    for where in places:
        seen = await plans(world, "ivan", partial(_stretch, contact=contact, where=where))
        assert len(seen.statements) <= 8
        assert seen.scans(*LARGE) == []
        assert seen.uses("ix_timeline_contact_id_occurred_at")
        assert not any("TEMP B-TREE" in plan for plan in seen.plans if "timeline" in plan)


def _stretch(conn: Any, asker: Any, *, contact: int, where: dict[str, Any]) -> Stretch:
    return stretch(conn, asker, contact, limit=10, **where)


async def test_words_are_found_in_what_was_said_however_long_ago(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_READ", 100)
    contact = await talkative(world, 400)

    def say(conn: Connection) -> None:
        for n, text in (
            (3, "Лоджия ПОД ключ"),
            (50, "100%"),
            (150, "лоджия\nпод ключ"),
            (390, "под лоджией"),
            (391, "Лоджий"),
        ):
            of = tables.timeline.c.id == 10_000_000 + n
            conn.execute(tables.timeline.update().where(of).values(text=text))
        of = tables.timeline.c.id == 10_000_000 + 250
        conn.execute(tables.timeline.update().where(of).values(subject="Лоджия", text="ключ"))

    await world.store.database.write(say)

    async def ids(words: str, limit: int = 50, **more: Any) -> list[list[int]]:
        found: list[list[int]] = []
        way = "newer" if "newer" in more else "older"
        while True:
            where = {"words": words, "limit": limit, **more}
            seen = await plans(world, "ivan", partial(_said, contact=contact, where=where))
            assert len(seen.statements) <= 8
            assert seen.scans(*LARGE) == []
            assert seen.uses("ix_timeline_contact_id_occurred_at")
            found.append([each.entry.id - 10_000_000 for each in seen.answer.entries])
            further = getattr(seen.answer, way)
            if further is None:
                return found
            more = more | {way: further}

    # 401 entries, a hundred and one at a time.
    assert await ids("лодж ключ") == [[], [250], [150], [3]]
    assert await ids("лоджи", 1) == [[391], [390], [250], [150], [3]]
    assert await ids("%") == [[], [], [], [50]]
    assert await ids("лодж", kinds=frozenset({EntryKind.NOTE})) == [[390], [250], [150], []]
    first = await look(world, "ivan", lambda conn, asker: stretch(conn, asker, contact, around=10_000_000, limit=1))
    onwards = await ids("ключ", newer=first.newer)
    assert [each for listed in onwards for each in listed] == [3, 150, 250]
    assert await ids("чего нет") == [[], [], [], []]


def _said(conn: Any, asker: Any, *, contact: int, where: dict[str, Any]) -> Stretch:
    return stretch(conn, asker, contact, **where)


# ---------------------------------------------------------------- kept filters


async def views(world: World, login: str, page: str = "deals") -> list[tuple[str, str]]:
    found = await world.store.read(lambda conn: saved.views_of(conn, world.access(conn, login), page))
    return [(each.login, each.name) for each in found]


async def test_filters_are_kept_renamed_moved_shared_and_removed(world: World) -> None:
    def kept(name: str, **more: Any) -> Any:
        return lambda desk: saved.keep(desk, "ivan", "deals", name, "?stage=5", **more)

    first = await act(world, "ivan", kept(" Мои   окна "))
    second = await act(world, "ivan", kept("Двери", shared=True))
    await act(world, "petr", lambda desk: saved.keep(desk, "petr", "deals", "Двери", "stage=6"))
    assert (first.name, first.query, first.position) == ("Мои окна", "stage=5", 1)
    again = await act(world, "ivan", lambda desk: saved.keep(desk, "ivan", "deals", "Мои окна", "stage=7"))
    assert (again.id, again.query) == (first.id, "stage=7")
    assert await views(world, "ivan") == [("ivan", "Мои окна"), ("ivan", "Двери")]
    assert await views(world, "petr") == [("petr", "Двери"), ("ivan", "Двери")]
    assert await views(world, "ivan", "leads") == []

    await act(world, "ivan", lambda desk: saved.order(desk, "ivan", "deals", [second.id]))
    assert await views(world, "ivan") == [("ivan", "Двери"), ("ivan", "Мои окна")]
    renamed = await act(world, "ivan", lambda desk: saved.change(desk, "ivan", first.id, name="Окна", shared=True))
    assert (renamed.name, renamed.shared, renamed.query) == ("Окна", True, "stage=7")
    with pytest.raises(Duplicate):
        await act(world, "ivan", lambda desk: saved.change(desk, "ivan", first.id, name="Двери"))
    for stolen in (
        lambda desk: saved.change(desk, "petr", first.id, name="Моё"),
        lambda desk: saved.remove(desk, "petr", first.id),
        lambda desk: saved.order(desk, "petr", "deals", [first.id]),
    ):
        with pytest.raises(NotFound):
            await act(world, "petr", stolen)
    await act(world, "ivan", lambda desk: saved.remove(desk, "ivan", second.id))
    assert await views(world, "petr") == [("petr", "Двери"), ("ivan", "Окна")]


async def test_no_more_views_than_anybody_finds_again(world: World) -> None:
    def fill(desk: Any) -> None:
        for n in range(saved.MOST):
            saved.keep(desk, "ivan", "deals", f"Вид {n}", "")

    await act(world, "ivan", fill)
    with pytest.raises(Conflict, match="remove one first"):
        await act(world, "ivan", lambda desk: saved.keep(desk, "ivan", "deals", "Ещё", ""))
    await act(world, "ivan", lambda desk: saved.keep(desk, "ivan", "deals", "Вид 3", "x=1"))
    for name, query in (("", ""), ("x" * 101, ""), ("y", "z" * 4001)):
        with pytest.raises(InvalidInput):
            await act(world, "petr", partial(_keep, name=name, query=query))


def _keep(desk: Any, *, name: str, query: str) -> Any:
    return saved.keep(desk, "petr", "deals", name, query)
