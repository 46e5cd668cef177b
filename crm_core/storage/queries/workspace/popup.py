"""What somebody sees of a call before they pick up: who it is, what was last, what is open, why it rings here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, literal_column, select, union_all
from sqlalchemy.sql.elements import ColumnElement

from crm_core.model.access import Right, Sight
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.records import CallRecord, CaseRecord, DealRecord, EntryRecord, IdentityRecord, LeadRecord
from crm_core.model.selling import ClientScoreRecord
from crm_core.model.timeline import EntryKind
from crm_core.storage.queries.calls import GivenOut, given_out, one_call
from crm_core.storage.queries.cases import CaseCard, due_of
from crm_core.storage.queries.contacts import ContactCard, identities_of, survivor
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.seeing import seen_entry, sees_entry
from crm_core.storage.queries.timeline import EntryCard, with_details
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client, client_of
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import client_score, contact_case, deal, lead, timeline

_SAID = (EntryKind.CALL, EntryKind.MESSAGE, EntryKind.EMAIL, EntryKind.FORM, EntryKind.NOTE)
_MOST_DEALS = 10


@dataclass(frozen=True, slots=True)
class OpenDeal:
    """An open card of a client, and where it stands."""

    deal: DealRecord
    pipeline: Pipeline
    stage: Stage


@dataclass(frozen=True, slots=True)
class KnownClient:
    """All that is told of a client in a popup. `last` are the last entries of conversations, newest first; `score` is
    None for who never bought; of `deals` the last changed come first."""

    client: Client
    identities: tuple[IdentityRecord, ...]
    score: ClientScoreRecord | None
    last: tuple[EntryCard, ...]
    deals: tuple[OpenDeal, ...]
    lead: LeadRecord | None
    case: CaseCard | None


@dataclass(frozen=True, slots=True)
class Popup:
    """A call as it comes in. `known` is None where the caller has no card (hidden numbers, inner calls); `decisions`
    tell why it rings where it rings, first attempt first: they are written down a moment after the answer went out, so
    there may be none yet. `list_name` is the special list that the caller stands on."""

    call: CallRecord
    known: KnownClient | None
    decisions: tuple[GivenOut, ...]
    list_name: str | None


def popup(conn: Connection, asker: Asker, call_id: int, *, entries: int = 5) -> Popup:
    """What is known of a call and its client; raises NotFound, Forbidden for whoever sees no calls. Fourteen statements
    at most."""
    return popups(conn, [asker], one_call(conn, asker.access, call_id), entries=entries)[0]


def popups(conn: Connection, askers: Sequence[Asker], record: CallRecord, *, entries: int = 5) -> list[Popup]:
    """What each of them may know of a call and its client; raises NotFound, Forbidden where one of them sees no calls.
    Fourteen statements at most, however many people it rings."""
    for asker in askers:
        asker.access.demand(Right.SEE_CALLS)
    owner = record.contact_id
    known: Sequence[KnownClient | None] = [None] * len(askers)
    if owner is not None:
        known = _known_clients(conn, askers, owner, entries=entries, without=record.id)
    decisions = given_out(conn, record)
    return [
        Popup(record, each, decisions, record.list_name or (each.client.list_name if each is not None else None))
        for each in known
    ]


def known_client(conn: Connection, asker: Asker, contact_id: int, *, entries: int = 5) -> KnownClient:
    """What is known of a client, who may have been merged into another; raises NotFound, Forbidden for whoever sees no
    clients. Twelve statements at most."""
    asker.access.demand(Right.SEE_CLIENTS)
    return _known_clients(conn, [asker], contact_id, entries=entries)[0]


def _known_clients(
    conn: Connection, askers: Sequence[Asker], contact_id: int, *, entries: int = 5, without: int | None = None
) -> list[KnownClient]:
    """What each of them may know of a client, the call `without` left out of what was last; raises NotFound. Thirteen
    statements at most."""
    record = survivor(conn, contact_id)
    held = identities_of(conn, [record.id]).get(record.id, ())
    scores = select(client_score).where(client_score.c.contact_id == record.id)
    leads = select(lead).where(
        lead.c.contact_id == record.id, lead.c.status.in_(("new", "taken")), lead.c.deleted_at.is_(None)
    )
    cases = select(contact_case).where(
        contact_case.c.contact_id == record.id, contact_case.c.state == literal_column("'open'")
    )
    case = next(iter(all_of(conn, CaseRecord, cases)), None)
    score = next(iter(all_of(conn, ClientScoreRecord, scores)), None)
    open_lead = next(iter(all_of(conn, LeadRecord, leads)), None)
    waiting = CaseCard(case, due_of(conn, [case.id]).get(case.id)) if case is not None else None
    deals, last = _deals(conn, askers, record.id), _last(conn, askers, record.id, entries, without)
    client = client_of(ContactCard(record, held))
    return [
        KnownClient(client, held, score, said, _places(asker, seen), open_lead, waiting)
        for asker, said, seen in zip(askers, last, deals, strict=True)
    ]


def _last(
    conn: Connection, askers: Sequence[Asker], contact_id: int, entries: int, without: int | None
) -> list[tuple[EntryCard, ...]]:
    """The last entries that each of them may see."""
    if not entries:
        return [() for _asker in askers]
    sights = [each.sight for each in askers]
    newest = (timeline.c.occurred_at.desc(), timeline.c.sequence.desc(), timeline.c.id.desc())
    each_sees = [last_statement(contact_id, sight).limit(entries + 1) for sight in sights]
    found = all_of(conn, EntryRecord, _of_any(timeline, each_sees, newest))
    found = [each for each in found if without is None or each.call_id != without]
    if len(askers) == 1:
        return [tuple(with_details(conn, found[:entries]))]
    about = {each.deal_id for each in found if each.deal_id is not None}
    cards = all_of(conn, DealRecord, select(deal).where(deal.c.id.in_(sorted(about)))) if about else []
    card_of = {each.id: each for each in cards}
    chosen = [
        [each for each in found if sees_entry(each, card_of.get(each.deal_id or 0), sight)][:entries]
        for sight in sights
    ]
    wanted = {each.id: each for some in chosen for each in some}
    details = {each.entry.id: each for each in with_details(conn, list(wanted.values()))}
    return [tuple(details[each.id] for each in some) for some in chosen]


def last_statement(contact_id: int, sight: Sight) -> Select[tuple[object, ...]]:
    """The entries of a client's conversations that somebody sees, newest first."""
    condition = seen_entry(timeline, sight)
    return (
        select(timeline)
        .where(
            timeline.c.contact_id == contact_id,
            timeline.c.kind.in_(_SAID),
            *([condition] if condition is not None else []),
        )
        .order_by(timeline.c.occurred_at.desc(), timeline.c.sequence.desc(), timeline.c.id.desc())
    )


