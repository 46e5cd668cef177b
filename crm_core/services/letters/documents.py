"""Documents made of templates: what goes into one, its number, where it stands in the record.

Filling in takes long and happens outside of any transaction; the number is taken in the one that writes the document
down, so that none is missing and none is there twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_core.errors import Conflict, InvalidInput, NotFound
from crm_core.messages import EntryKind
from crm_core.model.definitions import Section
from crm_core.model.definitions.documents import DocumentBody
from crm_core.model.exchange import CounterRecord, DocumentRecord
from crm_core.model.records import AttachmentRecord, ContactRecord, DealRecord, EntryRecord, FileState
from crm_core.model.rights import Right
from crm_core.model.selling import LineItemRecord, PaymentRecord
from crm_core.model.templates import rendered
from crm_core.services.cards.pipelines import place_of, sees
from crm_core.services.desk import Desk
from crm_core.services.letters.letter_scope import letter_scope
from crm_core.services.letters.replies import reply
from crm_core.services.recognising.cleaning import clean_file_name
from crm_core.services.scope import shown
from crm_core.services.wording import Phrase

_DEEPEST = 4
_MOST_LINES = 2000
# What a document may name. Nothing else of the record leaves it.
NAMES = (
    *("contact", "deal", "company", "lead", "client", "fields", "manager", "author", "office"),
    *("items", "payments", "number", "now"),
)


class NumberTaken(Conflict):
    """Somebody else took the number meanwhile: fill the document in once more."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that filling in needs: the template, and plain values of the record as it is now."""

    name: str
    body: DocumentBody
    number: int
    title: str
    file_name: str
    values: Mapping[str, Any]
    zone: str
    language: str
    contact_id: int | None
    deal_id: int | None


@dataclass(frozen=True, slots=True)
class Made:
    """A file that lies in the store."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Sending:
    """How a document goes to the client; where they wrote last, unless a channel is named."""

    channel: str = ""
    account: str | None = None
    text: str = ""
    subject: str = ""


def prepare(
    desk: Desk, template: str, login: str, *, deal_id: int | None = None, contact_id: int | None = None
) -> Prepared:
    """Gather what a document is made of. Raises NotFound, InvalidInput, TemplateError, Forbidden for whoever sees no
    sales."""
    desk.demand(Right.SEE_SALES)
    body = desk.catalogue.body(Section.DOCUMENT, template, DocumentBody)
    if body is None:
        raise InvalidInput("there is no template of documents «{template}»", template=template)
    deal = desk.work.get(DealRecord, deal_id) if deal_id is not None else None
    if deal is not None and not sees(desk, desk.work.staff.get(login), place_of(desk, deal.stage_id)[0], deal):
        raise NotFound("there is no deal {deal}", deal=deal.id)
    if deal is not None and deal.deleted_at is not None:
        raise Conflict("the deal was deleted")
    owner = contact_id if contact_id is not None else (deal.contact_id if deal is not None else None)
    contact = desk.work.contact(owner) if owner is not None else None
    kind = deal.type if deal is not None else "contact"
    if body.of != kind:
        raise InvalidInput(
            "template: «{template}» is for records of kind «{of}», not «{kind}»",
            template=template,
            of=body.of,
            kind=kind,
        )
    number = _next(desk, template)
    values = _values(desk, contact, deal, login, number)
    zone, language = desk.office.time_zone, desk.office.language
    title = " ".join(rendered(body.title, values, zone=zone, language=language).split())[:300]
    wanted = rendered(body.file_name, values, zone=zone, language=language) if body.file_name else title
    ending = ".docx" if body.docx is not None else ".pdf"
    return Prepared(
        name=template,
        body=body,
        number=number,
        title=title or template,
        file_name=(clean_file_name(" ".join(wanted.split()))[:120] or "document") + ending,
        values=values,
        zone=zone,
        language=language,
        contact_id=contact.id if contact is not None else None,
        deal_id=deal.id if deal is not None else None,
    )


def keep(desk: Desk, prepared: Prepared, made: Made, login: str, sending: Sending | None) -> DocumentRecord:
    """Write a document down and, where that is wanted, send it. Raises NumberTaken, InvalidInput."""
    desk.demand(Right.KEEP_SALES)
    number = desk.work.next_number(_series(prepared.name))
    if number != prepared.number:
        raise NumberTaken
    upload = {
        "name": prepared.file_name,
        "content_type": prepared.body.content_type,
        "size": made.size,
        "sha256": made.sha256,
    }
    entry = (
        _sent(desk, prepared, upload, login, sending) if sending is not None else _noted(desk, prepared, upload, login)
    )
    record = DocumentRecord(
        id=desk.work.next_id(),
        template=prepared.name,
        number=number,
        title=prepared.title,
        created_at=desk.now,
        author=login,
        name=prepared.file_name,
        content_type=prepared.body.content_type,
        size=made.size,
        sha256=made.sha256,
        contact_id=prepared.contact_id,
        deal_id=prepared.deal_id,
        entry_id=entry.id if entry is not None else None,
    )
    desk.work.put(record)
    return record


def _sent(desk: Desk, prepared: Prepared, upload: dict[str, Any], login: str, sending: Sending) -> EntryRecord:
    if prepared.contact_id is None:
        raise InvalidInput("send: the deal has no client to whom it could go")
    channel, account = sending.channel, sending.account
    if not channel:
        last = desk.work.last_written(prepared.contact_id)
        channel = (last.channel if last is not None else None) or "email"
        account = account or (last.account if last is not None else None)
    if channel == "email" and account is None:
        known = desk.work.last_entry(prepared.contact_id, "email", None)
        sender = desk.office.mail_channel
        account = known.account if known is not None else (sender.account if sender is not None else None)
    entry = reply(
        desk,
        prepared.contact_id,
        login,
        channel=channel,
        account=account,
        text=sending.text or prepared.title,
        subject=sending.subject or (prepared.title if channel == "email" else ""),
        uploads=[upload],
    )
    entry = entry._replace(deal_id=prepared.deal_id)
    desk.work.put(entry)
    return entry


def _noted(desk: Desk, prepared: Prepared, upload: dict[str, Any], login: str) -> EntryRecord | None:
    """The document on the client's timeline; nowhere where there is no client."""
    if prepared.contact_id is None:
        return None
    entry = desk.note(
        prepared.contact_id,
        desk.say(Phrase.DOCUMENT_MADE, title=prepared.title),
        kind=EntryKind.NOTE,
        deal_id=prepared.deal_id,
        author=login,
        by_person=True,
    )
    file = AttachmentRecord(desk.work.next_id(), entry.id, 0, state=FileState.STORED, **upload)
    desk.work.put(file)
    return entry


