"""Messages to everybody of a segment."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from crm_core.errors import InvalidInput
from crm_core.model.outreach import BroadcastRecord
from crm_core.services.desk import Desk
from crm_core.services.letters import broadcasts as service
from crm_core.services.letters.reckoning import reckoned, send_sample
from crm_core.storage.queries import broadcasts as queries
from crm_core.storage.queries.broadcasts import RecipientCard, Standing
from crm_core.storage.queries.pages import Page, Reading
from crm_core.storage.queries.within import connection_of
from hub.http.api.letters.broadcast_shapes import (
    Broadcast,
    BroadcastChange,
    ChannelCount,
    NewBroadcast,
    ReachBody,
    ReachCount,
    Recipient,
    RecipientQuery,
    ResendBody,
    SkippedCount,
    StartBody,
    broadcast_shown,
    reason_of,
    recipient_shown,
)
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import NoBody, Paged, PageQuery, Query

_TAG = "broadcasts"


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
    return broadcast_shown(service.draft(desk, given, call.user.login), (), call)


def _changed(desk: Desk, call: Call[Any, BroadcastChange]) -> Broadcast:
    given = call.body.model_dump(exclude_unset=True)
    for name, value in given.items():
        if value is None:
            raise InvalidInput("{name}: null is no value here", name=name)
    return broadcast_shown(service.change(desk, call.number(), **given), (), call)


def _started(desk: Desk, call: Call[Any, StartBody]) -> Broadcast:
    return broadcast_shown(service.start(desk, call.number(), call.body.at), (), call)


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
    return broadcast_shown(record, [*found, *moved], call)


def _reckoned(desk: Desk, call: Call[Any, ReachBody]) -> ReachCount:
    found = reckoned(desk, call.number(), above=call.body.after, limit=call.body.limit)
    reached, held = sum(found.channels.values()), found.held
    left_out = [(*reason_of(why.value, call), count) for why, count in sorted(held.items())]
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
    return broadcast_shown(record, queries.standing(connection_of(desk), [record.id]), call)


def _all(conn: Reading, call: Call[PageQuery, NoBody]) -> Paged[Broadcast]:
    page = queries.list_broadcasts(conn, call.access, call.query.where)
    found = queries.standing(conn, [each.id for each in page.items])
    return Paged[Broadcast](items=[broadcast_shown(each, found, call) for each in page.items], next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Broadcast:
    record = queries.one_broadcast(conn, call.access, call.number())
    return broadcast_shown(record, queries.standing(conn, [record.id]), call)


def _recipients(conn: Reading, call: Call[RecipientQuery, NoBody]) -> Paged[Recipient]:
    record = queries.one_broadcast(conn, call.access, call.number())
    page: Page[RecipientCard] = queries.list_recipients(
        conn, call.access, record.id, call.query.state, call.query.where
    )
    return Paged[Recipient](items=[recipient_shown(each, call) for each in page.items], next=page.next)


def _act(path: str, handler: Any, summary: str, body: type[BaseModel] = NoBody) -> Operation:
    return act("POST", path, handler, tag=_TAG, summary=summary, right=Right.BROADCAST, body=body, response=Broadcast)


OPERATIONS: tuple[Operation, ...] = (
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
