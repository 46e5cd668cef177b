"""API tokens as they are kept: of each its digest, its name, what it opens, until when, and when it was last used."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, null, or_, select, update

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.model.access import Access, Right, demand
from crm_core.model.scopes import EVERYTHING, Scopes
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from crm_core.storage.staff import user_of
from crm_core.storage.tables import api_token, app_user

_LONGEST_NAME = 100
# So exactly is it known when a token was last used: what reads a thousand times an hour writes once.
USE_KEPT_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Token:
    """A token without the token; `expires_at` None: never."""

    id: int
    login: str
    name: str
    scopes: Scopes
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def open(self, at: datetime) -> bool:
        """Whether it opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who comes with a token, and with which."""

    user: User
    token: Token


# ---------------------------------------------------------------- services


def add_token(
    desk: Desk,
    login: str,
    digest: str,
    *,
    name: str = "",
    scopes: Scopes = EVERYTHING,
    expires_at: datetime | None = None,
) -> int:
    """Keep the SHA-256 digest of a new API token; its id.

    Raises NotFound, Conflict for a disabled user, InvalidInput for a name that is none and for a time that is over.
    """
    desk.demand(Right.KEEP_TOKENS)
    conn = connection_of(desk)
    row = conn.execute(select(app_user.c.active).where(app_user.c.login == login)).first()
    if row is None:
        raise NotFound("there is no user «{user}»", user=login)
    if not row.active:
        raise Conflict("user «{login}» is disabled", login=login)
    name = " ".join(name.split())
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidInput("name: up to {most} printable characters", most=_LONGEST_NAME)
    if expires_at is not None and expires_at <= desk.now:
        raise InvalidInput("expires_at: this moment is over already")
    token_id = desk.work.next_id()
    values = {"id": token_id, "login": login, "digest": digest, "created_at": desk.now, "name": name}
    written = scopes.plain()
    conn.execute(
        insert(api_token).values(**values, expires_at=expires_at, scopes=null() if written is None else written)
    )
    desk.work.changed("api_token", token_id)
    return token_id


def revoke_token(desk: Desk, token_id: int, *, login: str | None = None) -> Token:
    """Let a token open nothing more; what is known of it stays. Idempotent. Raises NotFound, also where `login` is
    given and it is somebody else's."""
    desk.demand(Right.KEEP_TOKENS)
    conn = connection_of(desk)
    row = conn.execute(select(api_token).where(api_token.c.id == token_id)).first()
    if row is None or (login is not None and row.login != login):
        raise NotFound("there is no token {token}", token=token_id)
    if row.revoked_at is None:
        conn.execute(update(api_token).where(api_token.c.id == token_id).values(revoked_at=desk.now))
        desk.work.changed("api_token", token_id)
    return _token(row)


def remove_token(desk: Desk, token_id: int) -> None:
    """Take a token away without a trace, one that lived for a single question; nothing happens where there is none."""
    connection_of(desk).execute(delete(api_token).where(api_token.c.id == token_id))
    desk.work.changed("api_token", token_id)


# ---------------------------------------------------------------- queries


def find_bearer(conn: Connection, digest: str, at: datetime) -> Bearer | None:
    """Who comes with the token of this digest; None for an unknown, revoked or expired one and for disabled people."""
    found = conn.execute(
        select(app_user).join(api_token, api_token.c.login == app_user.c.login)
        .add_columns(*(column.label(f"token_{column.name}") for column in api_token.c))
        .where(api_token.c.digest == digest, app_user.c.active.is_(True))
    ).first()  # fmt: skip
    if found is None:
        return None
    token = _token(found, "token_")
    return Bearer(user_of(found), token) if token.open(at) else None


def list_tokens(
    conn: Connection, access: Access | None, login: str | None = None, *, revoked: bool = False
) -> tuple[Token, ...]:
    """The tokens of one person, or all; whoever asks gets those of their own alone, and those that were revoked only
    where they are asked for. The newest first. Raises Forbidden."""
    demand(access, Right.KEEP_TOKENS)
    statement = select(api_token).order_by(api_token.c.id.desc())
    if access is not None:
        statement = statement.where(api_token.c.login == access.login)
    if login is not None:
        statement = statement.where(api_token.c.login == login)
    if not revoked:
        statement = statement.where(api_token.c.revoked_at.is_(None))
    return tuple(_token(row) for row in conn.execute(statement))


def keep_uses(conn: Connection, token_ids: Collection[int], at: datetime) -> None:
    """Keep that these tokens are used; of those whose last use is known to the hour nothing is written."""
    last = api_token.c.last_used_at
    conn.execute(
        update(api_token)
        .where(api_token.c.id.in_(sorted(token_ids)), or_(last.is_(None), last <= at - USE_KEPT_EVERY))
        .values(last_used_at=at)
    )


def _token(row: Row[Any], prefix: str = "") -> Token:
    def value(name: str) -> Any:
        return getattr(row, prefix + name)

    return Token(
        id=value("id"),
        login=value("login"),
        name=value("name"),
        scopes=Scopes.parse(value("scopes")),
        created_at=value("created_at"),
        expires_at=value("expires_at"),
        last_used_at=value("last_used_at"),
        revoked_at=value("revoked_at"),
    )
