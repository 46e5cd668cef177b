"""Taking in what providers and clients tell of messages that are there: what became of ours, how clients react."""

from __future__ import annotations

from crm_core.messages import Delivery, DeliveryChanged, InboundEvent, ReactionChanged
from crm_core.model.call import Direction
from crm_core.model.records import EntryRecord
from crm_core.services.desk import Desk
from crm_core.services.intake.outcome import DONE, Outcome, ignored
from crm_core.services.letters.delivery import covered, moved, remember, upto_key
from crm_core.services.letters.echoes import named
from crm_core.services.letters.entries import placeholder, sender_of
from crm_core.services.recognising.recognition import Recognition, message_ref


def delivery_changed(desk: Desk, recognition: Recognition, event: InboundEvent, change: DeliveryChanged) -> Outcome:
    """Messages of ours were sent, delivered, read, or failed; of one that is not known yet it is remembered."""
    if not change.refs and change.number is None:
        return ignored("no message is named")
    found: dict[int, EntryRecord] = {}
    last, ours = "", None
    if change.number is not None:
        ours = numbered_entry(desk, recognition, event, change.number)
        last = f"#{change.number}"
        if ours is not None:
            found[ours.id] = ours
    for each in change.refs:
        ref = message_ref(event, each)
        entry = recognition.entry(desk, ref)
        if entry is not None and entry.direction is Direction.OUT:
            found[entry.id] = entry
        elif entry is None and not change.upto and not found:
            remember(desk, ref, event, change)
    if change.upto:
        for each in [last] if last else change.refs:
            found.update(_upto(desk, recognition, event, change, each))
    if ours is not None:
        _know(desk, recognition, event, change, ours)
    for entry in found.values():
        current = desk.work.peek(EntryRecord, entry.id) or entry
        moved(desk, current, desk.work.contact(current.contact_id), change.state, change.detail or None)
    return DONE


def _know(
    desk: Desk, recognition: Recognition, event: InboundEvent, change: DeliveryChanged, ours: EntryRecord
) -> None:
    """A message known by our number is known by the provider's ids from now on; its receipt may never have come."""
    if change.state is Delivery.FAILED or ours.channel == "email":
        return
    for each in change.refs:
        ref = message_ref(event, each)
        early = recognition.entry(desk, ref)
        current = desk.work.peek(EntryRecord, ours.id) or ours
        named(desk, current, desk.work.contact(current.contact_id), ref, each, early=early)
        recognition.entries[ref] = ours


def _upto(
    desk: Desk, recognition: Recognition, event: InboundEvent, change: DeliveryChanged, last: str
) -> dict[int, EntryRecord]:
    """The messages of the conversation up to the last one named; remembered for those not known by their ids yet."""
    remember(desk, upto_key(event.key, event.conversation, change.state), event, change, last)
    reader = recognition.holder(desk, event.sender.identities)
    if reader is None:
        return {}
    place = (event.key.channel, event.key.account, event.conversation)
    return {
        entry.id: entry
        for entry in desk.work.unread([reader.id])
        if (entry.channel, entry.account, entry.conversation) == place and covered(entry, last)
    }


def numbered_entry(desk: Desk, recognition: Recognition, event: InboundEvent, number: int) -> EntryRecord | None:
    """The message that we sent under a number through this account."""
    for entry_id in recognition.numbers.get(number, ()):
        entry = desk.work.peek(EntryRecord, entry_id)
        if entry is not None and (entry.channel, entry.account) == (event.key.channel, event.key.account):
            return entry
    return None


def reaction_changed(
    desk: Desk, recognition: Recognition, event: InboundEvent, reaction: ReactionChanged, journal_id: int
) -> Outcome:
    """Somebody reacts to a message, ours or theirs; where it has not come yet, its place is taken."""
    if not event.sender.identities:
        return ignored("a reaction of nobody known")
    ref = message_ref(event, reaction.ref)
    sender_of(desk, recognition, event)
    entry = recognition.entry(desk, ref) or placeholder(desk, recognition, event, ref, journal_id)
    who = str(event.sender.identities[0])
    stamp = [event.occurred_at.isoformat(), event.sequence]
    if not any([each["at"], each["sequence"]] > stamp for each in entry.reactions if each["who"] == who):
        # That none stands is kept too, so that an older one that comes late is known to be old.
        now = [
            {"who": who, "emoji": emoji, "at": stamp[0], "sequence": stamp[1]}
            for emoji in dict.fromkeys(reaction.emojis or ("",))
        ]
        others = [each for each in entry.reactions if each["who"] != who]
        entry = entry._replace(reactions=sorted([*others, *now], key=lambda each: (each["at"], each["who"])))
    desk.work.put(entry)
    recognition.entries[ref] = entry
    return DONE
