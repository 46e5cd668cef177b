"""The list of mailings, and the page of one: a draft with its count and how it looks, or how it goes and whom it
reached."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.model.access import Access
from crm_core.model.callback import permitted_at
from crm_core.model.outreach import BroadcastState
from crm_core.services.letters.broadcasts import look_of, template_of
from crm_core.services.letters.reckoning import reckoned, sampled
from crm_core.storage.queries.pages import Page, Reading
from crm_core.storage.staff import load_staff
from hub.web.broadcasts.view import CHOICES, Reach, Recipient, Told, held_word, recipients, told_all, told_one
from hub.web.broadcasts.words import BECAME, became_word
from hub.web.pages import Answer, Pages, access_here, number_in, user_here

_MOST_PORTIONS: Final = 50
_RESENT: Final = frozenset({BroadcastState.RUNNING, BroadcastState.PAUSED, BroadcastState.DONE})


class BroadcastPages:
    """What there is to see."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show_all(self, request: web.Request) -> Answer:
        """The broadcasts; with `?part=live` only what refreshes by itself."""
        after, access = request.query.get("after") or None, access_here(request)
        page, staff = await self._pages.hub.store.read(lambda conn: (told_all(conn, access, after), load_staff(conn)))
        context: dict[str, Any] = {
            "page": page,
            "staff": staff,
            "paged": after is not None,
            "now": self._pages.hub.clock.now(),
        }
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "broadcasts/list.html", **context)
        return self._pages.render(request, "broadcasts/page.html", **context)

    async def show(self, request: web.Request) -> Answer:
        """One broadcast; with `?part=live` only what refreshes by itself, with `?count=1` counted at once."""
        hub, query, ident = self._pages.hub, request.query, number_in(request)
        which = query.get("show", "") if query.get("show", "") in CHOICES else ""
        after, access = query.get("after") or None, access_here(request)

        def read(conn: Reading) -> tuple[Told, Page[Recipient]]:
            told = told_one(conn, access, ident)
            draft = told.record.state is BroadcastState.DRAFT
            return told, Page((), None) if draft else recipients(conn, access, ident, which, after)

        told, listed = await hub.store.read(read)
        office = hub.store.office
        rests = permitted_at(office.robot, ZoneInfo(office.time_zone), hub.clock.now())
        context: dict[str, Any] = {
            "told": told,
            "record": told.record,
            "listed": listed,
            "which": which,
            "choices": [(each, became_word(each) if each else "") for each in CHOICES],
            "tiles": [(each, became_word(each), told.tally.of(each)) for each in BECAME],
            "became_word": became_word,
            "address": f"/broadcasts/{ident}" + (f"?show={which}" if which else ""),
            "resent": told.record.state in _RESENT,
            "ends": told.ends(max(rests, hub.clock.now())),
            "rests": rests if told.going_on and rests > hub.clock.now() else None,
            "paged": after is not None,
        }
        if query.get("part") == "live":
            return self._pages.fragment(request, "broadcasts/live.html", **context)
        sample, body, seen, problem = None, None, "", ""
        if told.record.state is BroadcastState.DRAFT:
            asked = query.get("behind", "")
            behind = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
            try:
                sample, body, seen = await hub.store.look(
                    lambda desk: (
                        sampled(desk, ident, above=behind),
                        template_of(desk, told.record),
                        look_of(desk, told.record),
                    ),
                    access,
                )
            except InvalidInput as err:
                problem = str(err)
        user = user_here(request)
        return self._pages.render(
            request,
            "broadcasts/one.html",
            **context,
            sample=sample,
            held=held_word(sample.held) if sample is not None and sample.held is not None else "",
            body=body,
            seen=seen,
            problem=problem,
            reach=await self._reach(ident, access) if query.get("count") == "1" and not problem else None,
            address_of_mine=bool(user.email or user.telegram_id),
        )

    async def reach(self, request: web.Request) -> Answer:
        """Whom a draft would reach, as a part of its page."""
        access, ident = access_here(request), number_in(request)
        told = await self._pages.hub.store.read(lambda conn: told_one(conn, access, ident))
        try:
            reach, problem = await self._reach(ident, access), ""
        except InvalidInput as err:
            reach, problem = None, str(err)
        return self._pages.fragment(request, "broadcasts/reach.html", record=told.record, reach=reach, problem=problem)

    async def _reach(self, broadcast_id: int, access: Access) -> Reach:
        """Counted a portion at a time, each in a look of its own, so that nobody waits behind it."""
        found = Reach()
        for _portion in range(_MOST_PORTIONS):
            looking = partial(reckoned, broadcast_id=broadcast_id, above=found.above, taken=found.marks)
            found.add(await self._pages.hub.store.look(looking, access))
            if found.whole:
                break
        return found
