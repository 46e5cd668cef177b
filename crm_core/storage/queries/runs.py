"""What rules and chains did, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Access, Right
from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord, RunOutcome
from crm_core.storage.queries.pages import (
    Page,
    Slice,
    all_of,
    both,
    moment_cursor,
    number_cursor,
    page_of,
    parse_moment_cursor,
)
from crm_core.storage.queries.seeing import seen_run
from crm_core.storage.sight import of_seen_card
from crm_core.storage.tables import TABLE_OF

_RUN = TABLE_OF[RuleRunRecord]
_CHAIN = TABLE_OF[ChainRunRecord]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are wanted: those of a client are on their card and on whatever is theirs. `since` is inclusive,
    `until` is not."""

    kind: str | None = None
    subject_id: int | None = None
    rule: str | None = None
    outcome: RunOutcome | None = None
    since: datetime | None = None
    contact_id: int | None = None
    until: datetime | None = None


def list_runs(conn: Connection, access: Access, wanted: RunFilter, where: Slice) -> Page[RuleRunRecord]:
    """Runs of rules and of steps of chains, without those on cards that somebody does not see; one statement. Raises
    Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    at, key = _RUN.c.at, _RUN.c.key
    moment, shown = None, 0
    if where.after is not None:
        moment, (shown,) = parse_moment_cursor(where.after, 1)
    conditions = both(
        (
            _RUN.c.kind == wanted.kind if wanted.kind is not None else None,
            _RUN.c.subject_id == wanted.subject_id if wanted.subject_id is not None else None,
            _RUN.c.rule == wanted.rule if wanted.rule is not None else None,
            _RUN.c.outcome == wanted.outcome if wanted.outcome is not None else None,
            _of_client(wanted.contact_id) if wanted.contact_id is not None else None,
            at >= wanted.since if wanted.since is not None else None,
            at < wanted.until if wanted.until is not None else None,
            at <= moment if moment is not None else None,
            seen_run(_RUN, access.sight),
        )
    )
    statement = select(_RUN).where(*conditions).order_by(at.desc(), key.desc())
    rows = all_of(conn, RuleRunRecord, statement.offset(max(shown, 0)).limit(where.limit + 1))

    def cursor(last: RuleRunRecord) -> str:
        """The last moment, and how many of that moment were shown: their keys are too long for a cursor."""
        there = sum(each.at == last.at for each in rows[: where.limit])
        return moment_cursor(last.at, there + (shown if last.at == moment else 0))

    return page_of(rows, where.limit, cursor)


def _of_client(contact_id: int) -> ColumnElement[bool]:
    """Also those of before that don't name their client: what held a rule back on the card itself."""
    return or_(_RUN.c.contact_id == contact_id, and_(_RUN.c.kind == "contact", _RUN.c.subject_id == contact_id))


def list_chain_runs(
    conn: Connection,
    access: Access,
    where: Slice,
    *,
    contact_id: int | None = None,
    chain: str | None = None,
    running: bool = False,
) -> Page[ChainRunRecord]:
    """Runs of chains, without those about cards that somebody does not see; one statement. Raises Forbidden for whoever
    sees no sales."""
    access.demand(Right.SEE_SALES)
    after = number_cursor(where.after)
    conditions = both(
        (
            _CHAIN.c.contact_id == contact_id if contact_id is not None else None,
            _CHAIN.c.chain == chain if chain is not None else None,
            _CHAIN.c.state == ChainState.RUNNING if running else None,
            _CHAIN.c.id < after if after is not None else None,
            of_seen_card(_CHAIN.c.deal_id, access.sight),
        )
    )
    statement = select(_CHAIN).where(*conditions).order_by(_CHAIN.c.id.desc()).limit(where.limit + 1)
    return page_of(all_of(conn, ChainRunRecord, statement), where.limit, lambda record: str(record.id))
