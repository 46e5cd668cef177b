"""Who may hear which call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crm_core.model.access import Access
from crm_core.model.call import CallState, Direction
from crm_core.model.definitions import Catalogue
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


def _access(user: User) -> Access:
    return Access.of(user, Catalogue(), STAFF)


@pytest.mark.parametrize("role", list(Role))
def test_by_role(role: Role) -> None:
    hears = may_hear(_access(User(9, "x", "X", role)), CALL, "oleg")
    assert hears == (role in {Role.ADMIN, Role.DIRECTOR, Role.HEAD, Role.CONTROLLER})


def test_a_manager_hears_their_own_calls_and_their_clients() -> None:
    assert may_hear(_access(PETR), CALL, "oleg")  # answered it
    assert may_hear(_access(OLEG), CALL, "oleg")  # their client
    assert not may_hear(_access(IVAN), CALL, "oleg")
    assert may_hear(_access(IVAN), CALL, "petr")  # the deputy
    assert may_hear(_access(IVAN), CALL, None)  # nobody's client
    assert may_hear(_access(IVAN), CALL._replace(talks=[{"user": "ivan"}]), "oleg")  # it was transferred to them


def test_calls_among_colleagues_are_heard_by_who_talked() -> None:
    inner = CALL._replace(contact_id=None)
    assert may_hear(_access(PETR), inner, None)
    assert not may_hear(_access(IVAN), inner, None)
