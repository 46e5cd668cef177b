"""The proof that no call is missing: days of each PBX compared with its call records."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.model.records import ReconciliationRecord
from crm_core.storage.queries import reconciliation as queries
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, read
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Paged, PageQuery


class ReconciliationQuery(PageQuery):
    """Of which PBX; all without."""

    pbx: str | None = None


class Reconciliation(Given):
    """A comparison of a day (of the office's zone): how many calls with a client the PBX recorded, how many of them the
    hub had, how many were brought in now, how many are missing; `details` names those that were not equal."""

    id: int
    pbx: str
    day: str
    at: datetime
    calls: int
    equal: int
    settled: int
    missing: int
    details: list[dict[str, Any]]


class Reconciliations(Paged[Reconciliation]):
    """A page of comparisons."""


def _json(record: ReconciliationRecord) -> Reconciliation:
    return Reconciliation(**record._asdict())


def _listed(conn: Reading, call: Call[ReconciliationQuery, NoBody]) -> Reconciliations:
    page = queries.list_reconciliations(conn, call.access, call.query.where, call.query.pbx)
    return Reconciliations(items=[_json(record) for record in page.items], next=page.next)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/reconciliations",
        _listed,
        tag="calls",
        summary="Days compared with the PBX's call records, the newest first",
        right=Right.SEE_ALARMS,
        query=ReconciliationQuery,
        response=Reconciliations,
    ),
)
