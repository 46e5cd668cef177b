"""What the hub writes to clients by itself, made of templates: where each client can be reached, unless they are not to
be written to, and not at night. It goes the way of every message, by no person, so that it closes no case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey, Delivery, EntryKind
from crm_core.model.call import Direction
from crm_core.model.callback import permitted_at
from crm_core.model.conversation import AutoAnswerRecord
from crm_core.model.definitions import Section
from crm_core.model.definitions.templates import TemplateBody, TemplateFile
from crm_core.model.listed import listed_by
from crm_core.model.office import ListAction
from crm_core.model.records import (
    AttachmentRecord,
    ContactRecord,
    EntryRecord,
    FileState,
    IdentityRecord,
    OutboxKind,
)
from crm_core.model.rights import Right
from crm_core.model.templates import rendered
from crm_core.model.zones import client_zone
from crm_core.services.desk import Desk
from crm_core.services.letters.letter_scope import letter_scope
from crm_core.services.letters.mail_replies import outgoing_key, threaded
from crm_core.services.letters.opting_out import opted_out
from crm_core.services.wording import Phrase

_EMAIL = "email"
_LONGEST_TEXT = 100_000
# Of these a conversation may be one of many people: only the client's own is written into.
_OWN = {"telegram": "tg:", "vk": "vk:"}
_SENT = "sent:"
# Whose provider (or program) shows a message once, however often it is told of it under the same number.
_KNOW_REPEATS = frozenset({"vk", "gateway"})


class HeldBack(StrEnum):
    """Why nothing is written to a client."""

    GONE = "gone"
    LISTED = "listed"
    OPTED_OUT = "opted_out"
    NOWHERE = "nowhere"
    EMPTY = "empty"
    ALREADY = "already"


HELD_BACK: dict[HeldBack, Phrase] = {
    HeldBack.GONE: Phrase.HELD_GONE,
    HeldBack.LISTED: Phrase.HELD_LISTED,
    HeldBack.OPTED_OUT: Phrase.HELD_OPTED_OUT,
    HeldBack.NOWHERE: Phrase.HELD_NOWHERE,
    HeldBack.EMPTY: Phrase.HELD_EMPTY,
    HeldBack.ALREADY: Phrase.HELD_ALREADY,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client can be written to; `last` is what they wrote there last, None where they never did."""

    channel: str
    account: str
    conversation: str
    last: EntryRecord | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be queued. `leave` is the address by which a mail lets its reader leave the mailing."""

    text: str
    subject: str = ""
    files: tuple[TemplateFile, ...] = ()
    leave: str = ""


def deliver(
    desk: Desk,
    contact_id: int,
    template: str,
    *,
    channels: Sequence[str] = (),
    dedupe: str = "",
    about: tuple[Any, ...] | None = None,
    mailing: bool = False,
) -> EntryRecord | HeldBack:
    """Write to a client by a template, where they wrote last or can be reached; says why where nothing is written.

    `channels` are kinds tried in this order, instead; `dedupe` lets it go out once, whatever asks again; `about` is the
    record that the template may name beside the client (a deal, a lead, a task); `mailing` lets whoever reads it as a
    mail leave by a link. Raises InvalidInput for a template that is not there, TemplateError for one that can't be
    filled in.
    """
    body = template_named(desk, template)
    mark = f"{_SENT}{dedupe}"
    if dedupe and desk.work.related(AutoAnswerRecord, "key", [mark]):
        return HeldBack.ALREADY
    place = reachable(desk, [contact_id], channels, body.channels, mailing=mailing)[contact_id]
    if isinstance(place, HeldBack):
        return place
    contact = desk.work.contact(contact_id)
    leave = leave_link(desk, contact) if mailing and place.channel == _EMAIL else ""
    scope = letter_scope(desk, contact, about, unsubscribe=leave)
    letter = composed(desk, contact, body, place.channel, scope, leave)
    if letter is None:
        return HeldBack.EMPTY
    if dedupe:
        desk.work.put(AutoAnswerRecord(mark, desk.now))
    return queued(desk, contact, place, letter, any_hour=body.any_hour, mailing=mailing)


def leave_link(desk: Desk, contact: ContactRecord) -> str:
    """The address by which a client leaves all mailings; empty where the office has none."""
    return desk.office.leave_link(contact.id) if desk.office.leave_link is not None else ""


def template_named(desk: Desk, name: str) -> TemplateBody:
    """A template in use; raises InvalidInput."""
    body = desk.catalogue.body(Section.TEMPLATE, name, TemplateBody)
    if body is None:
        raise InvalidInput("there is no template «{template}»", template=name)
    return body


def held_back(desk: Desk, why: HeldBack) -> str:
    """Why nothing was written, in words."""
    return desk.say(HELD_BACK[why])


# ---------------------------------------------------------------- where


def reachable(
    desk: Desk,
    contact_ids: Iterable[int],
    channels: Sequence[str] = (),
    allowed: Sequence[str] = (),
    *,
    mailing: bool = False,
) -> dict[int, Place | HeldBack]:
    """Where each of these clients is written to, or why not. A fixed number of statements, whatever their number.

    `channels` are tried in their order; without them the client's own come first, the last one before the others, then
    their mail address. `allowed` are the kinds that come into question at all, any where it is empty. Who stands on a
    list of those to be refused is never written to, who stands on any other gets no `mailing`.
    """
    ids = list(dict.fromkeys(contact_ids))
    contacts = desk.work.contacts(ids)
    held = desk.work.identities(list(contacts))
    refused = {each: _refusal(desk, contact, mailing) for each, contact in contacts.items()}
    refused |= _listed(desk, {each: held.get(each, []) for each, why in refused.items() if why is None}, mailing)
    asked = [each for each in ids if each in contacts and refused[each] is None]
    out = opted_out(desk, asked)
    written = desk.work.written_places([each for each in asked if each not in out])
    found: dict[int, Place | HeldBack] = {}
    for each in ids:
        refusal = refused.get(each, HeldBack.GONE)
        if refusal is None and each in out:
            refusal = HeldBack.OPTED_OUT
        if refusal is not None:
            found[each] = refusal
            continue
        places = _places(desk, held.get(each, []), written.get(each, []))
        found[each] = _chosen(places, channels, allowed) or HeldBack.NOWHERE
    return found


def _refusal(desk: Desk, contact: ContactRecord, mailing: bool) -> HeldBack | None:
    if contact.merged_into is not None or contact.deleted_at is not None:
        return HeldBack.GONE
    return HeldBack.LISTED if contact.list_name is not None and _excludes(desk, contact.list_name, mailing) else None


def _listed(desk: Desk, held: Mapping[int, Sequence[IdentityRecord]], mailing: bool) -> dict[int, HeldBack]:
    """Whose number, address or mail domain was put on a list, though they have not turned up since. One statement."""
    keys = {key for each in held.values() for record in each for key in listed_by(record.key)}
    found = desk.work.listed_numbers(keys) if keys else {}
    listed = {key for key, record in found.items() if _excludes(desk, record.list_name, mailing)}
    return {
        owner: HeldBack.LISTED
        for owner, each in held.items()
        if any(not listed.isdisjoint(listed_by(record.key)) for record in each)
    }


def _excludes(desk: Desk, list_name: str, mailing: bool) -> bool:
    listed = desk.office.lists.get(list_name)
    return mailing or (listed is not None and listed.action is ListAction.REJECT)


def _places(desk: Desk, held: Sequence[IdentityRecord], written: Sequence[EntryRecord]) -> list[Place]:
    """Everywhere a client can be written to, their own places first, the newest before the others."""
    accounts = desk.office.policies
    found = [
        Place(last.channel or "", last.account or "", last.conversation or "", last)
        for last in written
        if (not accounts or ChannelKey(last.channel or "", last.account or "") in accounts) and _is_own(last, held)
    ]
    sender = desk.office.mail_channel
    known = {place.conversation.casefold() for place in found if place.channel == _EMAIL}
    addresses = [each.key.removeprefix("mailto:") for each in held if each.key.startswith("mailto:")]
    if sender is not None:
        found.extend(Place(_EMAIL, sender.account, each) for each in addresses if each not in known)
    return found


def _is_own(last: EntryRecord, held: Sequence[IdentityRecord]) -> bool:
    """Whether a conversation is the client's alone: a group, or what people say under a post, is none."""
    prefix = _OWN.get(last.channel or "")
    if prefix is None:
        return True
    own = {each.key.removeprefix(prefix) for each in held if each.key.startswith(prefix)}
    return re.split(r"[:_]", last.conversation or "")[-1] in own


