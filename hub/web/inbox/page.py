"""The first page as it is read and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from crm_core.model.access import Access, Right
from crm_core.model.records import AlarmRecord
from crm_core.model.rights import Reach
from crm_core.model.user import Staff
from crm_core.ports import ChannelHealth
from crm_core.services.watching.telling import PROMISE_MINUTES
from crm_core.storage.queries.alarms import list_alarms
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.workspace.asker import Asker, Whose
from crm_core.storage.queries.workspace.climbing import told_of
from crm_core.storage.queries.workspace.inbox import NOTHING, Inbox, inbox
from hub.web.inbox.happening import Happened, happened
from hub.web.inbox.people import colleagues
from hub.web.inbox.waiting import Rungs, rungs_of
from hub.web.pages import Answer, Pages, access_here, user_here
from hub.web.tongues import N_

_ALARMS = 20
_AT_ONCE, _ALL = 20, 200
"""How many of each list are drawn at first, and at most."""
_WHOSE: Final[Mapping[Whose, str]] = {
    Whose.MINE: N_("Mine"),
    Whose.GROUP: N_("The group's"),
    Whose.EVERYBODY: N_("Everybody's"),
}
_PARTS: Final[Mapping[str, str]] = {
    "live": "inbox/live.html",
    "people": "inbox/people.html",
    "happening": "inbox/events.html",
}
_LEAST: Final[Mapping[Whose, tuple[Reach, ...]]] = {
    Whose.MINE: (Reach.NONE, Reach.OWN, Reach.GROUP, Reach.ALL),
    Whose.GROUP: (Reach.GROUP, Reach.ALL),
    Whose.EVERYBODY: (Reach.ALL,),
}


@dataclass(frozen=True, slots=True)
class InboxView:
    """Everything that the page reads from the record. `choices` are whose work can be looked at."""

    inbox: Inbox
    rungs: Mapping[int, Rungs]
    happened: tuple[Happened, ...]
    staff: Staff
    alarms: tuple[AlarmRecord, ...]
    choices: tuple[tuple[Whose, str], ...]
    whose: Whose
    everything: bool

    def address(self, *, everything: bool | None = None, part: str = "") -> str:
        """Of this page as it is looked at, or of a part of it; `everything`: with all that there is."""
        fields = {
            "part": part,
            "whose": self.whose.value if self.choices else "",
            "all": "1" if (self.everything if everything is None else everything) else "",
        }
        said = urlencode({name: value for name, value in fields.items() if value})
        return f"/?{said}" if said else "/"

    @property
    def topics(self) -> str:
        """What makes the lists stale; tasks and deals are one's own whosever cases and leads are shown."""
        wide = "own_cases own_leads" if self.whose is Whose.MINE else "cases leads"
        return f"{wide} own_tasks own_deals alarms"


def inbox_view(conn: Reading, asker: Asker, wanted: str, part: str = "", *, everything: bool = False) -> InboxView:
    """The page of one person, or what one part of it needs; `wanted` is whose work they ask for, theirs to see or
    not. `everything`: with as much as can be drawn."""
    choices = tuple((each, word) for each, word in _WHOSE.items() if asker.reach in _LEAST[each])
    allowed = [each for each, _word in choices]
    whose = Whose(wanted) if wanted in {each.value for each in allowed} else allowed[-1]
    limit = _ALL if everything else _AT_ONCE
    found = inbox(conn, asker, whose, limit=limit) if part in {"", "live"} else NOTHING
    told = told_of(conn, [each.case for each in found.cases], asker)
    return InboxView(
        inbox=found,
        rungs={
            each.case.id: rungs_of(each.case, each.due_at, told.get(each.case.id, ()), asker) for each in found.cases
        },
        happened=happened(conn, asker) if part in {"", "happening"} else (),
        staff=asker.staff,
        alarms=_alarms(conn, asker) if part in {"", "live"} else (),
        choices=choices if len(choices) > 1 else (),
        whose=whose,
        everything=everything,
    )


def _alarms(conn: Reading, asker: Asker) -> tuple[AlarmRecord, ...]:
    """Those that last, for whoever sees any."""
    if not asker.access.may(Right.SEE_ALARMS):
        return ()
    return list_alarms(conn, asker.access, Slice(limit=_ALARMS), lasting=True).items


class InboxPage:
    """The first page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The page, or with `?part=` only the one or the other part of it that refreshes by itself."""
        hub, user = self._pages.hub, user_here(request)
        wanted, name = request.query.get("whose", ""), request.query.get("part", "")
        part, everything = _PARTS.get(name), request.query.get("all") == "1"
        known = name if part is not None else ""
        view = await hub.store.read(
            lambda conn: inbox_view(conn, hub.store.asker(conn, user), wanted, known, everything=everything)
        )
        context = self._context(access_here(request), view, known)
        if part is not None:
            return self._pages.fragment(request, part, **context)
        return self._pages.render(request, "inbox/page.html", **context)

    def _context(self, access: Access, view: InboxView, part: str) -> dict[str, Any]:
        hub, user = self._pages.hub, access.user
        return {
            "view": view,
            "channels": self._channels(),
            "colleagues": colleagues(hub) if part in {"", "people"} else (),
            "peaceful": user.do_not_disturb,
            "shows_alarms": access.may(Right.SEE_ALARMS),
            "promise_minutes": PROMISE_MINUTES,
            "back": view.address(),
        }

    def _channels(self) -> list[tuple[str, str, ChannelHealth]]:
        found = self._pages.hub.channels.items()
        return [(key.channel, key.account, channel.health) for key, channel in sorted(found, key=lambda item: item[0])]
