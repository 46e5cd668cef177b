"""The workspace's pages: what they show to whom, in a fixed number of statements, along indexes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from crm_core.errors import Forbidden, NotFound
from crm_core.model.access import Reach, Right, Sight
from crm_core.model.records import CaseRecord, DealRecord
from crm_core.model.task import TaskRecord
from crm_core.model.timeline import EntryKind
from crm_core.services.acts.deals import DealChange, create
from crm_core.services.desk import Desk
from crm_core.services.firing import fire
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from crm_core.services.watching.cases import promise, take_case
from crm_core.storage import queues
from crm_core.storage.queries.calls import one_call
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.workspace.asker import Asker, Whose
from crm_core.storage.queries.workspace.control.asking import control_counts, control_page
from crm_core.storage.queries.workspace.control.views import ControlView
from crm_core.storage.queries.workspace.inbox import Inbox, counts, inbox
from crm_core.storage.queries.workspace.popup import Popup, popup, popups
from crm_core.storage.queries.workspace.search import search
from crm_core.storage.queries.workspace.wall import Wall, wall
from tests.integration.storage.plans import Seen, seen
from tests.integration.storage.world import World, answered, at, message, missed, moved, ringing, talked

LARGE = ("contact", "identity", "contact_case", "lead", "deal", "task", "timeline", "call", "outbox", "change")
ANNA, BORIS, VERA = "+79161110001", "+79161110002", "+79161110003"


async def look(world: World, login: str, query: Callable[[Connection, Asker], Any]) -> Any:
    """What somebody sees."""

    def reading(conn: Connection) -> Any:
        return query(conn, asker_of(world, conn, login))

    return await world.store.read(reading)


async def plans(world: World, login: str, query: Callable[[Connection, Asker], Any]) -> Seen:
    """The same, with what it cost besides finding out who asks."""

    def reading(conn: Connection) -> Any:
        return query(conn, asker)

    asker = await world.store.read(lambda conn: asker_of(world, conn, login))
    return await seen(world, reading)


def asker_of(world: World, conn: Connection, login: str) -> Asker:
    """Somebody of the office who looks."""
    user = world.store._caches.current(conn)[0].by_login[login]
    return world.store.asker(conn, user)


async def act(world: World, login: str, service: Callable[[Desk], Any]) -> Any:
    """Somebody does something."""

    def acting(desk: Desk) -> Any:
        desk.work.author = login
        return service(desk)

    return await world.store.run(acting)


async def case_of(world: World, number: str) -> CaseRecord:
    """The open case of a number's client."""
    identity = await world.row("identity", key=f"tel:{number}")
    return CaseRecord(*await world.row("contact_case", contact_id=identity.contact_id, state="open"))


async def deal(world: World, login: str, title: str, **more: Any) -> DealRecord:
    """A deal of somebody's in the usual pipeline."""
    placed = await act(world, login, lambda desk: create(desk, login, DealChange(title=title, **more), None, None))
    found: DealRecord = placed.deal
    return found


async def task(world: World, login: str, title: str, **more: Any) -> TaskRecord:
    """A task of somebody's."""
    found: TaskRecord = await act(world, login, lambda desk: tasks.make(desk, NewTask(title, assignee=login, **more)))
    return found


async def waiting(world: World) -> None:
    """Anna and Boris wait for Ivan, Vera for Petr, who promised to ring her; a stranger wrote."""
    await world.take(missed("a", ANNA, at(0)), missed("b", BORIS, at(60)), missed("v", VERA, at(120)))
    for number, login in ((ANNA, "ivan"), (BORIS, "ivan"), (VERA, "petr")):
        case = await case_of(world, number)
        await act(world, login, partial(take_case, case_id=case.id, login=login))
    await world.take(message(7, "m1", at(200), "Здравствуйте, сколько стоит окно?"))


# ---------------------------------------------------------------- the inbox


async def test_whoever_should_have_been_answered_longest_ago_stands_first(world: World) -> None:
    await waiting(world)
    anna = await case_of(world, ANNA)
    await act(world, "ivan", lambda desk: promise(desk, anna.id, "ivan", at(1000)))
    found: Inbox = await look(world, "head", inbox)
    assert [each.client.handle for each in found.cases][:3] != []
    order = [each.client.number for each in found.cases if each.client.number]
    assert order == [BORIS, VERA, ANNA]
    assert found.counts.cases == 4
    assert (found.counts.broken, found.cases[-1].broken) == (0, False)
    world.clock.set(at(1100))
    later: Inbox = await look(world, "head", inbox)
    assert later.counts.broken == 1
    assert later.cases[-1].broken
    stranger = next(each for each in later.cases if each.client.number is None)
    assert stranger.last is not None
    assert stranger.last.text == "Здравствуйте, сколько стоит окно?"