def _chosen(places: Sequence[Place], channels: Sequence[str], allowed: Sequence[str]) -> Place | None:
    if allowed:
        places = [each for each in places if each.channel in allowed]
    if not channels:
        return places[0] if places else None
    return next((each for kind in channels for each in places if each.channel == kind), None)


# ---------------------------------------------------------------- what


def composed(
    desk: Desk, contact: ContactRecord, body: TemplateBody, channel: str, scope: Mapping[str, Any], leave: str = ""
) -> Letter | None:
    """The template filled in for a client and a kind of channel; None where nothing is left to say. Raises
    TemplateError, Forbidden for whoever sees no clients."""
    desk.demand(Right.SEE_CLIENTS)
    zone, language = desk.office.time_zone, body.language or desk.office.language
    text = rendered(body.text_for(channel), scope, zone=zone, language=language).strip()
    subject = " ".join(rendered(body.subject, scope, zone=zone, language=language).split())
    if not text and not body.attachments:
        return None
    if leave and channel == _EMAIL and leave not in text:
        text = f"{text}\n\n-- \n{desk.say(Phrase.LEAVE_MAILING, url=leave)}"
    if len(text) > _LONGEST_TEXT:
        raise InvalidInput(
            "the message to client {contact} is longer than {most} characters", contact=contact.id, most=_LONGEST_TEXT
        )
    return Letter(text, subject if channel == _EMAIL else "", tuple(body.attachments), leave)


