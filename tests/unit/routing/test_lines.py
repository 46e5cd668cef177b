"""What lines do with calls: hidden numbers, closing time, voice menus, greetings; and how groups are rung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.messages import RouteAction, RouteDecision, RouteQuery, RouteStage, TraceStep, Verdict
from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.line import Anonymous, Audience, Goal, Group, Line, Menu, RingStrategy, Target
from crm_core.model.office import ListAction, Office, SpecialList
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Absence, Role, Staff, User
from routing.dispatch import Caller, DispatchRules, Figures, Roster, Scene, decide, dispatch
from routing.reasons import step_words
from routing.strategies import MOST_STEPS
from tests.unit.routing.telephones import Phones

MOSCOW = ZoneInfo("Europe/Moscow")
DAY = datetime(2026, 3, 2, 12, 0, tzinfo=MOSCOW).astimezone(UTC)  # a Monday
NIGHT = datetime(2026, 3, 2, 22, 0, tzinfo=MOSCOW).astimezone(UTC)
OFFICE_HOURS = WorkingHours("office", MOSCOW, {day: (DayHours(time(9), time(18)),) for day in range(5)})
EVENING = WorkingHours("evening", MOSCOW, {day: (DayHours(time(18), time(0)),) for day in range(7)})

NUMBER = "+74951234567"
QUERY = RouteQuery("office", "+79161234567", NUMBER)
IVAN = User(1, "ivan", "Иван", Role.MANAGER, extension="101", group="sales", deputy="petr")
PETR = User(2, "petr", "Пётр", Role.MANAGER, extension="102", group="sales")
OLGA = User(3, "olga", "Ольга", Role.MANAGER, extension="103", group="sales")
ANNA = User(4, "anna", "Анна", Role.MANAGER, extension="104", group="support")
PEOPLE = (IVAN, PETR, OLGA, ANNA)
STRANGER, OWN = Caller(), Caller(7, "ivan")

LINE = Line(NUMBER, "office", AccountPolicy(group="sales"))
MENU = Menu(
    (
        ("1", Target(Goal.GROUP, "support")),
        ("2", Target(Goal.CALLBACK)),
        ("0", Target(Goal.MANAGER)),
        ("5", Target(Goal.ENDPOINT, "PJSIP/150")),
        ("9", Target(Goal.USER, "anna")),
        ("*", Target(Goal.REJECT)),
    ),
    sound="custom/menu",
)


def scene(
    line: Line = LINE,
    *,
    at: datetime = DAY,
    people: tuple[User, ...] = PEOPLE,
    groups: tuple[Group, ...] = (),
    phones: Phones | None = None,
    figures: Mapping[str, Figures] | None = None,
    turns: Mapping[str, int] | None = None,
    rules: DispatchRules | None = None,
) -> Scene:
    office = Office(
        lines=(line,),
        groups={each.name: each for each in groups},
        calendars={"office": OFFICE_HOURS, "evening": EVENING},
        lists={"отказ": SpecialList("отказ", ListAction.REJECT)},
        dial={"office": "PJSIP/{extension}"},
    )
    return Scene(
        office,
        Roster(office, Staff.of(people)),
        rules or DispatchRules(),
        phones or Phones(),
        at,
        figures or {},
        turns or {},
    )


def whole_call(query: RouteQuery, caller: Caller, view: Scene) -> list[RouteDecision]:
    """Every attempt of a call that nobody takes."""
    found: list[RouteDecision] = []
    tried: frozenset[str] = frozenset()
    for attempt in range(60):
        decision = dispatch(replace(query, attempt=attempt), caller, view, tried)
        found.append(decision)
        if decision.action is not RouteAction.DIAL:
            return found
        tried |= set(decision.endpoints)
    raise AssertionError("the call never ends")


# ---------------------------------------------------------------- hours


@pytest.mark.parametrize(
    ("user_hours", "group_hours", "at", "verdict"),
    [
        (None, None, NIGHT, Verdict.RINGS),
        ("office", None, DAY, Verdict.RINGS),
        ("office", None, NIGHT, Verdict.OFF_HOURS),
        (None, "office", NIGHT, Verdict.OFF_HOURS),
        ("evening", "office", NIGHT, Verdict.RINGS),
        ("evening", "office", DAY, Verdict.OFF_HOURS),
        ("any", "office", NIGHT, Verdict.RINGS),
        ("gone", None, NIGHT, Verdict.RINGS),
    ],
)
def test_people_ring_in_their_own_hours_else_in_their_groups(
    user_hours: str | None, group_hours: str | None, at: datetime, verdict: Verdict
) -> None:
    people = (replace(IVAN, hours=user_hours), PETR)
    view = scene(at=at, people=people, groups=(Group("sales", hours=group_hours),))
    step = dispatch(QUERY, OWN, view).trace[0]
    assert (step.login, step.verdict) == ("ivan", verdict)


def test_a_day_off_is_no_working_time() -> None:
    hours = replace(OFFICE_HOURS, days_off=frozenset({DAY.date()}))
    view = scene(people=(replace(IVAN, hours="office"), PETR))
    view = replace(view, office=replace(view.office, calendars={"office": hours}))
    assert dispatch(QUERY, OWN, view).trace[0].verdict is Verdict.OFF_HOURS


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (Verdict.BUSY, Verdict.BUSY),
        (Verdict.UNREACHABLE, Verdict.UNREACHABLE),
        (Verdict.PAUSED, Verdict.PAUSED),
        (Verdict.WRAP_UP, Verdict.WRAP_UP),
    ],
)
def test_what_a_telephone_does_passes_its_owner_over(given: Verdict, verdict: Verdict) -> None:
    decision = dispatch(QUERY, OWN, scene(phones=Phones({"PJSIP/101": given})))
    assert decision.trace[0].verdict is verdict
    assert decision.endpoints == ("PJSIP/102",)


def test_a_deputy_who_is_off_hours_is_followed_by_their_own() -> None:
    away = Absence(DAY - timedelta(hours=1), DAY + timedelta(hours=1))
    people = (
        replace(IVAN, absence=away),
        replace(PETR, hours="evening", deputy="anna"),
        OLGA,
        ANNA,
    )
    decision = dispatch(QUERY, OWN, scene(people=people))
    assert (decision.reason, decision.endpoints) == ("deputy", ("PJSIP/104",))


# ---------------------------------------------------------------- the line


@pytest.mark.parametrize(
    ("rule", "number", "action"),
    [
        (Anonymous.RING, "anonymous", RouteAction.DIAL),
        (Anonymous.REJECT, "anonymous", RouteAction.REJECT),
        (Anonymous.REJECT, "", RouteAction.REJECT),
        (Anonymous.REJECT, "Anonymous", RouteAction.REJECT),
        (Anonymous.REJECT, "101", RouteAction.DIAL),
        (Anonymous.REJECT, "+7(916)…", RouteAction.DIAL),
    ],
)
def test_hidden_numbers(rule: Anonymous, number: str, action: RouteAction) -> None:
    decision = dispatch(replace(QUERY, number=number), STRANGER, scene(replace(LINE, anonymous=rule)))
    assert decision.action is action
    if action is not RouteAction.DIAL:
        assert decision.reason == "anonymous"


def test_a_callback_is_offered_and_rings_nobody() -> None:
    step = TraceStep(RouteStage.CALLBACK, Verdict.RINGS)
    assert step_words(step) == "обратный звонок: предлагается"
    assert step_words(step, "en") == "callback: offered"


def test_a_special_list_comes_before_the_line() -> None:
    line = replace(LINE, hours="office", menu=MENU)
    decision = dispatch(QUERY, Caller(1, None, "отказ"), scene(line, at=NIGHT))
    assert (decision.action, decision.reason, decision.sound) == (RouteAction.REJECT, "listed", "")


@pytest.mark.parametrize(
    ("night", "actions", "endpoints"),
    [
        ("callback", [RouteAction.CALLBACK], []),
        ("reject", [RouteAction.REJECT], []),
        ("group:support", [RouteAction.DIAL, RouteAction.CALLBACK], ["PJSIP/104"]),
        ("user:petr", [RouteAction.DIAL, RouteAction.CALLBACK], ["PJSIP/102"]),
        ("user:gone", [RouteAction.CALLBACK], []),
        ("PJSIP/150", [RouteAction.DIAL, RouteAction.CALLBACK], ["PJSIP/150"]),
    ],
)
def test_the_night(night: str, actions: list[RouteAction], endpoints: list[str]) -> None:
    line = replace(LINE, hours="office", night=_target(night), night_sound="custom/closed", greeting="custom/hello")
    found = whole_call(QUERY, STRANGER, scene(line, at=NIGHT))
    assert [each.action for each in found] == actions
    assert [endpoint for each in found for endpoint in each.endpoints] == endpoints
    assert [each.sound for each in found] == ["custom/closed", *[""] * (len(found) - 1)]
    assert found[0].trace[0].verdict is Verdict.CLOSED


def test_the_night_that_rings_is_as_by_day_with_its_own_word() -> None:
    line = replace(LINE, hours="office", night=_target("ring"), night_sound="custom/closed", menu=MENU)
    decision = dispatch(QUERY, STRANGER, scene(line, at=NIGHT))
    assert (decision.reason, decision.sound) == ("group", "custom/closed")


def test_by_day_the_night_is_of_no_interest() -> None:
    line = replace(LINE, hours="office", night=_target("reject"), night_sound="custom/closed")
    decision = dispatch(QUERY, STRANGER, scene(line))
    assert (decision.reason, decision.sound) == ("group", "")


def test_an_own_manager_who_works_at_night_is_reached_all_the_same() -> None:
    line = replace(LINE, hours="office", night_sound="custom/closed")
    people = (replace(IVAN, hours="evening"), PETR)
    first, second = whole_call(QUERY, OWN, scene(line, at=NIGHT, people=people))
    assert (first.reason, first.endpoints, first.sound) == ("manager", ("PJSIP/101",), "")
    assert (second.action, second.reason, second.sound) == (RouteAction.CALLBACK, "night", "custom/closed")


def test_a_manager_without_hours_does_not_work_when_the_line_is_closed() -> None:
    decision = dispatch(QUERY, OWN, scene(replace(LINE, hours="office"), at=NIGHT))
    assert (decision.action, decision.reason) == (RouteAction.CALLBACK, "night")


def test_a_greeting_is_played_once() -> None:
    found = whole_call(QUERY, OWN, scene(replace(LINE, greeting="custom/hello")))
    assert [each.sound for each in found] == ["custom/hello", *[""] * (len(found) - 1)]


@pytest.mark.parametrize("record", [True, False, None])
def test_the_line_says_whether_to_record(record: bool | None) -> None:
    view = scene(replace(LINE, record=record))
    assert {each.record for each in whole_call(QUERY, OWN, view)} == {record}
    assert dispatch(replace(QUERY, line="+74950000000"), OWN, view).record is None


# ---------------------------------------------------------------- voice menus


def test_a_stranger_hears_the_menu_behind_the_greeting() -> None:
    decision = dispatch(QUERY, STRANGER, scene(replace(LINE, menu=MENU, greeting="custom/hello")))
    assert decision.action is RouteAction.MENU
    assert (decision.sound, decision.keys, decision.reason) == ("custom/hello&custom/menu", "12059*", "menu")


@pytest.mark.parametrize(
    ("audience", "manager", "active", "action"),
    [
        (Audience.STRANGERS, None, True, RouteAction.MENU),
        (Audience.STRANGERS, "ivan", True, RouteAction.DIAL),
        (Audience.STRANGERS, "ivan", False, RouteAction.MENU),
        (Audience.STRANGERS, "gone", True, RouteAction.MENU),
        (Audience.ALL, "ivan", True, RouteAction.MENU),
    ],
)
def test_who_hears_the_menu(audience: Audience, manager: str | None, active: bool, action: RouteAction) -> None:
    line = replace(LINE, menu=replace(MENU, audience=audience))
    view = scene(line, people=(replace(IVAN, active=active), PETR))
    assert dispatch(QUERY, Caller(7, manager), view).action is action


@pytest.mark.parametrize(
    ("key", "action", "endpoints", "reason"),
    [
        ("1", RouteAction.DIAL, ("PJSIP/104",), "menu"),
        ("2", RouteAction.CALLBACK, (), "menu"),
        ("0", RouteAction.DIAL, ("PJSIP/101", "PJSIP/102", "PJSIP/103"), "group"),
        ("5", RouteAction.DIAL, ("PJSIP/150",), "menu"),
        ("9", RouteAction.DIAL, ("PJSIP/104",), "menu"),
        ("*", RouteAction.REJECT, (), "menu"),
        ("7", RouteAction.DIAL, ("PJSIP/101", "PJSIP/102", "PJSIP/103"), "group"),
        ("-", RouteAction.DIAL, ("PJSIP/101", "PJSIP/102", "PJSIP/103"), "group"),
    ],
)
def test_keys(key: str, action: RouteAction, endpoints: tuple[str, ...], reason: str) -> None:
    decision = dispatch(replace(QUERY, key=key), STRANGER, scene(replace(LINE, menu=MENU)))
    assert (decision.action, decision.endpoints, decision.reason) == (action, endpoints, reason)
    assert decision.sound == ""


def test_the_own_manager_by_key() -> None:
    line = replace(LINE, menu=replace(MENU, audience=Audience.ALL))
    decision = dispatch(replace(QUERY, key="0"), OWN, scene(line))
    assert (decision.reason, decision.endpoints) == ("manager", ("PJSIP/101",))


def test_behind_a_chosen_group_there_is_the_duty_and_behind_a_person_who_stands_in() -> None:
    view = scene(replace(LINE, menu=MENU), people=(*PEOPLE, replace(ANNA, id=5, login="vera", extension="105")))
    by_group = whole_call(replace(QUERY, key="1"), STRANGER, view)
    assert [each.reason for each in by_group] == ["menu", "duty", "callback"]
    assert by_group[0].endpoints == ("PJSIP/104", "PJSIP/105")
    by_person = whole_call(replace(QUERY, key="9"), STRANGER, view)
    assert [each.reason for each in by_person] == ["menu", "group", "duty", "callback"]
    assert by_person[1].endpoints == ("PJSIP/105",)


def test_a_dialplan_that_knows_no_menus_is_not_asked_for_one_twice() -> None:
    decision = dispatch(replace(QUERY, attempt=1), STRANGER, scene(replace(LINE, menu=MENU)))
    assert decision.reason == "group"


# ---------------------------------------------------------------- strategies


def rung(
    group: Group,
    *,
    turns: Mapping[str, int] | None = None,
    figures: Mapping[str, Figures] | None = None,
    phones: Phones | None = None,
) -> list[str]:
    """The order in which a group is rung when nobody answers."""
    rules = DispatchRules(fallback=(RouteStage.GROUP, RouteStage.CALLBACK))
    view = scene(groups=(group,), rules=rules, turns=turns, figures=figures, phones=phones)
    found = whole_call(QUERY, STRANGER, view)
    assert all(len(each.endpoints) == 1 for each in found[:-1])
    return [each.endpoints[0].removeprefix("PJSIP/") for each in found[:-1]]


@pytest.mark.parametrize(
    ("last", "order"),
    [(None, ["101", "102", "103"]), (1, ["102", "103", "101"]), (2, ["103", "101", "102"]), (3, ["101", "102", "103"])],
)
def test_in_turn(last: int | None, order: list[str]) -> None:
    turns = {"sales": last} if last is not None else {}
    assert rung(Group("sales", RingStrategy.IN_TURN), turns=turns) == order


def test_in_turn_says_whose_turn_it_was() -> None:
    view = scene(groups=(Group("sales", RingStrategy.IN_TURN, ring_s=15),), turns={"sales": 1})
    outcome = decide(QUERY, STRANGER, view)
    assert outcome.turn == ("sales", 2)
    assert outcome.one_of_many
    assert outcome.decision.ring_s == 15
    busy = scene(
        groups=(Group("sales", RingStrategy.IN_TURN),), turns={"sales": 1}, phones=Phones({"PJSIP/102": Verdict.BUSY})
    )
    assert decide(QUERY, STRANGER, busy).turn == ("sales", 3)


def test_longest_idle() -> None:
    group = Group("sales", RingStrategy.LONGEST_IDLE)
    figures = {
        "ivan": Figures(DAY - timedelta(minutes=5)),
        "petr": Figures(DAY - timedelta(hours=2)),
    }
    assert rung(group, figures=figures) == ["103", "102", "101"]
    phones = Phones(ended={"PJSIP/103": DAY - timedelta(minutes=1)})
    assert rung(group, figures=figures, phones=phones) == ["102", "101", "103"]


def test_least_calls() -> None:
    group = Group("sales", RingStrategy.LEAST_CALLS)
    figures = {
        "ivan": Figures(DAY - timedelta(hours=3), 2),
        "petr": Figures(DAY - timedelta(hours=2), 5),
        "olga": Figures(DAY - timedelta(hours=1), 2),
    }
    assert rung(group, figures=figures) == ["101", "103", "102"]


def test_who_was_given_a_call_just_now_comes_last() -> None:
    group = Group("sales", RingStrategy.LEAST_CALLS)
    assert rung(group, phones=Phones(given=frozenset({"PJSIP/101"}))) == ["102", "103", "101"]


def test_the_trace_says_whose_turn_has_not_come() -> None:
    view = scene(groups=(Group("sales", RingStrategy.IN_TURN),), phones=Phones({"PJSIP/101": Verdict.BUSY}))
    trace = [(step.login, step.verdict) for step in dispatch(QUERY, STRANGER, view).trace if step.login]
    assert trace == [("ivan", Verdict.BUSY), ("petr", Verdict.RINGS), ("olga", Verdict.LATER)]


def test_of_a_large_group_the_trace_names_some_and_counts_the_others() -> None:
    many = tuple(replace(IVAN, id=n, login=f"u{n}", extension=str(1000 + n), deputy=None) for n in range(200))
    busy = Phones({f"PJSIP/{1000 + n}": Verdict.BUSY for n in range(199)})
    decision = dispatch(QUERY, STRANGER, scene(people=many, phones=busy))
    assert decision.endpoints == ("PJSIP/1199",)
    assert len(decision.trace) < 2 * MOST_STEPS
    assert ("u199", Verdict.RINGS) in [(step.login, step.verdict) for step in decision.trace]
    assert [step.detail for step in decision.trace if step.detail] == [f"+{199 - MOST_STEPS}"]


def test_a_call_is_not_passed_around_for_ever() -> None:
    many = tuple(replace(IVAN, id=n, login=f"u{n}", extension=str(1000 + n), deputy=None) for n in range(50))
    found = whole_call(QUERY, STRANGER, scene(people=many, groups=(Group("sales", RingStrategy.IN_TURN),)))
    assert len(found) == DispatchRules().most_attempts
    assert found[-1].action is RouteAction.CALLBACK


# ---------------------------------------------------------------- whatever is configured

LOGINS = st.sampled_from([None, "ivan", "petr", "olga", "anna", "gone"])
VERDICTS = st.sampled_from([None, Verdict.BUSY, Verdict.UNREACHABLE, Verdict.PAUSED, Verdict.WRAP_UP])
TARGETS = st.sampled_from(
    ["callback", "reject", "ring", "group:sales", "group:support", "group:gone", "user:anna", "user:gone", "PJSIP/150"]
)
CALENDARS = st.sampled_from([None, "office", "evening", "any", "gone"])


def _target(text: str) -> Target:
    word, _, name = text.partition(":")
    if "/" in text:
        return Target(Goal.ENDPOINT, text)
    return Target(Goal(word), name)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    keys = draw(st.dictionaries(st.sampled_from("0123456789*"), TARGETS, max_size=4))
    menu = Menu(
        tuple((key, _target(each)) for key, each in keys.items()), "custom/menu", draw(st.sampled_from(Audience))
    )
    return replace(
        LINE,
        hours=draw(CALENDARS),
        menu=menu if keys else None,
        night=_target(draw(TARGETS)),
        night_sound=draw(st.sampled_from(["", "custom/closed"])),
        greeting=draw(st.sampled_from(["", "custom/hello"])),
        anonymous=draw(st.sampled_from(Anonymous)),
    )


@given(
    line=lines(),
    at=st.sampled_from([DAY, NIGHT]),
    number=st.sampled_from(["+79161234567", "anonymous", "", "101"]),
    key=st.sampled_from(["", "-", "1", "2", "*"]),
    manager=LOGINS,
    hours=st.tuples(CALENDARS, CALENDARS, CALENDARS, CALENDARS),
    away=st.sets(st.sampled_from(["ivan", "petr", "olga", "anna"])),
    phones=st.dictionaries(st.sampled_from([f"PJSIP/10{n}" for n in range(1, 5)]), VERDICTS),
    strategy=st.sampled_from(RingStrategy),
    fallback=st.lists(st.sampled_from(DispatchRules().fallback), unique=True),
)
def test_every_call_ends_and_nobody_is_rung_twice_or_in_vain(
    line: Line,
    at: datetime,
    number: str,
    key: str,
    manager: str | None,
    hours: tuple[str | None, ...],
    away: set[str],
    phones: dict[str, Verdict | None],
    strategy: RingStrategy,
    fallback: list[RouteStage],
) -> None:
    people = tuple(
        replace(each, hours=own, absence=Absence(at - timedelta(days=1)) if each.login in away else None)
        for each, own in zip(PEOPLE, hours, strict=True)
    )
    view = scene(
        line,
        at=at,
        people=people,
        groups=(Group("sales", strategy, hours="office"),),
        phones=Phones(phones),
        rules=DispatchRules(tuple(fallback)),
    )
    found = whole_call(replace(QUERY, number=number, key=key), Caller(1, manager), view)
    rang = [endpoint for each in found for endpoint in each.endpoints]
    assert len(rang) == len(set(rang))
    assert all(phones.get(endpoint) is None for endpoint in rang if endpoint != "PJSIP/150")
    by_endpoint = {f"PJSIP/{each.extension}": each for each in people}
    for endpoint in rang:
        person = by_endpoint.get(endpoint)
        assert person is None or (person.login not in away and view.office.works(person, at))
    ends = {RouteAction.CALLBACK, RouteAction.FALLBACK, RouteAction.REJECT, RouteAction.MENU}
    assert found[-1].action in ends
    assert found[-1].action is not RouteAction.MENU or (not key and line.menu is not None)
    assert sum(bool(each.sound) for each in found) <= 1
