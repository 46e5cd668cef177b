"""Records put away and brought back: nothing is lost, but nobody is shown what was deleted."""

from __future__ import annotations

from typing import Any

from crm_core.errors import Conflict
from crm_core.model.history import KIND_OF
from crm_core.model.records import ContactRecord, DeadlineKind, DeadlineRecord, DealRecord, LeadRecord, LeadStatus
from crm_core.model.rights import Right
from crm_core.model.selling import CompanyRecord, ProductRecord
from crm_core.model.task import TaskRecord
from crm_core.services import auditing
from crm_core.services.cards.pipelines import demand_access, place_of
from crm_core.services.desk import Desk
from crm_core.services.watching import callbacks, cases
from crm_core.services.watching.ladders import key, lead_touched, watch_lead

_DELETED = "deleted"
_OPEN = frozenset({LeadStatus.NEW, LeadStatus.TAKEN})
_KINDS: dict[str, type] = {
    KIND_OF[each]: each for each in (ContactRecord, CompanyRecord, LeadRecord, DealRecord, TaskRecord, ProductRecord)
}


def remove(desk: Desk, kind: str, ident: int) -> Any:
    """Delete a record softly: it is in no list any more and nothing is told of it. Raises NotFound, and Conflict for a
    contact or company with open deals."""
    record = _deletable(desk, kind, ident)
    if record.deleted_at is not None:
        return record
    auditing.note(desk, f"deleted.{kind}", ident, contact_id=_client(record))
    match record:
        case ContactRecord():
            _contact_goes(desk, record)
        case LeadRecord() if record.status in _OPEN:
            # Closed, so that the client's next enquiry opens another.
            record = record._replace(status=LeadStatus.REJECTED, reason=_DELETED, closed_at=desk.now)
            lead_touched(desk, record.id)
        case CompanyRecord():
            _demand_no_deals(desk, "company_id", ident)
        case TaskRecord():
            desk.work.remove(DeadlineRecord, key(DeadlineKind.TASK, ident))
        case _:
            pass
    gone = _touched(desk, record, deleted_at=desk.now)
    desk.work.put(gone)
    return gone


def bring_back(desk: Desk, kind: str, ident: int) -> Any:
    """Undo a deletion; raises NotFound, Conflict where another record took the place meanwhile."""
    record = _deletable(desk, kind, ident)
    if record.deleted_at is None:
        return record
    auditing.note(desk, f"restored.{kind}", ident, contact_id=_client(record))
    closed = isinstance(record, LeadRecord) and record.reason == _DELETED
    if closed and record.contact_id not in desk.work.open_leads([record.contact_id]):
        status = LeadStatus.TAKEN if record.taken_at is not None else LeadStatus.NEW
        record = record._replace(status=status, reason=None, closed_at=None)
        watch_lead(desk, record)
    if isinstance(record, CompanyRecord) and record.tax_id is not None:
        holder = desk.work.companies_by_tax_id([record.tax_id]).get(record.tax_id)
        if holder is not None and holder.id != record.id:
            raise Conflict(
                "company {holder}, «{holder_name}», has this tax id by now", holder=holder.id, holder_name=holder.name
            )
    back = _touched(desk, record, deleted_at=None)
    desk.work.put(back)
    return back


def _deletable(desk: Desk, kind: str, ident: int) -> Any:
    """The record, locked; raises NotFound, also for a card that whoever acts does not see, and Forbidden."""
    record = _read(desk, kind, ident)
    card = record if isinstance(record, DealRecord) else None
    if isinstance(record, TaskRecord) and record.deal_id is not None and desk.work.author not in _of_task(record):
        card = next(iter(desk.work.related(DealRecord, "id", [record.deal_id])), None)
    if card is not None and desk.access is not None:
        demand_access(desk, place_of(desk, card.stage_id)[0], card)
    desk.demand(Right.DELETE, record)
    return record


def _of_task(task: TaskRecord) -> set[str | None]:
    return {task.author, task.assignee}


def _client(record: Any) -> int | None:
    return record.id if isinstance(record, ContactRecord) else getattr(record, "contact_id", None)


def _contact_goes(desk: Desk, contact: ContactRecord) -> None:
    if contact.merged_into is not None:
        raise Conflict("this contact was merged into {merged_into}", merged_into=contact.merged_into)
    _demand_no_deals(desk, "contact_id", contact.id)
    for lead in desk.work.open_leads([contact.id]).values():
        remove(desk, "lead", lead.id)
    for case in desk.work.open_cases([contact.id]).values():
        cases.close(desk, case, desk.now, _DELETED)
    callbacks.cancel_for(desk, contact, _DELETED)


def _demand_no_deals(desk: Desk, column: str, ident: int) -> None:
    open_deals = [
        each
        for each in desk.work.related(DealRecord, column, [ident])
        if each.closed_at is None and each.deleted_at is None
    ]
    if open_deals:
        named = ", ".join(f"{each.id} «{each.title}»" for each in open_deals[:5])
        raise Conflict("there are open deals: {named}; close or delete them first", named=named)


def _read(desk: Desk, kind: str, ident: int) -> Any:
    record_of = _KINDS[kind]
    if record_of is ContactRecord:
        return desk.work.contact(ident)
    if record_of in {LeadRecord, DealRecord, TaskRecord}:
        return desk.work.owned(record_of, ident)[0]
    found: Any = desk.work.locked(record_of, ident)
    return found


def _touched(desk: Desk, record: Any, **changes: Any) -> Any:
    if "updated_at" in record._fields:
        changes["updated_at"] = desk.now
    return record._replace(**changes)
