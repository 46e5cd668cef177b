"""Reports: what they are, and their figures as JSON or, where CSV is asked for, as a table for a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from crm_core.services.desk import Desk
from crm_core.services.taking_away import take_report
from crm_core.storage.queries.pages import Reading
from crm_core.storage.reports import REPORTS
from crm_core.storage.reports.base import MOST_ROWS, Column, Kind, Report, Table, Wanted
from crm_core.storage.reports.reading import report_of
from hub.access.remote import remote_of
from hub.http.acting import json_response, to_json
from hub.http.operations import Call, Operation, own, read
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Paged, Query, Short
from hub.reporting import Asked, csv_of, recording_url, report_named, wanted_of

_TAG = "reports"
_CSV = "text/csv"


class ReportQuery(Query):
    """The period, by days of the office (2026-03-02, `to` with its whole day) or moments, the last 30 days unless
    given; `by` dimensions parted by commas; `manager` whose rows; `format=csv` does what `Accept: text/csv` does,
    with `separator=semicolon` as Russian spreadsheets expect it."""

    since: Short = Field(default="", alias="from")
    until: Short = Field(default="", alias="to")
    by: Short = ""
    manager: Short = ""
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 1000
    format: Short = ""
    separator: Literal["comma", "semicolon"] = "comma"


class ReportColumn(Given):
    """A column: its name in rows, its heading, what stands in it."""

    name: str
    title: str
    kind: Kind


class ReportAbout(Given):
    """A report: what exactly it counts, and what it can be grouped by."""

    name: str
    title: str
    definition: str
    by: list[str]


class ReportsAbout(Paged[ReportAbout]):
    """Every report."""


class ReportAnswer(ReportAbout):
    """The figures, a value a column in every row. `complete` is false where the `limit` left rows out."""

    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    columns: list[ReportColumn]
    rows: list[dict[str, Any]]
    complete: bool


def _about(report: Report, language: str) -> ReportAbout:
    return ReportAbout(
        name=report.name,
        title=report.title.said(language),
        definition=report.definition.said(language),
        by=[each.value for each in report.groups],
    )


def _listed(_conn: Reading, call: Call[Query, NoBody]) -> ReportsAbout:
    language = call.hub.store.office.language
    return ReportsAbout(items=[_about(each, language) for each in REPORTS.values()], next=None)


async def _figures(request: web.Request, call: Call[ReportQuery, NoBody]) -> web.StreamResponse:
    hub, query, report = call.hub, call.query, report_named(call.path["name"])
    asked = Asked(query.since, query.until, query.by, query.manager, query.limit)
    wanted = wanted_of(report, asked, call.access, hub.store.office, hub.clock.now())
    table = await hub.store.read(lambda conn: report_of(conn, call.access, report, wanted))
    if query.format == "csv" or _wants_csv(request):
        await _taken_away(request, call, report, table)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{report.name}.csv"',
            "X-Complete": str(table.complete).lower(),
        }
        body = csv_of(table, hub.store.office, ";" if query.separator == "semicolon" else ",")
        return web.Response(body=body, content_type=_CSV, charset="utf-8", headers=headers)
    return json_response(to_json(_answer(report, wanted, table)), 200)


async def _taken_away(request: web.Request, call: Call[ReportQuery, NoBody], report: Report, table: Table) -> None:
    """A table for a spreadsheet leaves the house; raises what `take_report` raises."""
    given, remote = call.query, remote_of(request)
    asked = {"from": given.since, "to": given.until, "by": given.by, "manager": given.manager}
    detail = ", ".join(f"{name}={value}" for name, value in asked.items() if value)

    def taken(desk: Desk) -> None:
        desk.acts_for(call.user, remote)
        take_report(desk, report.name, len(table.rows), names_clients=table.names_clients, detail=detail)

    await call.hub.store.run(taken)


def _wants_csv(request: web.Request) -> bool:
    """Whether CSV is named before JSON, or alone."""
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]
    return next((media == _CSV for media in accepted if media in {_CSV, "application/json"}), False)


def _answer(report: Report, wanted: Wanted, table: Table) -> ReportAnswer:
    language = wanted.office.language
    columns = [ReportColumn(name=each.name, title=each.title.said(language), kind=each.kind) for each in table.columns]
    return ReportAnswer(
        name=report.name,
        title=report.title.said(language),
        definition=report.definition.said(language),
        by=[each.value for each in wanted.by],
        since=wanted.since,
        until=wanted.until,
        columns=columns,
        rows=[_row(table.columns, row) for row in table.rows],
        complete=table.complete,
    )


def _row(columns: tuple[Column, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        column.name: [recording_url(each) for each in value] if column.kind is Kind.RECORDINGS else value
        for column, value in zip(columns, row, strict=True)
    }


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/reports",
        _listed,
        tag=_TAG,
        summary="The reports, with the definition of each figure",
        right=Right.SEE_REPORTS,
        response=ReportsAbout,
    ),
    own(
        "GET",
        "/reports/{name}",
        _figures,
        tag=_TAG,
        summary="The figures of a report, JSON or CSV by Accept; a manager's own rows for a manager",
        right=Right.SEE_REPORTS,
        query=ReportQuery,
        response=ReportAnswer,
    ),
)