def _deals(conn: Connection, askers: Sequence[Asker], contact_id: int) -> list[list[DealRecord]]:
    """The open cards that each of them may see, those that changed last first."""
    of_client = select(deal).where(
        deal.c.contact_id == contact_id, deal.c.closed_at.is_(None), deal.c.deleted_at.is_(None)
    )
    changed = (deal.c.updated_at.desc(), deal.c.id.desc())
    seen = [seen_card(each.sight) for each in askers]
    each_sees = [
        of_client.where(*([each] if each is not None else [])).order_by(*changed).limit(_MOST_DEALS) for each in seen
    ]
    found = all_of(conn, DealRecord, _of_any(deal, each_sees, changed))
    return [[each for each in found if asker.sight.sees(each)][:_MOST_DEALS] for asker in askers]


def _places(asker: Asker, deals: Sequence[DealRecord]) -> tuple[OpenDeal, ...]:
    places = [(each, asker.catalogue.place(each.stage_id)) for each in deals]
    return tuple(OpenDeal(each, place[0], place[1]) for each, place in places if place is not None)


def _of_any(table: Table, statements: Sequence[Select[Any]], order: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """The rows of a table that one of these finds, each of which has an end of its own; in the order they all have."""
    if len(statements) == 1:
        return statements[0]
    ids = (select(each.with_only_columns(table.c.id).subquery().c.id) for each in statements)
    return select(table).where(table.c.id.in_(union_all(*ids))).order_by(*order)
