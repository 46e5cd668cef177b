"""Reports: what there are, and one with its period, its definition beside the figures, and a way to a spreadsheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.model.access import Access
from crm_core.model.rights import Reach, Right
from crm_core.model.user import Staff
from crm_core.storage.queries.pages import Reading
from crm_core.storage.reports import REPORTS
from crm_core.storage.reports.base import MOST_ROWS, Report, Table, Wanted
from crm_core.storage.reports.reading import report_of
from crm_core.storage.staff import load_staff
from hub.reporting import Asked, may_take, recording_url, report_named, wanted_of
from hub.web.pages import Answer, Pages, access_here

_ROWS = 500
_HEARD = 3


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report as it is drawn; `first` and `last` are the days of its period."""

    report: Report
    wanted: Wanted
    table: Table
    staff: Staff
    first: str
    last: str
    by: str
    manager: str

    def address(self, *, api: bool = False) -> str:
        """The address of these figures, of the page or (as CSV, with all rows that there may be) of the API."""
        fields = {"from": self.first, "to": self.last, "by": self.by, "manager": self.manager}
        if api:
            fields |= {"format": "csv", "limit": str(MOST_ROWS)}
            if self.wanted.office.language == "ru":
                fields["separator"] = "semicolon"  # what a Russian spreadsheet takes for a table
        said = urlencode({name: value for name, value in fields.items() if value})
        return f"{'/api/v1' if api else ''}/reports/{self.report.name}?{said}"


class Reports:
    """The pages of reports."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show_all(self, request: web.Request) -> Answer:
        """What there are."""
        self._admit(request)
        return self._pages.render(request, "reports/index.html", reports=tuple(REPORTS.values()))

    async def show(self, request: web.Request) -> Answer:
        """One, with its figures; a period that makes no sense is said, and the usual one is shown."""
        self._admit(request)
        report, query, problem = report_named(request.match_info["name"]), request.query, ""
        asked = Asked(
            query.get("from", "")[:40],
            query.get("to", "")[:40],
            query.get("by", "")[:80],
            query.get("manager", "")[:64],
            _ROWS,
        )
        try:
            wanted = self._wanted(request, report, asked)
        except InvalidInput as err:
            problem, asked = str(err), Asked(limit=_ROWS)
            wanted = self._wanted(request, report, asked)
        access = access_here(request)
        view = await self._pages.hub.store.read(lambda conn: _view(conn, access, report, wanted, asked))
        context: dict[str, Any] = {
            "view": view,
            "problem": problem,
            "heard": _HEARD,
            "recording_url": recording_url,
            "takes": may_take(access) or not view.table.names_clients,
            "chooses_manager": access.reach(Right.SEE_REPORTS) is Reach.ALL,
        }
        return self._pages.render(request, "reports/report.html", status=400 if problem else 200, **context)

    def _wanted(self, request: web.Request, report: Report, asked: Asked) -> Wanted:
        hub = self._pages.hub
        return wanted_of(report, asked, access_here(request), hub.store.office, hub.clock.now())

    def _admit(self, request: web.Request) -> None:
        if not access_here(request).may(Right.SEE_REPORTS):
            raise web.HTTPForbidden


def _view(conn: Reading, access: Access, report: Report, wanted: Wanted, asked: Asked) -> ReportView:
    zone = ZoneInfo(wanted.office.time_zone)
    last = (wanted.until - timedelta(microseconds=1)).astimezone(zone)
    return ReportView(
        report=report,
        wanted=wanted,
        table=report_of(conn, access, report, wanted),
        staff=load_staff(conn),
        first=wanted.since.astimezone(zone).date().isoformat(),
        last=last.date().isoformat(),
        by=",".join(by.value for by in wanted.by),
        manager=asked.manager,
    )
