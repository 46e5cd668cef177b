"""Rules that wait for a time, schedules, and chains of messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.definitions import RuleBody, Section, SegmentBody
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.services.firing import fire_all
from crm_core.services.letters import chaining
from crm_core.storage import queues
from tests.integration.rules.office import Office
from tests.integration.storage.world import at, message, talked
from tests.statements import statements

LOST = {"do": "move", "stage": "Отказ", "reason": "Нет ответа"}
TASK = {"do": "task", "title": "Напомнить"}


async def test_a_card_leaves_a_stage_by_itself_once(office: Office) -> None:
    await office.rule("336 ч", {"event": "in_stage", "stages": "Думает", "after": "336h"}, LOST)
    card, other = await office.card(stage="Думает"), await office.card(stage="Думает")
    await office.wait(hours=335)
    assert await office.where(card) == ("Продажи", "Думает")
    await office.move(other, "В работе")
    await office.move(other, "Думает")  # begins anew
    await office.wait(hours=2)
    assert await office.where(card) == ("Продажи", "Отказ")
    assert (await office.deal(card)).reason == "Нет ответа"
    assert await office.where(other) == ("Продажи", "Думает")
    await office.wait(hours=336)
    assert await office.where(other) == ("Продажи", "Отказ")
    assert [run[:2] for run in await office.runs()] == [("336 ч", "done")] * 2
    assert [each for each in await office.world.deadlines() if each.kind.value == "rule"] == []


async def test_one_deadline_a_card_however_many_rules_wait(office: Office) -> None:
    for days in range(1, 8):
        await office.rule(
            f"День {days}",
            {"event": "in_stage", "stages": "Новая", "after": f"{days}d"},
            {"do": "tag", "tags": [str(days)]},
        )
    card = await office.card()
    due = [each for each in await office.world.deadlines() if each.key == f"rule:deal:{card}"]
    assert [each.due_at for each in due] == [office.now + timedelta(days=1)]
    assert len([each for each in await office.world.deadlines() if each.kind.value == "rule"]) == 1
    await office.wait(days=3, hours=1)
    assert (await office.deal(card)).tags == ["1", "2", "3"]
    await office.move(card, "Продано")
    await office.wait(days=10)
    assert (await office.deal(card)).tags == ["1", "2", "3"]


async def test_a_rule_that_comes_later_finds_the_cards_that_wait(office: Office) -> None:
    cards = [await office.card(stage="Думает") for _ in range(5)]
    await office.wait(hours=30)
    await office.rule(
        "Позже", {"event": "in_stage", "stages": ["Думает"], "after": "24h"}, {"do": "tag", "tags": ["ждёт"]}
    )
    assert [(await office.deal(each)).tags for each in cards] == [["ждёт"]] * 5
    assert await office.world.rows("counter") == []


async def test_many_cards_are_planned_in_chunks(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_core.services.automation.planning._CHUNK", 3)
    cards = [await office.card(stage="Думает") for _ in range(8)]
    await office.rule("Порциями", {"event": "in_stage", "stages": ["Думает"], "after": "24h"}, TASK)
    assert len([each for each in await office.world.deadlines() if each.key.startswith("rule:deal")]) == 8
    await office.wait(hours=25)
    assert len(await office.world.rows("task")) == len(cards)


async def test_days_before_a_date_once_and_moved_with_the_date(office: Office) -> None:
    await office.rule(
        "Продление",
        {"event": "date", "field": "fields.until", "before": "25d", "at": "10:00", "stages": "Продано"},
        {"do": "copy", "pipeline": "Повторные", "stage": "Новая"},
    )
    card = await office.card(await office.client(), stage="Продано", fields={"until": "2026-04-30"})
    due = [each.due_at for each in await office.world.deadlines() if each.kind.value == "rule"]
    assert due == [datetime(2026, 4, 5, 7, tzinfo=UTC)]  # ten in Moscow
    await office.change(card, fields={"until": "2026-05-30"})
    await office.wait(days=40)
    assert len(await office.world.rows("deal")) == 1
    await office.wait(days=30)
    copies = [row for row in await office.world.rows("deal") if row.id != card]
    assert [(row.source_id, row.title) for row in copies] == [(card, "Окна")]
    await office.change(card, fields={"until": "2027-05-30"})
    await office.wait(days=1)
    assert len(await office.world.rows("deal")) == 2


async def test_a_date_that_passed_long_ago_is_let_go(office: Office) -> None:
    await office.rule("Старое", {"event": "date", "field": "fields.until"}, TASK)
    await office.card(fields={"until": "2025-01-01"})
    await office.card(fields={"until": "2026-03-01"})  # yesterday: entered late
    await office.wait(days=3)
    assert len(await office.world.rows("task")) == 1


async def test_silence_since_the_client_was_reached(office: Office) -> None:
    await office.rule("Забыт", {"event": "silence", "after": "10d"}, TASK)
    await office.world.take(talked("1.1", "+79160000001", at(10)))
    contact = (await office.world.row("contact")).id
    await office.card(contact)
    await office.wait(days=9)
    assert await office.world.rows("task") == []
    await office.world.take(talked("1.2", "+79160000001", office.now + timedelta(seconds=5)))
    await office.wait(days=9)
    assert await office.world.rows("task") == []
    await office.wait(days=2)
    assert len(await office.world.rows("task")) == 1
    await office.wait(days=30)
    assert len(await office.world.rows("task")) == 1
    await office.world.take(talked("1.3", "+79160000001", office.now + timedelta(seconds=5)))
    await office.wait(days=25)
    assert len(await office.world.rows("task")) == 2


async def test_what_comes_outside_its_hours_waits_until_they_begin(office: Office) -> None:
    hours: dict[int, tuple[DayHours, ...]] = {day: (DayHours(time(9), time(18)),) for day in range(5)}
    calendar = WorkingHours("офис", ZoneInfo("Europe/Moscow"), hours)
    store = office.world.store
    store.office = replace(store.office, calendars={"офис": calendar})
    await office.rule(
        "Думает сутки", {"event": "in_stage", "stages": "Думает", "after": "11h"}, TASK, only={"hours": "офис"}
    )
    at_night = {"hours": "офис", "outside": True}
    await office.rule("Ночью", {"event": "in_stage", "stages": "Думает", "after": "2h"}, TASK, only=at_night)
    assert office.now.isoformat() == "2026-03-02T09:00:00+00:00"  # Monday noon in Moscow
    card = await office.card(stage="Думает")
    await office.wait(hours=8)  # 20:00
    assert [run[0] for run in await office.runs()] == ["Ночью"]  # two hours are over at 14:00, the day ends at 18:00
    (due,) = [each for each in await office.world.deadlines() if each.key == f"rule:deal:{card}"]
    assert due.due_at.isoformat() == "2026-03-03T06:00:00+00:00"  # 23:00 is no working time, 9:00 is
    await office.wait(hours=12)
    assert await office.runs() == [("Ночью", "done", "")]
    await office.wait(hours=1)
    assert sorted(run[:2] for run in await office.runs()) == [("Думает сутки", "done"), ("Ночью", "done")]


async def test_a_schedule_outside_its_hours_waits_for_them(office: Office) -> None:
    hours: dict[int, tuple[DayHours, ...]] = {day: (DayHours(time(9), time(18)),) for day in range(5)}
    store = office.world.store
    calendar = WorkingHours("офис", ZoneInfo("Europe/Moscow"), hours)
    store.office = replace(store.office, calendars={"офис": calendar})
    await office.card()
    first = {
        "event": "schedule",
        "every": "month",
        "days": [5],
        "at": "10:00",
        "filter": {"field": "state", "value": "open"},
    }
    await office.rule("Пятого", first, TASK, only={"hours": "офис"})
    await office.wait(days=32)
    (due,) = [each.due_at for each in await office.world.deadlines() if each.kind.value == "schedule"]
    assert due.isoformat() == "2026-04-06T06:00:00+00:00"  # the fifth of April is a Sunday
    await office.wait(days=4)
    assert len(await office.world.rows("task")) == 2


async def test_a_condition_that_does_not_hold_when_it_is_time_is_said_on_the_record_and_the_occasion_is_over(
    office: Office,
) -> None:
    rule = await office.rule(
        "Дорогая", {"event": "in_stage", "stages": "Думает", "after": "24h"}, TASK, condition="deal.amount > 1000"
    )
    await office.rule("Моё", {"event": "in_stage", "stages": "Думает", "after": "24h"}, TASK, only={"tags": ["моё"]})
    await office.rule(
        "Позже", {"event": "in_stage", "stages": "Думает", "after": "72h"}, {"do": "tag", "tags": ["ждёт"]}
    )
    card = await office.card(stage="Думает")
    await office.wait(hours=25)
    assert await office.runs() == [("Дорогая", "unmet", "condition"), ("Моё", "unmet", "tags")]
    await office.change(card, amount=500_000, tags=["моё"])
    await office.wait(hours=50)  # another rule has its time, and these are not looked at again
    assert sorted(await office.runs()) == [
        ("Дорогая", "unmet", "condition"),
        ("Моё", "unmet", "tags"),
        ("Позже", "done", ""),
    ]
    # Whoever changes the rule means those that wait too.
    body = RuleBody.model_validate(
        {"on": "deal", "when": {"event": "in_stage", "stages": "Думает", "after": "24h"}, "then": TASK}
    )
    await office.act(lambda desk: defining.change(desk, Section.RULE, rule, "head", body=body))
    await office.settle()
    assert [run for run in await office.runs() if run[0] == "Дорогая"] == [
        ("Дорогая", "unmet", "condition"),
        ("Дорогая", "done", ""),
    ]
    assert len(await office.world.rows("task")) == 1
    await office.move(card, "В работе")
    await office.move(card, "Думает")  # a time of its own
    await office.wait(hours=25)
    assert len(await office.world.rows("task")) == 3


async def test_many_records_that_are_due_together_cost_as_many_statements_as_one(office: Office) -> None:
    await office.rule("Забыт", {"event": "silence", "after": "10d"}, {"do": "tag", "tags": ["забыт"]}, on="contact")
    await office.rule("Никогда", {"event": "silence", "after": "10d"}, TASK, on="contact", only={"tags": ["нет"]})
    counts = []
    for number in (2, 60):
        clients = [await office.client(f"Клиент {number}.{each}") for each in range(number)]
        office.world.clock.set(office.now + timedelta(days=10, seconds=1))
        due = await office.world.store.read(partial(queues.due_deadlines, now=office.now, limit=200))
        assert len(due) >= number
        with statements(office.world.store) as seen:
            await office.world.store.run(partial(fire_all, due=due))
        counts.append(len(seen))
        tagged = {row.id for row in await office.world.rows("contact") if row.tags == ["забыт"]}
        assert tagged.issuperset(clients)
    assert counts[0] == counts[1], counts
    unmet = [run for run in await office.runs() if run[1] == "unmet"]
    assert unmet == [("Никогда", "unmet", "tags")] * 62


async def test_a_schedule_over_a_filter_in_chunks(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_core.services.automation.planning._CHUNK", 2)
    here = [await office.card(title=f"Сделка {number}") for number in range(5)]
    gone = await office.card(stage="Отказ")
    await office.rule(
        "Еженедельно",
        {
            "event": "schedule",
            "every": "week",
            "weekdays": [3],
            "at": "09:00",
            "filter": {"field": "state", "value": "open"},
        },
        TASK,
    )
    (due,) = [each.due_at for each in await office.world.deadlines() if each.kind.value == "schedule"]
    assert due == datetime(2026, 3, 4, 6, tzinfo=UTC)
    await office.wait(days=6)
    tasks = await office.world.rows("task")
    assert sorted(row.deal_id for row in tasks) == sorted(here)
    assert gone not in {row.deal_id for row in tasks}
    await office.wait(days=7)
    assert len(await office.world.rows("task")) == 10


async def test_a_schedule_that_cannot_be_read_is_told_and_tried_again(office: Office) -> None:
    segment = await office.define(Section.SEGMENT, "Все", of="deal", filter={"field": "nothing", "value": 1})
    await office.rule("Ежедневно", {"event": "schedule", "every": "day", "at": "09:00", "segment": "Все"}, TASK)
    card = await office.card()
    await office.wait(days=1, hours=2)
    (alarm,) = await office.world.rows("alarm")
    assert (alarm.subject, "nothing" in alarm.detail, alarm.ended_at) == ("Ежедневно", True, None)
    mended = SegmentBody.model_validate({"of": "deal", "filter": {"field": "state", "value": "open"}})
    await office.act(lambda desk: defining.change(desk, Section.SEGMENT, segment, "head", body=mended))
    await office.wait(hours=1)
    assert [row.deal_id for row in await office.world.rows("task")] == [card]
    (alarm,) = await office.world.rows("alarm")
    assert alarm.ended_at is not None


async def test_a_schedule_goes_when_its_rule_goes(office: Office) -> None:
    rule = await office.rule("Ежедневно", {"event": "schedule", "every": "day", "at": "09:00"}, TASK)
    await office.card()
    await office.act(lambda desk: defining.put_away(desk, Section.RULE, rule, "head"))
    await office.wait(days=3)
    assert await office.world.rows("task") == []
    assert await office.world.deadlines() == []


async def chain(office: Office, **more: Any) -> None:
    """A chain of two messages, at once and after two days, which a tag begins."""
    await office.define(Section.TEMPLATE, "Второе", text="Ещё актуально?")
    await office.define(
        Section.CHAIN,
        "Прогрев",
        steps=[{"template": "Привет"}, {"template": "Второе", "after": "2d", "at": "12:00"}],
        **more,
    )
    await office.rule("Греть", {"event": "tag_added", "tags": "греть"}, {"do": "start_chain", "chain": "Прогрев"})


async def warmed(office: Office) -> tuple[int, int]:
    """A client with a card who is written to: their ids."""
    await office.world.take(message(7, "a", at(5), "Добрый день"))
    contact = int((await office.world.row("contact")).id)
    card = await office.card(contact)
    office.world.clock.set(at(3600))
    await office.change(card, tags=["греть"])
    await office.settle()
    return contact, card


async def sent(office: Office) -> list[str]:
    """What was written to clients by itself."""
    rows = await office.world.rows("timeline", direction="out")
    return [row.text for row in rows if row.kind.value == "message"]


async def test_a_chain_runs_to_its_end(office: Office) -> None:
    await chain(office)
    contact, card = await warmed(office)
    assert await sent(office) == ["Здравствуйте, User 7!"]
    await office.change(card, tags=[])
    await office.change(card, tags=["греть"])  # runs already
    await office.wait(days=3)
    assert await sent(office) == ["Здравствуйте, User 7!", "Ещё актуально?"]
    run = await office.world.row("chain_run")
    assert (run.state.value, run.step, run.contact_id, run.deal_id, run.next_at) == ("finished", 2, contact, card, None)
    assert [each for each in await office.world.deadlines() if each.kind.value == "chain"] == []
    held = next(row for row in await office.world.rows("rule_run", rule="Греть") if "held_back" in row.actions[0])
    assert "runs for this client" in held.actions[0]["held_back"]


async def test_a_chain_stops_when_the_client_answers(office: Office) -> None:
    await chain(office)
    await warmed(office)
    await office.wait(hours=5)
    await office.world.take(message(7, "b", office.now + timedelta(seconds=1), "Да, интересно"))
    await office.wait(days=5)
    assert len(await sent(office)) == 1
    run = await office.world.row("chain_run")
    assert (run.state.value, run.reason) == ("stopped", "клиент ответил")


@pytest.mark.parametrize("how", ["closed", "condition", "action", "opted_out", "archived"])
async def test_what_else_stops_a_chain(office: Office, how: str) -> None:
    await chain(office, stop_when='"стоп" in deal.tags' if how == "condition" else "")
    contact, card = await warmed(office)
    match how:
        case "closed":
            await office.move(card, "Отказ")
        case "condition":
            await office.change(card, tags=["стоп"])
        case "action":
            await office.rule("Не греть", {"event": "stage_entered", "stages": "В работе"}, {"do": "stop_chain"})
            await office.move(card, "В работе")
        case "opted_out":
            from crm_core.services.letters.opting_out import opt_out

            await office.act(lambda desk: opt_out(desk, contact, "asked"))
        case _:
            for section in (Section.RULE, Section.CHAIN):  # the rule that begins it has to go first
                ids = [row.id for row in await office.world.rows("definition", section=section)]
                await office.act(partial(defining.put_away, section=section, definition_id=ids[0], login="head"))
    await office.wait(days=5)
    assert len(await sent(office)) == 1
    run = await office.world.row("chain_run")
    assert run.state.value == "stopped"
    assert run.reason


async def test_nothing_is_sent_at_night(office: Office) -> None:
    await office.rule(
        "Ночью", {"event": "stage_entered", "stages": "В работе"}, {"do": "message", "template": "Привет"}
    )
    await office.world.take(message(7, "a", at(5), "Добрый день"))
    card = await office.card((await office.world.row("contact")).id)
    night = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # half past two in Moscow
    office.world.clock.set(night)
    await office.move(card, "В работе")
    row = next(row for row in await office.world.rows("outbox", kind="message"))
    assert row.not_before > night + timedelta(hours=3)
    assert [run[:2] for run in await office.runs()] == [("Ночью", "done")]


async def test_a_chain_begins_once_though_two_begin_it(office: Office) -> None:
    await chain(office)
    contact, _ = await warmed(office)

    def begin(desk: Desk) -> Any:
        return chaining.start(desk, "Прогрев", desk.work.contact(contact), None)

    assert await office.act(begin) is None
    await office.act(partial(chaining.stop, contact_id=contact, name=None, why="так"))
    assert await office.act(begin) is not None
