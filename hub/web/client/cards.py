"""The card itself: the whole page, and the parts of it that refresh by themselves."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web

from crm_core.model.rights import Right
from crm_core.model.user import Staff
from crm_core.services.watching.telling import PROMISE_MINUTES
from crm_core.storage.queries.contacts import ContactCard
from crm_core.storage.queries.pages import LARGEST_ID
from hub.web.board.words import day_text
from hub.web.client.composing import NOTE, Draft, target_name
from hub.web.client.facts import Typed, facts_of, people
from hub.web.client.mails import has_remote
from hub.web.client.reaching import links_of
from hub.web.client.timeline import SHOWS, is_photo, kind_word, kinds_of, place_of
from hub.web.client.view import Business, ClientView, Wanted, business_of, client_view, entries_view
from hub.web.doing import part
from hub.web.pages import Answer, Pages, access_here, number_in, user_here
from hub.web.returning import scripted
from hub.web.shown import money

NO_DRAFT = Draft()
END = Wanted()

_LONGEST_CURSOR = 200
_LONGEST_WORDS = 200
_FIRST_DAY, _LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)


class Cards:
    """Shows clients."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The card, or a part: `?part=live`, `talk`, `about`, `business`; `older`, `newer`, `fresh` are its entries."""
        wanted, name = wanted_of(request), request.query.get("part", "")
        if name in {"older", "newer", "fresh"}:
            return await self._entries(request, wanted, name)
        if name == "business":
            return await self._business(request)
        view = await self.view(request, wanted)
        if view.card.contact.id != number_in(request):
            if name and scripted(request):
                return self._merged(request, view.card)
            raise web.HTTPFound(f"/contacts/{view.card.contact.id}")
        context = self.context(request, view, wanted)
        match name:
            case "live":
                return self._pages.fragment(request, "client/flow.html", **context)
            case "talk":
                return self._pages.fragment(request, "client/talk.html", **context)
            case "about":
                return self._pages.fragment(request, "client/about.html", **context)
            case _:
                return self._pages.render(request, "client/card.html", **context)

    async def again(
        self, request: web.Request, status: int, *, draft: Draft = NO_DRAFT, typed: Typed | None = None
    ) -> Answer:
        """The whole card once more, with what could not be kept still in its place."""
        view = await self.view(request, END)
        context = self.context(request, view, END, draft=draft, typed=typed)
        return self._pages.render(request, "client/card.html", status=status, **context)

    async def piece(
        self,
        request: web.Request,
        template: str,
        status: int = 200,
        *,
        draft: Draft = NO_DRAFT,
        typed: Typed | None = None,
    ) -> Answer:
        """A part of the card as it is now, with what could not be kept still in its place."""
        view = await self.view(request, END)
        context = self.context(request, view, END, draft=draft, typed=typed)
        answer = self._pages.fragment(request, template, **context)
        return part(answer, status)

    async def view(self, request: web.Request, wanted: Wanted) -> ClientView:
        """All of a card."""
        hub, user, contact_id = self._pages.hub, user_here(request), number_in(request)
        accounts = tuple(hub.channels)
        return await hub.store.read(
            lambda conn: client_view(conn, hub.store.asker(conn, user), contact_id, wanted, accounts)
        )

    def context(
        self,
        request: web.Request,
        view: ClientView,
        wanted: Wanted,
        *,
        draft: Draft = NO_DRAFT,
        typed: Typed | None = None,
    ) -> dict[str, Any]:
        """What the templates of the card name."""
        last = target_name(view.chosen)
        return {
            **self._of_business(request, view.business, view.around.staff),
            **_OF_ENTRIES,
            "edge": "",
            "view": view,
            "entries": view.entries,
            "around": view.around,
            "facts": facts_of(view.card.contact, view.asker, typed),
            "links_of": links_of,
            "wanted": wanted,
            "shows": SHOWS,
            "kind_word": kind_word,
            "kinds_of": kinds_of,
            "draft": draft,
            "target": draft.target or last,
            "target_name": target_name,
            "note": NOTE,
            "keeps": access_here(request).may(Right.KEEP_CLIENTS),
        }

    def _of_business(self, request: web.Request, business: Business, staff: Staff) -> dict[str, Any]:
        contact = business.card.contact
        return {
            "contact": contact,
            "business": business,
            "staff": staff,
            "people": people(staff),
            "promise_minutes": PROMISE_MINUTES,
            "money": money,
            "sells": access_here(request).may(Right.KEEP_SALES),
            "day_text": day_text,
            "today": self._pages.hub.clock.now().astimezone(self._pages.hub.settings.time_zone).date().isoformat(),
            "back": f"/contacts/{contact.id}",
        }

    async def _business(self, request: web.Request) -> Answer:
        hub, user, contact_id = self._pages.hub, user_here(request), number_in(request)
        business, staff = await hub.store.read(
            lambda conn: (business_of(conn, asker := hub.store.asker(conn, user), contact_id), asker.staff)
        )
        if business.card.contact.id != contact_id:
            return self._merged(request, business.card)
        return self._pages.fragment(request, "client/business.html", **self._of_business(request, business, staff))

    def _merged(self, request: web.Request, survivor: ContactCard) -> Answer:
        """In place of a part of a card that another took over while it was open: which one, for the page to say so."""
        answer = self._pages.fragment(request, "client/merged.html", survivor=survivor)
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#merged", "outerHTML"
        return answer

    async def _entries(self, request: web.Request, wanted: Wanted, name: str) -> Answer:
        """Entries alone, to be put beside those that are shown."""
        hub, user, contact_id = self._pages.hub, user_here(request), number_in(request)
        fresh, missed = name == "fresh", "missed" in request.query
        view = await hub.store.read(
            lambda conn: entries_view(conn, hub.store.asker(conn, user), contact_id, wanted, fresh=fresh, missed=missed)
        )
        if view.around.client.contact.id != contact_id:
            return self._merged(request, view.around.client)
        return self._pages.fragment(
            request,
            "client/entries.html",
            **_OF_ENTRIES,
            contact=view.around.client.contact,
            around=view.around,
            entries=view.entries,
            wanted=wanted,
            edge=name,
        )


_OF_ENTRIES: dict[str, Any] = {"place_of": place_of, "has_remote": has_remote, "is_photo": is_photo}


def wanted_of(request: web.Request) -> Wanted:
    """The part of the timeline that an address names; what makes no sense of it counts for nothing, but a bad cursor is
    refused when it is read."""
    query = request.query
    show, entry, day = query.get("show", ""), query.get("entry", ""), query.get("day", "")
    number = int(entry) if entry.isascii() and entry.isdigit() and len(entry) <= 18 else None
    older, newer = (query.get(name, "")[:_LONGEST_CURSOR] or None for name in ("older", "newer"))
    words = " ".join(query.get("q", "").split())[:_LONGEST_WORDS]
    return Wanted(
        show=show if show in SHOWS else "",
        older=older or query.get("after", "")[:_LONGEST_CURSOR] or None,
        newer=newer,
        entry=number if number is not None and number <= LARGEST_ID else None,
        day=_day(day),
        words=words if not (entry or day) else "",
    )


def _day(text: str) -> date | None:
    """A day of this age, as a field for dates gives it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST_DAY <= day <= _LAST_DAY else None
