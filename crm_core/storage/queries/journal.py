"""The journal as it is looked through: what came in, and what of it was not understood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right, demand
from crm_core.model.records import JournalRecord, JournalState
from crm_core.storage.queries.pages import Page, Slice, both, number_cursor, one_of, page_of
from crm_core.storage.tables import journal
from crm_core.storage.types import UtcDateTime

_SHOWN = [column for column in journal.columns if column.name != "raw"]


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """Which facts are wanted."""

    state: JournalState | None = None
    channel: str | None = None
    account: str | None = None
    what: str | None = None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A fact of the journal without its raw form."""

    id: int
    channel: str
    account: str
    external_id: str
    state: JournalState
    what: str
    conversation: str
    occurred_at: datetime
    received_at: datetime
    correlation_id: str
    raw_type: str
    error: str | None
    attempts: int


def list_journal(conn: Connection, access: Access | None, wanted: JournalFilter, where: Slice) -> Page[JournalRow]:
    """Facts, the newest first. One statement. Raises Forbidden."""
    demand(access, Right.KEEP_JOURNAL)
    statement = journal_statement(wanted, number_cursor(where.after)).limit(where.limit + 1)
    rows = [_row(row) for row in conn.execute(statement)]
    return page_of(rows, where.limit, lambda row: str(row.id))


def count_newer(conn: Connection, access: Access | None, wanted: JournalFilter, than: int, most: int) -> int:
    """How many such facts came after the one of a number, `most` at most. One statement. Raises Forbidden."""
    demand(access, Right.KEEP_JOURNAL)
    newer = journal_statement(wanted, None).with_only_columns(journal.c.id).order_by(None)
    newer = newer.where(journal.c.id > than).limit(most)
    return int(conn.execute(select(func.count()).select_from(newer.subquery())).scalar_one())


def journal_statement(wanted: JournalFilter, after: int | None) -> Select[Any]:
    """The query behind `list_journal`."""
    conditions = both(
        (
            journal.c.id < after if after is not None else None,
            journal.c.state == wanted.state if wanted.state is not None else None,
            journal.c.channel == wanted.channel if wanted.channel is not None else None,
            journal.c.account == wanted.account if wanted.account is not None else None,
            journal.c.what == wanted.what if wanted.what is not None else None,
        )
    )
    return select(*_SHOWN).where(*conditions).order_by(journal.c.id.desc())


@dataclass(frozen=True, slots=True)
class FailedKind:
    """Facts that were not understood, of one kind from one account: how many, and when the newest came."""

    channel: str
    account: str
    what: str
    count: int
    newest: datetime


def failed_kinds(conn: Connection, access: Access) -> list[FailedKind]:
    """What was not understood, by account and kind, the most first. One statement. Raises Forbidden."""
    access.demand(Right.KEEP_JOURNAL)
    columns = journal.c
    newest = func.max(columns.received_at, type_=UtcDateTime())
    kind = (columns.channel, columns.account, columns.what)
    statement = select(*kind, func.count(), newest).where(columns.state == JournalState.FAILED).group_by(*kind)
    found = [
        FailedKind(channel, account, what, int(count), at)
        for channel, account, what, count, at in conn.execute(statement)
    ]
    return sorted(found, key=lambda each: (-each.count, each.channel, each.account, each.what))


def one_fact(conn: Connection, access: Access | None, journal_id: int) -> JournalRecord:
    """One fact with its raw form; raises NotFound, Forbidden."""
    demand(access, Right.KEEP_JOURNAL)
    found = one_of(conn, JournalRecord, journal_id)
    if found is None:
        raise NotFound("there is no journal row {journal}", journal=journal_id)
    return found


def _row(row: Row[Any]) -> JournalRow:
    return JournalRow(**row._mapping)  # noqa: SLF001 - the public name of a row's columns
