"""Guesses that two contacts are one person: kept once a pair, decided by a person, following the contacts in merges.

Nothing is linked by a guess. What makes them: `crm_core.services.duplicates.likeness`; what a decision does:
`crm_core.services.duplicates.deciding`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm_core.errors import Conflict
from crm_core.model.conversation import SuggestionReason, SuggestionRecord, SuggestionState
from crm_core.model.records import ContactRecord
from crm_core.model.rights import Right
from crm_core.services.desk import Desk

Pair = tuple[int, int]


def pair_of(one: int, other: int) -> Pair:
    """Two contacts as a suggestion names them: the lower id first."""
    return (one, other) if one < other else (other, one)


def suggest(
    desk: Desk, one: int, other: int, reason: SuggestionReason, confidence: int, evidence: str
) -> SuggestionRecord | None:
    """Note that two contacts may be one; None where that is decided already, or was noted with more confidence.

    `confidence` in percent. Two transactions that note one pair at once: the later one runs again and finds it.
    """
    if one == other:
        return None
    pair = pair_of(one, other)
    known = known_pairs(desk, [pair[0]]).get(pair)
    if known is not None:
        if known.state is not SuggestionState.OPEN or known.confidence >= confidence:
            return None
        record = known._replace(reason=reason, confidence=confidence, evidence=evidence)
    else:
        record = SuggestionRecord(
            desk.work.next_id(), *pair, reason, confidence, evidence, SuggestionState.OPEN, desk.now
        )
    _put(desk, record)
    return record


def known_pairs(desk: Desk, lower: Iterable[int]) -> dict[Pair, SuggestionRecord]:
    """Suggestions by their pairs, of those whose lower contact is named; all clients of a batch are read at once."""
    found = desk.work.related(SuggestionRecord, "contact_id", [*lower, *desk.clients])
    return {(each.contact_id, each.other_id): each for each in found}


def of_contact(desk: Desk, contact_id: int) -> list[SuggestionRecord]:
    """The suggestions that name a contact, decided ones too, by id."""
    lower = desk.work.related(SuggestionRecord, "contact_id", [contact_id])
    return sorted([*lower, *desk.work.related(SuggestionRecord, "other_id", [contact_id])])


def dismiss(desk: Desk, suggestion_id: int, login: str) -> SuggestionRecord:
    """Somebody says that the two are not one person; the pair is never suggested again. Raises NotFound, Conflict."""
    desk.demand(Right.KEEP_CLIENTS)
    record = opened(desk, suggestion_id)
    decided = record._replace(state=SuggestionState.DISMISSED, decided_at=desk.now, decided_by=login)
    _put(desk, decided)
    return decided


def opened(desk: Desk, suggestion_id: int) -> SuggestionRecord:
    """A suggestion that waits for a decision, both contacts locked; raises NotFound, Conflict."""
    record, _ = desk.work.owned(SuggestionRecord, suggestion_id)
    desk.work.contacts([record.contact_id, record.other_id])
    if record.state is not SuggestionState.OPEN:
        by = desk.name_of(record.decided_by)
        raise Conflict(
            "suggestion {record} was decided already: {state}, {by}", record=record.id, state=record.state.value, by=by
        )
    return record


def follow(desk: Desk, survivor: ContactRecord, absorbed: ContactRecord, author: str) -> dict[str, Any]:
    """Suggestions go with a merge: that of the two is accepted, those of the absorbed contact become the survivor's.

    Where the survivor has one with the same third contact, its own stands and the other waits for the merge to be
    undone. What was changed, for `part`.
    """
    mine = {_third(each, survivor.id) for each in of_contact(desk, survivor.id)}
    moved: dict[str, Any] = {"moved": [], "accepted": None}
    for record in of_contact(desk, absorbed.id):
        third = _third(record, absorbed.id)
        if third == survivor.id:
            moved["accepted"] = {
                "id": record.id,
                "state": record.state.value,
                "decided_at": record.decided_at.isoformat() if record.decided_at is not None else None,
                "decided_by": record.decided_by,
            }
            accepted = record._replace(state=SuggestionState.ACCEPTED, decided_at=desk.now, decided_by=author)
            _put(desk, accepted)
        elif third not in mine:
            moved["moved"].append(record.id)
            _put(desk, _between(record, survivor.id, third))
    return moved


def part(desk: Desk, survivor_id: int, absorbed_id: int, moved: dict[str, Any]) -> None:
    """Undo `follow`; a decision made since on what had moved stands."""
    taken = {_third(each, absorbed_id) for each in of_contact(desk, absorbed_id)}
    for record in desk.work.related(SuggestionRecord, "id", moved.get("moved", [])):
        third = _third(record, survivor_id)
        if survivor_id in record[1:3] and third not in taken:
            _put(desk, _between(record, absorbed_id, third))
    before = moved.get("accepted")
    if before is not None:
        for record in desk.work.related(SuggestionRecord, "id", [before["id"]]):
            _put(desk, _reopened(record, before))


def _reopened(record: SuggestionRecord, before: dict[str, Any]) -> SuggestionRecord:
    at = before["decided_at"]
    return record._replace(
        state=SuggestionState(before["state"]),
        decided_at=type(record.created_at).fromisoformat(at) if at is not None else None,
        decided_by=before["decided_by"],
    )


def _third(record: SuggestionRecord, contact_id: int) -> int:
    """The other contact of a suggestion."""
    return record.other_id if record.contact_id == contact_id else record.contact_id


def _between(record: SuggestionRecord, one: int, other: int) -> SuggestionRecord:
    lower, higher = pair_of(one, other)
    return record._replace(contact_id=lower, other_id=higher)


def _put(desk: Desk, record: SuggestionRecord) -> None:
    """Both cards change with it: the record itself tells of the first only."""
    desk.work.put(record)
    desk.work.changed("suggestion", record.id, record.other_id)
