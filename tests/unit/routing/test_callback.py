"""Whom a robot rings for a client, and when it must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.messages import Verdict
from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.callback import CallbackReason, CallbackState, RobotRules
from crm_core.model.office import Line, Office
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import CallbackRecord
from crm_core.model.user import Absence, Role, Staff, User
from routing.callback import Client, Floor, Later, Ring, Stop, Wait, choose
from tests.fakes.clock import START

MOSCOW = ZoneInfo("Europe/Moscow")
LINE = "+74951234567"
DAY_SHIFT = WorkingHours("day", MOSCOW, dict.fromkeys(range(5), (DayHours(time(9), time(18)),)))
CLOSED_LINE = Line(LINE, "office", AccountPolicy(group="sales"), hours="day")
IVAN = User(1, "ivan", "Иван", Role.MANAGER, extension="101", group="sales", deputy="petr")
PETR = User(2, "petr", "Пётр", Role.MANAGER, extension="PJSIP/102", group="sales", deputy="olga")
OLGA = User(3, "olga", "Ольга", Role.MANAGER, extension="103", group="service")
ANNA = User(4, "anna", "Анна", Role.DIRECTOR, extension="104")
AWAY = Absence(START - timedelta(hours=1))
ON = RobotRules(on_take=True, on_missed=True, on_order=True)
TEN_AT_NIGHT = START.replace(hour=19)  # 22:00 in Moscow


def office(rules: RobotRules = ON) -> Office:
    return Office(
        lines=(Line(LINE, "office", AccountPolicy(group="sales")),),
        calendars={"day": DAY_SHIFT},
        robot=rules,
    )


def floor(
    *people: User,
    verdicts: dict[str, Verdict] | None = None,
    rules: RobotRules = ON,
    at: datetime = START,
) -> Floor:
    known = verdicts or {}
    return Floor(office(rules), Staff.of(people), "office", lambda _, endpoint: known.get(endpoint), at)


def callback(reason: CallbackReason = CallbackReason.MISSED, **more: Any) -> CallbackRecord:
    waiting = CallbackRecord(7, 70, "+79161234567", reason, CallbackState.WAITING, START, START, "robot")
    return waiting._replace(**more)


def client(manager: str | None = "ivan", **more: Any) -> Client:
    return replace(Client(manager, MOSCOW, listed=False, talking=False), **more)


def test_the_manager_is_rung_when_they_are_free() -> None:
    assert choose(callback(), client(), floor(IVAN, PETR, OLGA)) == Ring(IVAN)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_passes_soon_is_waited_for_and_else_somebody_stands_in(verdict: Verdict) -> None:
    stuck = floor(IVAN, PETR, OLGA, verdicts={"PJSIP/101": verdict})
    soon = verdict in {Verdict.BUSY, Verdict.WRAP_UP}
    assert choose(callback(), client(), stuck) == (Later(Wait.PERSON, user=IVAN) if soon else Ring(PETR))


def test_who_does_not_want_to_be_disturbed_is_stood_in_for() -> None:
    quiet = replace(IVAN, do_not_disturb=True)
    assert choose(callback(), client(), floor(quiet, PETR)) == Ring(PETR)
    assert choose(callback(), client(), floor(quiet)) == Later(Wait.PERSON, user=quiet)


def test_without_a_personal_manager_who_has_the_lead_is_rung_else_its_group() -> None:
    assert choose(callback(), client("petr"), floor(IVAN, PETR, OLGA)) == Ring(PETR)
    assert choose(callback(), client(None, group="service"), floor(IVAN, PETR, OLGA)) == Ring(OLGA)


def test_every_attempt_without_a_manager_rings_another_one() -> None:
    tried = [choose(callback(line=LINE, attempts=n), client(None), floor(IVAN, PETR)) for n in range(3)]
    assert tried == [Ring(PETR), Ring(IVAN), Ring(PETR)]


def test_a_closed_line_keeps_people_without_hours_of_their_own_from_being_rung() -> None:
    sunday = START.replace(day=1)
    closed = replace(floor(IVAN, replace(PETR, hours="day"), at=sunday), office=replace(office(), lines=(CLOSED_LINE,)))
    asked = callback(line=LINE)
    assert choose(asked, client(), closed) == Later(Wait.NOBODY)
    assert choose(callback(CallbackReason.TAKEN, line=LINE), client(), closed) == Ring(IVAN)
    assert choose(asked, client(), replace(closed, at=START)) == Ring(IVAN)


@pytest.mark.parametrize("reason", list(CallbackReason))
def test_a_robot_that_is_switched_off_rings_nobody(reason: CallbackReason) -> None:
    off = RobotRules(
        on_take=reason is not CallbackReason.TAKEN,
        on_missed=reason is not CallbackReason.MISSED,
        on_order=reason is not CallbackReason.ORDERED,
    )
    assert choose(callback(reason), client(), floor(IVAN, rules=off)) is Stop.UNWANTED


def test_a_listed_client_is_not_rung() -> None:
    assert choose(callback(), client(listed=True), floor(IVAN)) is Stop.LISTED


def test_a_talking_client_is_left_to_talk() -> None:
    assert choose(callback(), client(talking=True), floor(IVAN)) == Later(Wait.TALKING)


def test_night_is_waited_out_until_the_clients_morning() -> None:
    at_night = floor(IVAN, at=TEN_AT_NIGHT)
    morning = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
    assert choose(callback(), client(), at_night) == Later(Wait.HOURS, morning)
    assert choose(callback(), client(talking=True), at_night) == Later(Wait.HOURS, morning)
    west = client(zone=ZoneInfo("Europe/London"))
    assert choose(callback(), west, at_night) == Ring(IVAN)
    east = client(zone=ZoneInfo("Asia/Vladivostok"))
    assert choose(callback(), east, floor(IVAN, at=START.replace(hour=12))) == Later(
        Wait.HOURS, datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("people", "chosen"),
    [
        ((replace(IVAN, absence=AWAY), PETR, OLGA), Ring(PETR)),
        ((replace(IVAN, absence=AWAY), replace(PETR, absence=AWAY), OLGA), Ring(OLGA)),
        ((replace(IVAN, absence=AWAY), replace(PETR, absence=AWAY, deputy="ivan"), OLGA), Later(Wait.NOBODY)),
        ((replace(IVAN, absence=AWAY, deputy="ivan"),), Later(Wait.NOBODY)),
        ((replace(IVAN, absence=AWAY, deputy="gone"), PETR), Ring(PETR)),
        ((replace(IVAN, absence=AWAY, deputy=None), OLGA, PETR), Ring(PETR)),
        ((replace(IVAN, absence=AWAY, deputy=None), OLGA), Later(Wait.NOBODY)),
        ((replace(IVAN, extension=None), PETR), Ring(PETR)),
        ((replace(IVAN, absence=AWAY), replace(PETR, active=False), OLGA), Ring(OLGA)),
    ],
)
def test_while_the_manager_is_away_their_deputy_is_rung(people: tuple[User, ...], chosen: Ring | Later) -> None:
    assert choose(callback(), client(), floor(*people)) == chosen


def test_who_is_back_is_rung_again() -> None:
    back = replace(IVAN, absence=Absence(START - timedelta(days=9), START))
    assert choose(callback(), client(), floor(back, PETR)) == Ring(back)


def test_a_busy_manager_is_waited_for_and_not_replaced() -> None:
    busy = floor(IVAN, PETR, verdicts={"PJSIP/101": Verdict.BUSY})
    assert choose(callback(), client(), busy) == Later(Wait.PERSON, user=IVAN)


def test_working_hours_are_the_persons_own() -> None:
    ivan = replace(IVAN, hours="day", deputy=None)
    evening = START.replace(hour=16)  # 19:00 in Moscow: the client may be rung, the manager has gone home
    assert choose(callback(), client(), floor(ivan, OLGA, at=evening)) == Later(Wait.NOBODY)
    assert choose(callback(), client(), floor(replace(ivan, deputy="petr"), PETR, at=evening)) == Ring(PETR)
    sunday = START.replace(day=1)
    assert choose(callback(), client(), floor(ivan, at=sunday)) == Later(Wait.NOBODY)


def test_a_lead_that_was_taken_is_the_managers_alone() -> None:
    taken = callback(CallbackReason.TAKEN, manager="ivan")
    assert choose(taken, client("petr"), floor(IVAN, PETR)) == Ring(IVAN)
    away = replace(IVAN, absence=AWAY)
    assert choose(taken, client("petr"), floor(away, PETR)) == Later(Wait.PERSON, user=away)
    # they took it outside their hours: they are there
    evening = START.replace(hour=16)
    late = replace(IVAN, hours="day")
    assert choose(taken, client(), floor(late, PETR, at=evening)) == Ring(late)
    assert choose(taken, client(), floor(replace(IVAN, extension=None), PETR)) == Later(Wait.NOBODY)


def test_who_was_named_goes_before_the_clients_manager() -> None:
    named = callback(manager="petr")
    assert choose(named, client("ivan"), floor(IVAN, PETR)) == Ring(PETR)
    assert choose(named, client("ivan"), floor(IVAN, replace(PETR, active=False))) == Ring(IVAN)
    assert choose(callback(manager="gone"), client("ivan"), floor(IVAN)) == Ring(IVAN)


def test_without_a_manager_the_lines_group_is_rung_whoever_is_free() -> None:
    asked = callback(line=LINE, manager=None)
    everybody = floor(IVAN, PETR, OLGA, ANNA)
    chosen = [choose(asked._replace(attempts=n), client(None), everybody) for n in range(2)]
    assert chosen == [Ring(PETR), Ring(IVAN)]
    assert choose(asked, client(None), floor(IVAN, PETR, OLGA, verdicts={"PJSIP/101": Verdict.BUSY})) == Ring(PETR)
    both = {"PJSIP/101": Verdict.BUSY, "PJSIP/102": Verdict.PAUSED}
    assert choose(asked, client(None), floor(IVAN, PETR, OLGA, verdicts=both)) == Later(Wait.PERSON, user=IVAN)
    gone = replace(IVAN, active=False)
    assert choose(asked, client("ivan"), floor(gone, PETR)) == Ring(PETR)


def test_without_a_group_every_manager_may_be_rung() -> None:
    for line in ("", "+74950000000"):
        asked = callback(line=line)
        chosen = [choose(asked._replace(attempts=n), client(None), floor(IVAN, PETR, OLGA, ANNA)) for n in range(3)]
        assert chosen == [Ring(PETR), Ring(OLGA), Ring(IVAN)]
    assert choose(callback(), client(None), floor(ANNA)) == Later(Wait.NOBODY)
    assert choose(callback(), client(None), floor()) == Later(Wait.NOBODY)


def test_several_that_wait_are_not_all_for_the_same_person() -> None:
    chosen = [choose(callback(line=LINE, id=n), client(None), floor(IVAN, PETR)) for n in range(4)]
    assert chosen == [Ring(IVAN), Ring(PETR), Ring(IVAN), Ring(PETR)]


# ---------------------------------------------------------------- whatever the office looks like

LOGINS = ("ivan", "petr", "olga", "anna")


@st.composite
def people(draw: st.DrawFn) -> tuple[User, ...]:
    return tuple(
        User(
            number,
            login,
            login.title(),
            draw(st.sampled_from([Role.MANAGER, Role.DIRECTOR])),
            extension=draw(st.sampled_from([None, f"10{number}"])),
            group=draw(st.sampled_from([None, "sales", "service"])),
            deputy=draw(st.sampled_from([None, *LOGINS])),
            absence=draw(st.sampled_from([None, AWAY])),
            do_not_disturb=draw(st.booleans()),
            active=draw(st.sampled_from([True, True, True, False])),
            hours=draw(st.sampled_from([None, "day"])),
        )
        for number, login in enumerate(LOGINS, start=1)
    )


@given(
    people(),
    st.dictionaries(st.sampled_from([f"PJSIP/10{n}" for n in range(1, 5)]), st.sampled_from(list(Verdict))),
    st.sampled_from(list(CallbackReason)),
    st.sampled_from([None, *LOGINS]),
    st.sampled_from([None, *LOGINS]),
    st.sampled_from(["", LINE]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["Europe/Moscow", "Asia/Vladivostok", "America/New_York"]),
    st.integers(0, 7 * 24 * 4),
)
def test_nobody_is_rung_who_must_not_be(
    staff: tuple[User, ...],
    verdicts: dict[str, Verdict],
    reason: CallbackReason,
    named: str | None,
    manager: str | None,
    line: str,
    listed: bool,
    talking: bool,
    zone: str,
    quarter: int,
) -> None:
    at = START + timedelta(minutes=15 * quarter)
    there = floor(*staff, verdicts=verdicts, at=at)
    asked = callback(reason, manager=named, line=line)
    choice = choose(asked, Client(manager, ZoneInfo(zone), listed, talking), there)
    clock = at.astimezone(ZoneInfo(zone)).time()
    permitted = time(9) <= clock < time(21)
    match choice:
        case Ring(user):
            assert not listed
            assert not talking
            assert permitted
            assert user.active
            assert user.absence is None
            assert not user.do_not_disturb
            assert user.extension is not None
            assert f"PJSIP/{user.extension}" not in verdicts
            if reason is not CallbackReason.TAKEN:
                assert user.hours is None or DAY_SHIFT.is_open(at)
            elif any(each.active and each.login in {named, manager} for each in staff):
                assert user.login in {named, manager}
        case Later(Wait.HOURS, until):
            assert not permitted
            assert until is not None
            assert until > at
            assert time(9) == until.astimezone(ZoneInfo(zone)).time()
        case Later(until=None) as later:
            assert permitted
            assert not listed
            assert (later.why is Wait.TALKING) == talking
        case Stop():
            assert choice is Stop.LISTED
            assert listed
