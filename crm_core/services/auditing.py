"""Writing down who did what that somebody may have to answer for, in the very transaction in which it is done."""

from __future__ import annotations

from crm_core.model.auditing import AccessRecord
from crm_core.services.desk import Desk

_LONGEST_ADDRESS = 100
_LONGEST_DETAIL = 4000


def note(
    desk: Desk,
    what: str,
    subject_id: int = 0,
    *,
    contact_id: int | None = None,
    login: str | None = None,
    remote: str | None = None,
    detail: str = "",
) -> None:
    """Keep that somebody (whoever acts, unless a login is given) did something; `what` is an `Act`, or one of them with
    a kind behind a dot. What the hub does by itself is kept where rules and facts are, not here."""
    who = login if login is not None else desk.work.author
    if not who:
        return
    desk.work.put(
        AccessRecord(
            id=desk.work.next_id(),
            at=desk.now,
            login=who[:_LONGEST_ADDRESS],
            what=str(what),
            subject_id=subject_id,
            contact_id=contact_id,
            remote=(remote if remote is not None else desk.remote)[:_LONGEST_ADDRESS],
            detail=detail[:_LONGEST_DETAIL],
        )
    )
