"""What became of a message of ours: its state moves forward only, and an answer that arrived closes the case.

Whoever read a message has got it, whatever a robot said of it before; what failed was not delivered after all. Some
providers tell of messages before they have told what they call them: that is kept until the message is known by it.
"""

from __future__ import annotations

import re
from typing import Any

from crm_core.messages import ChannelKey, Delivery, DeliveryChanged, InboundEvent
from crm_core.model.case import Signal, SignalAt
from crm_core.model.conversation import MessageRefRecord
from crm_core.model.records import ContactRecord, EntryRecord
from crm_core.services.desk import Desk
from crm_core.services.watching.cases import settle, signalled
from crm_core.services.watching.telling import tell_of_failure

_RANK = {
    Delivery.QUEUED: 0,
    Delivery.SENT: 1,
    Delivery.DELIVERED: 2,
    Delivery.FAILED: 3,
    Delivery.READ: 4,
}
_GROWING = re.compile(r"(\D{0,20})([0-9]{1,30})\Z")
_ARRIVED = frozenset({Delivery.SENT, Delivery.DELIVERED, Delivery.READ})


def moved(
    desk: Desk, entry: EntryRecord, contact: ContactRecord, state: Delivery, detail: str | None = None, **more: Any
) -> EntryRecord:
    """The message in its new state, its signal and the client's case in line with it; `more` are other columns."""
    had = entry.signal is not None
    after = entry._replace(**more)
    if further(entry.delivery, state):
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
    if after.delivery is Delivery.FAILED and entry.delivery is not Delivery.FAILED:
        tell_of_failure(desk, after, contact)
    if after.signal is not None and after.signal_at is not None and not had:
        origin = ChannelKey(entry.channel or "", entry.account or "")
        signalled(desk, contact, SignalAt(after.signal, after.signal_at), origin)
    elif had and after.signal is None:
        settle(desk, contact)
    return after


def further(known: Delivery | None, state: Delivery) -> bool:
    """Whether a state says more than the one that is known."""
    return known is None or _RANK[state] > _RANK[known]


# ---------------------------------------------------------------- told before the message is known


def upto_key(key: ChannelKey, conversation: str, state: Delivery) -> str:
    """How is remembered up to where a conversation has been read."""
    return f"{key}:{conversation}<={state.value}"


def remember(desk: Desk, key: str, event: InboundEvent, change: DeliveryChanged, upto: str = "") -> None:
    """Keep what became of a message that is not known yet; of a conversation, up to the furthest message told."""
    known = desk.work.peek(MessageRefRecord, key)
    if known is not None and known.entry_id is not None:
        return
    if known is not None and upto and not _beyond(upto, known.upto):
        return
    if known is not None and not upto and not further(known.delivery, change.state):
        return
    desk.work.put(MessageRefRecord(key, event.occurred_at, None, change.state, change.detail, upto))


def _beyond(one: str, other: str) -> bool:
    told, known = _place(one), _place(other)
    return told is not None and (known is None or (told[0] == known[0] and told[1] > known[1]))


def _place(ref: str) -> tuple[str, int] | None:
    """An id that grows: what stands before its number, and the number."""
    found = _GROWING.match(ref)
    return (found[1], int(found[2])) if found is not None else None


def recalled(desk: Desk, entry: EntryRecord, contact: ContactRecord, keys: list[str]) -> EntryRecord:
    """The message, with what was told of it before it was known by these keys; read ahead by the caller."""
    key = ChannelKey(entry.channel or "", entry.account or "")
    for each in keys:
        mark = desk.work.peek(MessageRefRecord, each)
        if mark is not None and mark.entry_id is None and mark.delivery is not None:
            entry = moved(desk, entry, contact, mark.delivery, mark.detail or None)
            contact = desk.work.contact(contact.id)
            desk.work.remove(MessageRefRecord, each)
    for state in (Delivery.DELIVERED, Delivery.READ):
        mark = desk.work.peek(MessageRefRecord, upto_key(key, entry.conversation or "", state))
        if mark is not None and covered(entry, mark.upto):
            entry = moved(desk, entry, contact, state)
            contact = desk.work.contact(contact.id)
    return entry


def covered(entry: EntryRecord, upto: str) -> bool:
    """Whether a message is not behind the one up to which all were read: `#` and our number of that, or the provider's
    id, where these grow."""
    last = _place(upto)
    if last is None:
        return False
    if last[0] == "#":
        return entry.number is not None and entry.number <= last[1]
    own = _place((entry.ref or "").removeprefix(f"{entry.channel}:{entry.account}:{entry.conversation}:"))
    return own is not None and own[0] == last[0] and own[1] <= last[1]