# ---------------------------------------------------------------- how


def queued(
    desk: Desk,
    contact: ContactRecord,
    place: Place,
    letter: Letter,
    *,
    any_hour: bool = False,
    mailing: bool = False,
) -> EntryRecord:
    """Queue a message of the hub's own: its entry, its place in the outbox. Not at night by the client's clock, unless
    `any_hour`. A `mailing` rather does not arrive than arrive twice, and asks once more whether the client left."""
    number = desk.work.next_id()
    is_mail = place.channel == _EMAIL
    answers = place.last if place.last is not None and not letter.subject else None
    subject = letter.subject
    if is_mail and not subject and answers is not None:
        subject = answers.subject if answers.subject.lower().startswith("re:") else f"Re: {answers.subject}".strip()
    entry = EntryRecord(
        id=number,
        seq=0,
        contact_id=contact.id,
        kind=EntryKind.EMAIL if is_mail else EntryKind.MESSAGE,
        direction=Direction.OUT,
        occurred_at=desk.now,
        sequence=0,
        recorded_at=desk.now,
        channel=place.channel,
        account=place.account,
        conversation=place.conversation,
        text=letter.text,
        subject=subject,
        delivery=Delivery.QUEUED,
        number=number % 2**31,
    )
    mail: dict[str, Any] = {}
    if is_mail:
        entry, mail = threaded(desk, entry, answers)
    desk.work.put(entry)
    files = [_attached(desk, entry, position, each) for position, each in enumerate(letter.files)]
    payload = {
        "channel": place.channel,
        "account": place.account,
        "conversation": place.conversation,
        "text": letter.text,
        "subject": entry.subject,
        "number": entry.number,
        "files": files,
        "automatic": True,
        **({"unsubscribe": letter.leave} if letter.leave else {}),
        **({"mailing": contact.id, "once": place.channel not in _KNOW_REPEATS} if mailing else {}),
        **mail,
    }
    at = desk.now
    if not any_hour:
        at = permitted_at(desk.office.robot, zone_of(desk, contact), at)
    # What waits stands in a lane of its own: a person's answer need not wait for the morning behind it.
    waits = "~later" if at > desk.now else ""
    own = f"{place.channel}:{place.account}:{place.conversation}{waits}"
    record = desk.enqueue(OutboxKind.MESSAGE, own, outgoing_key(entry.id), payload, entry.id)
    if at > desk.now:
        desk.work.put(record._replace(not_before=at))
    return entry


def zone_of(desk: Desk, contact: ContactRecord) -> ZoneInfo:
    """The zone of the client's clock: of their number, else their city, else the office's."""
    held = desk.work.identities([contact.id]).get(contact.id, [])
    number = next((each.key.partition(":")[2] for each in held if each.key.startswith("tel:+")), "")
    return client_zone(number, contact.city, ZoneInfo(desk.office.time_zone), desk.now)


def _attached(desk: Desk, entry: EntryRecord, position: int, file: TemplateFile) -> dict[str, Any]:
    record = AttachmentRecord(
        id=desk.work.next_id(),
        entry_id=entry.id,
        position=position,
        name=file.name,
        content_type=file.content_type,
        state=FileState.STORED,
        size=file.size,
        sha256=file.sha256,
    )
    desk.work.put(record)
    return {"name": file.name, "content_type": file.content_type, "size": file.size, "sha256": file.sha256}
