"""The proof that no call is missing: days of each PBX compared with its call records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.reconciliation import list_reconciliations
from hub.web.board.words import day_text
from hub.web.pages import Answer, Pages, access_here
from hub.web.tongues import NP_, pgettext

_ROWS = 40

WHYS: Final[Mapping[str, str]] = {
    "equal": NP_("reconciliation", "equal"),
    "differs": NP_("reconciliation", "the hub knows it otherwise"),
    "unknown": NP_("reconciliation", "the hub did not know it"),
    "unfinished": NP_("reconciliation", "the hub did not know its end"),
    "going on": NP_("reconciliation", "goes on"),
    "answered": NP_("reconciliation", "the hub did not know of the answer"),
    "unreadable": NP_("reconciliation", "the record can't be read"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "settled": NP_("reconciliation", "brought in"),
    "missing": NP_("reconciliation", "still missing"),
    "unreadable": NP_("reconciliation", "unreadable"),
}


class Reconciliations:
    """The page of comparisons."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """Comparisons, the newest first; of one PBX where that is named."""
        pbx, where = request.query.get("pbx") or None, Slice(request.query.get("after"), _ROWS)
        access = access_here(request)
        page = await self._pages.hub.store.read(lambda conn: list_reconciliations(conn, access, where, pbx))
        named = {"pbx": pbx} if pbx else {}
        return self._pages.render(
            request,
            "upkeep/reconciliation.html",
            page=page,
            pbx=pbx,
            why=_why,
            outcome=_outcome,
            began=_began,
            day=day_text,
            more=urlencode({**named, "after": page.next}) if page.next else "",
        )


def _began(call: Mapping[str, Any]) -> datetime | None:
    """When a call began that was not equal; None where its record can't be read."""
    return datetime.fromisoformat(call["started_at"]) if call.get("started_at") else None


def _why(word: str) -> str:
    return pgettext("reconciliation", WHYS[word]) if word in WHYS else word


def _outcome(word: str) -> str:
    return pgettext("reconciliation", OUTCOMES[word]) if word in OUTCOMES else word
