"""Who did what that somebody may have to answer for."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from crm_core.storage.queries import audit as queries
from crm_core.storage.queries.audit import AuditFilter
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, read
from hub.http.rights import Right
from hub.http.types import Given, Moment, NoBody, Paged, PageQuery, QueryId, Short


class AuditQuery(PageQuery):
    """Which entries: of an act (`login` takes `login.failed` along; `export.contacts` is one alone), of a person, of a
    record, of a client; `from` is inclusive, `to` is not."""

    what: Short | None = None
    login: Short | None = None
    subject_id: QueryId | None = None
    contact_id: QueryId | None = None
    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")


class AuditEntry(Given):
    """Somebody did something: logged in (`login`, `login.failed`, `login.throttled`), heard a recording
    (`recording.played`: the call), took records away (`export.KIND`: how many), deleted or brought back a record
    (`deleted.KIND`, `restored.KIND`), handed over, erased, changed users, tokens, factors, or configured
    something. `remote` is the address they asked from."""

    id: int
    at: datetime
    login: str
    what: str
    subject_id: int
    contact_id: int | None
    remote: str
    detail: str


class AuditLog(Paged[AuditEntry]):
    """A page of the audit log, the newest first."""


def _listed(conn: Reading, call: Call[AuditQuery, NoBody]) -> AuditLog:
    query = call.query
    wanted = AuditFilter(query.what, query.login, query.subject_id, query.contact_id, query.since, query.until)
    page = queries.list_audit(conn, call.access, wanted, query.where)
    return AuditLog(items=[AuditEntry(**each._asdict()) for each in page.items], next=page.next)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/audit",
        _listed,
        tag="audit",
        summary="Who came in, heard, took away, deleted, handed over, configured; the newest first",
        right=Right.SEE_ACCESS,
        query=AuditQuery,
        response=AuditLog,
    ),
)
