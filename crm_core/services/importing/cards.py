"""Lines of deals: matched by the file's ids, put on their stage as they stand, with their client and company."""

from __future__ import annotations

from typing import Any

from crm_core.model import written
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.importing import Became, Policy
from crm_core.model.records import ContactRecord, DealRecord, StageKind
from crm_core.services.cards import pipelines, stages
from crm_core.services.importing.batch import Batch, Given
from crm_core.services.importing.cells import currency_of, moment, worth
from crm_core.services.importing.clients import Clients
from crm_core.services.importing.companies import COMPANY, Companies, tax_of
from crm_core.services.importing.words import Fault
from crm_core.services.recognising.cleaning import clean_name

DEAL = "deal"
# How other programs call the two ends of every pipeline.
_WON = frozenset({"успешно реализовано", "сделка успешна", "won", "closed won", "deal won", "success", "успех"})
_LOST = frozenset(
    {"закрыто и не реализовано", "сделка провалена", "lost", "closed lost", "deal lost", "отказ", "не реализовано"}
)


def take(batch: Batch, lines: list[Given]) -> None:
    """Take lines of deals in. A fixed number of statements."""
    keys = {each.line.number: batch.key_of(each) or f"{DEAL}:line:{each.digest}" for each in lines}
    clients = Clients(batch)
    batch.look_up([*keys.values(), *clients.name_keys(lines)])
    batch.look_up(batch.key_of(each, kind=COMPANY, target="company_id") for each in lines)
    clients.read(lines)
    known = [batch.refs[key] for key in keys.values() if key in batch.refs]
    own = [number for each in lines if (number := batch.hub_id(each)) is not None]
    deals = batch.desk.work.deals([*known, *own])
    companies = Companies(batch)
    companies.read([each.text("company") for each in lines], [tax_of(each) for each in lines])
    for given in lines:
        key = keys[given.line.number]
        number = batch.refs.get(key) or batch.hub_id(given)
        before = deals.get(number) if number is not None else None
        before = before or (batch.desk.work.peek(DealRecord, number) if number is not None else None)
        _take_one(batch, clients, companies, given, key, batch.verified(given, before))
    clients.settle()


def _take_one(
    batch: Batch, clients: Clients, companies: Companies, given: Given, key: str, before: DealRecord | None
) -> None:
    if before is not None and before.deleted_at is not None:
        batch.refuse(given, Fault.ERASED)
        return
    place = _place(batch, given, before)
    if place is None:
        return
    title = clean_name(given.text("title"))
    if before is None and not title and not given.text("external_id"):
        batch.refuse(given, Fault.NO_NAME)
        return
    seen = batch.seen([key])
    contact = clients.of_line(given)
    company = _company(batch, companies, given)
    pipeline, stage = place
    deal = before if before is not None else _new(batch, given, contact, pipeline, stage, title)
    after = _filled(batch, given, deal, contact, company, title)
    if before is None:
        after = _stand(batch, given, after, pipeline, stage)
    elif given.text("stage") and stage.id != after.stage_id and batch.how.policy is Policy.OVERWRITE:
        after = stages.put_on(
            batch.desk, after, pipeline, stage, by_person=False, reason=given.text("reason") or after.reason
        )
    batch.remember(key, DEAL, after.id)
    if before is None or after != before:
        batch.desk.work.put(after if before is None else after._replace(updated_at=batch.desk.now))
    if before is None:
        batch.became(given, Became.UPDATED if seen else Became.CREATED, after.id)
    else:
        batch.became(given, Became.UPDATED if after != before else Became.UNCHANGED, after.id)


def _new(
    batch: Batch, given: Given, contact: ContactRecord | None, pipeline: Pipeline, stage: Stage, title: str
) -> DealRecord:
    desk = batch.desk
    return DealRecord(
        id=desk.work.next_id(),
        contact_id=contact.id if contact is not None else None,
        pipeline_id=pipeline.id,
        stage_id=stage.id,
        title=title or f"№ {given.text('external_id')[:100]}",
        created_at=desk.now,
        updated_at=desk.now,
        stage_since=desk.now,
        type=pipeline.record.type,
    )


