"""What belongs to cards of pipelines that somebody does not work with: they see nothing of it in any list."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, exists, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import NotFound
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.records import DealRecord
from crm_core.model.timeline import EntryKind
from crm_core.model.user import User
from crm_core.storage.queries.deals import hidden_pipelines
from crm_core.storage.queries.pages import one_of
from crm_core.storage.tables import deal

# What a client and the office said to each other belongs to the client, whatever deal it was about.
_OF_THE_CARD = (EntryKind.STAGE, EntryKind.TASK, EntryKind.SYSTEM, EntryKind.NOTE)


def seen_type(conn: Connection, deal_id: int, user: User) -> str:
    """The type of a card, also of a deleted one; raises NotFound where somebody does not work with its pipeline."""
    found = one_of(conn, DealRecord, deal_id)
    if found is None or found.pipeline_id in hidden_pipelines(conn, user):
        raise NotFound(f"there is no deal {deal_id}")
    return found.type


def of_seen_card(deal_id: Any, hidden: Collection[int]) -> ColumnElement[bool]:
    """Whether a column names no card of these pipelines."""
    return not_(exists().where(deal.c.id == deal_id, deal.c.pipeline_id.in_(hidden)))


def seen_task(task: Any, user: User, hidden: Collection[int]) -> ColumnElement[bool] | None:
    """Which tasks somebody sees: those about such cards only where they gave them or are to do them."""
    if not hidden:
        return None
    return or_(task.c.assignee == user.login, task.c.author == user.login, of_seen_card(task.c.deal_id, hidden))


def seen_entry(timeline: Any, hidden: Collection[int]) -> ColumnElement[bool] | None:
    """Which entries of a timeline somebody sees: not those that tell how such a card is getting on."""
    if not hidden:
        return None
    told = [each.value for each in _OF_THE_CARD]
    return or_(timeline.c.deal_id.is_(None), timeline.c.kind.not_in(told), of_seen_card(timeline.c.deal_id, hidden))


def seen_run(hidden: Collection[int], run: Any) -> ColumnElement[bool] | None:
    """Which runs of rules somebody sees: not those on such cards."""
    if not hidden:
        return None
    return or_(run.c.kind.in_(sorted(PLAIN_KINDS)), of_seen_card(run.c.subject_id, hidden))


def hidden_among(conn: Connection, deal_ids: Collection[int], user: User) -> frozenset[int]:
    """Which of these cards somebody does not work with. Two statements at most."""
    hidden = hidden_pipelines(conn, user) if deal_ids else frozenset()
    if not hidden:
        return frozenset()
    found = select(deal.c.id).where(deal.c.id.in_(deal_ids), deal.c.pipeline_id.in_(hidden))
    return frozenset(row[0] for row in conn.execute(found))
