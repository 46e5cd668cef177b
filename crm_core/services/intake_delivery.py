"""Taking in what providers and clients tell of messages that are there: what became of ours, how clients react."""

from __future__ import annotations

from crm_core.messages import DeliveryChanged, InboundEvent, ReactionChanged
from crm_core.model.call import Direction
from crm_core.model.records import EntryRecord
from crm_core.services.delivery import moved
from crm_core.services.desk import Desk
from crm_core.services.entries import placeholder, sender_of
from crm_core.services.outcome import DONE, Outcome, ignored
from crm_core.services.recognition import Recognition, message_ref


def delivery_changed(desk: Desk, recognition: Recognition, event: InboundEvent, change: DeliveryChanged) -> Outcome:
    """Messages of ours were sent, delivered, read, or failed."""
    found = _messages(desk, recognition, event, change)
    for entry in found:
        moved(desk, entry, desk.work.contact(entry.contact_id), change.state, change.detail or None)
    return DONE if found else ignored("none of the messages is on a timeline")


def _messages(desk: Desk, recognition: Recognition, event: InboundEvent, change: DeliveryChanged) -> list[EntryRecord]:
    """The messages of ours that are meant."""
    found: dict[int, EntryRecord] = {}
    for ref in change.refs:
        entry = recognition.entry(desk, message_ref(event, ref))
        if entry is not None and entry.direction is Direction.OUT:
            found[entry.id] = entry
    return list(found.values())


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
    theirs = [each for each in entry.reactions if each["who"] == who]
    if any([each["at"], each["sequence"]] > stamp for each in theirs):
        recognition.entries[ref] = entry
        desk.work.put(entry)
        return DONE
    # Also that none stands is kept, so that an older one that comes late is known to be old.
    now = [
        {"who": who, "emoji": emoji, "at": stamp[0], "sequence": stamp[1]}
        for emoji in dict.fromkeys(reaction.emojis or ("",))
    ]
    others = [each for each in entry.reactions if each["who"] != who]
    entry = entry._replace(reactions=sorted([*others, *now], key=lambda each: (each["at"], each["who"])))
    desk.work.put(entry)
    recognition.entries[ref] = entry
    return DONE
