"""What belongs to cards that somebody does not see: they see nothing of it in any list, and ask for it in vain."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.sql.elements import ColumnElement

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right, Sight
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.records import DealRecord, EntryRecord
from crm_core.model.timeline import EntryKind
from crm_core.storage.queries.pages import one_of
from crm_core.storage.sight import of_seen_card, seen_card
from crm_core.storage.tables import deal

# What a client and the office said to each other belongs to the client, whatever deal it was about.
_OF_THE_CARD = (EntryKind.STAGE, EntryKind.TASK, EntryKind.SYSTEM, EntryKind.NOTE)


def seen_type(conn: Connection, access: Access, deal_id: int) -> str:
    """The type of a card, also of a deleted one; raises NotFound where somebody does not see it, Forbidden where they
    see no sales."""
    access.demand(Right.SEE_SALES)
    found = one_of(conn, DealRecord, deal_id)
    if found is None or not access.sight.sees(found):
        raise NotFound("there is no deal {deal}", deal=deal_id)
    return found.type


def seen_task(task: Any, sight: Sight) -> ColumnElement[bool] | None:
    """Which tasks somebody sees: those about cards that they don't see only where they gave them or are to do them."""
    seen = of_seen_card(task.c.deal_id, sight)
    if seen is None:
        return None
    return or_(task.c.assignee == sight.people.login, task.c.author == sight.people.login, seen)


def seen_entry(timeline: Any, sight: Sight) -> ColumnElement[bool] | None:
    """Which entries of a timeline somebody sees: not those that tell how such a card is getting on."""
    seen = of_seen_card(timeline.c.deal_id, sight)
    if seen is None:
        return None
    told = [each.value for each in _OF_THE_CARD]
    return or_(timeline.c.deal_id.is_(None), timeline.c.kind.not_in(told), seen)


def sees_entry(entry: EntryRecord, card: DealRecord | None, sight: Sight) -> bool:
    """The same of an entry that is at hand, with the card that it is about."""
    return entry.kind not in _OF_THE_CARD or card is None or sight.sees(card)


def seen_run(run: Any, sight: Sight) -> ColumnElement[bool] | None:
    """Which runs of rules somebody sees: not those on such cards."""
    seen = of_seen_card(run.c.subject_id, sight)
    if seen is None:
        return None
    return or_(run.c.kind.in_(sorted(PLAIN_KINDS)), seen)


def seen_among(conn: Connection, deal_ids: Collection[int], sight: Sight) -> frozenset[int]:
    """Which of these cards somebody sees. One statement at most."""
    condition = seen_card(sight)
    if condition is None or not deal_ids:
        return frozenset(deal_ids)
    found = select(deal.c.id).where(deal.c.id.in_(deal_ids), condition)
    return frozenset(row[0] for row in conn.execute(found))
