"""Deliveries of events to other programs, as they are sent, listed and watched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right, demand
from crm_core.model.definitions.base import DefinitionRecord, Section
from crm_core.model.exchange import DeliveryState, WebhookDeliveryRecord
from crm_core.storage.queries.pages import Page, Slice, all_of, both, number_cursor, one_of, page_of
from crm_core.storage.tables import definition, webhook_delivery


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries are wanted; moments are when their events happened."""

    subscription: str | None = None
    event: str | None = None
    state: DeliveryState | None = None
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a subscriber in vain: how much of it, since when, and what the last try found."""

    subscription: str
    since: datetime
    count: int
    error: str


def one_delivery(conn: Connection, access: Access | None, delivery_id: int) -> WebhookDeliveryRecord:
    """One delivery; raises NotFound, Forbidden."""
    demand(access, Right.CONFIGURE)
    found = one_of(conn, WebhookDeliveryRecord, delivery_id)
    if found is None:
        raise NotFound("there is no delivery {delivery}", delivery=delivery_id)
    return found


def list_deliveries(
    conn: Connection, access: Access, wanted: DeliveryFilter, where: Slice, *, oldest_first: bool = False
) -> Page[WebhookDeliveryRecord]:
    """Deliveries, the newest first unless asked otherwise. One statement. Raises Forbidden."""
    access.demand(Right.CONFIGURE)
    after = number_cursor(where.after)
    column = webhook_delivery.c
    behind = None
    if after is not None:
        behind = column.id > after if oldest_first else column.id < after
    conditions = both(
        (
            behind,
            column.subscription == wanted.subscription if wanted.subscription is not None else None,
            column.event == wanted.event if wanted.event is not None else None,
            column.state == wanted.state if wanted.state is not None else None,
            column.subject_id == wanted.subject_id if wanted.subject_id is not None else None,
            column.created_at >= wanted.since if wanted.since is not None else None,
            column.created_at < wanted.until if wanted.until is not None else None,
        )
    )
    order = column.id if oldest_first else column.id.desc()
    statement = select(webhook_delivery).where(*conditions).order_by(order).limit(where.limit + 1)
    return page_of(all_of(conn, WebhookDeliveryRecord, statement), where.limit, lambda record: str(record.id))


def subscription(conn: Connection, definition_id: int) -> DefinitionRecord | None:
    """The subscription of the record with this id, also one put away."""
    found = one_of(conn, DefinitionRecord, definition_id)
    return found if found is not None and found.section is Section.WEBHOOK else None


def subscription_names(conn: Connection, access: Access) -> dict[str, str]:
    """The names of all subscriptions of the record by their keys. Raises Forbidden."""
    access.demand(Right.CONFIGURE)
    rows = conn.execute(select(definition.c.id, definition.c.name).where(definition.c.section == Section.WEBHOOK))
    return {str(row[0]): row[1] for row in rows}


def in_vain(conn: Connection, before: datetime) -> list[Waiting]:
    """What waits since before a moment although it was tried, by subscriber. One statement."""
    column = webhook_delivery.c
    statement = (
        select(column.subscription, func.min(column.created_at), func.count(), func.max(column.error))
        .where(column.state == DeliveryState.WAITING, column.created_at < before)
        .group_by(column.subscription)
        .having(func.max(column.attempts) > 0)
        .order_by(column.subscription)
    )
    return [Waiting(*row) for row in conn.execute(statement)]


def taken_since(conn: Connection, key: str, since: datetime) -> bool:
    """Whether a subscriber took anything since a moment."""
    column = webhook_delivery.c
    done = (column.subscription == key, column.state == DeliveryState.DONE, column.done_at > since)
    return bool(conn.execute(select(exists().where(*done))).scalar())
