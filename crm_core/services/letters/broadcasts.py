"""A message to everybody of a segment: recipients are gathered and messages queued a few at a time, each few in one
transaction with the deadline of the next, so that whatever dies goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.errors import Conflict, InvalidInput, Outdated
from crm_core.model.callback import permitted_at
from crm_core.model.conversation import AutoAnswerRecord
from crm_core.model.definitions import Section
from crm_core.model.definitions.segments import SegmentBody
from crm_core.model.definitions.templates import TemplateBody
from crm_core.model.outreach import BroadcastRecord, BroadcastState, RecipientRecord, RecipientState
from crm_core.model.records import DeadlineKind, DeadlineRecord, EntryRecord, MergeRecord
from crm_core.model.rights import Right
from crm_core.model.templates import TemplateError, checked
from crm_core.services.desk import Desk
from crm_core.services.letters.letter_scope import letter_scope
from crm_core.services.letters.outgoing import (
    HELD_BACK,
    HeldBack,
    Place,
    composed,
    leave_link,
    queued,
    reachable,
    template_named,
)
from crm_core.services.watching.ladders import key
from crm_core.services.wording import Phrase, say

GATHERED_AT_ONCE = 1000
FASTEST = 600  # messages a minute
_STEP = timedelta(seconds=5)
_FURTHEST = timedelta(days=366)
_LONGEST_WHY = 300
_TEMPLATE = "template: "
_LIST_FIELDS = frozenset({"list", "list_name"})


@dataclass(frozen=True, slots=True)
class NewBroadcast:
    """A broadcast to be: to a segment, by a template, or by a text of its own."""

    name: str
    segment: str
    template: str = ""
    text: str = ""
    subject: str = ""
    channels: Sequence[str] = ()
    per_minute: int = 60


def draft(desk: Desk, given: NewBroadcast, login: str) -> BroadcastRecord:
    """Note a broadcast; nothing is sent before it is started. Raises InvalidInput."""
    desk.demand(Right.BROADCAST)
    record = BroadcastRecord(
        id=desk.work.next_id(),
        name=given.name,
        segment=given.segment,
        template=given.template,
        state=BroadcastState.DRAFT,
        created_at=desk.now,
        author=login,
        channels=list(given.channels),
        per_minute=given.per_minute,
        text=given.text,
        subject=given.subject,
    )
    segment_of(desk, record)
    desk.work.put(record)
    return record


def look_of(desk: Desk, record: BroadcastRecord) -> str:
    """What a broadcast says to whom, in short: it differs where the draft, its segment or its template do."""
    segment = desk.catalogue.body(Section.SEGMENT, record.segment, SegmentBody)
    template = desk.catalogue.body(Section.TEMPLATE, record.template, TemplateBody) if record.template else None
    bodies = [each.model_dump_json() if each is not None else "" for each in (segment, template)]
    said = (record.name, record.segment, record.template, record.text, record.subject, record.channels)
    return hashlib.sha256(repr((*said, record.per_minute, *bodies)).encode()).hexdigest()[:32]


def change(desk: Desk, broadcast_id: int, *, seen: str | None = None, **changes: Any) -> BroadcastRecord:
    """Change a draft, where it still looks as whoever changes it has `seen` it (`look_of`). Raises Conflict where it
    was started, Outdated, InvalidInput."""
    desk.demand(Right.BROADCAST)
    record = desk.work.broadcast(broadcast_id)
    if record.state is not BroadcastState.DRAFT:
        raise Conflict("the broadcast was started: only drafts are changed")
    _demand_seen(desk, record, seen)
    record = record._replace(**changes)
    segment_of(desk, record)
    desk.work.put(record)
    return record


def start(desk: Desk, broadcast_id: int, at: datetime | None = None, *, seen: str | None = None) -> BroadcastRecord:
    """Begin, now or at a moment, what still looks as whoever starts it has `seen` it (`look_of`); the segment's filter
    is kept as it is now. Raises Conflict, Outdated, InvalidInput."""
    desk.demand(Right.BROADCAST)
    record = desk.work.broadcast(broadcast_id)
    if record.state is not BroadcastState.DRAFT:
        raise Conflict("the broadcast was started already: it is {state}", state=record.state.value)
    _demand_seen(desk, record, seen)
    if at is not None and at > desk.now + _FURTHEST:
        raise InvalidInput("at: a year ahead at most")
    body = segment_of(desk, record)
    due = max(at or desk.now, desk.now)
    record = record._replace(
        state=BroadcastState.RUNNING,
        start_at=due,
        filter={"of": body.of, "filter": body.filter.model_dump(mode="json", by_alias=True, exclude_defaults=True)},
    )
    desk.work.put(record)
    _wake(desk, record, due)
    return record


def pause(desk: Desk, broadcast_id: int) -> BroadcastRecord:
    """Queue no more for now; what is queued goes out. Raises Conflict."""
    return _moved(desk, broadcast_id, BroadcastState.RUNNING, BroadcastState.PAUSED)


def resume(desk: Desk, broadcast_id: int) -> BroadcastRecord:
    """Go on where it was paused; raises Conflict."""
    return _moved(desk, broadcast_id, BroadcastState.PAUSED, BroadcastState.RUNNING)


def cancel(desk: Desk, broadcast_id: int) -> BroadcastRecord:
    """End it for good; what is queued goes out. Raises Conflict."""
    desk.demand(Right.BROADCAST)
    record = desk.work.broadcast(broadcast_id)
    if record.state in {BroadcastState.DONE, BroadcastState.CANCELLED}:
        raise Conflict("the broadcast has ended: it is {state}", state=record.state.value)
    record = record._replace(state=BroadcastState.CANCELLED, ended_at=desk.now)
    desk.work.put(record)
    desk.work.remove(DeadlineRecord, key(DeadlineKind.BROADCAST, record.id))
    return record


def resend(desk: Desk, broadcast_id: int, contact_ids: Sequence[int] | None = None) -> tuple[BroadcastRecord, int]:
    """Let those to whom it did not get through have their turn again, all of them or those who are named; how many.

    Whoever got it, or whose message still waits, is left as they are, so that asking twice changes nothing; who may not
    be written to any more is found out when their turn comes, as with everybody. Raises Conflict.
    """
    desk.demand(Right.BROADCAST)
    record = desk.work.broadcast(broadcast_id)
    if record.state not in {BroadcastState.RUNNING, BroadcastState.PAUSED, BroadcastState.DONE}:
        raise Conflict("the broadcast is {state}: there is nobody to send it to again", state=record.state.value)
    failed = desk.work.recipients_failed(record.id, contact_ids)
    if not failed:
        return record, 0
    entries = desk.work.related(EntryRecord, "id", [each.entry_id for each in failed if each.entry_id is not None])
    for entry in entries:
        place = Place(entry.channel or "", entry.account or "", entry.conversation or "")
        desk.work.remove(AutoAnswerRecord, mark_of(record, place))
    for recipient in failed:
        again = RecipientRecord(recipient.key, record.id, recipient.contact_id, RecipientState.WAITING)
        desk.work.put(again)
    if record.state is BroadcastState.DONE:
        record = record._replace(state=BroadcastState.RUNNING, ended_at=None)
        desk.work.put(record)
        _wake(desk, record, desk.now)
    return record, len(failed)


def broadcast_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """Gather a few recipients more, or queue a few messages more, and say when to go on."""
    record = desk.work.broadcast(deadline.subject_id)
    current = desk.work.get(DeadlineRecord, deadline.key)
    if record.state is not BroadcastState.RUNNING:
        desk.work.remove(DeadlineRecord, deadline.key)
        return
    if current.due_at > desk.now:
        return  # another node was here a moment ago
    if record.started_at is None:
        record = record._replace(started_at=desk.now)
    if not record.filled:
        record = _gathered(desk, record)
        desk.work.put(record)
        _wake(desk, record, desk.now)
        return
    morning = permitted_at(desk.office.robot, ZoneInfo(desk.office.time_zone), desk.now)
    if morning > desk.now:
        desk.work.put(record)
        _wake(desk, record, morning)
        return
    count, pause_for = _pace(record.per_minute)
    waiting = desk.work.recipients_waiting(record.id, count)
    _queue(desk, record, waiting)
    if len(waiting) < count:
        desk.work.put(record._replace(state=BroadcastState.DONE, ended_at=desk.now))
        desk.work.remove(DeadlineRecord, deadline.key)
        return
    desk.work.put(record)
    _wake(desk, record, desk.now + pause_for)


def audience(desk: Desk, segment: SegmentBody, *, above: int = 0, limit: int = GATHERED_AT_ONCE) -> list[int]:
    """The next clients of a segment behind an id, by id; raises InvalidInput for a filter that makes no sense."""
    return desk.work.audience(
        segment.of,
        segment.filter,
        desk.catalogue,
        above=above,
        limit=limit,
        zone=desk.office.time_zone,
        region=desk.office.region,
    )


def why_skipped(why: str, language: str) -> tuple[str, str]:
    """Why somebody was left out, as it is kept: its code, and the same in words; both empty for whoever was not."""
    if why.startswith(_TEMPLATE):
        return "template", say(language, Phrase.HELD_TEMPLATE, error=why.removeprefix(_TEMPLATE))
    return why, say(language, HELD_BACK[HeldBack(why)]) if why else ""


def audience_of(desk: Desk, record: BroadcastRecord) -> SegmentBody:
    """Whom a broadcast is for: of a draft the segment as it is now, else as it was when it began. Raises
    InvalidInput."""
    if record.state is BroadcastState.DRAFT or not record.filter:
        return segment_of(desk, record)
    return SegmentBody.model_validate(record.filter)


def is_mailing(segment: SegmentBody) -> bool:
    """Whether those who stand on any special list are left out: they are, unless the segment asks for lists itself."""
    return all(each.field not in _LIST_FIELDS for each in segment.filter.terms())


def _gathered(desk: Desk, record: BroadcastRecord) -> BroadcastRecord:
    """The next clients of the segment written down; each once, whatever happens."""
    segment = SegmentBody.model_validate(record.filter)
    found = audience(desk, segment, above=record.filled_to, limit=GATHERED_AT_ONCE)
    for contact_id in found:
        desk.work.put(RecipientRecord(f"{record.id}:{contact_id}", record.id, contact_id, RecipientState.WAITING))
    return record._replace(filled_to=found[-1] if found else record.filled_to, filled=len(found) < GATHERED_AT_ONCE)


def _queue(desk: Desk, record: BroadcastRecord, waiting: Sequence[RecipientRecord]) -> None:
    """Queue the messages of these recipients; who opted out or was excluded meanwhile is left out now."""
    body = template_of(desk, record)
    mailing = is_mailing(SegmentBody.model_validate(record.filter))
    ids = [each.contact_id for each in waiting]
    places = reachable(desk, ids, record.channels, body.channels, mailing=mailing)
    marks = {each: mark_of(record, place) for each, place in places.items() if isinstance(place, Place)}
    before = _absorbed(desk, record, [each for each, place in places.items() if isinstance(place, Place)])
    said = {each.key for each in desk.work.related(AutoAnswerRecord, "key", marks.values())} if marks else set()
    for recipient in waiting:
        place = places[recipient.contact_id]
        mark = marks.get(recipient.contact_id, "")
        if isinstance(place, Place) and (mark in said or recipient.contact_id in before):
            place = HeldBack.ALREADY  # to whom it went before two contacts became one
        if isinstance(place, HeldBack):
            _skip(desk, recipient, place.value)
            continue
        said.add(mark)
        desk.work.put(AutoAnswerRecord(mark, desk.now))
        _write(desk, recipient, body, place)


def _absorbed(desk: Desk, record: BroadcastRecord, contact_ids: Sequence[int]) -> set[int]:
    """Those of these clients who took over somebody that it went to. Two statements."""
    merges = desk.work.related(MergeRecord, "survivor_id", contact_ids) if contact_ids else []
    taken = {f"{record.id}:{each.absorbed_id}": each.survivor_id for each in merges if each.undone_at is None}
    found = desk.work.related(RecipientRecord, "key", taken) if taken else []
    return {taken[each.key] for each in found if each.state is RecipientState.QUEUED}


def _write(desk: Desk, recipient: RecipientRecord, body: TemplateBody, place: Place) -> None:
    contact = desk.work.contact(recipient.contact_id)
    leave = leave_link(desk, contact) if place.channel == "email" else ""
    scope = letter_scope(desk, contact, None, unsubscribe=leave)
    try:
        letter = composed(desk, contact, body, place.channel, scope, leave)
    except TemplateError as err:
        _skip(desk, recipient, f"{_TEMPLATE}{err}")
        return
    if letter is None:
        _skip(desk, recipient, HeldBack.EMPTY.value)
        return
    entry = queued(desk, contact, place, letter, any_hour=body.any_hour, mailing=True)
    desk.work.put(
        recipient._replace(
            state=RecipientState.QUEUED,
            channel=place.channel,
            account=place.account,
            entry_id=entry.id,
            at=desk.now,
        )
    )


def _skip(desk: Desk, recipient: RecipientRecord, why: str) -> None:
    desk.work.put(recipient._replace(state=RecipientState.SKIPPED, why=why[:_LONGEST_WHY], at=desk.now))


def mark_of(record: BroadcastRecord, place: Place) -> str:
    """What tells that a broadcast went to a place, so that nobody gets it twice there."""
    return f"broadcast:{record.id}:{place.channel}:{place.account}:{place.conversation}"


def template_of(desk: Desk, record: BroadcastRecord) -> TemplateBody:
    """What a broadcast says; raises InvalidInput for a template that is gone."""
    if record.template:
        return template_named(desk, record.template)
    return TemplateBody(text=record.text, subject=record.subject)


def segment_of(desk: Desk, record: BroadcastRecord) -> SegmentBody:
    """The segment of a broadcast that can be sent; raises InvalidInput."""
    if bool(record.template) == bool(record.text.strip()):
        raise InvalidInput("give «template» or «text», one of them")
    if not 1 <= record.per_minute <= FASTEST:
        raise InvalidInput("per_minute: from 1 to {most}", most=FASTEST)
    if record.template:
        template_named(desk, record.template)
    checked(record.text)
    checked(record.subject)
    body = desk.catalogue.body(Section.SEGMENT, record.segment, SegmentBody)
    if body is None:
        raise InvalidInput("segment: there is none called «{segment}»", segment=record.segment)
    audience(desk, body, limit=1)
    return body


def _demand_seen(desk: Desk, record: BroadcastRecord, seen: str | None) -> None:
    if seen is not None and seen != look_of(desk, record):
        raise Outdated("the draft, its segment or its template was changed meanwhile: look at it once more")


def _moved(desk: Desk, broadcast_id: int, before: BroadcastState, after: BroadcastState) -> BroadcastRecord:
    desk.demand(Right.BROADCAST)
    record = desk.work.broadcast(broadcast_id)
    if record.state is not before:
        raise Conflict("the broadcast is {state}, not {now}", state=record.state.value, now=before.value)
    record = record._replace(state=after)
    desk.work.put(record)
    if after is BroadcastState.RUNNING:
        _wake(desk, record, max(record.start_at or desk.now, desk.now))
    else:
        desk.work.remove(DeadlineRecord, key(DeadlineKind.BROADCAST, record.id))
    return record


def _wake(desk: Desk, record: BroadcastRecord, due: datetime) -> None:
    name = key(DeadlineKind.BROADCAST, record.id)
    desk.work.put(DeadlineRecord(name, DeadlineKind.BROADCAST, record.id, due))


def _pace(per_minute: int) -> tuple[int, timedelta]:
    """How many at once, and how long until the next: small portions, so that nothing else waits behind them."""
    count = max(int(per_minute * _STEP.total_seconds() / 60), 1)
    return count, timedelta(seconds=60 * count / per_minute)
