"""The office: which line was dialled, how a person is rung, what a call snapshot says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crm_core.model.call import CallSnapshot, CallState, Direction
from crm_core.model.office import Line, Office
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import (
    CallRecord,
    EntryRecord,
)
from crm_core.model.user import Absence, Role, Staff, User
from crm_core.storage.tables import TABLE_OF
from tests.fakes.clock import START

SALES, SUPPORT, SHORT = (
    Line(number, pbx, AccountPolicy(source=number))
    for number, pbx in (("+74951234567", "office"), ("88001234567", None), ("200", "office"))
)
OFFICE = Office(lines=(SALES, SUPPORT, SHORT), dial={"branch": "SIP/{extension}@branch"})


@pytest.mark.parametrize(
    ("pbx", "dialled", "line"),
    [
        ("office", "+74951234567", SALES),
        ("office", "84951234567", SALES),
        ("office", "74951234567", SALES),
        ("office", "4951234567", SALES),
        ("branch", "84951234567", None),
        ("branch", "+78001234567", SUPPORT),
        ("office", "200", SHORT),
        ("office", "1200", None),
        ("office", "", None),
        ("office", "s", None),
    ],
)
def test_the_line_of_a_dialled_number(pbx: str, dialled: str, line: Line | None) -> None:
    assert OFFICE.line(pbx, dialled) is line


def user(login: str, extension: str | None, *, active: bool = True) -> User:
    return User(len(login), login, login.title(), Role.MANAGER, extension, active=active)


@pytest.mark.parametrize(
    ("extension", "pbx", "endpoint"),
    [
        ("101", "office", "PJSIP/101"),
        ("101", "branch", "SIP/101@branch"),
        ("PJSIP/7", "branch", "PJSIP/7"),
        (None, "office", None),
        ("", "office", None),
    ],
)
def test_how_a_person_is_rung(extension: str | None, pbx: str, endpoint: str | None) -> None:
    assert OFFICE.endpoint(user("ivan", extension), pbx) == endpoint


def test_whose_telephone_it_is() -> None:
    staff = Staff.of((user("old", "101", active=False), user("ivan", "101"), user("petr", None)))
    found = OFFICE.user_of_endpoint(staff, "office", "PJSIP/101")
    assert found is not None
    assert found.login == "ivan"
    assert OFFICE.user_of_endpoint(staff, "office", "PJSIP/102") is None


def test_an_absence_begins_and_ends() -> None:
    away = Absence(START, START + timedelta(days=1))
    assert [away.covers(START + timedelta(hours=hours)) for hours in (-1, 0, 23, 24)] == [False, True, True, False]
    assert Absence(START).covers(START + timedelta(days=999))


def test_a_call_only_goes_forward() -> None:
    rings = CallSnapshot("c1", Direction.IN, "1", "2", CallState.RINGING, START)
    talks = replace(rings, state=CallState.ANSWERED, answered_at=START + timedelta(seconds=5), answered_by="PJSIP/1")
    over = replace(talks, finished_at=START + timedelta(seconds=65))
    settled = replace(over, settled=True)
    assert [each.progress for each in (rings, talks, settled, over)] == [0, 1, 2, 3]
    assert (rings.wait_s, rings.talk_s) == (0, 0)
    assert (over.wait_s, over.talk_s) == (5, 60)
    missed = replace(rings, state=CallState.MISSED, finished_at=START + timedelta(seconds=20))
    assert (missed.wait_s, missed.talk_s) == (20, 0)
    backwards = replace(over, answered_at=START - timedelta(seconds=5))
    assert backwards.wait_s == 0, "a clock that jumps makes no negative times"


@pytest.mark.parametrize("record", list(TABLE_OF))
def test_records_have_the_columns_of_their_tables_in_order(record: type) -> None:
    fields: tuple[str, ...] = record._fields  # type: ignore[attr-defined]  # every record is a named tuple
    assert list(fields) == [column.name for column in TABLE_OF[record].columns]


def test_every_table_of_records_is_named_once() -> None:
    assert len(set(TABLE_OF.values())) == len(TABLE_OF)
    assert {CallRecord, EntryRecord} <= set(TABLE_OF)
