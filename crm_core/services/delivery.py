"""What became of a message of ours: its state moves forward only, and an answer that arrived closes the case.

Whoever read a message has got it, whatever a robot said of it before; what failed was not delivered after all.
"""

from __future__ import annotations

from typing import Any

from crm_core.messages import ChannelKey, Delivery
from crm_core.model.case import Signal, SignalAt
from crm_core.model.records import ContactRecord, EntryRecord
from crm_core.services.cases import settle, signalled
from crm_core.services.desk import Desk

_RANK = {
    Delivery.QUEUED: 0,
    Delivery.SENT: 1,
    Delivery.DELIVERED: 2,
    Delivery.FAILED: 3,
    Delivery.READ: 4,
}
_ARRIVED = frozenset({Delivery.SENT, Delivery.DELIVERED, Delivery.READ})


def moved(
    desk: Desk, entry: EntryRecord, contact: ContactRecord, state: Delivery, detail: str | None = None, **more: Any
) -> EntryRecord:
    """The message in its new state, its signal and the client's case in line with it; `more` are other columns."""
    had = entry.signal is not None
    after = entry._replace(**more)
    if entry.delivery is None or _RANK[state] > _RANK[entry.delivery]:
        kept = None if entry.delivery is Delivery.FAILED else entry.delivery_error
        after = after._replace(delivery=state, delivery_error=detail or kept)
    if after.by_person and after.delivery in _ARRIVED and not had:
        # A provider's clock may run ahead of ours: what was answered came before the answer.
        at = entry.signal_at or max(desk.now, contact.last_signal_at or desk.now)
        after = after._replace(signal=Signal.REPLY, signal_at=at)
    elif after.delivery is Delivery.FAILED:
        after = after._replace(signal=None)  # when it was sent is kept: it may turn out to have been read
    if after == entry:
        return entry
    desk.work.put(after)
    if after.signal is not None and after.signal_at is not None and not had:
        origin = ChannelKey(entry.channel or "", entry.account or "")
        signalled(desk, contact, SignalAt(after.signal, after.signal_at), origin)
    elif had and after.signal is None:
        settle(desk, contact)
    return after
