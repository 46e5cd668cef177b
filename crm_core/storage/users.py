"""The people of the office as they are kept: added, changed, disabled; their passwords' hashes.

What changes somebody runs as a service (`store.run(lambda desk: add_user(desk, …))`): the row, the staff revision and
the feed are one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from crm_core.errors import Conflict, Duplicate, InvalidInput, NotFound
from crm_core.model.access import Access, Right, demand
from crm_core.model.auditing import Act
from crm_core.model.calendar import ANY_HOURS
from crm_core.model.identity import address
from crm_core.model.user import Absence, Role, User
from crm_core.services.auditing import note
from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from crm_core.storage.staff import touch_staff, user_of
from crm_core.storage.tables import app_user, user_group, user_session

_LOGIN = re.compile(r"[\w.@+-]{1,64}\Z")
# What may stand in a Dial() string and on an AMI line without a second meaning.
_EXTENSION = re.compile(r"[A-Za-z0-9_/@:.+*#-]{1,80}\Z")
_LONGEST_NAME = 200
# What people may change of themselves.
_OWN = frozenset({"absence", "do_not_disturb", "deputy"})
_LARGEST_TELEGRAM_ID = 2**52  # as Telegram promises


class Unset(Enum):
    """Says of a field that it stays as it is."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody to be added; fields as in `User`. Without a `password_hash` they can't log in to the pages."""

    login: str
    name: str
    role: Role
    extension: str | None = None
    telegram_id: int | None = None
    email: str | None = None
    group: str | None = None
    deputy: str | None = None
    controller: str | None = None
    hours: str | None = None
    password_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be changed of somebody; None clears a field that may be empty."""

    name: str | Unset = UNSET
    role: Role | Unset = UNSET
    extension: str | Unset | None = UNSET
    telegram_id: int | Unset | None = UNSET
    email: str | Unset | None = UNSET
    group: str | Unset | None = UNSET
    deputy: str | Unset | None = UNSET
    controller: str | Unset | None = UNSET
    absence: Absence | Unset | None = UNSET
    do_not_disturb: bool | Unset = UNSET
    hours: str | Unset | None = UNSET
    active: bool | Unset = UNSET
    password_hash: str | Unset | None = field(default=UNSET, repr=False)
    oidc_subject: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is checked against; the hash is None for people without a password, `epoch` counts how many times
    they signed out everywhere, `factor` says whether they have a second one."""

    user: User
    password_hash: str | None = field(repr=False)
    epoch: int = 0
    factor: bool = False


# ---------------------------------------------------------------- services


def add_user(desk: Desk, new: NewUser) -> User:
    """Add somebody, and their group where it is new.

    Raises InvalidInput for a field that makes no sense or names nobody, Duplicate where the login or the Telegram id
    is taken.
    """
    desk.demand(Right.KEEP_STAFF)
    conn = connection_of(desk)
    if not _LOGIN.match(new.login):
        raise InvalidInput("login «{new}»: up to 64 letters, digits and . _ @ + -", new=new.login[:80])
    if _row(conn, new.login) is not None:
        raise Duplicate("there is a user «{user}» already", user=new.login)
    given = {each.name: getattr(new, each.name) for each in fields(new) if each.name != "login"}
    columns = _columns(desk, conn, new.login, given)
    user_id = desk.work.next_id()
    conn.execute(
        insert(app_user).values(
            id=user_id, login=new.login, do_not_disturb=False, active=True, created_at=desk.now, **columns
        )
    )
    user = _told(desk, conn, new.login)
    note(desk, Act.USER_ADDED, user.id, detail=f"{user.login}: {user.role}")
    return user


def add_first_administrator(desk: Desk, new: NewUser) -> User:
    """Add the administrator of an empty office; raises Conflict where somebody is there already.

    The staff revision is locked before looking, so that of several who try at once only one finds the office empty.
    """
    conn = connection_of(desk)
    touch_staff(conn)
    if anybody(conn):
        raise Conflict("the hub has an administrator already")
    if new.role is not Role.ADMIN:
        raise InvalidInput("the first user is an administrator")
    return add_user(desk, new)


def update_user(desk: Desk, login: str, change: UserChange) -> User:
    """Change somebody; with another password, and without access, all their sessions end.

    Raises NotFound, and what `add_user` raises.
    """
    conn = connection_of(desk)
    if _row(conn, login) is None:
        raise NotFound("there is no user «{user}»", user=login)
    given = {each.name: value for each in fields(change) if (value := getattr(change, each.name)) is not UNSET}
    if desk.access is not None and not (login == desk.access.login and given.keys() <= _OWN | {"password_hash"}):
        desk.demand(Right.KEEP_STAFF)
    if given:
        if "password_hash" in given or given.get("active") is False:
            conn.execute(delete(user_session).where(user_session.c.login == login))
        conn.execute(update(app_user).where(app_user.c.login == login).values(**_columns(desk, conn, login, given)))
    user = _told(desk, conn, login)
    if not given.keys() <= _OWN or desk.work.author not in {None, login}:
        role = f": {user.role}" if "role" in given else ""
        note(desk, Act.USER_CHANGED, user.id, detail=f"{login}: {', '.join(sorted(given))}{role}")
    return user


def disable_user(desk: Desk, login: str) -> User:
    """Take somebody's access and work away; what they did stays. Idempotent; raises NotFound."""
    return update_user(desk, login, UserChange(active=False))


# ---------------------------------------------------------------- queries


