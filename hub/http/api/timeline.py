"""What happened to a client, and writing to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey, Delivery, EntryKind
from crm_core.model.call import CallState, Direction
from crm_core.model.recording import RecordingState
from crm_core.model.records import AttachmentRecord, CallRecord, EntryRecord, RecordingRecord
from crm_core.services.desk import Desk
from crm_core.services.replies import reply
from crm_core.storage.queries import contacts as contact_queries
from crm_core.storage.queries import files as file_queries
from crm_core.storage.queries import timeline as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.timeline import EntryCard, Order
from hub.http.api.calls import Leg, Talk, legs_json, recording_url, talks_json
from hub.http.operations import Call, Operation, act, own, read
from hub.http.rights import Right
from hub.http.sending import attachment_headers
from hub.http.types import Given, Id, Long, NoBody, Paged, PageQuery, Query, Short, Taken

_TAG = "timeline"
_PREFIX = "/api/v1"


class TimelineQuery(PageQuery):
    """`committed` (usual): as entries became known, so that none ever appears behind the cursor. `occurred`: as things
    happened, oldest first; `recent`: newest first."""

    order: Order = Order.COMMITTED


class MessageBody(Taken):
    """A message to the client through a channel: where they wrote from last, unless `conversation` says where to.

    `attachments` are ids from `/api/v1/files`.
    """

    channel: Short
    account: Short | None = None
    text: Long = ""
    subject: Short = ""
    attachments: Annotated[list[Id], Field(max_length=20)] = Field(default_factory=list)
    conversation: Short | None = None


class Attachment(Given):
    """A file; `size` in bytes. `url` wants the same bearer. `state` is `stored`, `pending` or `failed`."""

    id: int
    name: str
    content_type: str
    size: int | None
    url: str
    state: str


class EntryCall(Given):
    """The call that an entry is; times in seconds."""

    id: int
    line: str
    state: CallState
    wait_s: float
    talk_s: float
    hold_s: float
    answered_by: str | None
    rung: list[Leg]
    talks: list[Talk]
    cause_text: str
    recording_url: str | None
    recording_state: RecordingState | None
    recording_detail: str | None
    number: str


class Version(Given):
    """An earlier text of an edited message, and since when it stood."""

    at: datetime
    text: str


class Place(Given):
    """A place, WGS 84 degrees."""

    latitude: float
    longitude: float


class Entry(Given):
    """Something that happened to a client. `seq` is the place in commit order, null in the answer that makes it."""

    id: int
    seq: int | None
    contact_id: int
    deal_id: int | None
    lead_id: int | None
    kind: EntryKind
    channel: str | None
    account: str | None
    direction: Direction
    occurred_at: datetime
    recorded_at: datetime
    text: str
    html: str | None
    subject: str
    quoted: str
    attachments: list[Attachment]
    author: str
    external_id: str | None
    delivery: Delivery | None
    delivery_error: str | None
    call: EntryCall | None
    history: list[Version]
    deleted_at: datetime | None
    location: Place | None
    raw_url: str | None


class Entries(Paged[Entry]):
    """A page of a timeline."""


def entry_json(card: EntryCard) -> Entry:
    """An entry on the wire."""
    entry = card.entry
    received = entry.kind is EntryKind.EMAIL and entry.direction is Direction.IN and entry.journal_id is not None
    return Entry(
        id=entry.id,
        seq=entry.seq or None,
        contact_id=entry.contact_id,
        deal_id=entry.deal_id,
        lead_id=entry.lead_id,
        kind=entry.kind,
        channel=entry.channel,
        account=entry.account,
        direction=entry.direction,
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        text=entry.text,
        html=entry.html,
        subject=entry.subject,
        quoted=entry.quoted,
        attachments=[attachment_json(each) for each in card.attachments],
        author=entry.author,
        external_id=entry.external_id,
        delivery=entry.delivery,
        delivery_error=entry.delivery_error,
        call=_call_json(card.call, card.recording) if card.call is not None else None,
        history=[Version(at=each["at"], text=each["text"]) for each in entry.versions[:-1]],
        deleted_at=entry.deleted_at,
        location=Place(**entry.location) if entry.location else None,
        raw_url=f"{_PREFIX}/entries/{entry.id}/raw" if received else None,
    )


def attachment_json(record: AttachmentRecord) -> Attachment:
    """A file on the wire."""
    return Attachment(
        id=record.id,
        name=record.name,
        content_type=record.content_type,
        size=record.size,
        url=f"{_PREFIX}/attachments/{record.id}",
        state=record.state.value,
    )


def _call_json(record: CallRecord, recording: RecordingRecord | None) -> EntryCall:
    return EntryCall(
        id=record.id,
        line=record.line,
        state=record.state,
        wait_s=record.wait_s,
        talk_s=record.talk_s,
        hold_s=record.hold_s,
        answered_by=record.answered_by,
        rung=legs_json(record),
        talks=talks_json(record),
        cause_text=record.cause_text,
        recording_url=recording_url(recording),
        recording_state=recording.state if recording is not None else None,
        recording_detail=recording.error if recording is not None else None,
        number=record.number,
    )


def _timeline(conn: Reading, call: Call[TimelineQuery, NoBody]) -> Entries:
    contact = contact_queries.current(conn, call.number())
    page = queries.list_entries(conn, contact.id, call.query.order, call.query.where)
    return Entries(items=[entry_json(card) for card in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Entry:
    return entry_json(queries.entry_card(conn, call.number()))


def _written(desk: Desk, call: Call[Any, MessageBody]) -> Entry:
    body = call.body
    if body.account is not None and ChannelKey(body.channel, body.account) not in call.hub.channels:
        raise InvalidInput(f"account: «{body.channel}:{body.account}» is not configured")
    uploads = [
        {"name": each.name, "content_type": each.content_type, "size": each.size, "sha256": each.sha256}
        for each in file_queries.uploads(desk, body.attachments)
    ]
    entry = reply(
        desk,
        call.number(),
        call.user.login,
        channel=body.channel,
        account=body.account,
        text=body.text,
        subject=body.subject,
        uploads=uploads,
        conversation=body.conversation,
    )
    return _in_work(desk, entry)


def _in_work(desk: Desk, entry: EntryRecord) -> Entry:
    files = desk.work.related(AttachmentRecord, "entry_id", [entry.id])
    return entry_json(EntryCard(entry, tuple(sorted(files, key=lambda each: each.position))))


async def _raw(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    fact = await call.hub.store.read(lambda conn: queries.raw_of(conn, call.number()))
    name = f"{call.number()}.eml" if fact.raw_type == "message/rfc822" else f"{call.number()}.txt"
    return web.Response(body=fact.raw, headers=attachment_headers(name, fact.raw_type, inline=False))


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/contacts/{id}/timeline",
        _timeline,
        tag=_TAG,
        summary="What happened to a contact",
        right=Right.SEE_CLIENTS,
        query=TimelineQuery,
        response=Entries,
    ),
    act(
        "POST",
        "/contacts/{id}/messages",
        _written,
        tag=_TAG,
        summary="Write to a contact; it is queued, `delivery` tells what became of it",
        right=Right.KEEP_CLIENTS,
        body=MessageBody,
        response=Entry,
        status=202,
    ),
    read("/entries/{id}", _one, tag=_TAG, summary="One entry", right=Right.SEE_CLIENTS, response=Entry),
    own(
        "GET",
        "/entries/{id}/raw",
        _raw,
        tag=_TAG,
        summary="A message as it was received",
        right=Right.SEE_CLIENTS,
        media="message/rfc822",
    ),
)