async def test_a_manager_sees_their_own_and_nobodys_and_no_more_whatever_they_ask(world: World) -> None:
    await waiting(world)
    nobodys = [each for each in await world.rows("contact_case", state="open") if each.manager is None]
    for whose in Whose:
        found: Inbox = await look(world, "ivan", partial(inbox, whose=whose))
        assert {each.client.manager for each in found.cases} <= {"ivan", None}
        assert found.counts.cases == len(found.cases) == 2 + len(nobodys)
        assert {each.lead.manager for each in found.leads} <= {"ivan", None}
    whole = await look(world, "head", counts)
    assert whole.cases == 4
    mine = await look(world, "head", lambda conn, asker: counts(conn, asker, Whose.MINE))
    assert mine.cases == len(nobodys)


async def test_a_deputy_has_the_work_of_who_is_away(world: World) -> None:
    await waiting(world)
    before = await look(world, "petr", counts)

    def away(conn: Any) -> None:
        from crm_core.storage.staff import touch_staff  # the office's own way of telling

        conn.exec_driver_sql("UPDATE app_user SET absent_since = created_at WHERE login = 'ivan'")
        touch_staff(conn)

    await world.store.database.write(away)
    after = await look(world, "petr", counts)
    assert after.cases == before.cases + 2


async def test_tasks_of_today_and_deals_without_a_plan(world: World) -> None:
    anna = await deal(world, "ivan", "Окна Анне")
    planned = await deal(world, "ivan", "Двери Борису")
    await deal(world, "petr", "Чужая")
    await task(world, "ivan", "Вчера", due_at=at(-86_400), deal_id=anna.id)
    await task(world, "ivan", "Сегодня", due_at=at(3600), deal_id=planned.id)
    await task(world, "ivan", "Потом", due_at=at(7 * 86_400))
    await task(world, "ivan", "Без срока")
    await task(world, "petr", "Чужая", due_at=at(3600))
    found: Inbox = await look(world, "ivan", inbox)
    assert [(each.task.title, each.overdue) for each in found.tasks] == [("Вчера", True), ("Сегодня", False)]
    assert [each.deal.title for each in found.deals] == ["Окна Анне"]
    assert found.deals[0].stage
    assert (found.counts.overdue, found.counts.today, found.counts.planless) == (1, 1, 1)


async def test_what_the_inbox_costs(world: World) -> None:
    await waiting(world)
    few = await plans(world, "head", inbox)
    await world.take(*(missed(f"x{n}", f"+7916222{n:04}", at(300 + n)) for n in range(60)))
    one = await deal(world, "head", "Одна")
    await task(world, "head", "Дело", due_at=at(3600), deal_id=one.id)
    await deal(world, "head", "Другая")
    many = await plans(world, "head", inbox)
    assert len(many.answer.cases) == 50
    assert many.answer.counts.cases == 64
    assert len(few.statements) <= len(many.statements) == 9
    assert many.scans(*LARGE) == []
    assert many.uses("ix_timeline_contact_id_occurred_at")
    own = await plans(world, "ivan", counts)
    assert len(own.statements) == 1
    assert own.scans(*LARGE) == []
    assert own.uses("ix_contact_case_")


# ---------------------------------------------------------------- the popup


async def test_a_ringing_call_tells_who_it_is_and_what_is_open(world: World) -> None:
    await world.take(talked("old", ANNA, at(0)), missed("lost", ANNA, at(100)))
    contact = (await world.row("identity", key=f"tel:{ANNA}")).contact_id
    await deal(world, "ivan", "Окна", contact_id=contact)
    await world.take(moved(ringing("now", ANNA, at(200))))
    call = await world.row("call", linkedid="now")
    found: Popup = await look(world, "ivan", lambda conn, asker: popup(conn, asker, call.id))
    assert found.known is not None
    assert (found.known.client.id, found.known.client.number) == (contact, ANNA)
    assert [each.deal.title for each in found.known.deals] == ["Окна"]
    assert found.known.deals[0].stage.name
    assert found.known.case is not None
    assert found.known.case.due_at is not None
    assert [each.call.linkedid for each in found.known.last if each.call is not None] == ["lost", "old"]
    assert found.decisions == ()
    assert found.list_name is None
    with pytest.raises(NotFound):
        await look(world, "ivan", lambda conn, asker: popup(conn, asker, 1))


