"""Who rings: own manager, deputy, group, duty, the callback; who is passed over, and why."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.messages import DeviceState, RouteAction, RouteQuery, RouteStage, Verdict
from crm_core.model.office import Line, ListAction, Office, SpecialList
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Absence, Role, Staff, User
from routing.dispatch import Caller, DispatchRules, Roster, Scene, dispatch
from tests.fakes.clock import START
from tests.unit.routing.telephones import Phones

QUERY = RouteQuery("office", "+79161234567", "+74951234567")
IVAN = User(1, "ivan", "Иван", Role.MANAGER, extension="101", group="sales", deputy="petr")
PETR = User(2, "petr", "Пётр", Role.MANAGER, extension="PJSIP/102", group="sales")
OLGA = User(3, "olga", "Ольга", Role.MANAGER, extension="103", group="sales")
ANNA = User(4, "anna", "Анна", Role.DIRECTOR, extension="104")
AWAY = Absence(START - timedelta(hours=1))


def scene(*people: User, devices: dict[str, DeviceState] | None = None, rules: DispatchRules | None = None) -> Scene:
    office = Office(
        lines=(Line("+74951234567", "office", AccountPolicy(group="sales")),),
        lists={
            "чёрный список": SpecialList("чёрный список", ListAction.REJECT),
            "соискатели": SpecialList("соискатели", ListAction.ROUTE, "PJSIP/150"),
            "поставщики": SpecialList("поставщики", ListAction.NO_LEAD),
        },
        dial={"office": "PJSIP/{extension}"},
    )
    return Scene(office, Roster(office, Staff.of(people)), rules or DispatchRules(), Phones.of(devices or {}), START)


def changed(user: User, **more: Any) -> User:
    return replace(user, **more)


def test_the_own_manager_rings_first() -> None:
    decision = dispatch(QUERY, Caller(7, "ivan"), scene(IVAN, PETR, OLGA))
    assert (decision.action, decision.endpoints, decision.reason) == (RouteAction.DIAL, ("PJSIP/101",), "manager")
    assert decision.contact_id == 7
    assert decision.ring_s == 20


@pytest.mark.parametrize(
    ("ivan", "devices", "verdict"),
    [
        (changed(IVAN, absence=AWAY), {}, Verdict.ABSENT),
        (changed(IVAN, do_not_disturb=True), {}, Verdict.DO_NOT_DISTURB),
        (changed(IVAN, extension=None), {}, Verdict.NO_EXTENSION),
        (changed(IVAN, active=False), {}, Verdict.DISABLED),
        (IVAN, {"PJSIP/101": DeviceState.BUSY}, Verdict.BUSY),
        (IVAN, {"PJSIP/101": DeviceState.RINGING}, Verdict.BUSY),
        (IVAN, {"PJSIP/101": DeviceState.UNREACHABLE}, Verdict.UNREACHABLE),
    ],
)
def test_who_can_not_take_it_is_passed_over_without_ringing(
    ivan: User, devices: dict[str, DeviceState], verdict: Verdict
) -> None:
    decision = dispatch(QUERY, Caller(7, "ivan"), scene(ivan, PETR, OLGA, devices=devices))
    assert (decision.endpoints, decision.reason) == (("PJSIP/102",), "deputy")
    assert decision.trace[0].verdict is verdict
    assert decision.trace[0].login == "ivan"


def test_an_absent_deputy_is_followed_by_their_own() -> None:
    people = (
        changed(IVAN, absence=AWAY),
        changed(PETR, absence=AWAY, deputy="olga"),
        OLGA,
    )
    decision = dispatch(QUERY, Caller(7, "ivan"), scene(*people))
    assert (decision.endpoints, decision.reason) == (("PJSIP/103",), "deputy")


def test_deputies_in_a_circle_end() -> None:
    people = (changed(IVAN, absence=AWAY), changed(PETR, absence=AWAY, deputy="ivan"))
    decision = dispatch(QUERY, Caller(7, "ivan"), scene(*people))
    assert decision.action is RouteAction.CALLBACK


def test_a_stranger_rings_the_group_of_the_line_together() -> None:
    decision = dispatch(QUERY, Caller(), scene(IVAN, PETR, OLGA, ANNA))
    assert decision.endpoints == ("PJSIP/101", "PJSIP/102", "PJSIP/103")
    assert decision.reason == "group"
    assert decision.trace[0] == decision.trace[0].__class__(RouteStage.MANAGER, Verdict.NOBODY)


def test_the_stages_follow_each_other_and_nobody_rings_twice() -> None:
    view = scene(IVAN, PETR, OLGA, ANNA)
    tried: frozenset[str] = frozenset()
    stages: list[tuple[str, tuple[str, ...]]] = []
    for _ in range(6):
        decision = dispatch(QUERY, Caller(7, "ivan"), view, tried)
        stages.append((decision.reason, decision.endpoints))
        if decision.action is not RouteAction.DIAL:
            break
        tried |= set(decision.endpoints)
    assert stages == [
        ("manager", ("PJSIP/101",)),
        ("deputy", ("PJSIP/102",)),
        ("group", ("PJSIP/103",)),
        ("duty", ("PJSIP/104",)),
        ("callback", ()),
    ]


def test_without_a_callback_stage_the_pbx_falls_back() -> None:
    rules = DispatchRules(fallback=(RouteStage.GROUP,))
    decision = dispatch(QUERY, Caller(), scene(rules=rules))
    assert (decision.action, decision.reason) == (RouteAction.FALLBACK, "nobody")


def test_lists() -> None:
    view = scene(IVAN, PETR)
    assert dispatch(QUERY, Caller(7, "ivan", "чёрный список"), view).action is RouteAction.REJECT
    applicant = dispatch(QUERY, Caller(8, None, "соискатели"), view)
    assert applicant.endpoints == ("PJSIP/150",)
    assert dispatch(QUERY, Caller(8, None, "соискатели"), view, frozenset({"PJSIP/150"})).action is RouteAction.CALLBACK
    assert dispatch(QUERY, Caller(9, "ivan", "поставщики"), view).endpoints == ("PJSIP/101",)


STATES = st.sampled_from(DeviceState)


@given(
    devices=st.dictionaries(st.sampled_from(["PJSIP/101", "PJSIP/102", "PJSIP/103", "PJSIP/104"]), STATES),
    away=st.sets(st.sampled_from(["ivan", "petr", "olga", "anna"])),
    manager=st.sampled_from([None, "ivan", "petr", "olga", "gone"]),
)
def test_every_call_ends_and_rings_only_who_can_take_it(
    devices: dict[str, DeviceState], away: set[str], manager: str | None
) -> None:
    people = [changed(each, absence=AWAY) if each.login in away else each for each in (IVAN, PETR, OLGA, ANNA)]
    view = scene(*people, devices=devices)
    tried: set[str] = set()
    decision = dispatch(QUERY, Caller(1, manager), view)
    while decision.action is RouteAction.DIAL:
        assert decision.endpoints
        assert not tried & set(decision.endpoints)
        for endpoint in decision.endpoints:
            assert devices.get(endpoint, DeviceState.UNKNOWN) in {DeviceState.UNKNOWN, DeviceState.IDLE}
        tried |= set(decision.endpoints)
        decision = dispatch(QUERY, Caller(1, manager), view, frozenset(tried))
    assert decision.action is RouteAction.CALLBACK
