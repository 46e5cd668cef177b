"""Taking in what clients write: messages, edits, deletions, contact cards, blocks."""

from __future__ import annotations

from dataclasses import replace

from crm_core.messages import (
    Authenticity,
    BlockChanged,
    BlockState,
    ContactShared,
    EntryKind,
    InboundEvent,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Trust,
    Utm,
)
from crm_core.model.case import Signal, SignalAt
from crm_core.model.office import ListAction
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import ContactRecord, DealRecord, LeadRecord
from crm_core.services.cards.leads import about, enquire
from crm_core.services.desk import Desk
from crm_core.services.duplicates.merging import merge
from crm_core.services.intake.outcome import DONE, Outcome, ignored
from crm_core.services.letters import answers, opting_out
from crm_core.services.letters.entries import (
    attach,
    emit_message,
    entry_of,
    in_place_of,
    original,
    place_json,
    placeholder,
    sender_of,
    version,
    with_versions,
)
from crm_core.services.letters.threads import Joined, joined
from crm_core.services.recognising.marks import stamp_of
from crm_core.services.recognising.recognition import Recognition, message_ref
from crm_core.services.watching.cases import signalled
from crm_core.services.wording import Phrase

_TITLE = {EntryKind.EMAIL: Phrase.TITLE_EMAIL, EntryKind.FORM: Phrase.TITLE_FORM}
TITLE_LENGTH = 120
_NO_UTM = Utm()


def message_received(
    desk: Desk, recognition: Recognition, event: InboundEvent, message: MessageReceived, journal_id: int
) -> Outcome:
    """A client wrote: entry, lead where due, case where somebody waits for an answer."""
    ref = message_ref(event, message.ref)
    early = recognition.entry(desk, ref)
    if early is not None and early.external_id is not None:
        return ignored("the message is on the timeline already")
    first = recognition.holder(desk, event.sender.identities) is None
    contact = sender_of(desk, recognition, event)
    thread = _thread(desk, recognition, event, message, contact)
    is_guest = thread is not None and thread.host_id not in {None, contact.id}
    refused = is_refused(desk, contact)
    asks = message.asks and not message.automatic and not refused
    enquiry = None
    if not message.automatic:
        title = message.subject or message.text.split("\n", 1)[0][:TITLE_LENGTH] or desk.titled(_title(message.kind))
        enquiry = open_lead(
            desk, contact, event, title=title, utm=message.utm, source=message.source, joins_only=is_guest
        )
    entry = entry_of(
        desk,
        event,
        contact.id,
        message.kind,
        journal_id,
        ref=ref,
        text=message.text,
        html=message.html,
        subject=message.subject,
        quoted=message.quoted,
        signal=Signal.ASK if asks else None,
        signal_at=event.occurred_at if asks else None,
        location=place_json(message.location),
        album=message.album or None,
        authenticity=authenticity_json(message.authenticity),
        answers=message_ref(event, message.answers) if message.answers else None,
        thread_id=thread.thread_id if thread is not None else None,
        **about(enquiry),
    )
    entry = in_place_of(early, entry)
    desk.work.put(entry)
    recognition.entries[ref] = entry
    attach(desk, event, entry.id, message.attachments)
    if asks:
        keeper = _keeper(desk, thread, message) if is_guest else None
        ask = SignalAt(Signal.ASK, event.occurred_at)
        signalled(desk, desk.work.contact(contact.id), ask, event.key, manager=keeper)
    emit_message(desk, entry)
    if not message.automatic:
        opting_out.heard(desk, contact, message.text)
    if not message.automatic and not refused:
        answers.after_message(desk, recognition, event, desk.work.contact(contact.id), first=first, asks=asks)
    return DONE


def _thread(
    desk: Desk, recognition: Recognition, event: InboundEvent, message: MessageReceived, contact: ContactRecord
) -> Joined | None:
    if message.thread is None:
        return None
    return joined(desk, recognition, event, message.thread, contact.id, known=not _is_forged(message))


def _keeper(desk: Desk, thread: Joined | None, message: MessageReceived) -> str | None:
    """Who looks after the client in whose thread somebody else writes; nobody is told of a forger as of them."""
    if thread is None or thread.host_id is None or _is_forged(message):
        return None
    host = desk.work.contact(thread.host_id)
    lead = desk.work.open_leads([host.id]).get(host.id)
    return host.manager or (lead.manager if lead is not None else None)


def _is_forged(message: MessageReceived) -> bool:
    return message.authenticity is not None and message.authenticity.trust is Trust.FORGED


def authenticity_json(found: Authenticity | None) -> dict[str, str] | None:
    """What was found out about the sender, as an entry keeps it."""
    return {"trust": found.trust.value, "detail": found.detail} if found is not None else None


def edited(desk: Desk, recognition: Recognition, event: InboundEvent, edit: MessageEdited, journal_id: int) -> Outcome:
    """A client changed a message; where the message itself has not come yet, its place is taken."""
    ref = message_ref(event, edit.ref)
    latest = version(edit.at, event.sequence, edit.text, edit.html)
    if event.sender.identities:
        sender_of(desk, recognition, event)
    entry = recognition.entry(desk, ref)
    if entry is None:
        entry = placeholder(desk, recognition, event, ref, journal_id)._replace(
            text=edit.text, html=edit.html, versions=[latest]
        )
    elif entry.versions or entry.external_id is None:
        entry = with_versions(entry, [*entry.versions, latest])
    else:
        entry = with_versions(entry, [original(entry), latest])
    desk.work.put(entry)
    recognition.entries[ref] = entry
    return DONE


