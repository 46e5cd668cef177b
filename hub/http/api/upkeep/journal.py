"""The journal: every fact as it arrived, and trying again what was not understood."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from aiohttp import web

from crm_core.messages import ReceiptState
from crm_core.model.records import JournalState
from crm_core.storage.queries import journal as queries
from crm_core.storage.queries.journal import JournalFilter
from crm_core.storage.queries.pages import Reading
from hub.http.acting import kept_answer, run_act
from hub.http.bodies import MAX_JSON, read_body
from hub.http.operations import Call, Operation, own, read
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Paged, PageQuery, Query, Short
from hub.tongues import aloud

_TAG = "journal"
_READABLE = ("text/", "application/json", "application/x-www-form-urlencoded", "message/")


class JournalQuery(PageQuery):
    """Which facts."""

    state: JournalState | None = None
    channel: Short | None = None
    account: Short | None = None


class Fact(Given):
    """A fact of the journal."""

    id: int
    channel: str
    account: str
    external_id: str
    state: JournalState
    what: str
    conversation: str
    occurred_at: datetime
    received_at: datetime
    correlation_id: str
    raw_type: str
    error: str | None
    attempts: int


class WholeFact(Fact):
    """A fact with what arrived: `raw` as text where it is text, else null; `raw_base64` always."""

    raw: str | None
    raw_base64: str


class Facts(Paged[Fact]):
    """A page of the journal."""


class Replayed(Given):
    """What became of the fact this time."""

    id: int
    state: ReceiptState
    answer: str


def _listed(conn: Reading, call: Call[JournalQuery, NoBody]) -> Facts:
    query = call.query
    page = queries.list_journal(
        conn, call.access, JournalFilter(query.state, query.channel, query.account), query.where
    )
    facts = [Fact(**{name: aloud(getattr(row, name)) for name in Fact.model_fields}) for row in page.items]
    return Facts(items=facts, next=page.next)


def _one(conn: Reading, call: Call[Query, NoBody]) -> WholeFact:
    record = queries.one_fact(conn, call.access, call.number())
    plain: dict[str, Any] = {name: aloud(getattr(record, name)) for name in Fact.model_fields}
    raw = bytes(record.raw)
    return WholeFact(**plain, raw=_text(raw, record.raw_type), raw_base64=base64.b64encode(raw).decode())


def _text(raw: bytes, raw_type: str) -> str | None:
    if not raw_type.startswith(_READABLE):
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


async def _replayed(request: web.Request, call: Call[Query, NoBody]) -> web.StreamResponse:
    content = await read_body(request, MAX_JSON)
    kept = await kept_answer(call.hub, request, call.user, content)
    if kept is not None:
        return kept
    # A transaction of its own: the second try of a fact that was taken in meets a row that is no longer failed.
    receipt = await call.hub.intake.replay(call.number(), call.user)
    answer = Replayed(id=call.number(), state=receipt.state, answer=receipt.answer)
    return await run_act(call.hub, request, call.user, content, lambda _desk: answer, status=200)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/journal",
        _listed,
        tag=_TAG,
        summary="Facts as they arrived, the newest first",
        right=Right.KEEP_JOURNAL,
        query=JournalQuery,
        response=Facts,
    ),
    read(
        "/journal/{id}",
        _one,
        tag=_TAG,
        summary="One fact with its raw form",
        right=Right.KEEP_JOURNAL,
        response=WholeFact,
    ),
    own(
        "POST",
        "/journal/{id}/replay",
        _replayed,
        tag=_TAG,
        summary="Take a failed fact in once more; 409 for one that is not failed",
        right=Right.KEEP_JOURNAL,
        response=Replayed,
    ),
)
