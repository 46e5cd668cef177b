"""What staff writes to clients: queued with the entry, sent by workers, closing the case when it is truly sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import ChannelKey, Delivery, EntryKind
from crm_core.model.call import Direction
from crm_core.model.case import Signal, SignalAt
from crm_core.model.records import (
    AttachmentRecord,
    ContactRecord,
    EntryRecord,
    FileState,
    OutboxKind,
)
from crm_core.services.cases import settle, signalled
from crm_core.services.desk import Desk

_LONGEST_TEXT = 100_000


def reply(
    desk: Desk,
    contact_id: int,
    login: str,
    *,
    channel: str,
    account: str | None,
    text: str,
    subject: str = "",
    uploads: Sequence[dict[str, Any]] = (),
    conversation: str | None = None,
) -> EntryRecord:
    """Queue a message to a client; the entry, its delivery `queued`.

    Without a `conversation` it goes where the client wrote from last in that channel, else to the identity of that
    channel. Raises InvalidInput where there is nothing to send or nowhere to send it.
    """
    if not text.strip() and not uploads:
        raise InvalidInput("the message is empty: give «text» or «attachments»")
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput(f"the message is longer than {_LONGEST_TEXT} characters")
    contact = desk.work.contact(contact_id)
    if contact.merged_into is not None:
        raise Conflict(f"this contact was merged into {contact.merged_into}")
    last = desk.work.last_entry(contact_id, channel, account)
    target = conversation or (last.conversation if last is not None else None)
    place = account or (last.account if last is not None else None)
    if target is None:
        target = _identity_for(desk, contact, channel)
    if target is None or place is None:
        where = f"«{channel}»" if account is None else f"«{channel}:{account}»"
        raise InvalidInput(f"the client has never written by {where}: choose another channel, or name the account")
    entry = EntryRecord(
        id=desk.work.next_id(),
        seq=0,
        contact_id=contact_id,
        kind=EntryKind.EMAIL if channel == "email" else EntryKind.MESSAGE,
        direction=Direction.OUT,
        occurred_at=desk.now,
        sequence=0,
        recorded_at=desk.now,
        channel=channel,
        account=place,
        conversation=target,
        text=text,
        subject=subject or _subject(last),
        author=login,
        by_person=True,
        delivery=Delivery.QUEUED,
    )
    desk.work.put(entry)
    files = [_attach(desk, entry, position, upload) for position, upload in enumerate(uploads)]
    payload = {
        "channel": channel,
        "account": place,
        "conversation": target,
        "text": text,
        "subject": entry.subject,
        "reply_to": _provider_ref(last),
        "number": entry.id % 2**31,
        "files": files,
    }
    desk.enqueue(OutboxKind.MESSAGE, f"{channel}:{place}:{target}", f"message:{entry.id}", payload, entry.id)
    return entry


def sent(desk: Desk, entry_id: int, refs: Sequence[str], note: str | None = None) -> None:
    """The provider took the message: the client has been answered."""
    entry, contact = desk.work.owned(EntryRecord, entry_id)
    if contact is None or entry.delivery in {Delivery.SENT, Delivery.DELIVERED, Delivery.READ}:
        return
    ref = f"{entry.channel}:{entry.account}:{entry.conversation}:{refs[0]}" if refs else None
    signal = Signal.REPLY if entry.by_person else None
    # A provider's clock may run ahead of ours: what was answered came before the answer.
    at = max(desk.now, contact.last_signal_at or desk.now)
    desk.work.put(
        entry._replace(
            delivery=Delivery.SENT,
            delivery_error=note,
            ref=ref,
            external_id=refs[0] if refs else None,
            signal=signal,
            signal_at=at if signal is not None else None,
        )
    )
    if signal is not None:
        origin = ChannelKey(entry.channel or "", entry.account or "")
        signalled(desk, contact, SignalAt(signal, at), origin)


def failed(desk: Desk, entry_id: int, error: str) -> None:
    """The provider refuses the message for good: the client is still not answered."""
    entry, contact = desk.work.owned(EntryRecord, entry_id)
    if contact is None or entry.delivery is Delivery.FAILED:
        return
    had_signal = entry.signal is not None
    desk.work.put(entry._replace(delivery=Delivery.FAILED, delivery_error=error, signal=None, signal_at=None))
    if had_signal:
        settle(desk, contact)


def _identity_for(desk: Desk, contact: ContactRecord, channel: str) -> str | None:
    prefix = {"telegram": "tg:", "email": "mailto:", "vk": "vk:"}.get(channel)
    if prefix is None:
        return None
    keys = [record.key for record in desk.work.identities([contact.id]).get(contact.id, [])]
    return next((key.removeprefix(prefix) for key in keys if key.startswith(prefix)), None)


def _subject(last: EntryRecord | None) -> str:
    if last is None or not last.subject:
        return ""
    return last.subject if last.subject.lower().startswith("re:") else f"Re: {last.subject}"


def _provider_ref(last: EntryRecord | None) -> str | None:
    """The provider's id of the message answered: mail threads by it."""
    if last is None or last.ref is None or last.channel != "email":
        return None
    return last.ref.removeprefix(f"{last.channel}:{last.account}:{last.conversation}:")


def _attach(desk: Desk, entry: EntryRecord, position: int, upload: dict[str, Any]) -> dict[str, Any]:
    desk.work.put(
        AttachmentRecord(
            id=desk.work.next_id(),
            entry_id=entry.id,
            position=position,
            name=upload["name"],
            content_type=upload["content_type"],
            state=FileState.STORED,
            size=upload["size"],
            sha256=upload["sha256"],
        )
    )
    return dict(upload)
