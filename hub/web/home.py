"""The first page: who waits, what happens, how the channels stand; and the acts on a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from crm_core.errors import CoreError, StorageUnavailable
from crm_core.model.case import CaseKind, CaseState
from crm_core.model.ladder import LadderEvent, Told
from crm_core.model.office import Office
from crm_core.model.records import AlarmRecord, CaseRecord
from crm_core.model.user import Staff
from crm_core.ports import ChannelHealth
from crm_core.services.cards.leads import take
from crm_core.services.desk import Desk
from crm_core.services.watching.cases import close_by_hand, open_lead_of_case, promise, take_case
from crm_core.services.watching.telling import PROMISE_MINUTES
from crm_core.storage.queries.alarms import list_alarms
from crm_core.storage.queries.cases import CaseFilter, list_cases
from crm_core.storage.queries.contacts import ContactCard, cards_of
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.timeline import EntryCard
from crm_core.storage.queries.workspace.newest import newest_entries
from crm_core.storage.staff import load_staff
from hub.rights import Right, may
from hub.web.pages import Answer, Pages, field_of, local_path, number_in, user_here
from hub.web.people import colleagues
from hub.web.tongues import _

_CASES = 200
_EVENTS = 40
_ALARMS = 20
_LADDER_OF = {CaseKind.CALL: LadderEvent.CALL_MISSED, CaseKind.MESSAGE: LadderEvent.MESSAGE_UNANSWERED}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A client who waits; `told` are those of the last rung told, `next_tells` those of the one to come."""

    case: CaseRecord
    client: ContactCard
    due_at: datetime | None
    told: tuple[Told, ...]
    next_tells: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class HomeView:
    """Everything that the page reads from the record."""

    waiting: tuple[Waiting, ...]
    events: tuple[tuple[EntryCard, ContactCard | None], ...]
    staff: Staff
    alarms: tuple[AlarmRecord, ...]


def home_view(conn: Reading, office: Office) -> HomeView:
    """Open cases, the oldest first, and the newest entries of all clients."""
    cases = list_cases(conn, CaseFilter(state=CaseState.OPEN), Slice(limit=_CASES)).items
    entries = newest_entries(conn, _EVENTS)
    clients = cards_of(conn, [each.case.contact_id for each in cases] + [each.entry.contact_id for each in entries])
    waiting = (
        waiting_of(card.case, clients[card.case.contact_id], card.due_at, office)
        for card in cases
        if card.case.contact_id in clients
    )
    return HomeView(
        waiting=tuple(sorted(waiting, key=lambda each: each.case.opened_at)),
        events=tuple((each, clients.get(each.entry.contact_id)) for each in entries),
        staff=load_staff(conn),
        alarms=list_alarms(conn, Slice(limit=_ALARMS), lasting=True).items,
    )


def waiting_of(case: CaseRecord, client: ContactCard, due_at: datetime | None, office: Office) -> Waiting:
    """A case with what its ladder says of it."""
    ladder = office.ladders.get(_LADDER_OF[CaseKind(case.kind)])
    steps = ladder.steps if ladder is not None else ()
    told = steps[case.rung].tell if case.rung is not None and case.rung < len(steps) else ()
    upcoming = 0 if case.rung is None else case.rung + 1
    next_tells = steps[upcoming].tell if upcoming < len(steps) and due_at is not None else ()
    return Waiting(case, client, due_at, told, next_tells)


class Home:
    """The first page and what is done on it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The page, or with `?part=live` only what refreshes by itself."""
        hub = self._pages.hub
        view = await hub.store.read(lambda conn: home_view(conn, hub.store.office))
        context: dict[str, Any] = {
            "view": view,
            "channels": self._channels(),
            "colleagues": colleagues(hub),
            "peaceful": user_here(request).do_not_disturb,
            "shows_alarms": may(user_here(request), Right.SEE_ALARMS),
            "promise_minutes": PROMISE_MINUTES,
            "back": "/",
        }
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "home_live.html", **context)
        return self._pages.render(request, "home.html", **context)

    async def take(self, request: web.Request) -> Answer:
        """Somebody looks after the client, and takes their untaken lead."""
        login = user_here(request).login

        def service(desk: Desk) -> None:
            case = take_case(desk, number_in(request), login)
            lead_id = open_lead_of_case(desk, case)
            if lead_id is not None:
                take(desk, lead_id, login)

        return await self._act(request, service, _("The case is yours."))

    async def promise(self, request: web.Request) -> Answer:
        """Somebody will answer soon."""
        login = user_here(request).login

        def service(desk: Desk) -> None:
            promise(desk, number_in(request), login, desk.now + timedelta(minutes=PROMISE_MINUTES))

        return await self._act(request, service, _("The promise is noted."))

    async def close(self, request: web.Request) -> Answer:
        """Nothing is owed any more; the reason is on the timeline."""
        login, reason = user_here(request).login, await field_of(request, "reason", 300)
        return await self._act(
            request,
            lambda desk: close_by_hand(desk, number_in(request), login, reason),
            _("The case is closed."),
        )

    async def _act(self, request: web.Request, service: Callable[[Desk], Any], notice: str) -> Answer:
        """Do it, and go back with a line on how it went."""
        back = local_path(await field_of(request, "back"), "/")
        try:
            await self._pages.hub.store.run(service)
        except StorageUnavailable:
            raise
        except CoreError as err:
            raise self._pages.redirect(request, back, str(err)) from err
        raise self._pages.redirect(request, back, notice)

    def _channels(self) -> list[tuple[str, str, ChannelHealth]]:
        found = self._pages.hub.channels.items()
        return [(key.channel, key.account, channel.health) for key, channel in sorted(found, key=lambda item: item[0])]
