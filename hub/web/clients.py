"""Clients: the search, the card with its timeline, the answer that is written there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from crm_core.errors import CoreError, StorageUnavailable
from crm_core.messages import ChannelKey
from crm_core.model.access import Access, Sight
from crm_core.model.case import CaseState
from crm_core.model.conversation import SuggestionState
from crm_core.model.office import Office
from crm_core.model.records import CallRecord, LeadRecord, MergeRecord
from crm_core.model.user import Staff
from crm_core.services.calls.recordings import may_hear
from crm_core.services.cards.leads import take
from crm_core.services.desk import Desk
from crm_core.services.letters.replies import reply
from crm_core.services.watching.telling import PROMISE_MINUTES
from crm_core.storage.queries.cases import CaseFilter, list_cases
from crm_core.storage.queries.contacts import ContactCard, ContactFilter, contact_card, list_contacts
from crm_core.storage.queries.leads import LeadFilter, list_leads
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.suggestions import SuggestionCard, SuggestionFilter, last_merge, list_suggestions
from crm_core.storage.queries.timeline import EntryCard, Order, list_entries
from crm_core.storage.queries.workspace.newest import conversations_of
from crm_core.storage.staff import load_staff
from hub.web.pages import Answer, Pages, field_of, number_in, user_here
from hub.web.tongues import _
from hub.web.waiting import Waiting, waiting_of

_CLIENTS = 50
_ENTRIES = 50
_LEADS = 10
_SUGGESTIONS = 10
_LONGEST_REPLY = 100_001  # one more than a reply may have, so that the service refuses what is longer
_WRITTEN_TO = {"telegram": "tg:", "email": "mailto:", "vk": "vk:"}
"""Channels that can be written to, and the identity that is the address there."""


@dataclass(frozen=True, slots=True)
class ClientView:
    """Everything on a client's card. `targets` are the accounts that can write to them, the likeliest first."""

    card: ContactCard
    leads: tuple[LeadRecord, ...]
    waiting: Waiting | None
    entries: Page[EntryCard]
    targets: tuple[ChannelKey, ...]
    staff: Staff
    suggestions: tuple[SuggestionCard, ...] = ()
    merged: tuple[MergeRecord, ContactCard] | None = None

    def hears(self, access: Access, call: CallRecord) -> bool:
        """Whether somebody may hear a call of this client."""
        return may_hear(access, call, self.card.contact.manager)


def client_view(
    conn: Reading, sight: Sight, contact_id: int, after: str | None, office: Office, accounts: tuple[ChannelKey, ...]
) -> ClientView:
    """A client's card with a page of the timeline, newest first; raises NotFound."""
    card = contact_card(conn, contact_id)
    found = list_cases(conn, CaseFilter(state=CaseState.OPEN, contact_id=card.contact.id), Slice(limit=1)).items
    spoken = [ChannelKey(channel, account) for channel, account in conversations_of(conn, card.contact.id)]
    return ClientView(
        card=card,
        leads=list_leads(conn, LeadFilter(contact_id=card.contact.id), Slice(limit=_LEADS)).items,
        waiting=waiting_of(found[0].case, card, found[0].due_at, office) if found else None,
        entries=list_entries(conn, card.contact.id, Order.RECENT, Slice(after, _ENTRIES), sight),
        targets=targets_of(card, spoken, accounts),
        staff=load_staff(conn),
        suggestions=_suggested(conn, card.contact.id),
        merged=last_merge(conn, card.contact.id),
    )


def _suggested(conn: Reading, contact_id: int) -> tuple[SuggestionCard, ...]:
    """Who the client may be besides, the likeliest first."""
    wanted = SuggestionFilter(SuggestionState.OPEN, contact_id)
    found = list_suggestions(conn, wanted, Slice(limit=_SUGGESTIONS)).items
    return tuple(sorted(found, key=lambda each: -each.suggestion.confidence))


def targets_of(card: ContactCard, spoken: list[ChannelKey], accounts: tuple[ChannelKey, ...]) -> tuple[ChannelKey, ...]:
    """Where an answer can go: accounts the client wrote to, then those that know an identity of theirs."""
    kinds = {each.key.partition(":")[0] + ":" for each in card.identities}
    writable = [key for key in accounts if key.channel in _WRITTEN_TO]
    first = [key for key in spoken if key in writable]
    return tuple(dict.fromkeys([*first, *(key for key in writable if _WRITTEN_TO[key.channel] in kinds)]))


class Clients:
    """The pages of clients."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def find(self, request: web.Request) -> Answer:
        """The search."""
        hub = self._pages.hub
        text, after = request.query.get("q", "")[:200], request.query.get("after")
        wanted = ContactFilter(text=text, region=hub.settings.region)

        def query(conn: Reading) -> tuple[Page[ContactCard], Staff]:
            return list_contacts(conn, wanted, Slice(after, _CLIENTS)), load_staff(conn)

        page, staff = await hub.store.read(query)
        return self._pages.render(request, "clients.html", page=page, staff=staff, text=text)

    async def show(self, request: web.Request) -> Answer:
        """The card, or with `?part=live` only what refreshes by itself."""
        view = await self._view(request)
        if view.card.contact.id != number_in(request):
            raise web.HTTPFound(f"/contacts/{view.card.contact.id}")
        context: dict[str, Any] = {
            "view": view,
            "contact": view.card.contact,
            "promise_minutes": PROMISE_MINUTES,
            "back": f"/contacts/{view.card.contact.id}",
            "paged": "after" in request.query,
        }
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "client_live.html", **context)
        return self._pages.render(request, "client.html", written="", **context)

    async def reply(self, request: web.Request) -> Answer:
        """Queue an answer; where it can't be, the page comes back with the text still there."""
        contact_id, login = number_in(request), user_here(request).login
        channel, _colon, account = (await field_of(request, "target", 200)).partition(":")
        text = (await field_of(request, "text", _LONGEST_REPLY)).replace("\r\n", "\n")
        subject = " ".join((await field_of(request, "subject", 300)).split())
        where = f"/contacts/{contact_id}"

        def service(desk: Desk) -> None:
            reply(desk, contact_id, login, channel=channel, account=account or None, text=text, subject=subject)

        try:
            await self._pages.act(request, service)
        except StorageUnavailable:
            raise
        except CoreError as err:
            view = await self._view(request)
            return self._pages.render(
                request,
                "client.html",
                status=400,
                view=view,
                contact=view.card.contact,
                promise_minutes=PROMISE_MINUTES,
                back=where,
                paged=False,
                written=text,
                problem=str(err),
            )
        raise self._pages.redirect(request, where, _("The answer is on its way."))

    async def take_lead(self, request: web.Request) -> Answer:
        """Take a lead of the client."""
        login, back = user_here(request).login, f"/contacts/{number_in(request)}"
        try:
            await self._pages.act(request, lambda desk: take(desk, number_in(request, "lead_id"), login))
        except StorageUnavailable:
            raise
        except CoreError as err:
            raise self._pages.redirect(request, back, str(err)) from err
        raise self._pages.redirect(request, back, _("The lead is yours."))

    async def _view(self, request: web.Request) -> ClientView:
        hub = self._pages.hub
        contact_id, after = number_in(request), request.query.get("after")
        accounts = tuple(hub.channels)
        user, office = user_here(request), hub.store.office

        def view(conn: Reading) -> ClientView:
            sight = hub.store.access(conn, user).sight
            return client_view(conn, sight, contact_id, after, office, accounts)

        return await hub.store.read(view)
