"""What all ways in end with: a session of its own, and a line in the access log."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from crm_core.services.desk import Desk
from crm_core.storage.sessions import end_session, open_session
from crm_core.storage.users import Credentials
from hub.access.noting import Noted, note
from hub.access.remote import remote_of
from hub.access.security import token_digest
from hub.web.pages import Pages, session_of
from hub.web.sessions import VISIT, Session, new_key, place_of, stamp_of
from hub.web.unsent import shown_first

LONGEST_PASSWORD_FIELD = 1024


def begun(desk: Desk, request: web.Request, login: str, key: str) -> None:
    """Begin a session of a person in the browser that asks; the one that it had before is over."""
    if (before := request.get(VISIT)) is not None:
        end_session(desk, before.kept.user.login, before.id)
    open_session(desk, login, token_digest(key), place_of(request))


def session_for(request: web.Request, kept: Credentials, key: str) -> Session:
    """What the browser is to hold of a session that was begun: its tokens are others than before."""
    return replace(session_of(request).follows(), login=kept.user.login, key=key, stamp=stamp_of(kept))


def opened(
    pages: Pages, request: web.Request, kept: Credentials, key: str, where: str, notice: str = ""
) -> web.HTTPSeeOther:
    """In, with a session that was begun; what somebody had sent too late is shown first."""
    session = session_for(request, kept, key)
    return pages.redirect(request, shown_first(session, where), notice, session=session)


async def entered(pages: Pages, request: web.Request, kept: Credentials, where: str, way: str) -> web.HTTPSeeOther:
    """Somebody has proved who they are, by `way`: on to the second factor where they have one, else in."""
    if kept.factor:
        waiting = pages.sessions.wait(kept.user.login, stamp_of(kept), where)
        session = replace(session_of(request), waiting=waiting, abroad=None)
        return pages.redirect(request, "/login/code", session=session)
    key = new_key()
    await pages.hub.store.run(lambda desk: let_in(desk, kept, request, key, way))
    return opened(pages, request, kept, key, where)


def let_in(desk: Desk, kept: Credentials, request: web.Request, key: str, way: str) -> None:
    """Begin the session of somebody who has proved who they are, and note that they got in."""
    begun(desk, request, kept.user.login, key)
    note(desk, Noted.ENTERED, kept.user, by=kept.user.login, remote=remote_of(request), detail=way)
