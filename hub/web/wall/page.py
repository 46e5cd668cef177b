"""The wall as it is read and drawn: a page of the workspace, or a screen that hangs in the office."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from crm_core.model.access import Reach, Right
from crm_core.model.user import Staff, User
from crm_core.services.watching.telling import PROMISE_MINUTES
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.wall import Wall, wall
from hub.telephony.attendance import attendance
from hub.web.live.sharing import Shared
from hub.web.pages import Answer, Pages, access_here, user_here
from hub.web.tongues import language
from hub.web.wall.people import Doing, WallPerson, people_now

_AT_ONCE: Final = 20
_ALL: Final = 200
_MOST_JAMS: Final = 12
_PARTS: Final = {"acts": "wall/acts.html", "now": "wall/now.html"}


@dataclass(frozen=True, slots=True)
class WallView:
    """All that the page reads from the record. `takers` are the people to whom something can be given, `groups` those
    that can be chosen."""

    wall: Wall
    staff: Staff
    takers: tuple[User, ...]
    groups: tuple[str, ...]
    group: str
    everything: bool


def wall_view(conn: Reading, asker: Asker, group: str, *, everything: bool = False) -> WallView:
    """The wall of one group, of all whom the asker oversees where that names none of theirs; `everything`: with as much
    as can be drawn."""
    logins = asker.logins()
    overseen = [each for each in asker.staff.by_login.values() if logins is None or each.login in logins]
    groups = tuple(sorted({each.group for each in overseen if each.group}))
    chosen = group if group in groups else ""
    takers = sorted((each for each in asker.staff.by_login.values() if each.active), key=lambda each: each.name)
    return WallView(
        wall=wall(conn, asker, chosen or None, limit=_ALL if everything else _AT_ONCE),
        staff=asker.staff,
        takers=tuple(takers),
        groups=groups if len(groups) > 1 else (),
        group=chosen,
        everything=everything,
    )


class WallPage:
    """The wall."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        hub = pages.hub
        self._shared = Shared[WallView](lambda: hub.live.position, hub.clock.monotonic)

    async def show(self, request: web.Request) -> Answer:
        """The page, with `?part=` only the one or the other part of it that refreshes by itself; with `?screen=1`
        without the frame, larger, and without what can be done."""
        hub, user, query = self._pages.hub, user_here(request), request.query
        group, whole = query.get("group", "")[:200], query.get("all") == "1"

        async def ask() -> WallView:
            return await hub.store.read(
                lambda conn: wall_view(conn, hub.store.asker(conn, user), group, everything=whole)
            )

        part = _PARTS.get(query.get("part", ""))
        access = access_here(request)
        everything = access.reach(Right.SEE_REPORTS) is Reach.ALL and access.sight.everything
        whom = "" if everything else user.login
        told = int(at) if (at := query.get("at", "")[:18]).isascii() and at.isdigit() else 0
        # Whoever does not say up to where they know the feed may know of more than the answer that is shared.
        view = await (self._shared.get((whom, group, whole), ask, told) if part is not None and told else ask())
        context = self._context(request, view, screen=query.get("screen") == "1")
        if part is not None:
            return self._pages.fragment(request, part, **context)
        return self._pages.render(request, "wall/page.html", **context)

    def _context(self, request: web.Request, view: WallView, *, screen: bool) -> dict[str, Any]:
        people, access = self._people(view), access_here(request)
        return {
            "view": view,
            "wall": view.wall,
            "people": people,
            "free": sum(each.doing is Doing.FREE for each in people),
            "taking": sum(each.takes_calls for each in people),
            "jams": view.wall.jams[:_MOST_JAMS],
            "screen": screen,
            "address": _address(view, screen=screen),
            "other_address": _address(view, screen=not screen),
            "whole_address": _address(view, screen=screen, everything=True),
            "back": _address(view, screen=False),
            "settles": access.may(Right.SETTLE_CASES) and not screen,
            "assigns": access.may(Right.KEEP_SALES) and not screen,
            "promise_minutes": PROMISE_MINUTES,
        }

    def _people(self, view: WallView) -> tuple[WallPerson, ...]:
        hub = self._pages.hub
        now = attendance(hub.store.office, hub.directory.staff, hub.presence, hub.clock.now())
        return people_now(view.wall.people, {each.user.login: each for each in now}, language())


def _address(view: WallView, *, screen: bool, everything: bool = False) -> str:
    whole = view.everything or everything
    fields = {"group": view.group, "screen": "1" if screen else "", "all": "1" if whole else ""}
    said = urlencode({name: value for name, value in fields.items() if value})
    return f"/wall?{said}" if said else "/wall"
