"""What an open page tells somebody at once: a client who waits for them, an enquiry that was given to them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from crm_core.model.access import Access, Right, demand
from crm_core.model.case import CaseState
from crm_core.model.records import CaseRecord, EntryRecord, LeadRecord, LeadStatus
from crm_core.storage.queries.pages import all_of
from crm_core.storage.queries.workspace.clients import Client, clients_of
from crm_core.storage.queries.workspace.inbox import last_words
from crm_core.storage.tables import contact_case, lead


@dataclass(frozen=True, slots=True)
class CaseNotice:
    """An open case without a promise; `last` is what the client wrote or did last."""

    case: CaseRecord
    client: Client
    last: EntryRecord | None


@dataclass(frozen=True, slots=True)
class LeadNotice:
    """A lead that was given to somebody and that they did not take yet."""

    lead: LeadRecord
    client: Client


def case_notices(conn: Connection, access: Access | None, case_ids: Collection[int]) -> list[CaseNotice]:
    """Those of these cases that somebody is to be told of. Four statements at most. Raises Forbidden for whoever sees
    no cases."""
    demand(access, Right.SEE_CASES)
    statement = select(contact_case).where(
        contact_case.c.id.in_(case_ids), contact_case.c.state == CaseState.OPEN, contact_case.c.promised_at.is_(None)
    )
    cases = all_of(conn, CaseRecord, statement)
    clients = clients_of(conn, (each.contact_id for each in cases))
    last = last_words(conn, sorted(clients))
    return [CaseNotice(each, clients[each.contact_id], last.get(each.contact_id)) for each in cases]


def lead_notices(conn: Connection, access: Access | None, lead_ids: Collection[int]) -> list[LeadNotice]:
    """Those of these leads that somebody is to be told of. Three statements at most. Raises Forbidden for whoever sees
    no sales."""
    demand(access, Right.SEE_SALES)
    statement = select(lead).where(
        lead.c.id.in_(lead_ids),
        lead.c.status == LeadStatus.NEW,
        lead.c.manager.is_not(None),
        lead.c.deleted_at.is_(None),
    )
    leads = all_of(conn, LeadRecord, statement)
    clients = clients_of(conn, (each.contact_id for each in leads))
    return [LeadNotice(each, clients[each.contact_id]) for each in leads]
