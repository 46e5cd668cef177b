"""A view taken away as a table: the lines that whoever takes it may take away, every cell harmless, and noted."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.model import written
from crm_core.model.access import Right
from crm_core.services.taking_away import take_view
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.control.asking import control_page
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, Figure, Unit
from crm_core.storage.queries.workspace.control.words import VIEWS
from hub.reporting import harmless
from hub.web.control.layout import columns_of
from hub.web.control.page import Chosen, view_of
from hub.web.pages import Answer, Pages, user_here
from hub.web.shown import called, staff_name
from hub.web.tongues import _, language, told

_AT_ONCE: Final = 200
_MOST: Final = 10_000


class ControlExport:
    """Views as CSV."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def send(self, request: web.Request) -> Answer:
        """All lines of a view, up to ten thousand. Who takes them is noted before the first goes out."""
        hub, user, name, query = self._pages.hub, user_here(request), view_of(request), request.query
        spoken = language()

        def reading(conn: Reading) -> list[list[str]]:
            return _table(conn, hub.store.asker(conn, user), name, query, spoken)

        table = await hub.store.read(reading)
        said = ", ".join(f"{key}={query[key]}" for key in ("group", "person") if query.get(key))
        figures = VIEWS[name].figures
        await self._pages.act(
            request, lambda desk: take_view(desk, name.value, len(table) - 1, figures=figures, detail=said)
        )
        out = io.StringIO()
        # What a Russian spreadsheet takes for a table.
        writer = csv.writer(out, delimiter=";" if spoken == "ru" else ",", lineterminator="\r\n")
        writer.writerows([harmless(cell) for cell in row] for row in table)
        return web.Response(
            body=out.getvalue().encode("utf-8-sig"),
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="control-{name.value}.csv"',
            },
        )


def _table(conn: Reading, asker: Asker, name: ControlView, query: Mapping[str, str], spoken: str) -> list[list[str]]:
    """The headings and the rows, of what may be taken away alone."""
    figures, access = VIEWS[name].figures, asker.access
    chosen, after = Chosen.of(asker, query), None
    found: list[ControlRow] = []
    while len(found) < _MOST:
        where = Slice(after, _AT_ONCE)
        page = control_page(conn, asker, name, where, group=chosen.group or None, person=chosen.person or None)
        found += [each for each in page.items if figures or access.within(Right.EXPORT, each.login)]
        after = page.next
        if after is None:
            break
    columns, zone = columns_of(name, found, spoken), asker.zone
    headings = [
        columns.subject,
        *([_("Client")] if columns.client else []),
        *([_("Telephone")] if columns.client or columns.login else []),
        *([_("Whose")] if columns.login else []),
        *([columns.at] if columns.at else []),
        columns.note or _("Note"),
    ]
    rows = [[*_cells(row, columns.client, columns.login, bool(columns.at), asker, zone)] for row in found[:_MOST]]
    values = [_figures(row, spoken) for row in found[:_MOST]]
    titles = list(dict.fromkeys(title for each in values for title in each))
    return [
        [*headings, *titles],
        *([*row, *(each.get(title, "") for title in titles)] for row, each in zip(rows, values, strict=True)),
    ]


def _cells(row: ControlRow, client: bool, login: bool, at: bool, asker: Asker, zone: ZoneInfo) -> list[str]:
    number = (row.client.number or row.client.handle) if row.client is not None else ""
    return [
        row.title,
        *([called(row.client) if row.client is not None else ""] if client else []),
        *([number] if client or login else []),
        *([staff_name(asker.staff, row.login, "")] if login else []),
        *([row.at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.at is not None else ""] if at else []),
        told(row.note),
    ]


def _figures(row: ControlRow, spoken: str) -> dict[str, str]:
    return {title: text for each in row.figures for title, text in _figure(each, spoken).items()}


def _figure(figure: Figure, spoken: str) -> dict[str, str]:
    title, value = figure.title.said(spoken), figure.value
    said: dict[str, Any]
    match figure.unit:
        case Unit.MONEY:
            exact = Decimal(int(value)).scaleb(-written.places_of(figure.currency)) if value is not None else ""
            said = {title: exact, _("Currency"): figure.currency}
        case Unit.SECONDS:
            said = {_("{title}, s").format(title=title): "" if value is None else int(value)}
        case Unit.SHARE:
            said = {_("{title}, %").format(title=title): "" if value is None else round(float(value) * 100, 1)}
        case Unit.COUNT:
            said = {title: "" if value is None else value}
    return {name: str(each) for name, each in said.items()}
