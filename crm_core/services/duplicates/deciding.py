"""Accepting a suggestion: which of the two contacts survives, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from crm_core.errors import Conflict, InvalidInput
from crm_core.model.identity import IdentityKind
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.model.rights import Right
from crm_core.services.desk import Desk
from crm_core.services.duplicates.merging import merge
from crm_core.services.duplicates.suggestions import opened

_CLAIMED = f"{IdentityKind.CLAIMED}:"


class Because(StrEnum):
    """Why the survivor survives."""

    CHOSEN = "chosen"
    PROVEN = "proven"
    MANAGER = "manager"
    IDENTITIES = "identities"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A suggestion that was accepted: who is left, who was taken over, and why it was not the other way round."""

    survivor: ContactRecord
    absorbed_id: int
    because: Because


def accept(desk: Desk, suggestion_id: int, login: str, survivor_id: int | None = None) -> Accepted:
    """Make the two contacts of a suggestion one; `survivor_id` may say which is left.

    Raises NotFound, Conflict where it is decided already, InvalidInput for a survivor that is neither of them.
    """
    desk.demand(Right.KEEP_CLIENTS)
    record = opened(desk, suggestion_id)
    pair = (record.contact_id, record.other_id)
    if survivor_id is not None and survivor_id not in pair:
        raise InvalidInput(
            "survivor: suggestion {record} is about contacts {pair} and {second}",
            record=record.id,
            pair=pair[0],
            second=pair[1],
        )
    one, other = (desk.work.contact(each) for each in pair)
    if one.merged_into is not None or other.merged_into is not None:
        raise Conflict("one of the contacts was merged already")
    survivor, because = _survivor(desk, one, other)
    if survivor_id is not None:
        survivor, because = desk.work.contact(survivor_id), Because.CHOSEN
    absorbed = other if survivor.id == one.id else one
    evidence = f"suggestion {record.id} ({record.reason.value}, {record.confidence} %): {record.evidence}"
    return Accepted(merge(desk, survivor, absorbed, evidence, login), absorbed.id, because)


def _survivor(desk: Desk, one: ContactRecord, other: ContactRecord) -> tuple[ContactRecord, Because]:
    """Who is left: whom more is known of, on better evidence; the older one at last."""
    held = desk.work.identities([one.id, other.id])
    for because, first, second in (
        (Because.PROVEN, _proven(held[one.id]), _proven(held[other.id])),
        (Because.MANAGER, one.manager is not None, other.manager is not None),
        (Because.IDENTITIES, len(held[one.id]), len(held[other.id])),
    ):
        if first != second:
            return (one if first > second else other), because
    return (one if (one.created_at, one.id) <= (other.created_at, other.id) else other), Because.OLDER


def _proven(held: list[IdentityRecord]) -> bool:
    """Whether more is known of a client than what a forged mail claimed."""
    return any(not each.key.startswith(_CLAIMED) for each in held)
