"""What whoever keeps the staff does with somebody else's way in: a lost second factor taken off, sessions ended."""

from __future__ import annotations

from crm_core.errors import NotFound
from crm_core.model.access import Right
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.storage.entering import sign_out_everywhere, take_factor
from crm_core.storage.queries.within import connection_of
from crm_core.storage.sessions import end_session
from crm_core.storage.users import find_user
from hub.access.noting import Noted, note


def take_factor_off(desk: Desk, login: str, *, by: str, remote: str) -> bool:
    """Take the second factor off whoever lost it and end their sessions; False where there was none, and nothing
    happened. Raises NotFound, Forbidden."""
    user = _somebody(desk, login)
    if not take_factor(desk, login):
        return False
    sign_out_everywhere(desk, login)
    note(desk, Noted.FACTOR_TAKEN, user, by=by, remote=remote)
    return True


def end_sessions(desk: Desk, login: str, *, by: str, remote: str) -> None:
    """Let somebody log in anew in every browser; API tokens stay. Raises NotFound, Forbidden."""
    user = _somebody(desk, login)
    sign_out_everywhere(desk, login)
    note(desk, Noted.LEFT_EVERYWHERE, user, by=by, remote=remote)


def end_one_session(desk: Desk, login: str, ident: int, *, by: str, remote: str) -> bool:
    """End one session of somebody; False where it had ended already. Raises NotFound, Forbidden."""
    user = _somebody(desk, login)
    if not end_session(desk, login, ident):
        return False
    note(desk, Noted.LEFT_ONE, user, by=by, remote=remote)
    return True


def _somebody(desk: Desk, login: str) -> User:
    desk.demand(Right.KEEP_STAFF)
    user = find_user(connection_of(desk), desk.access, login)
    if user is None:
        raise NotFound("there is no user «{user}»", user=login)
    return user
