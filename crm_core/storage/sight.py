"""Which cards somebody sees (`crm_core.model.access.Sight`) as conditions of SQL, the same on both engines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, exists, false, not_, or_
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Reach, Sight
from crm_core.storage.tables import deal

Condition = ColumnElement[bool]


def seen_card(sight: Sight, of: Any = deal) -> Condition | None:
    """Which rows of the table of cards somebody sees; None where it is all of them.

    Where no pipeline is seen whole, whose a card is leads the way (`ix_deal_manager`); else most cards are seen, and
    the few others are left out on the way.
    """
    if sight.everything:
        return None
    if not sight.all:
        parts = ((sight.own, Reach.OWN), (sight.group, Reach.GROUP))
        return or_(false(), *(_in(sight, ids, reach, of) for ids, reach in parts if ids))
    conditions: list[Condition] = []
    if sight.none:
        conditions.append(of.c.pipeline_id.not_in(sorted(sight.none)))
    if sight.own:
        conditions.append(or_(of.c.pipeline_id.not_in(sorted(sight.own)), _whose(sight, Reach.OWN, of)))
    if sight.group:
        conditions.append(or_(of.c.pipeline_id.not_in(sorted(sight.group)), _whose(sight, Reach.GROUP, of)))
    return and_(*conditions)


def seen_in(sight: Sight, pipeline_id: int, of: Any = deal) -> Condition | None:
    """Which cards of one pipeline somebody sees; None where it is all of them."""
    match sight.reach(pipeline_id):
        case Reach.ALL:
            return None
        case Reach.NONE:
            return false()
        case reach:
            return _whose(sight, reach, of)


def of_seen_card(deal_id: Any, sight: Sight) -> Condition | None:
    """Whether a column names no card that somebody does not see; None where they see all."""
    if sight.everything:
        return None
    unseen: list[Condition] = []
    if sight.none:
        unseen.append(deal.c.pipeline_id.in_(sorted(sight.none)))
    if sight.own:
        others = or_(deal.c.manager.is_(None), deal.c.manager.not_in(sorted(sight.people.own)))
        unseen.append(and_(deal.c.pipeline_id.in_(sorted(sight.own)), others))
    if sight.group:  # what is nobody's is the group's too
        unseen.append(
            and_(deal.c.pipeline_id.in_(sorted(sight.group)), deal.c.manager.not_in(sorted(sight.people.group)))
        )
    return not_(exists().where(deal.c.id == deal_id, or_(*unseen)))


def _in(sight: Sight, ids: frozenset[int], reach: Reach, of: Any) -> Condition:
    return and_(of.c.pipeline_id.in_(sorted(ids)), _whose(sight, reach, of))


def _whose(sight: Sight, reach: Reach, of: Any) -> Condition:
    if reach is Reach.OWN:
        own: Condition = of.c.manager.in_(sorted(sight.people.own))
        return own
    return or_(of.c.manager.is_(None), of.c.manager.in_(sorted(sight.people.group)))
