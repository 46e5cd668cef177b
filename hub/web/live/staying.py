"""By what somebody follows: a session and what they may; and whether that still holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm_core.model.access import Access
from crm_core.storage.users import Credentials
from hub.web.sessions import Session, person_of


@dataclass(frozen=True, slots=True)
class Stay:
    """The session that somebody follows by, the id of its row, and what they might do and see as they came."""

    session: Session = field(repr=False)
    visit: int
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
