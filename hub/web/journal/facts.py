"""The pages of the journal: its rows, one with what arrived, and reading again one or all of a kind."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from crm_core.errors import Forbidden, NotFound, StorageUnavailable
from crm_core.messages import ReceiptState
from crm_core.model.records import JournalState
from crm_core.storage.queries.journal import (
    FailedKind,
    JournalFilter,
    JournalRow,
    count_newer,
    failed_kinds,
    list_journal,
    one_fact,
)
from crm_core.storage.queries.pages import Page, Reading, Slice
from hub.log import get_logger
from hub.web.board.editing import ident_of
from hub.web.here import MOST_FRESH, fresh_rows
from hub.web.journal.raw import readable
from hub.web.pages import Answer, Pages, access_here, field_of, number_in, user_here
from hub.web.tongues import _, ngettext, told

log = get_logger(__name__)

_ROWS = 50
_AT_ONCE = 200
_KIND = ("channel", "account", "what")


class Journal:
    """The pages of the journal."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """Failed rows, or with `?state=all` every row, newest first; of one kind where that is named. With `?part=live`
        what refreshes by itself, with `?part=fresh&than=` how many rows are newer than one."""
        everything = request.query.get("state") == "all"
        kind = {name: request.query[name][:300] for name in _KIND if request.query.get(name)}
        wanted = JournalFilter(state=None if everything else JournalState.FAILED, **kind)
        where, access = Slice(request.query.get("after"), _ROWS), access_here(request)
        state = {"state": "all"} if everything else {}
        here = f"/journal?{urlencode({**state, **kind})}"
        part = request.query.get("part", "")
        if part == "fresh":
            than = ident_of(request.query.get("than", ""), "than") or 0
            count = await self._pages.hub.store.read(
                lambda conn: count_newer(conn, access, wanted, than, MOST_FRESH + 1)
            )
            return self._pages.fragment(request, "fresh.html", fresh=fresh_rows(count), address=here)

        def read(conn: Reading) -> tuple[Page[JournalRow], list[FailedKind]]:
            return list_journal(conn, access, wanted, where), failed_kinds(conn, access)

        page, kinds = await self._pages.hub.store.read(read)
        more = urlencode({**state, **kind, "after": page.next}) if page.next else ""
        context: dict[str, Any] = {"page": page, "kinds": kinds, "everything": everything, "more": more}
        if part == "live":
            return self._pages.fragment(request, "journal/live.html", **context)
        paged = where.after is not None
        return self._pages.render(request, "journal/rows.html", **context, kind=kind, here=here, paged=paged)

    async def one(self, request: web.Request) -> Answer:
        """One row with what arrived, as text; with `?part=live` how it stands, which refreshes by itself."""
        access, ident = access_here(request), number_in(request)
        fact = await self._pages.hub.store.read(lambda conn: one_fact(conn, access, ident))
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "journal/state.html", fact=fact)
        raw = bytes(fact.raw)
        return self._pages.render(
            request, "journal/row.html", fact=fact, raw=readable(raw, fact.raw_type), size=len(raw)
        )

    async def replay(self, request: web.Request) -> Answer:
        """Read a failed fact again."""
        journal_id = number_in(request)
        back = await field_of(request, "from")
        where = f"/journal/{journal_id}" if back == "row" else "/journal"
        try:
            receipt = await self._pages.hub.intake.replay(journal_id, user_here(request))
        except (StorageUnavailable, Forbidden):
            raise
        except Exception as err:
            log.warning("a journal row failed again", journal_id=journal_id, error=str(err))
            raise self._pages.redirect(request, where, f"№ {journal_id}: {told(str(err))}") from err
        failed = receipt.state is ReceiptState.FAILED
        said = _("Not understood") if failed else _("The journal row was read again.")
        raise self._pages.redirect(request, where, f"№ {journal_id}: {said}" if failed else said)

    async def replay_kind(self, request: web.Request) -> Answer:
        """Read all failed facts of a kind again, some hundred at a time."""
        hub, access = self._pages.hub, access_here(request)
        kind = {name: await field_of(request, name, 300) for name in _KIND}
        if not kind["channel"]:
            raise NotFound("no kind is named")
        wanted = JournalFilter(JournalState.FAILED, kind["channel"], kind["account"], kind["what"])
        page = await hub.store.read(lambda conn: list_journal(conn, access, wanted, Slice(None, _AT_ONCE)))
        done, failed, why = 0, 0, ""
        for row in reversed(page.items):  # as they came
            try:
                receipt = await hub.intake.replay(row.id, user_here(request))
            except (StorageUnavailable, Forbidden):
                raise
            except Exception as err:  # noqa: BLE001 - whatever is wrong with one row, the others are tried
                log.warning("a journal row failed again", journal_id=row.id, error=str(err))
                failed, why = failed + 1, told(str(err))
                continue
            if receipt.state is ReceiptState.FAILED:
                failed += 1
            else:
                done += 1
        said = ngettext("{count} row was read again.", "{count} rows were read again.", done).format(count=done)
        if failed:
            said += " " + _("Still not understood: {count}.").format(count=failed)
        if why:
            said += f" {why[:200]}"
        if page.next:
            said += " " + _("There are more: repeat.")
        raise self._pages.redirect(request, "/journal", said)
