"""The sessions of people at the pages: a row each, so that one can be ended alone, on every node at once.

What a browser brings is a random key; here stands its digest. Every request asks for the row with the same statement
that reads its person, and nothing keeps the answer: a row that is gone opens nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from crm_core.model.access import Access, Right
from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from crm_core.storage.tables import app_user, user_session
from crm_core.storage.users import Credentials, credentials_in

SESSION_ENDED: Final = "session.ended"
"""The topic of the change feed that says that one session has ended; the key is the id of its row."""
LIFE: Final = timedelta(days=7)
"""So long a session lives without a visit."""
SEEN_KEPT_EVERY: Final = timedelta(hours=1)
"""So exactly is it known when a session was last seen."""
MOST: Final = 20
"""How many one person may have: with one more, the one that was not seen for longest ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session is visited from: an address, and what the browser says it is."""

    remote: str
    browser: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its person is shown it; `seen_at` to the hour."""

    id: int
    login: str
    made_at: datetime
    seen_at: datetime
    expires_at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes with a session, and with which; `due`: it is time to keep that it was seen."""

    kept: Credentials
    id: int
    due: bool = field(default=False, compare=False)


# ---------------------------------------------------------------- services


def open_session(desk: Desk, login: str, digest: str, place: Place) -> int:
    """Begin a session whose key has this SHA-256 digest; its id. Those of the person that are one too many end."""
    conn, columns = connection_of(desk), user_session.c
    conn.execute(delete(user_session).where(columns.login == login, columns.expires_at <= desk.now))
    others = conn.scalars(
        select(columns.id).where(columns.login == login).order_by(columns.seen_at.desc(), columns.id.desc())
    ).all()
    _end(desk, others[MOST - 1 :])
    ident = desk.work.next_id()
    conn.execute(
        insert(user_session).values(
            id=ident,
            login=login,
            digest=digest,
            made_at=desk.now,
            seen_at=desk.now,
            expires_at=desk.now + LIFE,
            remote=place.remote,
            browser=place.browser,
        )
    )
    return ident


def end_session(desk: Desk, login: str, ident: int) -> bool:
    """End one session of a person; False where they have no such one any more. Raises Forbidden."""
    desk.demand_of_others(Right.KEEP_STAFF, login)
    return bool(_end(desk, _idents(desk, login, ident)))


def end_sessions(desk: Desk, login: str, *, but: int | None = None) -> int:
    """End all sessions of a person, or all but one; how many these were. Raises Forbidden."""
    desk.demand_of_others(Right.KEEP_STAFF, login)
    return _end(desk, [each for each in _idents(desk, login) if each != but])


def _idents(desk: Desk, login: str, ident: int | None = None) -> Collection[int]:
    columns = user_session.c
    statement = select(columns.id).where(columns.login == login)
    if ident is not None:
        statement = statement.where(columns.id == ident)
    return connection_of(desk).scalars(statement).all()


def _end(desk: Desk, idents: Collection[int]) -> int:
    """Take rows away, and let every node hear of it."""
    if not idents:
        return 0
    done = connection_of(desk).execute(delete(user_session).where(user_session.c.id.in_(idents)))
    for each in idents:
        desk.work.changed(SESSION_ENDED, each)
    return done.rowcount


# ---------------------------------------------------------------- queries


_VISIT: Final = (
    select(app_user, user_session.c.id.label("session_id"), user_session.c.seen_at.label("session_seen_at"))
    .join(user_session, user_session.c.login == app_user.c.login)
    .where(
        user_session.c.digest == bindparam("digest"),
        user_session.c.login == bindparam("login"),
        user_session.c.expires_at > bindparam("at"),
        app_user.c.active.is_(True),
    )
)


def find_visit(conn: Connection, login: str, digest: str, at: datetime) -> Visit | None:
    """Who comes with the session of this digest, with one statement; None where it has ended, is of somebody else, or
    of somebody who is disabled."""
    row = conn.execute(_VISIT, {"digest": digest, "login": login, "at": at}).first()
    if row is None:
        return None
    return Visit(credentials_in(row), row.session_id, at - row.session_seen_at >= SEEN_KEPT_EVERY)


def list_sessions(conn: Connection, access: Access, login: str, at: datetime) -> tuple[OpenSession, ...]:
    """The sessions of a person, the one that was seen last first. Raises Forbidden for those of others."""
    access.demand_of_others(Right.KEEP_STAFF, login)
    columns = user_session.c
    rows = conn.execute(
        select(user_session)
        .where(columns.login == login, columns.expires_at > at)
        .order_by(columns.seen_at.desc(), columns.id.desc())
    )
    return tuple(map(_session, rows))


def standing(conn: Connection, idents: Collection[int], at: datetime) -> frozenset[int]:
    """Which of these have not ended."""
    columns = user_session.c
    return frozenset(conn.scalars(select(columns.id).where(columns.id.in_(sorted(idents)), columns.expires_at > at)))


# ---------------------------------------------------------------- the passing of time


def keep_seen(conn: Connection, ident: int, place: Place, at: datetime) -> None:
    """Keep that a session was seen just now, and from where: it lives on. What has ended does not come back."""
    conn.execute(
        update(user_session)
        .where(user_session.c.id == ident)
        .values(seen_at=at, expires_at=at + LIFE, remote=place.remote, browser=place.browser)
    )


def sweep(conn: Connection, at: datetime) -> int:
    """Take away what has ended of old age; how many these were."""
    return conn.execute(delete(user_session).where(user_session.c.expires_at <= at)).rowcount


def _session(row: Row[Any]) -> OpenSession:
    return OpenSession(row.id, row.login, row.made_at, row.seen_at, row.expires_at, Place(row.remote, row.browser))