async def test_what_a_popup_costs(world: World) -> None:
    await world.take(*(talked(f"t{n}", ANNA, at(n * 100)) for n in range(30)))
    contact = (await world.row("identity", key=f"tel:{ANNA}")).contact_id
    for n in range(3):
        await deal(world, "ivan", f"Окна {n}", contact_id=contact)
    await world.take(missed("m", ANNA, at(9000)), moved(ringing("now", ANNA, at(10_000))))
    call = await world.row("call", linkedid="now")
    found = await plans(world, "ivan", lambda conn, asker: popup(conn, asker, call.id))
    assert len(found.answer.known.last) == 5
    assert len(found.statements) <= 14
    assert found.scans(*LARGE) == []


async def test_a_call_that_rings_many_people_is_asked_for_once(world: World) -> None:
    await world.take(*(talked(f"t{n}", ANNA, at(n * 100)) for n in range(3)))
    contact = (await world.row("identity", key=f"tel:{ANNA}")).contact_id
    for login in ("ivan", "petr"):
        placed = await deal(world, login, f"Окна {login}", contact_id=contact)
        about = partial(Desk.note, contact_id=contact, text=f"Акт {login}", kind=EntryKind.NOTE, deal_id=placed.id)
        await act(world, login, about)
    await world.take(missed("m", ANNA, at(9000)), moved(ringing("now", ANNA, at(10_000))))
    call = await world.row("call", linkedid="now")

    def asks(conn: Connection) -> list[Asker]:
        """Ivan, who sees his own cards, Petr, his deputy, one who sees none, one who sees all."""
        ivan, petr, olga, head = (asker_of(world, conn, login) for login in ("ivan", "petr", "olga", "head"))
        every = frozenset(each.id for each in ivan.catalogue.pipelines)
        sights = (
            Sight(ivan.access.people, own=every),
            Sight(petr.access.people, own=every),
            Sight(olga.access.people, none=every),
            head.sight,
        )
        return [
            replace(each, access=replace(each.access, sight=sight))
            for each, sight in zip((ivan, petr, olga, head), sights, strict=True)
        ]

    askers = await world.store.read(asks)
    one = await world.store.read(lambda conn: [popup(conn, each, call.id) for each in askers])
    many = await seen(world, lambda conn: popups(conn, askers, one_call(conn, askers[0].access, call.id)))
    assert many.answer == one
    known = [each.known for each in one if each.known is not None]
    assert [[each.deal.title for each in found.deals] for found in known] == [
        ["Окна ivan"], ["Окна petr", "Окна ivan"], [], ["Окна petr", "Окна ivan"]
    ]  # fmt: skip
    notes = [{each.entry.text for each in found.last if each.entry.kind is EntryKind.NOTE} for found in known]
    assert notes == [{"Акт ivan"}, {"Акт ivan", "Акт petr"}, set(), {"Акт ivan", "Акт petr"}]
    assert len(many.statements) <= 14
    assert many.scans(*LARGE) == []


async def test_what_others_see_of_a_client_leaves_room_for_what_one_sees(world: World) -> None:
    await world.take(*(talked(f"t{n}", ANNA, at(n * 100)) for n in range(3)))
    contact = (await world.row("identity", key=f"tel:{ANNA}")).contact_id
    old = await deal(world, "petr", "Старая", contact_id=contact)
    for n in range(21):
        world.clock.set(at(1000 + n))
        placed = await deal(world, "ivan", f"Окна {n}", contact_id=contact)
        about = partial(Desk.note, contact_id=contact, text=f"Акт {n}", kind=EntryKind.NOTE, deal_id=placed.id)
        await act(world, "ivan", about)
    await world.take(moved(ringing("now", ANNA, at(10_000))))
    call = await world.row("call", linkedid="now")

    def asks(conn: Connection) -> list[Asker]:
        """Ivan and Olga, who see nothing but their own cards, and Petr, who has one beside Ivan's many."""
        those = [asker_of(world, conn, login) for login in ("ivan", "olga", "petr")]
        every = frozenset(each.id for each in those[0].catalogue.pipelines)
        only = [replace(each.access.people, own=frozenset({each.login})) for each in those]
        return [
            replace(each, access=replace(each.access, sight=Sight(people, own=every)))
            for each, people in zip(those, only, strict=True)
        ]

    askers = await world.store.read(asks)
    one = await world.store.read(lambda conn: [popup(conn, each, call.id) for each in askers])
    many = await seen(world, lambda conn: popups(conn, askers, one_call(conn, askers[0].access, call.id)))
    assert many.answer == one
    _ivan, olga, petr = (each.known for each in many.answer)
    assert [each.deal.id for each in petr.deals] == [old.id]
    assert [each.call.linkedid for each in olga.last if each.call is not None] == ["t2", "t1", "t0"]
    assert len(many.statements) <= 14
    assert many.scans(*LARGE) == []


# ---------------------------------------------------------------- the wall


