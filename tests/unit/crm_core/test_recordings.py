"""Who may hear which call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm_core.model.call import CallState, Direction
from crm_core.model.records import CallRecord
from crm_core.model.user import Role, Staff, User
from crm_core.services.calls.recordings import may_hear

AT = datetime(2026, 3, 2, tzinfo=UTC)
IVAN = User(1, "ivan", "Иван", Role.MANAGER)
PETR = User(2, "petr", "Пётр", Role.MANAGER, deputy="ivan")
OLEG = User(3, "oleg", "Олег", Role.MANAGER)
STAFF = Staff.of((IVAN, PETR, OLEG))
CALL = CallRecord(
    1,
    "office",
    "1.1",
    7,
    8,
    Direction.IN,
    "+79161234567",
    "+74951234567",
    CallState.ANSWERED,
    6,
    AT,
    answered_by="petr",
)


@pytest.mark.parametrize("role", list(Role))
def test_by_role(role: Role) -> None:
    hears = may_hear(User(9, "x", "X", role), CALL, "oleg", STAFF)
    assert hears == (role in {Role.ADMIN, Role.DIRECTOR, Role.HEAD, Role.CONTROLLER})


def test_a_manager_hears_their_own_calls_and_their_clients() -> None:
    assert may_hear(PETR, CALL, "oleg", STAFF)  # answered it
    assert may_hear(OLEG, CALL, "oleg", STAFF)  # their client
    assert not may_hear(IVAN, CALL, "oleg", STAFF)
    assert may_hear(IVAN, CALL, "petr", STAFF)  # the deputy
    assert may_hear(IVAN, CALL, None, STAFF)  # nobody's client
    assert may_hear(IVAN, CALL._replace(talks=[{"user": "ivan"}]), "oleg", STAFF)  # it was transferred to them


def test_calls_among_colleagues_are_heard_by_who_talked() -> None:
    inner = CALL._replace(contact_id=None)
    assert may_hear(PETR, inner, None, STAFF)
    assert not may_hear(IVAN, inner, None, STAFF)
