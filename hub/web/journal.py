"""The journal for administrators: what came in, what was not understood, another try."""

from __future__ import annotations

from aiohttp import web

from crm_core.errors import StorageUnavailable
from crm_core.messages import ReceiptState
from crm_core.model.records import JournalState
from crm_core.storage.queries.journal import JournalFilter, list_journal
from crm_core.storage.queries.pages import Slice
from hub.log import get_logger
from hub.web.pages import Answer, Pages, number_in
from hub.web.tongues import _

log = get_logger(__name__)

_ROWS = 50


class Journal:
    """The pages of the journal."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """Failed rows, or with `?state=all` every row, newest first."""
        everything = request.query.get("state") == "all"
        wanted = JournalFilter(state=None if everything else JournalState.FAILED)
        where = Slice(request.query.get("after"), _ROWS)
        page = await self._pages.hub.store.read(lambda conn: list_journal(conn, wanted, where))
        return self._pages.render(request, "journal.html", page=page, everything=everything)

    async def replay(self, request: web.Request) -> Answer:
        """Read a failed fact again."""
        journal_id = number_in(request)
        try:
            receipt = await self._pages.hub.intake.replay(journal_id)
        except StorageUnavailable:
            raise
        except Exception as err:
            log.warning("a journal row failed again", journal_id=journal_id, error=str(err))
            raise self._pages.redirect(request, "/journal", f"№ {journal_id}: {err}") from err
        failed = receipt.state is ReceiptState.FAILED
        said = _("Not understood") if failed else _("The journal row was read again.")
        raise self._pages.redirect(request, "/journal", f"№ {journal_id}: {said}" if failed else said)