def deleted(
    desk: Desk, recognition: Recognition, event: InboundEvent, deletion: MessageDeleted, journal_id: int
) -> Outcome:
    """The provider says that messages were deleted; they stay, marked.

    Of a client's message that has not come yet the place is taken; where the provider does not say whose it was, or
    nobody knows them, there is nothing to mark.
    """
    outcome = ignored("none of the deleted messages is on a timeline")
    if event.sender.identities:
        sender_of(desk, recognition, event)
    for ref in (message_ref(event, each) for each in deletion.refs):
        entry = recognition.entry(desk, ref)
        if entry is None and event.sender.identities:
            entry = placeholder(desk, recognition, event, ref, journal_id)
        if entry is not None:
            recognition.entries[ref] = entry
            at = deletion.at if entry.deleted_at is None else min(deletion.at, entry.deleted_at)
            desk.work.put(entry._replace(deleted_at=at))
            outcome = DONE
    return outcome


def contact_shared(
    desk: Desk, recognition: Recognition, event: InboundEvent, card: ContactShared, journal_id: int
) -> Outcome:
    """A contact card: the sender's own one proves that number and messenger id are one person."""
    ref = message_ref(event, card.ref)
    early = recognition.entry(desk, ref)
    if early is not None and early.external_id is not None:
        return ignored("the message is on the timeline already")
    first = recognition.holder(desk, event.sender.identities) is None
    contact = _proven(desk, recognition, event, card) if card.own else sender_of(desk, recognition, event)
    refused = is_refused(desk, contact)
    entry = entry_of(desk, event, contact.id, EntryKind.MESSAGE, journal_id)._replace(
        ref=ref,
        text=card.text,
        signal=None if refused else Signal.ASK,
        signal_at=None if refused else event.occurred_at,
        **about(open_lead(desk, contact, event, title=card.text[:TITLE_LENGTH])),
    )
    entry = in_place_of(early, entry)
    desk.work.put(entry)
    recognition.entries[ref] = entry
    if not refused:
        signalled(desk, desk.work.contact(contact.id), SignalAt(Signal.ASK, event.occurred_at), event.key)
    emit_message(desk, entry)
    if not refused:
        answers.after_message(desk, recognition, event, desk.work.contact(contact.id), first=first, asks=True)
    return DONE


def block_changed(
    desk: Desk, recognition: Recognition, event: InboundEvent, block: BlockChanged, journal_id: int
) -> Outcome:
    """A client blocked or unblocked us, which may be told before their first message."""
    if not event.sender.identities:
        return ignored(f"{block.state} by nobody known")
    contact = sender_of(desk, recognition, event)
    opting_out.block_heard(desk, contact, str(event.sender.identities[0]), block.state)
    text = "🚫" if block.state is BlockState.BLOCKED else "✅"
    desk.work.put(entry_of(desk, event, contact.id, EntryKind.SYSTEM, journal_id)._replace(text=f"{text} {event.key}"))
    return DONE


# ---------------------------------------------------------------- shared with forms


def open_lead(
    desk: Desk,
    contact: ContactRecord,
    event: InboundEvent,
    *,
    title: str,
    utm: Utm = _NO_UTM,
    source: str = "",
    joins_only: bool = False,
) -> LeadRecord | DealRecord | None:
    """The lead (or deal, of accounts that open deals) that a fact of a stranger, or of an enquiry account, opens or
    joins; None where none is due."""
    if contact.list_name is not None:
        return None
    policy = desk.office.policy(event.key)
    if source:
        policy = replace(policy, source=source)
    opens = wants_lead(contact, policy) and not joins_only
    return enquire(desk, contact, event.key, policy, by=stamp_of(event), title=title, utm=utm, opens=opens)


def wants_lead(contact: ContactRecord, policy: AccountPolicy) -> bool:
    """Whether a fact opens a lead, not only joins one: of whoever has no manager, or where all are enquiries."""
    return contact.manager is None or policy.enquiry


def is_refused(desk: Desk, contact: ContactRecord) -> bool:
    """Whether the client stands on a list that is refused."""
    listed = desk.office.lists.get(contact.list_name) if contact.list_name is not None else None
    return listed is not None and listed.action is ListAction.REJECT


def _proven(desk: Desk, recognition: Recognition, event: InboundEvent, card: ContactShared) -> ContactRecord:
    """The client whose own card this is: sender and number are one person, whoever held the number."""
    sender, evidence = event.sender, f"own contact card in {event.key}"
    # A card names its owner's messenger id too, which the sender holds: only the others tell whom to join.
    holder = recognition.holder(desk, [each for each in card.identities if each not in sender.identities])
    if holder is None or recognition.holder(desk, sender.identities) is None:
        both = (*sender.identities, *card.identities)
        return recognition.contact(desk, both, sender.name, evidence, stamp_of(event))
    contact = sender_of(desk, recognition, event)
    if holder.id != contact.id:
        contact = merge(desk, survivor=holder, absorbed=contact, evidence=evidence, author="hub")
        for key, owner in recognition.holders.items():
            if owner != contact.id and desk.work.contact(owner).merged_into == contact.id:
                recognition.holders[key] = contact.id
    return recognition.link(desk, contact, card.identities, evidence)


def _title(kind: EntryKind) -> Phrase:
    return _TITLE.get(kind, Phrase.TITLE_MESSAGE)
