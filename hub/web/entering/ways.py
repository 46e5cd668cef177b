"""What all ways in end with: a session of its own, and a line in the access log."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from crm_core.services.desk import Desk
from crm_core.storage.users import Credentials
from hub.noting import Noted, note
from hub.remote import remote_of
from hub.web.live.staying import end_session
from hub.web.pages import Pages, session_of
from hub.web.sessions import Session, stamp_of

LONGEST_PASSWORD_FIELD = 1024


def opened(pages: Pages, request: web.Request, kept: Credentials, where: str, notice: str = "") -> web.HTTPSeeOther:
    """A session of its own: nothing of the one before the login lives on."""
    session = Session(login=kept.user.login, stamp=stamp_of(kept))
    return pages.redirect(request, where, notice, session=session)


async def entered(pages: Pages, request: web.Request, kept: Credentials, where: str, way: str) -> web.HTTPSeeOther:
    """Somebody has proved who they are, by `way`: on to the second factor where they have one, else in."""
    if kept.factor:
        waiting = pages.sessions.wait(kept.user.login, stamp_of(kept), where)
        session = replace(session_of(request), waiting=waiting, abroad=None)
        return pages.redirect(request, "/login/code", session=session)
    await pages.hub.store.run(lambda desk: noted(desk, kept, request, way))
    return opened(pages, request, kept, where)


def noted(desk: Desk, kept: Credentials, request: web.Request, way: str) -> None:
    """Note that somebody got in; whose session the browser had before, that is over."""
    if (before := session_of(request)).login:
        end_session(desk, before)
    note(desk, Noted.ENTERED, kept.user, by=kept.user.login, remote=remote_of(request), detail=way)
