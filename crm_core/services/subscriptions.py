"""Telling other programs: who subscribed to what, deliveries kept and queued, records that changed, replays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm_core.errors import Conflict, NotFound
from crm_core.model.events import wants
from crm_core.model.exchange import DeliveryState, WebhookDeliveryRecord
from crm_core.model.history import KIND_OF, differences, plain
from crm_core.model.records import ContactRecord, DealRecord, LeadRecord
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord, PaymentRecord, ProductRecord
from crm_core.model.subscribers import Subscriber, all_subscribers
from crm_core.model.task import TaskRecord
from crm_core.services.desk import Desk

_RECORDS: tuple[type, ...] = (
    *(ContactRecord, CompanyRecord, LeadRecord, DealRecord, TaskRecord, PaymentRecord, ProductRecord),
)
# Bookkeeping of the hub that says nothing to anybody else.
_UNTOLD = frozenset({"search", "name_key", "marks", "rung"})
_ERROR_LENGTH = 1000


def subscribers(desk: Desk) -> tuple[Subscriber, ...]:
    """Everybody who is told of anything: those of hub.toml, then those of the record."""
    return all_subscribers(desk.office, desk.catalogue)


def announce(desk: Desk) -> None:
    """Tell of every record that this transaction made, changed or deleted, once each: the end of a transaction.

    What a service told of such a record already is told with all of it. Nothing is asked where nobody subscribed.
    """
    altered = [] if desk.quiet else desk.work.all_changes(_RECORDS)
    if not altered:
        return
    interested = [each for each in subscribers(desk) if any(_of_records(pattern) for pattern in each.events)]
    if not interested:
        return
    found: list[tuple[str, Any, str, list[list[Any]]]] = []
    for (before, after), author in altered:
        record = after if after is not None else before
        what, changes = _what(before, after)
        event = f"{_kind(record)}.{what}" if what else ""
        if event and any(wants(each.events, event) for each in interested):
            found.append((event, record, author, changes))
    if not found:
        return
    known: dict[int, dict[str, str]] = {}
    for kind in dict.fromkeys(KIND_OF[type(record)] for _, record, _, _ in found):
        ids = [record[0] for _, record, _, _ in found if KIND_OF[type(record)] == kind]
        for subject, refs in desk.work.external_ids_of(kind, ids).items():
            known[subject] = {each.key.split(":", 2)[1]: each.key.split(":", 2)[2] for each in refs}
    told: dict[tuple[str, int], list[WebhookDeliveryRecord]] = {}
    for (before, after), _ in desk.work.all_changes((WebhookDeliveryRecord,)):
        if before is None:
            told.setdefault((after.event, after.subject_id), []).append(after)
    for event, record, author, changes in found:
        data = {
            "id": record[0],
            "author": author,
            "external": known.get(record[0], {}),
            "record": _shown(record),
            "changes": [{"name": name, "old": old, "new": new} for name, old, new in changes],
        }
        earlier = told.get((event, record[0]))
        if earlier is None:
            desk.emit(event, record[0], data)
        for delivery in earlier or ():
            whole = {**delivery.payload, "data": {**data, **delivery.payload["data"]}}
            desk.work.put(delivery._replace(payload=whole))


def replay(desk: Desk, delivery_ids: Iterable[int], *, strictly: bool = True) -> list[WebhookDeliveryRecord]:
    """Send deliveries again under the ids that they had, so that a receiver who has them knows them.

    Raises NotFound, and where `strictly` Conflict for one that still waits or whose subscriber is gone; else these are
    left out.
    """
    desk.demand(Right.CONFIGURE)
    wanted = list(dict.fromkeys(delivery_ids))
    found = desk.work.webhook_deliveries(wanted)
    present = {each.key for each in subscribers(desk)}
    again: list[WebhookDeliveryRecord] = []
    for number in wanted:
        delivery = found.get(number)
        if delivery is None:
            raise NotFound("there is no delivery {delivery}", delivery=number)
        if delivery.state is DeliveryState.WAITING or delivery.subscription not in present:
            if strictly:
                waits = delivery.state is DeliveryState.WAITING
                raise Conflict("it still waits to be delivered" if waits else "its subscription is not active any more")
            continue
        once_more = delivery._replace(state=DeliveryState.WAITING, done_at=None, attempts=0, status=None, error="")
        desk.work.put(once_more)
        dedupe = f"{delivery.delivery}:again:{desk.work.next_id()}"
        desk.queue_delivery(once_more, dedupe)
        again.append(once_more)
    return again


def tried(desk: Desk, delivery_id: int, status: int | None, error: str) -> None:
    """Note that a try failed; it will be tried again."""
    delivery = desk.work.webhook_deliveries([delivery_id]).get(delivery_id)
    if delivery is not None and delivery.state is DeliveryState.WAITING:
        attempts = delivery.attempts + 1
        desk.work.put(delivery._replace(attempts=attempts, status=status, error=error[:_ERROR_LENGTH]))


def ended(desk: Desk, delivery_id: int, status: int | None, error: str = "") -> None:
    """Note how a delivery ended: with an error where it was given up."""
    delivery = desk.work.webhook_deliveries([delivery_id]).get(delivery_id)
    if delivery is None:
        return
    done = not error
    desk.work.put(
        delivery._replace(
            state=DeliveryState.DONE if done else DeliveryState.FAILED,
            attempts=delivery.attempts + (1 if done else 0),
            status=status if status is not None else delivery.status,
            error=error[:_ERROR_LENGTH],
            done_at=desk.now,
        )
    )


def _of_records(pattern: str) -> bool:
    """Whether a pattern may name that a record was made, changed or deleted."""
    return pattern.endswith(("*", ".created", ".changed", ".deleted"))


def _kind(record: Any) -> str:
    """`deal`, `contact` …; records of custom types by their own."""
    return record.type if isinstance(record, DealRecord) else KIND_OF[type(record)]


def _what(before: Any, after: Any) -> tuple[str, list[list[Any]]]:
    """What happened to a record (`created`, `changed`, `deleted`, or nothing), and what of it is another now."""
    if after is None:
        return "deleted", []
    if before is None:
        return "created", []
    gone = getattr(after, "deleted_at", None) is not None
    if gone and before.deleted_at is None:
        return "deleted", []
    changes = differences(before, after)
    return ("changed", changes) if changes and not gone else ("", [])


def _shown(record: Any) -> dict[str, Any]:
    return {name: plain(value) for name, value in record._asdict().items() if name not in _UNTOLD}
