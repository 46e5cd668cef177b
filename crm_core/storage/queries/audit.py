"""The audit log, page by page: who heard, took away, deleted, handed over, configured, came in or tried to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, Select, literal, select, tuple_

from crm_core.model.access import Access, Right
from crm_core.model.auditing import AccessRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, both, moment_cursor, page_of, parse_moment_cursor
from crm_core.storage.tables import access_log
from crm_core.storage.types import UtcDateTime


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; `since` <= at < `until`, `what` is an act, also the part before its first dot: `login`
    takes `login.failed` along."""

    what: str | None = None
    login: str | None = None
    subject_id: int | None = None
    contact_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_audit(conn: Connection, access: Access, wanted: AuditFilter, where: Slice) -> Page[AccessRecord]:
    """Entries, the newest first. One statement. Raises Forbidden, InvalidInput for a bad cursor."""
    access.demand(Right.SEE_ACCESS)
    found = all_of(conn, AccessRecord, audit_statement(wanted, where))
    return page_of(found, where.limit, lambda entry: moment_cursor(entry.at, entry.id))


def audit_statement(wanted: AuditFilter, where: Slice) -> Select[tuple[object, ...]]:
    """The query behind `list_audit`; raises InvalidInput for a bad cursor."""
    columns = access_log.c
    place = (columns.at, columns.id)
    conditions = both(
        (
            columns.login == wanted.login if wanted.login is not None else None,
            columns.subject_id == wanted.subject_id if wanted.subject_id is not None else None,
            columns.contact_id == wanted.contact_id if wanted.contact_id is not None else None,
            columns.at >= wanted.since if wanted.since is not None else None,
            columns.at < wanted.until if wanted.until is not None else None,
        )
    )
    if wanted.what is not None:
        own = columns.what == wanted.what
        behind = (columns.what >= f"{wanted.what}.") & (columns.what < f"{wanted.what}/")  # «/» follows «.»
        conditions.append(own if "." in wanted.what else own | behind)
    if where.after is not None:
        at, (number,) = parse_moment_cursor(where.after, 1)
        conditions.append(tuple_(*place) < tuple_(literal(at, UtcDateTime()), literal(number, BigInteger())))
    newest = (each.desc() for each in place)
    return select(access_log).where(*conditions).order_by(*newest).limit(where.limit + 1)
