"""Whom a broadcast would reach, before anything is sent: where each client of its segment would get it, or why not; and
how it would look to one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from crm_core.errors import Conflict
from crm_core.model.records import ContactRecord
from crm_core.model.rights import Right
from crm_core.model.templates import TemplateError
from crm_core.services.desk import Desk
from crm_core.services.letters.broadcasts import (
    GATHERED_AT_ONCE,
    audience,
    audience_of,
    is_mailing,
    mark_of,
    template_of,
)
from crm_core.services.letters.letter_scope import letter_scope
from crm_core.services.letters.outgoing import HeldBack, Letter, Place, composed, reachable
from crm_core.services.watching.telling import enqueue_notification, media_of
from crm_core.services.wording import Phrase

_LOOKED_AT = 50  # clients, for one who can be written to


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Some of the clients of a segment: how many would get it, by kind of channel, and how many not, by why. `marks`
    are the places that are taken, so that none counts twice; `next` is behind whom to go on, None: these were the
    last."""

    channels: Mapping[str, int]
    held: Mapping[HeldBack, int]
    marks: frozenset[str]
    next: int | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What one client of the segment would get: `channel` where, `held` why nothing, `error` what is wrong with the
    template; no link to leave by stands in it, for whoever tried that would make the client leave."""

    contact: ContactRecord
    channel: str
    letter: Letter | None
    held: HeldBack | None = None
    error: str = ""


def reckoned(
    desk: Desk, broadcast_id: int, *, above: int = 0, limit: int = GATHERED_AT_ONCE, taken: frozenset[str] = frozenset()
) -> Reckoned:
    """Look at the next clients of its segment behind an id, as if each had their turn now. A fixed number of
    statements, whatever their number. Raises NotFound, InvalidInput for a segment or a template that is gone,
    Forbidden."""
    desk.demand(Right.BROADCAST)
    record = desk.work.broadcast(broadcast_id)
    segment, body = audience_of(desk, record), template_of(desk, record)
    ids = audience(desk, segment, above=above, limit=limit)
    places = reachable(desk, ids, record.channels, body.channels, mailing=is_mailing(segment))
    channels, held, marks = Counter[str](), Counter[HeldBack](), set(taken)
    for each in ids:
        place = places[each]
        if isinstance(place, Place) and (mark := mark_of(record, place)) in marks:
            place = HeldBack.ALREADY  # two cards of one address
        elif isinstance(place, Place) and not body.text_for(place.channel).strip() and not body.attachments:
            place = HeldBack.EMPTY
        if isinstance(place, HeldBack):
            held[place] += 1
            continue
        marks.add(mark)
        channels[place.channel] += 1
    return Reckoned(channels, held, frozenset(marks), ids[-1] if len(ids) == limit else None)


def sampled(desk: Desk, broadcast_id: int, *, above: int = 0) -> Sample | None:
    """How it would look to the next client of its segment behind an id who can be written to, else to the next at all;
    None where there is none. Raises NotFound, InvalidInput, Forbidden."""
    desk.demand(Right.BROADCAST)
    record = desk.work.broadcast(broadcast_id)
    segment, body = audience_of(desk, record), template_of(desk, record)
    ids = audience(desk, segment, above=above, limit=_LOOKED_AT)
    if not ids:
        return None
    places = reachable(desk, ids, record.channels, body.channels, mailing=is_mailing(segment))
    chosen = next((each for each in ids if isinstance(places[each], Place)), ids[0])
    place, contact = places[chosen], desk.work.contact(chosen)
    channel = place.channel if isinstance(place, Place) else ""
    held = place if isinstance(place, HeldBack) else None
    try:
        letter = composed(desk, contact, body, channel, letter_scope(desk, contact, None, unsubscribe=""))
    except TemplateError as err:
        return Sample(contact, channel, None, held, str(err))
    return Sample(contact, channel, letter, held or (HeldBack.EMPTY if letter is None else None))


def send_sample(desk: Desk, broadcast_id: int, login: str, mark: str, *, above: int = 0) -> Sample:
    """Send somebody of the office what a client would get, the way that they are told things; `mark` tells this time
    from others. Raises Conflict where there is nobody to look at it for, or no way to whoever asks."""
    desk.demand(Right.BROADCAST)
    record, user = desk.work.broadcast(broadcast_id), desk.work.staff.get(login)
    media = media_of(desk, user) if user is not None else []
    if not media:
        raise Conflict("there is neither a mail address nor a Telegram account of yours that the hub could write to")
    sample = sampled(desk, broadcast_id, above=above)
    if sample is None:
        raise Conflict("the segment «{segment}» has no clients", segment=record.segment)
    if sample.error:
        raise Conflict("the template can't be filled in: {why}", why=sample.error)
    if sample.letter is None:
        raise Conflict("for client {contact} the message is empty", contact=sample.contact.id)
    heading = desk.say(Phrase.BROADCAST_SAMPLE, broadcast=record.name, client=desk.client(sample.contact))
    files = [each.model_dump() for each in sample.letter.files]
    payload = {
        "login": login,
        "text": f"{heading}\n\n{sample.letter.text}",
        "subject": sample.letter.subject,
        "buttons": [],
        "contact_id": None,
        "cause": f"sample:{record.id}:{mark}",
        "files": files,
    }
    enqueue_notification(desk, media, payload)
    return sample