def anybody(conn: Connection) -> bool:
    """Whether the office has any user, also a disabled one."""
    return conn.execute(select(app_user.c.id).limit(1)).first() is not None


def list_users(conn: Connection, access: Access | None) -> tuple[User, ...]:
    """Everybody, also the disabled, by login. Raises Forbidden for whoever sees no staff."""
    demand(access, Right.SEE_STAFF)
    return tuple(user_of(row) for row in conn.execute(select(app_user).order_by(app_user.c.login)))


def find_user(conn: Connection, access: Access | None, login: str) -> User | None:
    """One person, also a disabled one. Raises Forbidden for whoever sees no staff."""
    demand(access, Right.SEE_STAFF)
    row = _row(conn, login)
    return user_of(row) if row is not None else None


def credentials(conn: Connection, login: str) -> Credentials | None:
    """What a login is checked against; None for unknown and for disabled people."""
    row = _row(conn, login)
    if row is None or not row.active:
        return None
    return credentials_in(row)


def credentials_of(conn: Connection, logins: Collection[str]) -> dict[str, Credentials]:
    """The same of several people, by login; in one query, without the unknown and the disabled."""
    rows = conn.execute(select(app_user).where(app_user.c.login.in_(logins), app_user.c.active.is_(True)))
    return {row.login: credentials_in(row) for row in rows}


def count_users(conn: Connection, access: Access | None) -> int:
    """How many users there are, the disabled included. Raises Forbidden for whoever sees no staff."""
    demand(access, Right.SEE_STAFF)
    return int(conn.execute(select(func.count()).select_from(app_user)).scalar_one())


# ---------------------------------------------------------------- inside


def credentials_in(row: Row[Any]) -> Credentials:
    """What a row with all columns of a person says."""
    return Credentials(user_of(row), row.password_hash, row.session_epoch, row.totp_secret is not None)


def _row(conn: Connection, login: str) -> Row[Any] | None:
    return conn.execute(select(app_user).where(app_user.c.login == login)).first()


def _told(desk: Desk, conn: Connection, login: str) -> User:
    """Let everybody hear of the change; the person as they are now."""
    touch_staff(conn)
    row = _row(conn, login)
    if row is None:
        raise NotFound("there is no user «{user}»", user=login)
    user = user_of(row)
    desk.work.changed("app_user", user.id)
    return user


def _columns(desk: Desk, conn: Connection, login: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values of columns."""
    columns: dict[str, Any] = {}
    for name, value in given.items():
        match name:
            case "group":
                columns["group_name"] = _group(conn, value)
            case "deputy" | "controller":
                columns[name] = _colleague(conn, login, name, value)
            case "telegram_id":
                columns[name] = _telegram_id(conn, login, value)
            case "absence":
                columns["absent_since"] = value.since if value is not None else None
                columns["absent_until"] = value.until if value is not None else None
            case "name":
                columns[name] = _name(value)
            case "extension":
                columns[name] = _extension(value)
            case "hours":
                columns[name] = _calendar(desk, value)
            case "oidc_subject":
                columns[name] = _subject(conn, login, value)
            case "email":
                columns[name] = address(value).value if value else None
            case _:
                columns[name] = value
    return columns


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidInput("name: 1 to {most} printable characters", most=_LONGEST_NAME)
    return name


def _extension(value: str | None) -> str | None:
    if not value:
        return None
    if not _EXTENSION.match(value):
        raise InvalidInput(
            "extension «{value}»: write 101, or PJSIP/101 with the technology before it", value=value[:80]
        )
    return value


def _group(conn: Connection, value: str | None) -> str | None:
    if not value:
        return None
    name = _name(value)
    if conn.execute(select(user_group.c.name).where(user_group.c.name == name)).first() is None:
        conn.execute(insert(user_group).values(name=name))
    return name


def _calendar(desk: Desk, value: str | None) -> str | None:
    """The name of a configured calendar; `any` is round the clock, whatever the group's hours are."""
    if not value:
        return None
    if value != ANY_HOURS and value not in desk.office.calendars:
        known = ", ".join((*desk.office.calendars, ANY_HOURS))
        raise InvalidInput(
            "hours: there is no [[hours]] named «{value}»; known are {known}", value=value[:80], known=known
        )
    return value


def _colleague(conn: Connection, login: str, what: str, other: str | None) -> str | None:
    if not other:
        return None
    if other == login:
        raise InvalidInput("{what}: «{login}» can't be their own {what}", what=what, login=login)
    if _row(conn, other) is None:
        raise InvalidInput("{what}: there is no user «{user}»; add them first", what=what, user=other)
    return other


def _telegram_id(conn: Connection, login: str, value: int | None) -> int | None:
    if value is None:
        return None
    if not 0 < value < _LARGEST_TELEGRAM_ID:
        raise InvalidInput("telegram id {value}: a positive number, as the bot @userinfobot tells it", value=value)
    holder = conn.execute(
        select(app_user.c.login).where(app_user.c.telegram_id == value, app_user.c.login != login)
    ).scalar()
    if holder is not None:
        raise Duplicate("telegram id {value} belongs to user «{holder}» already", value=value, holder=holder)
    return value


def _subject(conn: Connection, login: str, value: str | None) -> str | None:
    """The account at the office's provider, `issuer subject`, that is nobody else's."""
    if not value:
        return None
    holder = conn.execute(
        select(app_user.c.login).where(app_user.c.oidc_subject == value, app_user.c.login != login)
    ).scalar()
    if holder is not None:
        raise Duplicate("this account belongs to user «{holder}» already", holder=holder)
    return value
