"""Broadcasts as the API takes and shows them, with what became of their recipients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from crm_core.model.definitions.base import Slug
from crm_core.model.outreach import BroadcastRecord, BroadcastState, RecipientState
from crm_core.services.letters import broadcasts as service
from crm_core.storage.queries import broadcasts as queries
from crm_core.storage.queries.broadcasts import RecipientCard, Standing
from hub.http.operations import Call
from hub.http.types import Given, Long, Moment, Named, PageQuery, Short, Taken
from hub.tongues import aloud

_STATES = ("waiting", "queued", "sent", "delivered", "read", "failed", "skipped")


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


def recipient_shown(card: RecipientCard, call: Call[Any, Any]) -> Recipient:
    """A recipient as kept, what became of their message beside it."""
    record = card.record
    why, text = reason_of(record.why, call)
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


def reason_of(why: str, call: Call[Any, Any]) -> tuple[str, str]:
    """The code of a reason, and the same in words."""
    return service.why_skipped(why, call.hub.store.office.language)


def broadcast_shown(record: BroadcastRecord, found: Sequence[Standing], call: Call[Any, Any]) -> Broadcast:
    """A broadcast as kept; `found`: how many recipients stand where, of any broadcasts."""
    return Broadcast(
        **{name: getattr(record, name) for name in Broadcast.model_fields if name not in {"progress", "gathered"}},
        gathered=record.filled,
        progress=_progress([each for each in found if each.broadcast_id == record.id], call),
    )


def _progress(found: Sequence[Standing], call: Call[Any, Any]) -> Progress:
    counted = queries.tally(found)
    reasons: dict[tuple[str, str], int] = {}
    for why, count in counted.why.items():
        reason = reason_of(why, call)
        reasons[reason] = reasons.get(reason, 0) + count
    return Progress(
        recipients=counted.recipients,
        **{name: counted.of(name) for name in _STATES},
        reasons=[SkippedCount(why=why, text=text, count=count) for (why, text), count in sorted(reasons.items())],
    )