def _next(desk: Desk, template: str) -> int:
    """The number that the next document will have, where nobody is quicker."""
    known = desk.work.related(CounterRecord, "name", [_series(template)])
    return known[0].value + 1 if known else 1


def _series(template: str) -> str:
    return f"document:{template}"


# ---------------------------------------------------------------- values


def _values(
    desk: Desk, contact: ContactRecord | None, deal: DealRecord | None, login: str, number: int
) -> dict[str, Any]:
    author = desk.work.staff.get(login)
    items: Sequence[LineItemRecord] = desk.work.related(LineItemRecord, "deal_id", [deal.id]) if deal else ()
    payments: Sequence[PaymentRecord] = desk.work.related(PaymentRecord, "deal_id", [deal.id]) if deal else ()
    alive = [each for each in payments if each.deleted_at is None]
    if len(items) > _MOST_LINES or len(alive) > _MOST_LINES:
        raise InvalidInput("the deal has more than {most} lines", most=_MOST_LINES)
    scope = letter_scope(
        desk,
        contact,
        deal,
        number=number,
        author={"name": author.name, "email": author.email, "extension": author.extension} if author else {},
        office={"language": desk.office.language, "url": desk.office.public_url},
        items=[
            {**_plain(shown(desk, each), 1), "position": place, "currency": deal.currency if deal else "RUB"}
            for place, each in enumerate(sorted(items, key=lambda each: (each.position, each.id)), start=1)
        ],
        payments=[
            {**_plain(shown(desk, each), 1), "position": place}
            for place, each in enumerate(sorted(alive, key=lambda each: (each.due_on or "", each.id)), start=1)
        ],
    )
    return {name: _plain(scope[name], 0) for name in NAMES if name in scope} | {"now": desk.now}


def _plain(value: Any, depth: int) -> Any:
    """A value on its own, without the record behind it."""
    if value is None or isinstance(value, bool | str | int | float | datetime | date):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if depth >= _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key], depth + 1) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(each, depth + 1) for each in value]
    return str(value)