def _stand(batch: Batch, given: Given, deal: DealRecord, pipeline: Pipeline, stage: Stage) -> DealRecord:
    """A new card on its stage, since when the file says."""
    desk = batch.desk
    created = batch.moment(given, "created_at") or desk.now
    closed = batch.moment(given, "closed_at")
    due = deal.due_at
    deal = stages.put_on(desk, deal, pipeline, stage, by_person=False, reason=given.text("reason") or None)
    if not stage.open:
        deal = deal._replace(closed_at=min(closed or desk.now, desk.now), stage_since=min(closed or desk.now, desk.now))
    return deal._replace(created_at=min(created, desk.now), due_at=due or deal.due_at)


def _filled(
    batch: Batch, given: Given, deal: DealRecord, contact: ContactRecord | None, company: int | None, title: str
) -> DealRecord:
    money = batch.read(given, "amount", lambda text: worth(text, given.text("currency") or deal.currency))
    changes: dict[str, Any] = {
        "title": title,
        "contact_id": contact.id if contact is not None else None,
        "company_id": company,
        "manager": batch.manager(given) or (contact.manager if contact is not None and not deal.manager else None),
        "source": clean_name(given.text("source")),
        "due_at": batch.read(given, "due_at", lambda text: moment(text, batch.zone)),
    }
    utm = {name: given.text(f"utm_{name}")[:300] for name in ("source", "medium", "campaign", "content", "term")}
    if any(utm.values()):
        changes["utm"] = {name: value for name, value in utm.items() if value}
    after: DealRecord = batch.merged(deal, changes)
    if money is not None and batch.wins(deal.amount or None) and (money[0], money[1]) != (deal.amount, deal.currency):
        after = after._replace(amount=money[0], currency=money[1])
    elif given.text("currency") and not deal.amount and money is None:
        named = batch.read(given, "currency", currency_of)
        after = after._replace(currency=named or after.currency)
    after = batch.with_tags(after, batch.tags(given))
    fields = batch.fields(given, after.fields)
    return after._replace(fields=fields) if fields != after.fields else after


def _company(batch: Batch, companies: Companies, given: Given) -> int | None:
    key = batch.key_of(given, kind=COMPANY, target="company_id")
    if key is not None and key in batch.refs:
        return batch.refs[key]
    return companies.of(clean_name(given.text("company")), tax_of(given))


def _place(batch: Batch, given: Given, before: DealRecord | None) -> tuple[Pipeline, Stage] | None:
    """Where a card stands; None where the line was refused."""
    desk, name = batch.desk, given.text("pipeline") or batch.how.pipeline
    in_use = [each for each in pipelines.pipelines(desk) if not each.record.archived]
    if name is None and before is not None:
        pipeline, now = pipelines.place_of(desk, before.stage_id)
    elif name is None or (not in_use and not name):
        pipeline, now = pipelines.beginning(desk, None)
    else:
        wanted = written.one_form(name)
        found = next((each for each in in_use if written.one_form(each.name) == wanted), None)
        if found is None or found.first is None:
            known = ", ".join(f"«{each.name}»" for each in in_use[:20]) or "—"
            batch.refuse(given, Fault.PIPELINE, value=name[:80], known=known)
            return None
        pipeline, now = found, found.first
    text = given.text("stage")
    if not text:
        return pipeline, now
    stage = _stage(pipeline, text)
    if stage is None:
        known = ", ".join(f"«{each.name}»" for each in pipeline.in_use[:30])
        batch.refuse(given, Fault.STAGE, value=text[:80], pipeline=pipeline.name, known=known)
        return None
    return pipeline, stage


def _stage(pipeline: Pipeline, text: str) -> Stage | None:
    wanted = written.one_form(text)
    for each in pipeline.in_use:
        if written.one_form(each.name) == wanted:
            return each
    ends = {StageKind.WON: _WON, StageKind.LOST: _LOST}
    kind = next((kind for kind, names in ends.items() if wanted in names), None)
    return next((each for each in pipeline.in_use if kind is not None and each.record.kind is kind), None)
