"""What somebody sees of a call before they pick up: who it is, what was last, what is open, why it rings here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Select, literal_column, select

from crm_core.model.access import Sight
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.records import CallRecord, CaseRecord, DealRecord, EntryRecord, IdentityRecord, LeadRecord
from crm_core.model.selling import ClientScoreRecord
from crm_core.model.timeline import EntryKind
from crm_core.storage.queries.calls import GivenOut, given_out, one_call
from crm_core.storage.queries.cases import CaseCard, due_of
from crm_core.storage.queries.contacts import ContactCard, current, identities_of
from crm_core.storage.queries.pages import all_of, both
from crm_core.storage.queries.seeing import seen_entry
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
    """What is known of a call and its client; raises NotFound. Fourteen statements at most."""
    record = one_call(conn, call_id)
    owner = record.contact_id
    known = known_client(conn, asker, owner, entries=entries, without=record.id) if owner is not None else None
    listed = record.list_name or (known.client.list_name if known is not None else None)
    return Popup(record, known, given_out(conn, record), listed)


def known_client(
    conn: Connection, asker: Asker, contact_id: int, *, entries: int = 5, without: int | None = None
) -> KnownClient:
    """What is known of a client, who may have been merged into another, the call `without` left out of what was last;
    raises NotFound. Twelve statements at most."""
    record = current(conn, contact_id)
    held = identities_of(conn, [record.id]).get(record.id, ())
    scores = select(client_score).where(client_score.c.contact_id == record.id)
    leads = select(lead).where(
        lead.c.contact_id == record.id, lead.c.status.in_(("new", "taken")), lead.c.deleted_at.is_(None)
    )
    cases = select(contact_case).where(
        contact_case.c.contact_id == record.id, contact_case.c.state == literal_column("'open'")
    )
    case = next(iter(all_of(conn, CaseRecord, cases)), None)
    said = all_of(conn, EntryRecord, last_statement(record.id, asker.sight).limit(entries + 1))
    said = [each for each in said if without is None or each.call_id != without][:entries]
    return KnownClient(
        client=client_of(ContactCard(record, held)),
        identities=held,
        score=next(iter(all_of(conn, ClientScoreRecord, scores)), None),
        last=tuple(with_details(conn, said)),
        deals=_open_deals(conn, asker, record.id),
        lead=next(iter(all_of(conn, LeadRecord, leads)), None),
        case=CaseCard(case, due_of(conn, [case.id]).get(case.id)) if case is not None else None,
    )


def last_statement(contact_id: int, sight: Sight) -> Select[tuple[object, ...]]:
    """The entries of a client's conversations, newest first."""
    conditions = both((seen_entry(timeline, sight),))
    return (
        select(timeline)
        .where(timeline.c.contact_id == contact_id, timeline.c.kind.in_(_SAID), *conditions)
        .order_by(timeline.c.occurred_at.desc(), timeline.c.sequence.desc(), timeline.c.id.desc())
    )


def _open_deals(conn: Connection, asker: Asker, contact_id: int) -> tuple[OpenDeal, ...]:
    conditions = [deal.c.contact_id == contact_id, deal.c.closed_at.is_(None), deal.c.deleted_at.is_(None)]
    conditions += both((seen_card(asker.sight),))
    statement = select(deal).where(*conditions).order_by(deal.c.updated_at.desc(), deal.c.id.desc()).limit(_MOST_DEALS)
    found = all_of(conn, DealRecord, statement)
    places = [(each, asker.catalogue.place(each.stage_id)) for each in found]
    return tuple(OpenDeal(each, place[0], place[1]) for each, place in places if place is not None)