async def pass_to(world: World, seconds: float) -> None:
    """Time passes; what comes due is fired."""
    world.clock.set(at(seconds))
    for each in await world.store.read(lambda conn: queues.due_deadlines(conn, world.clock.now(), 200)):
        await world.store.run(partial(fire, deadline=each))


async def test_the_wall_tells_who_was_told_and_when_the_next_is(world: World) -> None:
    await waiting(world)
    first: Wall = await look(world, "head", wall)
    assert (first.cases_count, len(first.cases)) == (4, 4)
    anna = next(each for each in first.cases if each.client.number == ANNA)
    assert (anna.case.rung, anna.rungs) == (0, 2)
    assert {each.login for each in anna.told} >= {"olga"}
    assert anna.next_at == anna.case.opened_at + timedelta(hours=24)
    assert [each.value for each in anna.next_tells] == ["controller", "director"]
    await pass_to(world, 86_500)
    later: Wall = await look(world, "head", wall)
    anna = next(each for each in later.cases if each.client.number == ANNA)
    assert anna.case.rung == 1
    assert {each.login for each in anna.told if each.rung == 1} == {"olga", "dir"}
    assert (anna.next_at, anna.next_tells) == (None, ())


async def test_the_wall_shows_calls_people_answers_and_what_was_missed(world: World) -> None:
    await waiting(world)
    await world.take(talked("back", ANNA, at(180)))
    await world.take(moved(ringing("r", "+79163330001", at(400))))
    await world.take(moved(answered(ringing("t", "+79163330002", at(401)), 5)))
    world.clock.set(at(500))
    found: Wall = await look(world, "head", wall)
    ringing_now, talking = found.calls
    assert (ringing_now.talking, ringing_now.since) == (None, at(400))
    assert (talking.talking, talking.since) == ("ivan", at(406))
    ivan = next(each for each in found.people if each.login == "ivan")
    assert ivan.call == talking
    assert ivan.cases == 1
    assert found.responses.answered == 1
    assert found.responses.median_s == found.responses.p90_s
    assert found.responses.soon is not None
    assert [each.login for each in found.responses_by] == ["ivan", "petr"]
    assert {each.number for each in found.missed} == {BORIS, VERA}
    assert found.missed_count == 2
    assert all(each.age >= timedelta(0) for each in found.leads)


async def test_jams_tell_how_long_the_middle_card_stands(world: World) -> None:
    for n in range(5):
        world.clock.set(at(n * 3600))
        await deal(world, "ivan", f"Сделка {n}", due_at=at(3 * 3600) if n < 2 else None)
    world.clock.set(at(10 * 3600))
    found: Wall = await look(world, "head", wall)
    (jam,) = found.jams
    assert (jam.count, jam.overdue, jam.median) == (5, 2, timedelta(hours=8))
    petrs: Wall = await look(world, "petr", wall)
    assert petrs.jams == ()
    assert [each.login for each in petrs.people] == ["petr"]


async def test_what_the_wall_costs(world: World) -> None:
    await waiting(world)
    await deal(world, "ivan", "Одна")
    few = await plans(world, "head", wall)
    await world.take(*(missed(f"x{n}", f"+7916222{n:04}", at(300 + n)) for n in range(60)))
    await world.take(*(moved(ringing(f"r{n}", f"+7916223{n:04}", at(400 + n))) for n in range(5)))
    for n in range(5):
        await deal(world, "petr", f"Сделка {n}")
    many = await plans(world, "head", wall)
    assert len(many.answer.cases) == 50
    assert len(few.statements) == len(many.statements) <= 16
    assert many.scans(*LARGE) == []
    for index in ("ix_contact_case_opened_at", "ix_deal_standing", "ix_call_going_on"):
        assert many.uses(index), index


@pytest.mark.parametrize(
    ("right", "query"),
    [
        (Right.SEE_REPORTS, wall),
        (Right.SEE_REPORTS, control_counts),
        (Right.SEE_REPORTS, lambda conn, asker: control_page(conn, asker, ControlView.MISSED_CALLS, Slice(limit=5))),
        (Right.SEE_CLIENTS, lambda conn, asker: search(conn, asker, "Анна")),
    ],
    ids=("wall", "control-counts", "control", "search"),
)
async def test_the_queries_themselves_refuse_whoever_may_not_see(
    world: World, right: Right, query: Callable[[Connection, Asker], Any]
) -> None:
    def without(conn: Connection, asker: Asker) -> Any:
        access = replace(asker.access, reaches={**asker.access.reaches, right: Reach.NONE})
        return query(conn, replace(asker, access=access))

    assert await look(world, "head", query) is not None
    with pytest.raises(Forbidden):
        await look(world, "head", without)
