"""By what somebody follows: a session and what they may; and whether that still holds.

A session has no row of its own: it is named in the change feed by a number that is made of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from crm_core.model.access import Access
from crm_core.services.desk import Desk
from crm_core.storage.users import Credentials
from hub.web.sessions import Session, person_of

SESSION_ENDED: Final = "session.ended"
"""The topic of the change feed that says that one session has ended; the id is `number_of` it."""


def number_of(session: Session) -> int:
    """What names a session where others may read it, and opens nothing."""
    return int.from_bytes(hashlib.sha256(f"session {session.csrf}".encode()).digest()[:6])


def end_session(desk: Desk, session: Session) -> None:
    """Let every node hear that a session has ended."""
    desk.work.changed(SESSION_ENDED, number_of(session))


@dataclass(frozen=True, slots=True)
class Stay:
    """The session that somebody follows by, and what they might do and see as they came."""

    session: Session = field(repr=False)
    access: Access = field(repr=False)

    def lasts(self, kept: Credentials | None, access: Access | None) -> bool:
        """Whether nothing of it is different now; None where there is no such person any more."""
        if access is None or person_of(self.session, kept) is None:
            return False
        return _may(access) == _may(self.access)


def _may(access: Access) -> tuple[object, ...]:
    """What somebody may do and see; of pipelines what is hidden, so that a new one that everybody sees is no other."""
    sight = access.sight
    return access.user.role, access.reaches, access.people, sight.none, sight.own, sight.group
