"""Segments of the base, and messages to everybody of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Body, Catalogue, Section, SegmentBody
from crm_core.model.definitions.base import Slug
from crm_core.model.filters import Filter
from crm_core.model.outreach import BroadcastRecord, BroadcastState, RecipientState
from crm_core.model.records import ContactRecord
from crm_core.services.desk import Desk
from crm_core.services.letters import broadcasts as service
from crm_core.services.letters.reckoning import reckoned, send_sample
from crm_core.storage.catalogue import load_catalogue
from crm_core.storage.filtering import Asking
from crm_core.storage.queries import broadcasts as queries
from crm_core.storage.queries import definitions, segments
from crm_core.storage.queries.broadcasts import RecipientCard, Standing
from crm_core.storage.queries.pages import Page, Reading
from crm_core.storage.queries.within import connection_of
from hub.http.api.definitions import SectionOperations
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Long, Moment, Named, NoBody, Paged, PageQuery, Query, Short, Taken
from hub.tongues import aloud

_TAG = "broadcasts"


class SegmentClient(Given):
    """A client of a segment."""

    id: int
    name: str
    manager: str | None
    city: str | None
    status: str | None


class SegmentPage(Paged[SegmentClient]):
    """A page of the clients of a segment, and how many there are altogether."""

    count: int


class SegmentTrial(Taken):
    """A segment that is not kept."""

    of: Slug = "contact"
    filter: Filter = Filter()


class NewBroadcast(Taken):
    """A message to everybody of a segment, by a template or with a text of its own (Liquid). `channels` are kinds tried
    in this order for each client; without them it goes where each wrote last, else to their mail address."""

    name: Named
    segment: Named
    template: Short = ""
    text: Long = ""
    subject: Short = ""
    channels: Annotated[list[Slug], Field(max_length=20)] = Field(default_factory=list)
    per_minute: Annotated[int, Field(ge=1, le=service.FASTEST, strict=True)] = 60


class BroadcastChange(Taken):
    """What is to be changed of a draft."""

    name: Named | None = None
    segment: Named | None = None
    template: Short | None = None
    text: Long | None = None
    subject: Short | None = None
    channels: Annotated[list[Slug] | None, Field(max_length=20)] = None
    per_minute: Annotated[int | None, Field(ge=1, le=service.FASTEST, strict=True)] = None


class StartBody(Taken):
    """When it begins; now where nothing is said."""

    at: Moment | None = None


class ReachBody(Taken):
    """Which clients are looked at: `limit` of them at most, those behind `after`, the last of the time before."""

    after: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=5000)] = 1000


class SkippedCount(Given):
    """How many were left out for one reason."""

    why: str
    text: str
    count: int


class ChannelCount(Given):
    """How many would get it by one kind of channel."""

    channel: str
    count: int


class ReachCount(Given):
    """Whom it would reach as of now, of the clients that were looked at; `next` is the `after` of the next go, null
    where all were. Two clients with one address, of whom one gets it, are found out within a go alone."""

    clients: int
    reached: int
    channels: list[ChannelCount]
    left_out: list[SkippedCount]
    next: int | None


class ResendBody(Taken):
    """To whom of those it did not reach; to all of them where nobody is named."""

    contact_ids: Annotated[list[int] | None, Field(min_length=1, max_length=10_000)] = None


class Progress(Given):
    """What became of the recipients. `queued` waits for its channel; `delivered` and `read` are told by channels that
    tell it, `sent` are those of whom no more is known."""

    recipients: int
    waiting: int
    queued: int
    sent: int
    delivered: int
    read: int
    failed: int
    skipped: int
    reasons: list[SkippedCount]


class Broadcast(Given):
    """A broadcast. `gathered` says whether all recipients are known yet."""

    id: int
    name: str
    segment: str
    template: str
    text: str
    subject: str
    channels: list[str]
    per_minute: int
    state: BroadcastState
    author: str
    created_at: datetime
    start_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    gathered: bool
    progress: Progress


class Recipient(Given):
    """A recipient: `waiting`, `queued` (what became of it then: `delivery`), or `skipped` and why."""

    contact_id: int
    state: RecipientState
    channel: str
    account: str
    entry_id: int | None
    delivery: str | None
    error: str | None
    why: str
    text: str
    at: datetime | None


class RecipientQuery(PageQuery):
    """`state`: those alone."""

    state: RecipientState | None = None


def _makes_sense(desk: Desk, _name: str, body: Body) -> None:
    if isinstance(body, SegmentBody):
        service.audience(desk, body, limit=1)


SEGMENTS = SectionOperations(
    Section.SEGMENT,
    "/segments",
    SegmentBody,
    "Segment",
    "a segment of clients",
    "segments of clients",
    keep=Right.BROADCAST,
    check=_makes_sense,
)


def _asking(call: Call[Any, Any], catalogue: Catalogue) -> Asking:
    office = call.hub.store.office
    return Asking(catalogue, call.hub.clock.now(), ZoneInfo(office.time_zone), office.region, call.access.sight)


def _client(record: ContactRecord) -> SegmentClient:
    return SegmentClient(id=record.id, name=record.name, manager=record.manager, city=record.city, status=record.status)


def _page_of(
    conn: Reading, call: Call[Any, Any], catalogue: Catalogue, body: SegmentBody, query: PageQuery
) -> SegmentPage:
    asking = _asking(call, catalogue)
    found = segments.page(conn, body.of, body.filter, asking, query.where)
    count = segments.count(conn, body.of, body.filter, asking)
    return SegmentPage(items=[_client(each) for each in found.items], next=found.next, count=count)


def _tried(desk: Desk, call: Call[PageQuery, SegmentTrial]) -> SegmentPage:
    body = SegmentBody(of=call.body.of, filter=call.body.filter)
    return _page_of(connection_of(desk), call, desk.catalogue, body, call.query)


def _listed(conn: Reading, call: Call[PageQuery, NoBody]) -> SegmentPage:
    record = definitions.definition(conn, Section.SEGMENT, call.number())
    return _page_of(conn, call, load_catalogue(conn, 0), SegmentBody.model_validate(record.body), call.query)


def _drafted(desk: Desk, call: Call[Any, NewBroadcast]) -> Broadcast:
    body = call.body
    given = service.NewBroadcast(
        name=body.name,
        segment=body.segment,
        template=body.template,
        text=body.text,
        subject=body.subject,
        channels=body.channels,
        per_minute=body.per_minute,
    )
    return _shown(service.draft(desk, given, call.user.login), (), call)


def _changed(desk: Desk, call: Call[Any, BroadcastChange]) -> Broadcast:
    given = call.body.model_dump(exclude_unset=True)
    for name, value in given.items():
        if value is None:
            raise InvalidInput("{name}: null is no value here", name=name)
    return _shown(service.change(desk, call.number(), **given), (), call)


def _started(desk: Desk, call: Call[Any, StartBody]) -> Broadcast:
    return _shown(service.start(desk, call.number(), call.body.at), (), call)


def _paused(desk: Desk, call: Call[Any, NoBody]) -> Broadcast:
    return _with_progress(desk, call, service.pause(desk, call.number()))


def _resumed(desk: Desk, call: Call[Any, NoBody]) -> Broadcast:
    return _with_progress(desk, call, service.resume(desk, call.number()))


def _cancelled(desk: Desk, call: Call[Any, NoBody]) -> Broadcast:
    return _with_progress(desk, call, service.cancel(desk, call.number()))


def _resent(desk: Desk, call: Call[Any, ResendBody]) -> Broadcast:
    record, count = service.resend(desk, call.number(), call.body.contact_ids)
    found = queries.standing(connection_of(desk), [record.id])  # as it stood before they were written
    moved = (Standing(record.id, "queued", "failed", "", -count), Standing(record.id, "waiting", None, "", count))
    return _shown(record, [*found, *moved], call)


def _reckoned(desk: Desk, call: Call[Any, ReachBody]) -> ReachCount:
    found = reckoned(desk, call.number(), above=call.body.after, limit=call.body.limit)
    reached, held = sum(found.channels.values()), found.held
    left_out = [(*_reason(why.value, call), count) for why, count in sorted(held.items())]
    return ReachCount(
        clients=reached + sum(held.values()),
        reached=reached,
        channels=[ChannelCount(channel=kind, count=count) for kind, count in sorted(found.channels.items())],
        left_out=[SkippedCount(why=why, text=text, count=count) for why, text, count in left_out],
        next=found.next,
    )


def _sampled(desk: Desk, call: Call[Any, NoBody]) -> Broadcast:
    send_sample(desk, call.number(), call.user.login, str(desk.work.next_id()))
    return _with_progress(desk, call, desk.work.broadcast(call.number()))


def _with_progress(desk: Desk, call: Call[Any, Any], record: BroadcastRecord) -> Broadcast:
    return _shown(record, queries.standing(connection_of(desk), [record.id]), call)


def _all(conn: Reading, call: Call[PageQuery, NoBody]) -> Paged[Broadcast]:
    page = queries.list_broadcasts(conn, call.query.where)
    found = queries.standing(conn, [each.id for each in page.items])
    return Paged[Broadcast](items=[_shown(each, found, call) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Broadcast:
    record = queries.one_broadcast(conn, call.number())
    return _shown(record, queries.standing(conn, [record.id]), call)


def _recipients(conn: Reading, call: Call[RecipientQuery, NoBody]) -> Paged[Recipient]:
    record = queries.one_broadcast(conn, call.number())
    page: Page[RecipientCard] = queries.list_recipients(conn, record.id, call.query.state, call.query.where)
    return Paged[Recipient](items=[_recipient(each, call) for each in page.items], next=page.next)


def _recipient(card: RecipientCard, call: Call[Any, Any]) -> Recipient:
    record = card.record
    why, text = _reason(record.why, call)
    return Recipient(
        contact_id=record.contact_id,
        state=record.state,
        channel=record.channel,
        account=record.account,
        entry_id=record.entry_id,
        delivery=card.delivery.value if card.delivery is not None else None,
        error=aloud(card.error),
        why=why,
        text=text,
        at=record.at,
    )


def _reason(why: str, call: Call[Any, Any]) -> tuple[str, str]:
    """The code of a reason, and the same in words."""
    return service.why_skipped(why, call.hub.store.office.language)


def _shown(record: BroadcastRecord, found: Sequence[Standing], call: Call[Any, Any]) -> Broadcast:
    return Broadcast(
        **{name: getattr(record, name) for name in Broadcast.model_fields if name not in {"progress", "gathered"}},
        gathered=record.filled,
        progress=_progress([each for each in found if each.broadcast_id == record.id], call),
    )


def _progress(found: Sequence[Standing], call: Call[Any, Any]) -> Progress:
    counted = queries.tally(found)
    reasons: dict[tuple[str, str], int] = {}
    for why, count in counted.why.items():
        reason = _reason(why, call)
        reasons[reason] = reasons.get(reason, 0) + count
    return Progress(
        recipients=counted.recipients,
        **{name: counted.of(name) for name in _STATES},
        reasons=[SkippedCount(why=why, text=text, count=count) for (why, text), count in sorted(reasons.items())],
    )


_STATES = ("waiting", "queued", "sent", "delivered", "read", "failed", "skipped")


def _act(path: str, handler: Any, summary: str, body: type[BaseModel] = NoBody) -> Operation:
    return act("POST", path, handler, tag=_TAG, summary=summary, right=Right.BROADCAST, body=body, response=Broadcast)


OPERATIONS: tuple[Operation, ...] = (
    *SEGMENTS.operations(),
    act(
        "POST",
        "/segments/preview",
        _tried,
        tag="segments",
        summary="The clients of a segment that is not kept (yet), and how many",
        right=Right.SEE_CLIENTS,
        query=PageQuery,
        body=SegmentTrial,
        response=SegmentPage,
    ),
    read(
        "/segments/{id}/clients",
        _listed,
        tag="segments",
        summary="The clients of a segment as of now, and how many",
        right=Right.SEE_CLIENTS,
        query=PageQuery,
        response=SegmentPage,
    ),
    read(
        "/broadcasts",
        _all,
        tag=_TAG,
        summary="Broadcasts with their progress, the newest first",
        right=Right.SEE_SALES,
        query=PageQuery,
        response=Paged[Broadcast],
    ),
    act(
        "POST",
        "/broadcasts",
        _drafted,
        tag=_TAG,
        summary="Prepare a message to everybody of a segment; nothing is sent before it is started",
        right=Right.BROADCAST,
        body=NewBroadcast,
        response=Broadcast,
        status=201,
    ),
    read(
        "/broadcasts/{id}",
        _one,
        tag=_TAG,
        summary="A broadcast and what became of it",
        right=Right.SEE_SALES,
        response=Broadcast,
    ),
    act(
        "PATCH",
        "/broadcasts/{id}",
        _changed,
        tag=_TAG,
        summary="Change a draft",
        right=Right.BROADCAST,
        body=BroadcastChange,
        response=Broadcast,
    ),
    act(
        "POST",
        "/broadcasts/{id}/reach",
        _reckoned,
        tag=_TAG,
        summary="Whom it would reach if it began now, and why it would not reach the others; nothing is sent",
        right=Right.BROADCAST,
        body=ReachBody,
        response=ReachCount,
    ),
    _act(
        "/broadcasts/{id}/sample", _sampled, "Send yourself what a client would get, the way that you are told things"
    ),
    _act("/broadcasts/{id}/start", _started, "Begin now, or at a moment", StartBody),
    _act("/broadcasts/{id}/pause", _paused, "Queue no more for now"),
    _act("/broadcasts/{id}/resume", _resumed, "Go on after a pause"),
    _act("/broadcasts/{id}/cancel", _cancelled, "End it for good; what is queued goes out"),
    _act(
        "/broadcasts/{id}/resend",
        _resent,
        "Send it again to those whom it did not reach; never to whoever got it",
        ResendBody,
    ),
    read(
        "/broadcasts/{id}/recipients",
        _recipients,
        tag=_TAG,
        summary="The recipients one by one",
        right=Right.SEE_SALES,
        query=RecipientQuery,
        response=Paged[Recipient],
    ),
)
