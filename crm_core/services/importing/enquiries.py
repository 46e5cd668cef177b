"""Lines of leads: matched by the file's ids; an open one joins the open lead of its client."""

from __future__ import annotations

from typing import Any

from crm_core.model import written
from crm_core.model.importing import Became
from crm_core.model.records import ContactRecord, LeadRecord, LeadStatus
from crm_core.services.importing.batch import Batch, Given
from crm_core.services.importing.clients import Clients
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.cleaning import clean_name

LEAD = "lead"
CHANNEL = "import"
_OPEN = frozenset({LeadStatus.NEW, LeadStatus.TAKEN})
_STATUSES: dict[LeadStatus, frozenset[str]] = {
    LeadStatus.NEW: frozenset(
        {"", "new", "новый", "новая", "не обработан", "необработанный", "неразобранное", "incoming", "unassigned"}
    ),
    LeadStatus.CONVERTED: frozenset(
        {"converted", "конвертирован", "качественный лид", "успешно", "good lead", "сделка", "успешно реализовано"}
    ),
    LeadStatus.REJECTED: frozenset(
        {"rejected", "отказ", "отклонен", "некачественный лид", "забракован", "junk lead", "спам", "junk", "мусор"}
        | {"закрыто и не реализовано", "не реализовано", "нецелевой"}
    ),
}


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of leads in. A fixed number of statements."""
    keys = {each.line.number: batch.key_of(each) or f"{LEAD}:line:{each.digest}" for each in lines}
    clients = Clients(batch)
    batch.look_up([*keys.values(), *clients.name_keys(lines)])
    clients.read(lines)
    known = [batch.refs[key] for key in keys.values() if key in batch.refs]
    own = [number for each in lines if (number := batch.hub_id(each)) is not None]
    work = batch.desk.work
    leads = {each.id: each for each in work.related(LeadRecord, "id", [*known, *own])} if known or own else {}
    work.contacts(each.contact_id for each in leads.values())
    owners = {each.line.number: clients.of_line(each) for each in lines}
    work.open_leads({each.id for each in owners.values() if each is not None})
    for given in lines:
        key = keys[given.line.number]
        number = batch.refs.get(key) or batch.hub_id(given)
        before = (work.peek(LeadRecord, number) or leads.get(number)) if number is not None else None
        _take_one(batch, given, key, owners[given.line.number], batch.verified(given, before))
    clients.settle()


def _take_one(batch: Batch, given: Given, key: str, contact: ContactRecord | None, before: LeadRecord | None) -> None:
    if before is not None and before.deleted_at is not None:
        batch.refuse(given, Fault.ERASED)
        return
    if before is None and contact is None:
        batch.refuse(given, Fault.NO_CLIENT)
        return
    seen = batch.seen([key])
    status = _status(given)
    if before is None and contact is not None and status in _OPEN:
        before = batch.desk.work.open_leads([contact.id]).get(contact.id)
    lead = before if before is not None else _new(batch, given, contact, status)
    after = _filled(batch, given, lead)
    batch.remember(key, LEAD, lead.id)
    if before is None or after != before:
        batch.desk.work.put(after)
    if before is None:
        batch.became(given, Became.UPDATED if seen else Became.CREATED, after.id)
    else:
        batch.became(given, Became.UPDATED if after != before else Became.UNCHANGED, after.id)


def _status(given: Given) -> LeadStatus:
    text = written.one_form(given.text("status"))
    return next((status for status, names in _STATUSES.items() if text in names), LeadStatus.TAKEN)


def _new(batch: Batch, given: Given, contact: ContactRecord | None, status: LeadStatus) -> LeadRecord:
    desk = batch.desk
    created = min(batch.moment(given, "created_at") or desk.now, desk.now)
    closed = None if status in _OPEN else min(batch.moment(given, "closed_at") or desk.now, desk.now)
    return LeadRecord(
        id=desk.work.next_id(),
        contact_id=contact.id if contact is not None else 0,
        title=clean_name(given.text("title")) or (contact.name if contact is not None else ""),
        status=status,
        created_at=created,
        first_fact_at=created,
        channel=CHANNEL,
        account=batch.how.system,
        taken_at=None if status is LeadStatus.NEW else created,
        closed_at=closed,
        manager=contact.manager if contact is not None and not given.text("manager") else None,
        reason=clean_name(given.text("reason")) or (given.text("status")[:300] or None)
        if status is LeadStatus.REJECTED
        else None,
    )


def _filled(batch: Batch, given: Given, lead: LeadRecord) -> LeadRecord:
    changes: dict[str, Any] = {
        "title": clean_name(given.text("title")),
        "manager": batch.manager(given),
        "source": clean_name(given.text("source")),
    }
    for name in ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"):
        changes[name] = given.text(name)[:300]
    after: LeadRecord = batch.with_tags(batch.merged(lead, changes), batch.tags(given))
    fields = batch.fields(given, after.fields)
    amount = given.text("amount")
    if amount and "amount" not in fields:
        fields["amount"] = amount
    return after._replace(fields=fields) if fields != after.fields else after
