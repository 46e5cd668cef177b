"""Taking in website forms. A form is no proof of identity: it links only what nobody holds yet."""

from __future__ import annotations

from dataclasses import replace

from crm_core.messages import EntryKind, FormSubmitted, InboundEvent
from crm_core.model.call import Direction
from crm_core.model.case import Signal, SignalAt
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.records import EntryRecord, beside
from crm_core.services.cards.leads import about, enquire
from crm_core.services.desk import Desk
from crm_core.services.intake.messages import authenticity_json, is_refused
from crm_core.services.intake.outcome import DONE, Outcome
from crm_core.services.letters.entries import attach, emit_message
from crm_core.services.recognising.marks import stamp_of
from crm_core.services.recognising.recognition import Recognition, identities_of
from crm_core.services.watching import callbacks
from crm_core.services.watching.cases import signalled
from crm_core.services.wording import Phrase
from crm_core.wording import Joined, plain

_TITLE_LENGTH = 120


def form_submitted(
    desk: Desk, recognition: Recognition, event: InboundEvent, form: FormSubmitted, journal_id: int
) -> Outcome:
    """A visitor sent a form: entry with every field, a lead (also of a known client), a case."""
    identities = identities_of(event, desk.office.region)
    if not identities:
        # Nobody can be recognised; the entry still needs a client to stand on.
        identities = (Identity(IdentityKind.WEB, f"form-{journal_id}"),)
    contact = recognition.contact(desk, identities, form.name.strip(), f"form {event.key.account}", stamp_of(event))
    text = _text(desk, form)
    refused = is_refused(desk, contact)
    enquiry = None
    if contact.list_name is None:
        policy = desk.office.policy(event.key)
        enquiry = enquire(
            desk,
            contact,
            event.key,
            replace(policy, source=form.source) if form.source else policy,
            by=stamp_of(event),
            title=form.source[:_TITLE_LENGTH] or desk.titled(Phrase.TITLE_FORM),
            utm=form.utm,
            fields=_fields(form),
        )
    entry = EntryRecord(
        id=desk.work.next_id(),
        seq=0,
        contact_id=contact.id,
        kind=EntryKind.FORM,
        direction=Direction.IN,
        occurred_at=event.occurred_at,
        sequence=event.sequence,
        recorded_at=desk.now,
        channel=event.key.channel,
        account=event.key.account,
        conversation=event.conversation,
        journal_id=journal_id,
        external_id=event.external_id,
        text=plain(text),
        offers=beside(text),
        subject=form.subject,
        authenticity=authenticity_json(form.authenticity),
        author=form.name.strip(),
        signal=None if refused else Signal.ASK,
        signal_at=None if refused else event.occurred_at,
        **about(enquiry),
    )
    desk.work.put(entry)
    attach(desk, event, entry.id, form.attachments)
    if not refused:
        signalled(desk, desk.work.contact(contact.id), SignalAt(Signal.ASK, event.occurred_at), event.key)
    emit_message(desk, entry)
    if form.callback_at is not None and not refused:
        callbacks.form_wished(desk, desk.work.contact(contact.id), form.callback_at, form.phone, event.occurred_at)
    return DONE


def _fields(form: FormSubmitted) -> dict[str, str]:
    fields = dict(form.fields)
    if form.page:
        fields["page"] = form.page
    return fields


def _text(desk: Desk, form: FormSubmitted) -> str:
    """The form as people read it on the timeline: what was written, then the other fields line by line."""
    labelled = (
        (Phrase.FORM_NAME, form.name),
        (Phrase.FORM_PHONE, form.phone),
        (Phrase.FORM_EMAIL, form.email),
        (Phrase.FORM_PAGE, form.page),
    )
    lines: list[str] = [Joined((desk.say(phrase), value), ": ") for phrase, value in labelled if value]
    lines += [f"{name}: {value}" for name, value in form.fields if value]
    return Joined([form.message, *lines] if form.message else lines, "\n")
