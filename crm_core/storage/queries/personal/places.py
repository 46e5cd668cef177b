"""Where it stands what is known of one person: which rows of which tables, and which columns of them tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, and_, false, or_

from crm_core.model.records import FileState
from crm_core.storage.queries.personal.person import Condition, Person, in_
from crm_core.storage.tables import (
    attachment,
    broadcast_recipient,
    call,
    callback,
    chain_run,
    change,
    client_score,
    contact,
    contact_case,
    contact_merge,
    deal,
    dial,
    document,
    external_ref,
    field_value,
    identity,
    journal,
    lead,
    link,
    listed_number,
    message_ref,
    need,
    opt_out,
    payment,
    recording,
    route_decision,
    rule_run,
    sale,
    suggestion,
    task,
    thread,
    thread_ref,
    timeline,
    webhook_delivery,
)

ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Place:
    """A table that tells of persons: which rows are theirs, and what of those is written over; without `blank` the rows
    themselves go. `kept` is only read: it tells of no person once the person has no name."""

    table: Table
    where: Any
    blank: Mapping[str, Any] | None = None
    kept: bool = False


def _subjects(kind: Column[Any], subject: Column[Any], of: Person) -> Condition:
    return or_(
        and_(kind == "contact", in_(subject, of.contacts)),
        and_(kind == "lead", in_(subject, of.leads)),
        and_(kind == "deal", in_(subject, of.deals)),
        and_(kind == "task", in_(subject, of.tasks)),
    )


def _conversations(of: Person) -> Condition:
    columns = journal.c
    return or_(
        false(),
        *(
            and_(columns.channel == channel, columns.account == account, columns.conversation == conversation)
            for channel, account, conversation in of.conversations
        ),
    )


# In this order: what refers goes before what it refers to.
PLACES: tuple[Place, ...] = (
    Place(
        attachment,
        lambda of: in_(attachment.c.entry_id, of.entries),
        {
            "name": "",
            "sha256": None,
            "remote_id": None,
            "cid": "",
            "error": ERASED,
            "warning": "",
            "state": FileState.FAILED,
        },
    ),
    Place(message_ref, lambda of: in_(message_ref.c.entry_id, of.entries)),
    Place(thread_ref, lambda of: in_(thread_ref.c.thread_id, of.threads)),
    Place(thread, lambda of: in_(thread.c.id, of.threads), {"subject": ""}),
    Place(
        timeline,
        lambda of: in_(timeline.c.contact_id, of.contacts),
        {
            "text": "",
            "html": None,
            "subject": "",
            "quoted": "",
            "versions": [],
            "location": None,
            "offers": None,
            "authenticity": None,
            "reactions": [],
            "delivery_error": None,
            "conversation": None,
            "ref": None,
            "external_id": None,
            "answers": None,
            "album": None,
            "reason": None,
        },
    ),
    Place(
        journal,
        lambda of: or_(in_(journal.c.id, of.journals), _conversations(of)),
        {"raw": b"", "conversation": "", "error": None},
    ),
    Place(call, lambda of: in_(call.c.contact_id, of.contacts), {"number": "", "recording": None}),
    Place(recording, lambda of: in_(recording.c.call_id, of.calls), {"error": None}),
    Place(
        route_decision,
        lambda of: or_(
            in_(route_decision.c.contact_id, of.contacts),
            in_(route_decision.c.number, [key.removeprefix("tel:") for key in of.keys if key.startswith("tel:")]),
        ),
        {"number": "", "reason": "", "trace": []},
    ),
    Place(callback, lambda of: in_(callback.c.contact_id, of.contacts), {"number": "", "detail": ""}),
    Place(dial, lambda of: in_(dial.c.contact_id, of.contacts), {"number": "", "detail": ""}),
    Place(
        suggestion,
        lambda of: or_(in_(suggestion.c.contact_id, of.contacts), in_(suggestion.c.other_id, of.contacts)),
    ),
    Place(
        contact_merge,
        lambda of: or_(in_(contact_merge.c.survivor_id, of.contacts), in_(contact_merge.c.absorbed_id, of.contacts)),
        {"moved": {}, "evidence": ""},
    ),
    Place(field_value, lambda of: in_(field_value.c.subject_id, (*of.contacts, *of.leads, *of.deals, *of.tasks))),
    Place(change, lambda of: _subjects(change.c.kind, change.c.subject_id, of), {"changes": []}),
    Place(rule_run, lambda of: in_(rule_run.c.contact_id, of.contacts), {"why": "", "actions": [], "error": ""}),
    Place(chain_run, lambda of: in_(chain_run.c.contact_id, of.contacts), {"reason": "", "account": ""}),
    Place(
        broadcast_recipient, lambda of: in_(broadcast_recipient.c.contact_id, of.contacts), {"why": "", "account": ""}
    ),
    Place(opt_out, lambda of: or_(in_(opt_out.c.contact_id, of.contacts), in_(opt_out.c.key, of.keys))),
    Place(
        link,
        lambda of: or_(
            and_(link.c.from_kind == "contact", in_(link.c.from_id, of.contacts)),
            and_(link.c.to_kind == "contact", in_(link.c.to_id, of.contacts)),
        ),
    ),
    Place(external_ref, lambda of: _subjects(external_ref.c.kind, external_ref.c.subject_id, of)),
    Place(
        document,
        lambda of: or_(in_(document.c.contact_id, of.contacts), in_(document.c.deal_id, of.deals)),
        {"title": "", "name": "", "sha256": ""},
    ),
    Place(
        webhook_delivery,
        lambda of: in_(webhook_delivery.c.subject_id, (*of.contacts, *of.leads, *of.deals, *of.tasks, *of.entries)),
        {"payload": {}, "error": ""},
    ),
    Place(need, lambda of: in_(need.c.contact_id, of.contacts)),
    Place(client_score, lambda of: in_(client_score.c.contact_id, of.contacts), kept=True),
    Place(sale, lambda of: in_(sale.c.contact_id, of.contacts), kept=True),
    Place(payment, lambda of: in_(payment.c.contact_id, of.contacts), {"note": ""}),
    Place(task, lambda of: in_(task.c.id, of.tasks), {"title": "", "text": "", "result": "", "fields": {}, "tags": []}),
    Place(contact_case, lambda of: in_(contact_case.c.contact_id, of.contacts), {"reason": None}),
    Place(
        lead,
        lambda of: in_(lead.c.id, of.leads),
        {"title": "", "reason": None, "fields": {}, "tags": [], "marks": {}},
    ),
    Place(deal, lambda of: in_(deal.c.id, of.deals), {"title": "", "fields": {}, "tags": []}),
    Place(listed_number, lambda of: in_(listed_number.c.key, of.keys)),
    Place(identity, lambda of: in_(identity.c.contact_id, of.contacts)),
    Place(
        contact,
        lambda of: in_(contact.c.id, of.contacts),
        {
            "name": "",
            "name_key": "",
            "search": "",
            "company": None,
            "company_id": None,
            "city": None,
            "list_name": None,
            "fields": {},
            "tags": [],
            "marks": {},
        },
    ),
)
