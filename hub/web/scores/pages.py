"""The page of a client's figures and needs, and that of the clients with whom to speak today."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.model.selling import ProductRecord
from crm_core.storage.queries import contacts, scores
from crm_core.storage.queries.pages import Reading
from crm_core.storage.staff import load_staff
from hub.web.board.words import quantity
from hub.web.pages import Answer, Pages, access_here, number_in
from hub.web.shown import money

_MOST: Final = 100
_CURRENCY: Final = str(ProductRecord._field_defaults["currency"])
_MINE, _EVERYBODYS = "mine", "all"


class Scores:
    """The two pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def of_client(self, request: web.Request) -> Answer:
        """What a client's sales tell of them, and what they will probably buy next."""
        contact_id, access = number_in(request), access_here(request)

        def read(conn: Reading) -> dict[str, Any]:
            contact = contacts.current(conn, access, contact_id)
            try:
                score = scores.score_of(conn, access, contact.id)
            except NotFound:  # nothing was worked out of their sales yet
                score = None
            return {"contact": contact, "score": score, "needs": scores.needs_of(conn, access, contact.id)}

        found = await self._pages.hub.store.read(read)
        if found["contact"].id != contact_id:
            raise web.HTTPFound(f"/contacts/{found['contact'].id}/figures")
        return self._pages.render(
            request, "scores/client.html", **found, money=money, currency=_CURRENCY, quantity=quantity, day=_day
        )

    async def today(self, request: web.Request) -> Answer:
        """The clients worth speaking to today, the most worth it first: one's own, everybody's, those of a manager."""
        hub, access = self._pages.hub, access_here(request)
        whose = request.query.get("whose", _MINE)[:100]
        manager = access.login if whose == _MINE else None if whose == _EVERYBODYS else whose
        times = scores.Times.of(hub.clock.now(), ZoneInfo(hub.store.office.time_zone))
        rows, staff = await hub.store.read(
            lambda conn: (scores.todays_clients(conn, access, times, manager, _MOST), load_staff(conn))
        )
        people = sorted(
            (each for each in staff.by_login.values() if each.active), key=lambda each: each.name.casefold()
        )
        return self._pages.render(
            request, "scores/today.html", rows=rows, staff=staff, people=people, whose=whose, day=_day, most=_MOST
        )


def _day(text: str) -> str:
    """A day `YYYY-MM-DD` for people."""
    return f"{date.fromisoformat(text):%d.%m.%Y}"
