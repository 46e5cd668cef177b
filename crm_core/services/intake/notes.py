"""Taking in what clients did without asking anything, and what providers tell of who they are."""

from __future__ import annotations

from crm_core.messages import EntryKind, InboundEvent, Noted, ProfileLearned
from crm_core.services.cards.leads import about
from crm_core.services.desk import Desk
from crm_core.services.intake.messages import TITLE_LENGTH, open_lead
from crm_core.services.intake.outcome import DONE, Outcome, ignored
from crm_core.services.letters.entries import entry_of, sender_of
from crm_core.services.recognising.marks import learned
from crm_core.services.recognising.recognition import Recognition, renamed


def noted(desk: Desk, recognition: Recognition, event: InboundEvent, note: Noted, journal_id: int) -> Outcome:
    """A line of the timeline; an enquiry opens a lead where none is open, and nobody waits for an answer."""
    if not event.sender.identities:
        return ignored("done by nobody known")
    contact = sender_of(desk, recognition, event)
    enquiry = None
    if note.enquiry:
        title = note.text.split("\n", 1)[0][:TITLE_LENGTH]
        enquiry = open_lead(desk, contact, event, title=title, utm=note.utm, source=note.source)
    desk.work.put(
        entry_of(desk, event, contact.id, EntryKind.SYSTEM, journal_id, text=note.text, author="", **about(enquiry))
    )
    return DONE


def profile_learned(desk: Desk, recognition: Recognition, event: InboundEvent, profile: ProfileLearned) -> Outcome:
    """Names of clients known by their ids; a name that a fact or a person gave stays."""
    changed = False
    for identity, name in profile.names:
        contact = recognition.holder(desk, [identity])
        given = learned(event, name)
        if contact is None or not name or not given.stands_in(contact.name, contact.marks.get("name")):
            continue
        marks = {**contact.marks, "name": given.mark}
        desk.work.put(renamed(contact, name)._replace(updated_at=desk.now, marks=marks))
        changed = True
    return DONE if changed else ignored("no client without a name is among them")
