"""Who gets a new lead, and who is told on a rung: tables of people and absences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_core.model.ladder import Told
from crm_core.model.user import Absence, Role, Staff, User
from crm_core.ports import Load
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.fakes.clock import START

AWAY = Absence(START - timedelta(days=1))
IVAN = User(1, "ivan", "Иван", Role.MANAGER, group="sales", deputy="petr")
PETR = User(2, "petr", "Пётр", Role.MANAGER, group="sales", deputy="anna")
ANNA = User(3, "anna", "Анна", Role.MANAGER, group="shop", deputy="ivan")
OLGA = User(4, "olga", "Ольга", Role.CONTROLLER)
OWN = User(5, "own", "Свой", Role.CONTROLLER)
HEAD = User(6, "head", "Глава", Role.HEAD, group="sales")
OTHER_HEAD = User(7, "other", "Другой", Role.HEAD, group="shop")
DIRECTOR = User(8, "dir", "Директор", Role.DIRECTOR)
EVERYBODY = (IVAN, PETR, ANNA, OLGA, OWN, HEAD, OTHER_HEAD, DIRECTOR)


def staff(*changed: User) -> Staff:
    return Staff.of(tuple({user.id: user for user in (*EVERYBODY, *changed)}.values()))


def away(user: User) -> User:
    return replace(user, absence=AWAY)


@pytest.mark.parametrize(
    ("group", "changed", "loads", "expected"),
    [
        ("sales", (), {}, "ivan"),
        ("sales", (), {"ivan": Load(1, 1)}, "petr"),
        ("sales", (), {"ivan": Load(1, 1), "petr": Load(1, 2)}, "ivan"),
        ("sales", (), {"ivan": Load(1, 3), "petr": Load(1, 2)}, "petr"),
        ("sales", (away(IVAN),), {}, "petr"),
        ("sales", (replace(IVAN, do_not_disturb=True),), {}, "petr"),
        ("sales", (replace(IVAN, active=False),), {}, "petr"),
        ("sales", (away(IVAN), away(PETR), replace(HEAD, group=None)), {}, None),
        ("nobody", (), {}, None),
        (None, (), {"ivan": Load(2, 1), "petr": Load(2, 2)}, "anna"),
        (None, (away(IVAN), away(PETR), away(ANNA)), {}, None),
    ],
)
def test_who_gets_a_lead(
    group: str | None, changed: tuple[User, ...], loads: dict[str, Load], expected: str | None
) -> None:
    members = staff(replace(HEAD, group=None), *changed)
    found = LeastLoaded().assign(group, members, loads, START)
    assert (found.login if found is not None else None) == expected


def test_an_absence_that_is_over_or_to_come_does_not_count() -> None:
    over = replace(IVAN, absence=Absence(START - timedelta(days=2), START))
    to_come = replace(PETR, absence=Absence(START + timedelta(seconds=1)))
    loads = {"ivan": Load(9, 1), "petr": Load(1, 1), "head": Load(99, 1)}
    found = LeastLoaded().assign("sales", staff(over, to_come), loads, START)
    assert found is not None
    assert found.login == "petr"


@pytest.mark.parametrize(
    ("tell", "manager", "changed", "expected"),
    [
        ((Told.MANAGER, Told.CONTROLLER), IVAN, (), ["ivan", "olga", "own"]),
        ((Told.MANAGER,), replace(IVAN, controller="own"), (), ["ivan"]),
        ((Told.CONTROLLER,), replace(IVAN, controller="own"), (), ["own"]),
        ((Told.CONTROLLER,), replace(IVAN, controller="own"), (replace(OWN, active=False),), ["olga"]),
        ((Told.MANAGER,), away(IVAN), (), ["ivan", "petr"]),
        ((Told.MANAGER,), away(IVAN), (away(PETR),), ["ivan", "anna"]),
        # Everybody stands in for one another and all are away: the manager alone is told.
        ((Told.MANAGER,), away(IVAN), (away(IVAN), away(PETR), away(ANNA)), ["ivan"]),
        ((Told.MANAGER,), replace(away(IVAN), deputy=None), (), ["ivan"]),
        ((Told.MANAGER,), replace(away(IVAN), deputy="gone"), (), ["ivan"]),
        ((Told.DEPUTY,), IVAN, (), ["petr"]),
        ((Told.CONTROLLER, Told.DIRECTOR), None, (), ["olga", "own", "dir"]),
        ((Told.HEAD,), IVAN, (), ["head"]),
        ((Told.HEAD,), None, (), ["head", "other"]),
        ((Told.DIRECTOR, Told.DIRECTOR), None, (), ["dir"]),
        # Nobody named exists: controllers stand in.
        ((Told.MANAGER,), None, (), ["olga", "own"]),
        ((Told.ADMIN,), None, (), ["olga", "own"]),
        ((Told.MANAGER,), replace(IVAN, active=False), (), ["olga", "own"]),
    ],
)
def test_who_is_told(
    tell: tuple[Told, ...], manager: User | None, changed: tuple[User, ...], expected: list[str]
) -> None:
    members = staff(*changed) if manager is None else staff(manager, *changed)
    found = TellByRole().recipients(tell, manager, members, START)
    assert [user.login for user in found] == expected


@pytest.mark.parametrize(
    ("people", "expected"),
    [((), []), ((DIRECTOR,), ["dir"]), ((DIRECTOR, HEAD), ["head"]), ((IVAN, PETR), ["ivan", "petr"])],
)
def test_somebody_is_told_as_long_as_there_is_anybody(people: tuple[User, ...], expected: list[str]) -> None:
    found = TellByRole().recipients((Told.CONTROLLER,), None, Staff.of(people), START)
    assert [user.login for user in found] == expected


@pytest.mark.parametrize(
    ("working", "expected"), [({"petr"}, "petr"), ({"ivan", "petr"}, "ivan"), (set(), "ivan"), ({"anna"}, "ivan")]
)
def test_people_at_work_get_new_leads_first_and_others_where_nobody_is(working: set[str], expected: str) -> None:
    assigner = LeastLoaded(lambda user, _: user.login in working)
    found = assigner.assign("sales", staff(), {"head": Load(9, 9)}, START)
    assert found is not None
    assert found.login == expected
