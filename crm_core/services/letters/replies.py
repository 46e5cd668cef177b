"""What staff writes to clients: queued with the entry, sent by workers, closing the case when it is truly sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import ChannelKey, Delivery, EntryKind
from crm_core.model.call import Direction
from crm_core.model.conversation import MessageRefRecord, ThreadRefRecord
from crm_core.model.records import (
    AttachmentRecord,
    ContactRecord,
    EntryRecord,
    FileState,
    OutboxKind,
)
from crm_core.model.rights import Right
from crm_core.model.subject import bare_subject
from crm_core.model.ways import is_name
from crm_core.services.desk import Desk
from crm_core.services.letters.delivery import moved, upto_key
from crm_core.services.letters.echoes import named, part
from crm_core.services.letters.mail_replies import last_of_thread, outgoing_key, threaded
from crm_core.services.letters.threads import mail_key
from crm_core.services.recognising.recognition import ref_in

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
    thread_id: int | None = None,
) -> EntryRecord:
    """Queue a message to a client; the entry, its delivery `queued`.

    Without a `conversation` it goes where the client wrote from last in that channel, in a thread of mail the last of
    theirs there, else to the identity of that channel. `uploads` are files: `{name, content_type, size, sha256}`, or
    instead of the last `remote`, where it lies with a provider: `{channel, account, remote_id}`. Raises InvalidInput
    where there is nothing to send or nowhere to send it.
    """
    desk.demand(Right.KEEP_CLIENTS)
    if not text.strip() and not uploads:
        raise InvalidInput("the message is empty: give «text» or «attachments»")
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput("the message is longer than {most} characters", most=_LONGEST_TEXT)
    contact = desk.work.contact(contact_id)
    if contact.merged_into is not None:
        raise Conflict("this contact was merged into {merged_into}", merged_into=contact.merged_into)
    last = _answered(desk, contact_id, channel, account, conversation, thread_id)
    target = conversation or _conversation(desk, contact, channel, last)
    place = account or (last.account if last is not None else None)
    if target is None or place is None:
        where = f"«{channel}»" if account is None else f"«{channel}:{account}»"
        raise InvalidInput(
            "the client has never written by {where}: choose another channel, or name the account", where=where
        )
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
    entry = entry._replace(number=entry.id % 2**31)
    mail: dict[str, Any] = {}
    if channel == "email":
        entry, mail = threaded(desk, entry, last)
    answers = _comment_answered(last, target)
    desk.work.put(entry)
    files = [_attach(desk, entry, position, upload) for position, upload in enumerate(uploads)]
    payload = {
        "channel": channel,
        "account": place,
        "conversation": target,
        "text": text,
        "subject": entry.subject,
        "number": entry.number,
        "files": files,
        **answers,
        **mail,
    }
    desk.enqueue(OutboxKind.MESSAGE, f"{channel}:{place}:{target}", outgoing_key(entry.id), payload, entry.id)
    return entry


def goes_to(desk: Desk, contact_id: int, channel: str, account: str) -> str | None:
    """The conversation that an answer of now would go into; None where there is none."""
    desk.demand(Right.KEEP_CLIENTS)
    last = desk.work.last_entry(contact_id, channel, account)
    return _conversation(desk, desk.work.contact(contact_id), channel, last)


def _conversation(desk: Desk, contact: ContactRecord, channel: str, last: EntryRecord | None) -> str | None:
    return (last.conversation if last is not None else None) or _identity_for(desk, contact, channel)


def _answered(
    desk: Desk, contact_id: int, channel: str, account: str | None, conversation: str | None, thread_id: int | None
) -> EntryRecord | None:
    """What the client wrote that is answered."""
    if thread_id is not None:
        return last_of_thread(desk, contact_id, thread_id)
    last = desk.work.last_entry(contact_id, channel, account)
    if last is not None and channel == "email" and conversation not in {None, last.conversation}:
        return None  # a mail to another address of theirs answers nothing
    return last


def sent(desk: Desk, entry_id: int, refs: Sequence[str], note: str | None = None) -> None:
    """The provider took the message: the client has been answered. `refs` are its ids of the parts."""
    entry, contact = desk.work.owned(EntryRecord, entry_id)
    if contact is None:
        return
    key = ChannelKey(entry.channel or "", entry.account or "")
    if entry.channel == "email":
        # It is known by its own key since it was queued; whoever lost that may still know its Message-ID.
        moved(desk, entry, contact, Delivery.SENT, note, external_id=refs[0] if refs else entry.external_id)
        _know_mails(desk, entry, [mail_key(key, ref) for ref in refs])
        return
    conversation = entry.conversation or ""
    full = [ref_in(key, conversation, ref) for ref in refs]
    states = (Delivery.DELIVERED, Delivery.READ)
    desk.work.related(MessageRefRecord, "key", [*full, *(upto_key(key, conversation, each) for each in states)])
    early = desk.work.entries_by_ref(full)
    if full and entry.ref is not None and entry.ref != full[0]:
        part(desk, entry, entry.ref)  # the echo of a further part came before this
        known = desk.work.peek(MessageRefRecord, full[0])
        if known is not None and known.entry_id is not None:
            desk.work.remove(MessageRefRecord, full[0])
        entry = entry._replace(ref=full[0], external_id=refs[0])
        desk.work.put(entry)
    if not full:
        moved(desk, entry, contact, Delivery.SENT, note)
    for ref, own in zip(full, refs, strict=True):
        entry = named(desk, entry, desk.work.contact(contact.id), ref, own, early=early.get(ref), note=note)


def failed(desk: Desk, entry_id: int, error: str) -> None:
    """The provider refuses the message for good: the client is still not answered."""
    entry, contact = desk.work.owned(EntryRecord, entry_id)
    if contact is not None:
        moved(desk, entry, contact, Delivery.FAILED, error)


def given_up(desk: Desk, entry_id: int, error: str) -> None:
    """It is tried no more. Where its echo has shown that a try arrived after all, nothing has failed."""
    entry, _ = desk.work.owned(EntryRecord, entry_id)
    if entry.delivery in {None, Delivery.QUEUED}:
        failed(desk, entry_id, error)


def _comment_answered(last: EntryRecord | None, target: str) -> dict[str, Any]:
    """`{reply_to}` where several people talk under one thing: an answer there says to whom."""
    if last is None or last.ref is None or last.channel != "vk" or ":" not in target or last.conversation != target:
        return {}
    return {"reply_to": last.ref.removeprefix(f"{last.channel}:{last.account}:{target}:")}


def _know_mails(desk: Desk, entry: EntryRecord, keys: Sequence[str]) -> None:
    known = {each.key for each in desk.work.related(ThreadRefRecord, "key", keys)}
    for each in dict.fromkeys(keys):
        if entry.thread_id is not None and each not in known:
            desk.work.put(ThreadRefRecord(each, entry.thread_id))


def _identity_for(desk: Desk, contact: ContactRecord, channel: str) -> str | None:
    prefix = {"telegram": "tg:", "email": "mailto:", "vk": "vk:"}.get(channel)
    if prefix is None:
        return None
    keys = [record.key for record in desk.work.identities([contact.id]).get(contact.id, [])]
    return next((key.removeprefix(prefix) for key in keys if key.startswith(prefix) and not is_name(key)), None)


def _subject(last: EntryRecord | None) -> str:
    return f"Re: {bare_subject(last.subject)}" if last is not None and last.subject else ""


def _attach(desk: Desk, entry: EntryRecord, position: int, upload: dict[str, Any]) -> dict[str, Any]:
    """Put a file of a reply down; one that lies with a provider still is fetched first, the message waits for it."""
    remote = upload.get("remote")
    record = AttachmentRecord(
        id=desk.work.next_id(),
        entry_id=entry.id,
        position=position,
        name=upload["name"],
        content_type=upload["content_type"],
        state=FileState.STORED if remote is None else FileState.PENDING,
        size=upload["size"],
        sha256=upload.get("sha256"),
        remote_id=remote["remote_id"] if remote is not None else None,
    )
    desk.work.put(record)
    if remote is None:
        return dict(upload)
    payload = {"attachment_id": record.id, **remote}
    desk.enqueue(OutboxKind.FETCH, f"fetch:{record.id}", f"fetch:{record.id}", payload, entry.id)
    return {"name": record.name, "content_type": record.content_type, "attachment_id": record.id}
