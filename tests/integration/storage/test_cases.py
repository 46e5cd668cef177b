"""Cases: what opens and closes them, who is told, on both engines."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, update

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.call import CallState, Direction
from crm_core.model.case import CaseKind, CaseState
from crm_core.model.office import ListAction, WebhookTarget
from crm_core.model.records import DeadlineKind, ListedNumberRecord, OutboxKind
from crm_core.services import firing
from crm_core.services.letters import replies
from crm_core.services.watching import cases
from crm_core.storage import queues, tables
from crm_core.storage.reports import REPORTS
from crm_core.storage.reports.base import Table, Wanted
from crm_core.storage.staff import touch_staff
from tests.integration.storage.world import World, answered, at, ended, mail, message, missed, moved, ringing, talked

CLIENT = "+79161234567"
DAY = timedelta(hours=24)


async def fire_due(world: World) -> int:
    """What a worker does: fire everything that has come; how many there were."""
    due = await world.store.read(lambda conn: queues.due_deadlines(conn, world.clock.now(), 100))
    for deadline in due:
        await world.store.run(partial(firing.fire, deadline=deadline))
    return len(due)


def listen(world: World) -> None:
    """Have the office tell a webhook of missed calls."""
    target = WebhookTarget("https://crm.example/hook", "secret", frozenset({"call.missed"}))
    world.store.office = replace(world.store.office, webhooks=(target,))


async def told_events(world: World) -> set[str]:
    """The events that a webhook is told of."""
    return {row.payload["event"] for row in await world.rows("outbox", kind=OutboxKind.WEBHOOK)}


async def make_manager(world: World, login: str) -> int:
    """Give the only client a personal manager."""
    contact = await world.row("contact")
    await world.store.run(lambda desk: desk.work.put(desk.work.contact(contact.id)._replace(manager=login)))
    return int(contact.id)


async def reply_to(world: World, contact_id: int, login: str = "ivan") -> int:
    entry = await world.store.run(
        lambda desk: replies.reply(desk, contact_id, login, channel="telegram", account=None, text="да")
    )
    return entry.id


async def test_a_missed_call_opens_a_case_and_tells_manager_and_controller_at_once(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    case = await world.row("contact_case")
    assert (case.kind, case.state, case.facts, case.rung) == (CaseKind.CALL, CaseState.OPEN, 1, 0)
    assert case.opened_at == at(20)
    manager = (await world.row("lead")).manager
    assert case.manager == manager
    told = {row.payload["login"]: row.payload for row in await world.rows("outbox")}
    assert {login: payload["cause"] for login, payload in told.items()} == {
        manager: f"case:{case.id}:0",
        "olga": f"case:{case.id}:0",
    }
    # whoever gets the lead hears of both in one notice
    assert "Новый лид" in told[manager]["text"]
    assert "Пропущенный звонок" in told[manager]["text"]
    assert "Новый лид" not in told["olga"]["text"]
    assert CLIENT in (await world.rows("outbox"))[-1].payload["text"]


async def test_a_day_later_controller_and_director_are_told_and_the_ladder_ends(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    assert [d.due_at for d in await world.deadlines() if d.kind == DeadlineKind.CASE_RUNG] == [at(20) + DAY]
    world.clock.set(at(20) + DAY - timedelta(seconds=1))
    await fire_due(world)
    assert (await world.row("contact_case")).rung == 0
    world.clock.advance(1)
    await fire_due(world)
    case = await world.row("contact_case")
    assert case.rung == 1
    told = {r.payload["login"] for r in await world.rows("outbox") if r.payload["cause"] == f"case:{case.id}:1"}
    assert told == {"olga", "dir"}
    assert [d for d in await world.deadlines() if d.kind == DeadlineKind.CASE_RUNG] == []
    world.clock.advance(DAY * 3)
    await fire_due(world)
    assert (await world.row("contact_case")).rung == 1


async def test_two_workers_that_fire_the_same_deadline_tell_once(world: World, second: World) -> None:
    await world.take(*(missed(f"c{n}", f"+7916000000{n}", at(n)) for n in range(5)))
    world.clock.set(at(60) + DAY)
    due = [
        deadline
        for deadline in await world.store.read(lambda conn: queues.due_deadlines(conn, world.clock.now(), 100))
        if deadline.kind is DeadlineKind.CASE_RUNG
    ]
    assert len(due) == 5
    await asyncio.gather(
        *(
            each.store.run(partial(firing.fire, deadline=deadline))
            for deadline in due
            for each in (world, second, world, second)
        )
    )
    assert [case.rung for case in await world.rows("contact_case")] == [1] * 5
    causes = [row.payload["cause"] for row in await world.rows("outbox") if row.payload["cause"].endswith(":1")]
    assert len(causes) == 10  # controller and director, each case once
    notes = [row for row in await world.rows("timeline", kind="system") if row.author == "hub"]
    assert len(notes) == 5


async def test_a_promise_pauses_the_ladder_and_a_broken_one_tells_the_next_rung_at_once(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    case = await world.row("contact_case")
    until = at(25 * 3600)
    await world.store.run(lambda desk: cases.promise(desk, case.id, "ivan", until))
    world.clock.set(at(20) + DAY)
    await fire_due(world)
    assert (await world.row("contact_case")).rung == 0
    world.clock.set(until)
    await fire_due(world)
    case = await world.row("contact_case")
    assert (case.rung, case.promised_at) == (1, None)
    # On the last rung a second broken promise is told to that rung once more.
    again = until + timedelta(hours=1)
    await world.store.run(lambda desk: cases.promise(desk, case.id, "ivan", again))
    world.clock.set(again)
    await fire_due(world)
    broken = [row for row in await world.rows("outbox") if ":promise:" in row.payload["cause"]]
    assert {row.payload["login"] for row in broken} == {"olga", "dir"}


async def test_a_promise_lies_in_the_future(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    case = await world.row("contact_case")
    with pytest.raises(InvalidInput):
        await world.store.run(lambda desk: cases.promise(desk, case.id, "ivan", world.clock.now()))


async def test_three_misses_in_ten_minutes_make_the_ladder_jump(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(missed("c2", CLIENT, at(200)))
    assert (await world.row("contact_case")).rung == 0
    await world.take(missed("c3", CLIENT, at(400)))
    case = await world.row("contact_case")
    assert (case.facts, case.rung) == (3, 1)


async def test_three_misses_over_a_longer_time_do_not(world: World) -> None:
    await world.take(*(missed(f"c{n}", CLIENT, at(n * 301)) for n in range(3)))
    assert (await world.row("contact_case")).rung == 0


@pytest.mark.parametrize("direction", [Direction.IN, Direction.OUT])
async def test_a_talk_with_anybody_closes_whoever_called(world: World, direction: Direction) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(talked("c2", CLIENT, at(100), "PJSIP/102", direction=direction))
    case = await world.row("contact_case")
    assert (case.state, case.reason, case.closed_at) == (CaseState.CLOSED, "talk", at(105))
    assert [d for d in await world.deadlines() if d.kind == DeadlineKind.CASE_RUNG] == []


async def test_an_outgoing_call_nobody_answers_closes_nothing(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    out = ended(ringing("c2", CLIENT, at(50), Direction.OUT), 30, CallState.NO_ANSWER)
    await world.take(moved(out))
    assert (await world.row("contact_case")).state is CaseState.OPEN


async def test_a_sent_reply_closes_and_a_failed_one_reopens(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    contact = await world.row("contact")
    world.clock.set(at(60))
    entry = await reply_to(world, contact.id)
    assert (await world.row("contact_case")).state is CaseState.OPEN, "queued is not sent"
    await world.store.run(lambda desk: replies.sent(desk, entry, ["77"]))
    case = await world.row("contact_case")
    assert (case.state, case.reason) == (CaseState.CLOSED, "reply")
    await world.store.run(lambda desk: replies.failed(desk, entry, "403"))
    case = await world.row("contact_case")
    assert (case.state, case.opened_at, case.facts, case.rung) == (CaseState.OPEN, at(0), 1, 0)
    assert [d.due_at for d in await world.deadlines() if d.kind == DeadlineKind.CASE_RUNG] == [at(0) + DAY]


async def test_a_failed_reply_joins_what_was_asked_since_to_the_old_case(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    contact = await world.row("contact")
    world.clock.set(at(60))
    entry = await reply_to(world, contact.id)
    await world.store.run(lambda desk: replies.sent(desk, entry, ["77"]))
    await world.take(message(7, "m2", at(90)))
    assert len(await world.rows("contact_case")) == 2
    await world.store.run(lambda desk: replies.failed(desk, entry, "403"))
    case = await world.row("contact_case")
    assert (case.state, case.opened_at, case.facts) == (CaseState.OPEN, at(0), 2)


async def test_a_reply_closes_also_where_the_providers_clock_runs_ahead(world: World) -> None:
    world.clock.set(at(0))
    await world.take(message(7, "m1", at(5)))
    contact = await world.row("contact")
    world.clock.set(at(2))
    entry = await reply_to(world, contact.id)
    await world.store.run(lambda desk: replies.sent(desk, entry, ["77"]))
    assert (await world.row("contact_case")).state is CaseState.CLOSED


async def test_closing_and_asking_again_in_one_batch_makes_two_cases(world: World) -> None:
    await world.take(missed("c1", CLIENT, at(0)))
    await world.take(talked("c2", CLIENT, at(100)), missed("c3", CLIENT, at(200)))
    first, other = await world.rows("contact_case")
    assert (first.state, other.state) == (CaseState.CLOSED, CaseState.OPEN)


async def test_a_call_turns_a_message_case_into_a_call_case_and_keeps_its_opening(world: World) -> None:
    contact_message = message(7, "m1", at(0))
    await world.take(contact_message, mail("a@b.example", "x", at(0)))
    contact = (await world.rows("contact"))[0]
    await world.store.run(
        lambda desk: desk.work.put(
            (desk.work.identities([contact.id])[contact.id][0])._replace(key=f"tel:{CLIENT}", evidence="test")
        )
    )
    await world.take(missed("c1", CLIENT, at(100)))
    case = (await world.rows("contact_case", contact_id=contact.id))[0]
    assert (case.kind, case.opened_at, case.facts) == (CaseKind.CALL, at(0), 2)


async def test_a_short_abandon_is_no_case_and_a_longer_one_is(world: World) -> None:
    call = ringing("c1", CLIENT, at(0))
    await world.take(moved(ended(call, 2.9, CallState.ABANDONED)))
    assert await world.rows("contact_case") == []
    await world.take(moved(ended(replace(call, linkedid="c2"), 3, CallState.ABANDONED)))
    assert len(await world.rows("contact_case")) == 1


async def test_a_short_abandon_with_the_wish_to_be_rung_back_is_a_case(world: World) -> None:
    call = replace(ringing("c1", CLIENT, at(0)), wish_callback=True)
    await world.take(moved(ended(call, 1, CallState.ABANDONED)))
    assert (await world.row("contact_case")).facts == 1


async def test_whoever_stands_on_a_refused_list_makes_no_case_and_no_lead(world: World) -> None:
    assert world.store.office.lists["чёрный список"].action is ListAction.REJECT
    listed = ListedNumberRecord(f"tel:{CLIENT}", "чёрный список", "спам", "ivan", at(0))
    await world.store.run(lambda desk: desk.work.put(listed))
    await world.take(missed("c1", CLIENT, at(0)))
    assert await world.rows("contact_case") == []
    assert await world.rows("lead") == []
    assert (await world.row("call")).list_name == "чёрный список"


def _report(conn: Connection, name: str, wanted: Wanted) -> Table:
    return REPORTS[name].run(conn, wanted)


async def test_a_call_that_no_list_refused_is_a_miss_although_it_was_rejected(world: World) -> None:
    listen(world)
    await world.take(moved(ended(ringing("c1", CLIENT, at(0)), 1, CallState.REJECTED)))
    assert (await world.row("contact_case")).facts == 1
    assert (await world.row("call")).state == CallState.REJECTED
    wanted = Wanted(at(-3600), at(3600), at(60), world.store.office)
    for name in ("missed", "never_returned"):
        table = await world.store.read(partial(_report, name=name, wanted=wanted))
        assert len(table.rows) == 1
    assert "call.missed" in await told_events(world)


async def test_a_listed_caller_refused_by_the_fallback_is_none(world: World) -> None:
    listed = ListedNumberRecord(f"tel:{CLIENT}", "чёрный список", "спам", "ivan", at(0))
    await world.store.run(lambda desk: desk.work.put(listed))
    listen(world)
    await world.take(moved(ended(ringing("c1", CLIENT, at(0)), 1, CallState.REJECTED)))
    assert await world.rows("contact_case") == []
    assert "call.missed" not in await told_events(world)


async def test_whoever_talks_with_a_job_seeker_is_not_their_manager(world: World) -> None:
    listed = ListedNumberRecord(f"tel:{CLIENT}", "соискатели", "", "ivan", at(0))
    await world.store.run(lambda desk: desk.work.put(listed))
    await world.take(talked("c1", CLIENT, at(0)))
    assert (await world.row("call")).answered_by is not None
    assert (await world.row("contact")).manager is None


async def test_job_seekers_make_a_case_but_no_lead(world: World) -> None:
    listed = ListedNumberRecord(f"tel:{CLIENT}", "соискатели", "", "ivan", at(0))
    await world.store.run(lambda desk: desk.work.put(listed))
    await world.take(missed("c1", CLIENT, at(0)))
    assert len(await world.rows("contact_case")) == 1
    assert await world.rows("lead") == []


async def test_a_clients_own_messages_and_automatic_mail_never_close(world: World) -> None:
    await world.take(mail("a@b.example", "m1", at(0)))
    await world.take(mail("a@b.example", "m2", at(60)), mail("a@b.example", "m3", at(90), automatic=True))
    case = await world.row("contact_case")
    assert (case.state, case.facts) == (CaseState.OPEN, 2)


async def test_automatic_mail_alone_is_on_the_timeline_and_nothing_else(world: World) -> None:
    await world.take(mail("robot@b.example", "m1", at(0), automatic=True))
    assert len(await world.rows("timeline")) == 1
    assert await world.rows("contact_case") == []
    assert await world.rows("lead") == []


async def test_the_case_of_an_absent_manager_tells_the_deputy_too(world: World) -> None:
    await world.take(mail("a@b.example", "m1", at(0), automatic=True))
    await make_manager(world, "ivan")

    def leave(conn: Connection) -> None:
        away = update(tables.app_user).where(tables.app_user.c.login == "ivan").values(absent_since=at(-60))
        conn.execute(away)
        touch_staff(conn)

    await world.store.database.write(leave)
    await world.take(mail("a@b.example", "m2", at(60)))
    case = await world.row("contact_case")
    told = {r.payload["login"] for r in await world.rows("outbox") if r.payload["cause"] == f"case:{case.id}:0"}
    assert told == {"ivan", "petr", "olga"}


async def test_closing_by_hand_needs_a_reason_and_an_open_case(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    case = await world.row("contact_case")
    with pytest.raises(InvalidInput):
        await world.store.run(lambda desk: cases.close_by_hand(desk, case.id, "ivan", "  "))
    closed = await world.store.run(lambda desk: cases.close_by_hand(desk, case.id, "ivan", "спам"))
    assert (closed.state, closed.reason) == (CaseState.CLOSED, "спам")
    with pytest.raises(Conflict):
        await world.store.run(lambda desk: cases.close_by_hand(desk, case.id, "ivan", "ещё раз"))
    # A late message from before the closing is settled with it.
    await world.take(message(7, "m0", at(-5)))
    case = await world.row("contact_case")
    assert (case.state, case.facts, case.opened_at) == (CaseState.CLOSED, 2, at(-5))


async def test_a_number_of_no_numbering_plan_can_be_missed_again_and_again(world: World) -> None:
    for turn in range(3):
        await world.take(missed(f"c{turn}", "00012345678", at(turn * 10_000)))
        case = (await world.rows("contact_case", state="open"))[0]
        await world.store.run(partial(cases.close_by_hand, case_id=case.id, login="ivan", reason="ок"))
        world.clock.advance(10_000)
    assert len(await world.rows("contact")) == 1
    assert len(await world.rows("contact_case")) == 3


async def test_hidden_numbers_get_no_case_no_lead_and_no_manager(world: World) -> None:
    await world.take(missed("c1", "anonymous", at(0)), talked("c2", "anonymous", at(100)))
    await world.take(talked("c3", "", at(200)))
    contact = await world.row("contact")
    assert contact.manager is None
    assert await world.rows("contact_case") == []
    assert await world.rows("lead") == []
    assert len(await world.rows("timeline")) == 3


async def test_a_lead_nobody_touches_is_told_when_no_case_is_open_any_more(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    world.clock.set(at(4 * 3600))
    await fire_due(world)
    lead = await world.row("lead")
    assert not [r for r in await world.rows("outbox") if r.payload["cause"] == f"lead:{lead.id}:0"]
    case = await world.row("contact_case")
    await world.store.run(lambda desk: cases.close_by_hand(desk, case.id, "ivan", "перезвоним"))
    world.clock.advance(61)
    await fire_due(world)
    told = [r for r in await world.rows("outbox") if r.payload["cause"] == f"lead:{lead.id}:0"]
    assert [r.payload["login"] for r in told] == [lead.manager]
    world.clock.set(at(8 * 3600))
    await fire_due(world)
    assert [r for r in await world.rows("outbox") if r.payload["cause"] == f"lead:{lead.id}:1"]


async def test_a_deadline_of_something_gone_is_forgotten(world: World) -> None:
    await world.take(message(7, "m1", at(0)))
    deadline = next(d for d in await world.deadlines() if d.kind == DeadlineKind.CASE_RUNG)
    gone = deadline._replace(key="case.rung:999999", subject_id=999999, due_at=at(0))
    await world.store.run(lambda desk: desk.work.put(gone))
    await fire_due(world)
    assert [d.key for d in await world.deadlines() if d.subject_id == 999999] == []


async def test_the_answer_of_a_person_makes_them_the_clients_manager(world: World) -> None:
    call = ringing("c1", CLIENT, at(0))
    await world.take(moved(call))
    assert (await world.row("lead")).manager is None, "whoever answers gets it"
    await world.take(moved(answered(call, 5, "PJSIP/102")))
    assert (await world.row("contact")).manager == "petr"
    assert (await world.row("lead")).manager == "petr"
