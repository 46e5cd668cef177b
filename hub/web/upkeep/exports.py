"""Taking a table away: all that somebody may take of a kind, as CSV or XLSX; who took it is written down."""

from __future__ import annotations

from aiohttp import web

from crm_core.model.filters import Filter
from hub.access.remote import remote_of
from hub.exchange import exporting
from hub.http.tables import Form, send_table
from hub.web.pages import Answer, Pages, access_here, user_here


class Exports:
    """The tables that go out."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def take(self, request: web.Request) -> Answer:
        """A table; the whole of it that the person may take."""
        hub, kind, form = self._pages.hub, request.match_info["kind"], request.query.get("form", "csv")
        if kind not in exporting.KINDS or form not in set(Form):
            raise web.HTTPNotFound
        table = await exporting.export(
            hub.store,
            hub.clock,
            kind,
            Filter(),
            login=user_here(request).login,
            remote=remote_of(request),
            form=form,
            access=access_here(request),
        )
        return await send_table(request, kind, Form(form), table)
