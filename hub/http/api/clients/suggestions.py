"""Guesses that two contacts are one person: listed, accepted (the two are merged), dismissed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from crm_core.model.conversation import SuggestionReason, SuggestionRecord, SuggestionState
from crm_core.model.records import ContactRecord
from crm_core.services.desk import Desk
from crm_core.services.duplicates import deciding
from crm_core.services.duplicates import suggestions as services
from crm_core.services.duplicates.deciding import Because
from crm_core.storage.queries import suggestions as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.suggestions import SuggestionCard, SuggestionFilter
from hub.http.api.clients.contacts import Contact, contact_now
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, NoBody, Paged, PageQuery, QueryId, Taken
from hub.tongues import aloud

_TAG = "suggestions"
_BECAUSE = {
    Because.CHOSEN: "it was chosen",
    Because.PROVEN: "the other one only claimed an address",
    Because.MANAGER: "it has a personal manager",
    Because.IDENTITIES: "more identities of it are known",
    Because.OLDER: "it is the older one",
}


class SuggestionQuery(PageQuery):
    """`state`: open, accepted or dismissed; `contact`: those that name this contact."""

    state: SuggestionState | None = None
    contact: QueryId | None = None


class AcceptBody(Taken):
    """`survivor`: which of the two is left; without it the hub chooses, and says why."""

    survivor: Annotated[Id | None, Field()] = None


class SuggestionJson(Given):
    """A guess; `confidence` in percent, `evidence` in words for people."""

    id: int
    contact_id: int
    contact_name: str
    other_id: int
    other_name: str
    reason: SuggestionReason
    confidence: int
    evidence: str
    state: SuggestionState
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None


class Suggestions(Paged[SuggestionJson]):
    """A page of suggestions."""


class Decided(Given):
    """An accepted suggestion: the contact that is left with all of both, whom it took over, and why not the other
    way round. `…/contacts/{id}/unmerge` undoes it."""

    suggestion_id: int
    contact: Contact
    absorbed_id: int
    because: Because
    explanation: str


def _json(record: SuggestionRecord, one: ContactRecord, other: ContactRecord) -> SuggestionJson:
    return SuggestionJson(
        id=record.id,
        contact_id=record.contact_id,
        contact_name=one.name,
        other_id=record.other_id,
        other_name=other.name,
        reason=record.reason,
        confidence=record.confidence,
        evidence=aloud(record.evidence),
        state=record.state,
        created_at=record.created_at,
        decided_at=record.decided_at,
        decided_by=record.decided_by,
    )


def _of_card(card: SuggestionCard) -> SuggestionJson:
    return _json(card.suggestion, card.one.contact, card.other.contact)


def _listed(conn: Reading, call: Call[SuggestionQuery, NoBody]) -> Suggestions:
    wanted = SuggestionFilter(call.query.state, call.query.contact)
    page = queries.list_suggestions(conn, call.access, wanted, call.query.where)
    return Suggestions(items=[_of_card(card) for card in page.items], next=page.next)


def _accepted(desk: Desk, call: Call[Any, AcceptBody]) -> Decided:
    done = deciding.accept(desk, call.number(), call.user.login, call.body.survivor)
    return Decided(
        suggestion_id=call.number(),
        contact=contact_now(desk, done.survivor.id),
        absorbed_id=done.absorbed_id,
        because=done.because,
        explanation=f"contact {done.survivor.id} is left: {_BECAUSE[done.because]}",
    )


def _dismissed(desk: Desk, call: Call[Any, NoBody]) -> SuggestionJson:
    record = services.dismiss(desk, call.number(), call.user.login)
    return _json(record, desk.work.contact(record.contact_id), desk.work.contact(record.other_id))


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/suggestions",
        _listed,
        tag=_TAG,
        summary="Guesses that two contacts are one person, the newest first",
        right=Right.SEE_CLIENTS,
        query=SuggestionQuery,
        response=Suggestions,
    ),
    act(
        "POST",
        "/suggestions/{id}/accept",
        _accepted,
        tag=_TAG,
        summary="Merge the two contacts; says which is left and why, 409 where it is decided already",
        right=Right.KEEP_CLIENTS,
        body=AcceptBody,
        response=Decided,
        decides_calls=True,
    ),
    act(
        "POST",
        "/suggestions/{id}/dismiss",
        _dismissed,
        tag=_TAG,
        summary="They are not one person: the pair is never suggested again",
        right=Right.KEEP_CLIENTS,
        response=SuggestionJson,
    ),
)
