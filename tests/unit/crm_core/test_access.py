"""What a role may do, of whose records, and what an administrator may change of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from crm_core.errors import Forbidden, InvalidInput
from crm_core.model.access import Access, People, Reach, Right
from crm_core.model.definitions import FORMS, Catalogue, DefinitionRecord, RoleBody, Section
from crm_core.model.records import PipelineRecord
from crm_core.model.rights import CONFIGURABLE, REACHING, TABLE
from crm_core.model.user import Role, Staff, User
from crm_core.services.configuration.naming import check_role

AT = datetime(2026, 3, 2, tzinfo=UTC)
IVAN = User(1, "ivan", "Иван", Role.MANAGER, group="sales")
PETR = User(2, "petr", "Пётр", Role.MANAGER, group="sales", deputy="ivan")
OLEG = User(3, "oleg", "Олег", Role.MANAGER, group="support")
ROOT = User(4, "root", "Root", Role.ADMIN)
STAFF = Staff.of((IVAN, PETR, OLEG, ROOT))


def catalogue(rights: dict[str, dict[str, str]] | None = None, **reach: dict[str, str]) -> Catalogue:
    """An office with rights by role, and a pipeline for each reach that is named."""
    roles = [
        DefinitionRecord(number, Section.ROLE, role, number, {"rights": given}, 1, False, AT, "root")
        for number, (role, given) in enumerate((rights or {}).items())
    ]
    pipelines = [
        PipelineRecord(number, name, number, False, "deal", {"reach": given})
        for number, (name, given) in enumerate(reach.items(), start=1)
    ]
    return Catalogue.of(1, FORMS, roles, pipelines, ())


def access(user: User, known: Catalogue | None = None) -> Access:
    return Access.of(user, known or catalogue(), STAFF)


def test_every_right_reaches_something_for_every_role() -> None:
    assert set(TABLE) == set(Right)
    assert all(set(by_role) == set(Role) for by_role in TABLE.values())
    assert all(by_role[Role.ADMIN] is Reach.ALL for by_role in TABLE.values())
    for right in set(Right) - REACHING:
        assert set(TABLE[right].values()) <= {Reach.NONE, Reach.ALL}, right
    assert Right.KEEP_STAFF not in CONFIGURABLE


def test_reaches_are_in_order() -> None:
    assert Reach.ALL.covers(Reach.GROUP)
    assert Reach.GROUP.covers(Reach.OWN)
    assert Reach.OWN.covers(Reach.NONE)
    assert not Reach.OWN.covers(Reach.GROUP)


@pytest.mark.parametrize(
    ("reach", "login", "within"),
    [
        (Reach.OWN, "ivan", True),
        (Reach.OWN, "petr", True),  # whose deputy they are
        (Reach.OWN, "oleg", False),
        (Reach.OWN, None, False),
        (Reach.GROUP, "petr", True),
        (Reach.GROUP, None, True),
        (Reach.GROUP, "oleg", False),
        (Reach.ALL, "oleg", True),
        (Reach.NONE, "ivan", False),
    ],
)
def test_whose_records_are_within_a_reach(reach: Reach, login: str | None, within: bool) -> None:
    assert People.of(IVAN, STAFF).within(reach, login) is within


def test_a_manager_can_neither_delete_nor_export() -> None:
    ivan = access(IVAN)
    assert not ivan.may(Right.DELETE)
    assert not ivan.may(Right.EXPORT)
    assert ivan.reach(Right.HEAR_CALLS) is Reach.OWN


def test_a_role_is_widened_and_narrowed() -> None:
    known = catalogue({"manager": {"delete": "own", "hear_calls": "group", "place_calls": "none"}})
    ivan = access(IVAN, known)
    ivan.demand_of(Right.DELETE, "ivan")
    with pytest.raises(Forbidden, match="only where they are their own"):
        ivan.demand_of(Right.DELETE, "oleg")
    assert ivan.reach(Right.HEAR_CALLS) is Reach.GROUP
    with pytest.raises(Forbidden):
        ivan.demand(Right.PLACE_CALLS)
    assert access(ROOT, known).reach(Right.DELETE) is Reach.ALL


def test_administrators_keep_all_whatever_is_said() -> None:
    known = catalogue({"admin": {"configure": "none", "delete": "none"}}, sales={"admin": "own"})
    assert access(ROOT, known).reach(Right.CONFIGURE) is Reach.ALL
    assert access(ROOT, known).sight.everything


@pytest.mark.parametrize(
    ("rights", "why"),
    [
        ({"keep_staff": "all"}, "no right that can be given"),
        ({"fly": "all"}, "no right that can be given"),
        ({"configure": "own"}, "whole or not at all"),
        ({"delete": "some"}, "Input should be"),
    ],
)
def test_what_a_role_can_not_say(rights: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        RoleBody.model_validate({"rights": rights})


def test_only_roles_have_rights_and_the_administrators_are_fixed() -> None:
    check_role("manager")
    for name in ("admin", "seller"):
        with pytest.raises(InvalidInput):
            check_role(name)


def test_the_sight_of_a_person() -> None:
    known = catalogue(None, whole={}, own={"manager": "own"}, group={"manager": "group", "head": "all"})
    sight = access(IVAN, known).sight
    assert [sorted(each) for each in (sight.all, sight.own, sight.group, sight.none)] == [[1], [2], [3], []]
    assert access(ROOT, known).sight.everything


def test_disabled_people_may_nothing() -> None:
    gone = User(1, "ivan", "Иван", Role.ADMIN, active=False)
    assert not any(access(gone).may(right) for right in Right)


@pytest.mark.parametrize(
    ("settings", "managers", "why"),
    [
        ({"reach": {"manager": "none"}}, Reach.NONE, "reach.manager: «none» can't be said here"),
        ({"reach": {"manager": "own", "boss": "all"}}, Reach.NONE, "pipeline «Продажи»: reach.boss"),
        ({"roles": "manager", "reach": {"manager": "own"}}, Reach.NONE, "roles"),
        ({"reach": {"manager": "own"}, "since_when": 1}, Reach.OWN, "since_when"),
        ({"colour": "red"}, Reach.ALL, "colour"),
        ([], Reach.NONE, "pipeline «Продажи»"),
    ],
)
def test_a_pipeline_of_which_not_all_can_be_read_shows_nothing_by_mistake(
    settings: Any, managers: Reach, why: str
) -> None:
    record = PipelineRecord(1, "Продажи", 1, False, "deal", settings)
    known = Catalogue.of(1, FORMS, (), (record,), ())
    (pipeline,) = known.pipelines
    assert pipeline.reach(IVAN) is managers
    assert pipeline.reach(ROOT) is Reach.ALL
    (problem,) = known.problems
    assert why in problem
    assert "Продажи" in problem
