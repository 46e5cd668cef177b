"""What happened to a client, and writing to them."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey
from crm_core.model.records import AttachmentRecord, EntryRecord
from crm_core.services.desk import Desk
from crm_core.services.letters.replies import reply
from crm_core.services.letters.scheduling import postpone, withdraw
from crm_core.storage.queries import contacts as contact_queries
from crm_core.storage.queries import files as file_queries
from crm_core.storage.queries import timeline as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.timeline import EntryCard, Order
from hub.http.api.clients.entry_shapes import Entries, Entry, entry_json
from hub.http.operations import Call, Operation, act, own, read
from hub.http.rights import Right
from hub.http.sending import attachment_headers
from hub.http.types import Id, Long, Moment, NoBody, PageQuery, Query, Short, Taken

_TAG = "timeline"


class TimelineQuery(PageQuery):
    """`committed` (usual): as entries became known, so that none ever appears behind the cursor. `occurred`: as things
    happened, oldest first; `recent`: newest first."""

    order: Order = Order.COMMITTED


class MessageBody(Taken):
    """A message to the client through a channel: where they wrote from last, unless `conversation` says where to, or
    `thread_id` which of their mails is answered.

    `attachments` are ids from `/api/v1/files`. With `not_before` it waits for that moment, 366 days at most, and stands
    on the timeline there; until then it can be withdrawn. A moment that lies behind is refused, the last minute is now.
    """

    channel: Short
    account: Short | None = None
    text: Long = ""
    subject: Short = ""
    attachments: Annotated[list[Id], Field(max_length=20)] = Field(default_factory=list)
    conversation: Short | None = None
    thread_id: Id | None = None
    not_before: Moment | None = None


def _timeline(conn: Reading, call: Call[TimelineQuery, NoBody]) -> Entries:
    contact = contact_queries.current(conn, call.access, call.number())
    page = queries.list_entries(conn, call.access, contact.id, call.query.order, call.query.where)
    return Entries(items=[entry_json(card) for card in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Entry:
    return entry_json(queries.entry_card(conn, call.access, call.number()))


def _written(desk: Desk, call: Call[Any, MessageBody]) -> Entry:
    body = call.body
    if body.account is not None and ChannelKey(body.channel, body.account) not in call.hub.channels:
        raise InvalidInput(
            "account: «{channel}:{account}» is not configured", channel=body.channel, account=body.account
        )
    uploads = [
        {"name": each.name, "content_type": each.content_type, "size": each.size, "sha256": each.sha256}
        for each in file_queries.uploads(desk, body.attachments, by=call.user.login)
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
        thread_id=body.thread_id,
    )
    if body.not_before is not None:
        entry = postpone(desk, entry, body.not_before)
    return _in_work(desk, entry)


def _scheduled(conn: Reading, call: Call[PageQuery, NoBody]) -> Entries:
    contact = contact_queries.current(conn, call.access, call.number())
    page = queries.list_scheduled(conn, call.access, contact.id, call.hub.clock.now(), call.query.where)
    return Entries(items=[entry_json(card) for card in page.items], next=page.next)


def _withdrawn(desk: Desk, call: Call[Any, NoBody]) -> Entry:
    return _in_work(desk, withdraw(desk, call.number()))


def _in_work(desk: Desk, entry: EntryRecord) -> Entry:
    files = desk.work.related(AttachmentRecord, "entry_id", [entry.id])
    ordered = tuple(sorted(files, key=lambda each: each.position))
    return entry_json(EntryCard(entry, ordered, thread_id=entry.thread_id))


async def _raw(_request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    fact = await call.hub.store.read(lambda conn: queries.raw_of(conn, call.access, call.number()))
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
    read(
        "/contacts/{id}/scheduled",
        _scheduled,
        tag=_TAG,
        summary="Messages to a contact that wait for their moment, the soonest first",
        right=Right.SEE_CLIENTS,
        query=PageQuery,
        response=Entries,
    ),
    act(
        "POST",
        "/entries/{id}/withdraw",
        _withdrawn,
        tag=_TAG,
        summary="Take back a message that waits for its moment; 409 where it has gone out, or is going out just now",
        right=Right.KEEP_CLIENTS,
        response=Entry,
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
