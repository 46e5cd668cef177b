"""What is noted in the access log of logging in: who got in and how, and what was done to the keys of somebody."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from crm_core.model.user import User
from crm_core.services import auditing
from crm_core.services.desk import Desk
from crm_core.storage.queries.recordings import heard_since
from crm_core.storage.store import Store

NOBODY = "?"
"""Stands for a login that is nobody's."""
_QUIET = timedelta(minutes=10)


class Noted(StrEnum):
    """What happened, as the access log names it."""

    ENTERED = "login"
    FAILED = "login.failed"
    THROTTLED = "login.throttled"
    LEFT_EVERYWHERE = "login.ended"
    LEFT_ONE = "login.ended.one"
    PASSWORD = "password.changed"  # noqa: S105 - the name of an event
    FACTOR_SET = "factor.set"
    FACTOR_CODES = "factor.codes"
    FACTOR_TAKEN = "factor.taken"
    ACCOUNT = "account.linked"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the name of an event


def note(
    desk: Desk, what: Noted, user: User, *, by: str, remote: str, subject_id: int | None = None, detail: str = ""
) -> None:
    """Note what `by` did with the keys of a person, in the transaction of the act; `subject_id`: the person's own id
    where it is not that of a token."""
    said = detail if by == user.login else f"{user.login} {detail}".strip()
    about = user.id if subject_id is None else subject_id
    auditing.note(desk, what, about, login=by, remote=remote, detail=said)


async def note_refused(store: Store, what: Noted, user: User | None, remote: str) -> None:
    """Note that somebody was not let in. Of a login that nobody has only that there was one: people type passwords
    there. What is throttled is noted once in ten minutes, so that guessing fills no table."""
    login, about = (user.login, user.id) if user is not None else (NOBODY, 0)
    if what is Noted.THROTTLED:
        since = store.clock.now() - _QUIET
        if await store.read(lambda conn: heard_since(conn, what, about, login, since)):
            return
    await store.run(lambda desk: auditing.note(desk, what, about, login=login, remote=remote))
