"""What somebody sent after their session had ended: kept, sealed, until they have logged in again and send it once.

A form belongs to a person and to a browser: to the digest of a key that the browser keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from crm_core.errors import NotFound
from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from crm_core.storage.tables import app_user, unsent_form

KEPT: Final = timedelta(hours=24)
"""So long somebody has to log in again."""
MOST: Final = 5
"""How many forms of one person are kept; the newest stay."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """A form that was not sent; what it holds comes and goes sealed."""

    id: int
    made_at: datetime
    sealed: str = field(repr=False)


def keep_unsent(desk: Desk, login: str, digest: str, sealed: str) -> None:
    """Keep a form. Raises NotFound where there is no such person any more."""
    conn, columns = connection_of(desk), unsent_form.c
    if conn.execute(select(app_user.c.id).where(app_user.c.login == login)).first() is None:
        raise NotFound("there is no user «{user}»", user=login)
    others = conn.scalars(select(columns.id).where(columns.login == login).order_by(columns.id.desc())).all()
    conn.execute(delete(unsent_form).where(columns.id.in_(others[MOST - 1 :])))
    conn.execute(
        insert(unsent_form).values(
            id=desk.work.next_id(),
            login=login,
            digest=digest,
            sealed=sealed,
            made_at=desk.now,
            expires_at=desk.now + KEPT,
        )
    )


def take_unsent(desk: Desk, login: str, digest: str, ident: int) -> Unsent | None:
    """Take a form away to send it or to let it be; None where it was taken before, so that of two one has it."""
    conn, columns = connection_of(desk), unsent_form.c
    mine = (columns.id == ident, columns.login == login, columns.digest == digest)
    row = conn.execute(select(unsent_form).where(*mine, columns.expires_at > desk.now)).first()
    if row is None or not conn.execute(delete(unsent_form).where(columns.id == ident)).rowcount:
        return None
    return Unsent(row.id, row.made_at, row.sealed)


def list_unsent(conn: Connection, login: str, digest: str, at: datetime) -> tuple[Unsent, ...]:
    """The forms of a person and a browser, the oldest first."""
    columns = unsent_form.c
    rows = conn.execute(
        select(unsent_form)
        .where(columns.login == login, columns.digest == digest, columns.expires_at > at)
        .order_by(columns.id)
    )
    return tuple(Unsent(row.id, row.made_at, row.sealed) for row in rows)


def sweep(conn: Connection, at: datetime) -> int:
    """Forget what nobody came back for; how many these were."""
    return conn.execute(delete(unsent_form).where(unsent_form.c.expires_at <= at)).rowcount
