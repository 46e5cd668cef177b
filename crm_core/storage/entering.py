"""What logging in is checked against and leaves behind: the second factor, the accounts at the office's own provider,
signing out everywhere.

A factor's secret comes and goes sealed, codes as digests: nothing here opens anything by itself. What may be used once
is used by an UPDATE that names what it found, so that of two who come at once one gets in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, func, null, or_, select, update

from crm_core.errors import Conflict, NotFound
from crm_core.model.access import Access, Right
from crm_core.model.user import Tastes, User
from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from crm_core.storage.staff import touch_staff, user_of
from crm_core.storage.tables import app_user, user_session


@dataclass(frozen=True, slots=True)
class Factor:
    """Somebody's second factor: its sealed secret, and how many codes for a lost telephone are left."""

    sealed: str = field(repr=False)
    codes: int = 0


# ---------------------------------------------------------------- the second factor


def factor_of(conn: Connection, access: Access | None, login: str) -> Factor | None:
    """The second factor of an active person, None where they have none; of somebody else's Forbidden is raised. The hub
    itself asks before it is known who comes."""
    if access is not None:
        access.demand_of_others(Right.KEEP_STAFF, login)
    columns = app_user.c
    row = conn.execute(
        select(columns.totp_secret, columns.recovery_codes).where(columns.login == login, columns.active.is_(True))
    ).first()
    if row is None or row.totp_secret is None:
        return None
    return Factor(row.totp_secret, len(row.recovery_codes or ()))


def set_factor(desk: Desk, login: str, sealed: str, used: int, codes: Sequence[str]) -> User:
    """Begin a second factor, whose first code was that of step `used`; sessions that began without it end.

    Raises NotFound, Conflict where there is one already.
    """
    conn = connection_of(desk)
    columns = app_user.c
    values = {"totp_secret": sealed, "totp_used": used, "recovery_codes": list(codes)}
    done = conn.execute(
        update(app_user)
        .where(columns.login == login, columns.totp_secret.is_(None))
        .values(**values, session_epoch=columns.session_epoch + 1)
    )
    if done.rowcount:
        conn.execute(delete(user_session).where(user_session.c.login == login))
    user = _touched(desk, conn, login)
    if not done.rowcount:
        raise Conflict("user «{login}» has a second factor already", login=login)
    return user


def use_step(desk: Desk, login: str, step: int) -> bool:
    """Use the code of a step of time; False where this or a later one was used before."""
    columns = app_user.c
    done = connection_of(desk).execute(
        update(app_user)
        .where(
            columns.login == login,
            columns.totp_secret.is_not(None),
            or_(columns.totp_used.is_(None), columns.totp_used < step),
        )
        .values(totp_used=step)
    )
    return bool(done.rowcount)


def use_code(desk: Desk, login: str, digest: str) -> bool:
    """Use up a code for a lost telephone; False where it is none, or was used before."""
    conn, columns = connection_of(desk), app_user.c
    kept = conn.execute(select(columns.recovery_codes).where(columns.login == login)).scalar()
    if not kept or digest not in kept:
        return False
    done = conn.execute(
        update(app_user)
        .where(columns.login == login, columns.recovery_codes == kept)
        .values(recovery_codes=[each for each in kept if each != digest])
    )
    return bool(done.rowcount)


def renew_codes(desk: Desk, login: str, codes: Sequence[str]) -> None:
    """Put other codes in the place of those that were. Raises NotFound where there is no second factor."""
    columns = app_user.c
    done = connection_of(desk).execute(
        update(app_user)
        .where(columns.login == login, columns.totp_secret.is_not(None))
        .values(recovery_codes=list(codes))
    )
    if not done.rowcount:
        raise NotFound("user «{login}» has no second factor", login=login)


def take_factor(desk: Desk, login: str) -> bool:
    """Take the second factor away, for whoever lost it; whether there was one. Raises NotFound, Forbidden."""
    desk.demand_of_others(Right.KEEP_STAFF, login)
    conn, columns = connection_of(desk), app_user.c
    done = conn.execute(
        update(app_user)
        .where(columns.login == login, columns.totp_secret.is_not(None))
        .values(totp_secret=null(), totp_used=null(), recovery_codes=null())
    )
    _touched(desk, conn, login)
    return bool(done.rowcount)


# ---------------------------------------------------------------- sessions and tastes


def sign_out_everywhere(desk: Desk, login: str) -> None:
    """End every session of a person. Raises NotFound, Forbidden."""
    desk.demand_of_others(Right.KEEP_STAFF, login)
    conn, columns = connection_of(desk), app_user.c
    conn.execute(update(app_user).where(columns.login == login).values(session_epoch=columns.session_epoch + 1))
    conn.execute(delete(user_session).where(user_session.c.login == login))
    _touched(desk, conn, login)


def set_tastes(desk: Desk, login: str, tastes: Tastes) -> User:
    """Keep how a person likes the pages. Raises NotFound."""
    conn = connection_of(desk)
    conn.execute(update(app_user).where(app_user.c.login == login).values(tastes=tastes.plain()))
    return _touched(desk, conn, login)


# ---------------------------------------------------------------- the office's own provider


def find_by_subject(conn: Connection, subject: str) -> User | None:
    """The active person with this account at the provider."""
    row = conn.execute(select(app_user).where(app_user.c.oidc_subject == subject)).first()
    return user_of(row) if row is not None and row.active else None


def link_by_email(desk: Desk, subject: str, email: str) -> User | None:
    """Let the one active person with this address be the one with this account; None where there is none, several, or
    one who has another account already."""
    conn, columns = connection_of(desk), app_user.c
    found = conn.execute(
        select(columns.login, columns.oidc_subject).where(
            func.lower(columns.email) == email.lower(), columns.active.is_(True)
        )
    ).all()
    if len(found) != 1 or found[0].oidc_subject is not None:
        return None
    done = conn.execute(
        update(app_user)
        .where(columns.login == found[0].login, columns.oidc_subject.is_(None))
        .values(oidc_subject=subject)
    )
    return _touched(desk, conn, found[0].login) if done.rowcount else None


def _touched(desk: Desk, conn: Connection, login: str) -> User:
    """Let everybody hear of the change; the person as they are now. Raises NotFound."""
    touch_staff(conn)
    row = conn.execute(select(app_user).where(app_user.c.login == login)).first()
    if row is None:
        raise NotFound("there is no user «{user}»", user=login)
    desk.work.changed("app_user", row.id)
    return user_of(row)
