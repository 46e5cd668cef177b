"""What rules do. Each action takes a run and its form, and gives what it did, in words of JSON for the trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput
from crm_core.model.callback import CallbackReason
from crm_core.model.definitions.rules import (
    Assign,
    CloseTasks,
    Copy,
    Create,
    Emit,
    MakeTask,
    Move,
    Notify,
    RingBack,
    Send,
    SetField,
    StartChain,
    StopChain,
    Tag,
)
from crm_core.model.expressions import ValueMissing, compiled
from crm_core.model.fields import fields_of
from crm_core.model.history import plain
from crm_core.model.money import bounded, currency_of, digits_of
from crm_core.model.records import ContactRecord, DealRecord, LeadRecord, LeadStatus
from crm_core.model.selling import CompanyRecord
from crm_core.model.task import TaskRecord
from crm_core.services.automation.run import HeldAction, Run, people_of
from crm_core.services.automation.timing import moment_of
from crm_core.services.cards import stages, tunnels
from crm_core.services.cards.leads import give_lead
from crm_core.services.cards.pipelines import beginning, named_pipeline, named_stage
from crm_core.services.clients.tagging import put_tags
from crm_core.services.custom import fields
from crm_core.services.desk import Desk
from crm_core.services.letters import chaining
from crm_core.services.letters.outgoing import HeldBack, deliver, held_back
from crm_core.services.tasking import tasks
from crm_core.services.watching import callbacks
from crm_core.services.watching.telling import tell
from crm_core.wording import Sentence

_LONGEST_TITLE = 300
# Columns that a rule may set; the rest has a way of its own, or is the hub's bookkeeping.
SETTABLE: Mapping[type, frozenset[str]] = {
    DealRecord: frozenset({"title", "amount", "currency", "source", "due_at", "grade"}),
    LeadRecord: frozenset({"title", "source", "grade"}),
    ContactRecord: frozenset({"name", "city", "company", "status"}),
    CompanyRecord: frozenset({"city"}),
    TaskRecord: frozenset({"title", "text", "due_at", "kind"}),
}


def _tag(run: Run, action: Tag) -> dict[str, Any]:
    record = run.record
    tags = list(record.tags or ())
    if action.do == "tag":
        after = put_tags(run.desk, run.occasion.kind, tags, action.tags)
    else:
        after = [tag for tag in tags if tag not in action.tags]
    if after != tags:
        _put(run, record, tags=after)
    return {"tags": action.tags}


def _set(run: Run, action: SetField) -> dict[str, Any]:
    desk, record = run.desk, run.record
    column, _, key = action.field.partition(".")
    kind = run.occasion.kind
    if column != "fields":
        key = "" if column in SETTABLE.get(type(record), ()) else column
    before = (record.fields or {}).get(key) if key else getattr(record, column)
    if action.empty and before not in (None, "", []):
        raise HeldAction("something stands there already")
    value = action.value
    if action.expression:
        try:
            value = compiled(action.expression).value(run.scope())
        except ValueMissing as err:
            raise HeldAction(str(err)) from err
    elif isinstance(value, str):
        value = run.text(value)
    if key:
        after = fields.given(desk, kind, record.fields or {}, {key: _given(desk, kind, key, value)})
        if after != record.fields:
            _put(run, record, fields=after)
        return {"field": f"fields.{key}", "value": plain(after.get(key))}
    known = _column(desk, record, column, value)
    if known != before:
        _put(run, record, **{column: known})
    return {"field": column, "value": plain(known)}


def _given(desk: Desk, kind: str, key: str, value: Any) -> Any:
    """What an expression gives, as a field of this type takes it."""
    if isinstance(value, datetime):
        return value.date().isoformat() if key in fields_of(desk.catalogue, kind).by_key else value.isoformat()
    return value


def _column(desk: Desk, record: Any, column: str, value: Any) -> Any:
    match column, value:
        case "amount", None:
            return 0
        case "amount", bool() | int() | float() if not isinstance(value, bool):
            amount = bounded(round(value * 10 ** digits_of(record.currency)), Sentence("amount"))
            if amount < 0:
                raise InvalidInput("amount: {value} is below nothing", value=value)
            return amount
        case "due_at", None | datetime():
            return value
        case "due_at", str():
            at = moment_of(value, None, ZoneInfo(desk.office.time_zone))
            if at is None:
                raise InvalidInput("due_at: «{value}» is no moment: write «2026-01-31T10:00»", value=value[:50])
            return at
        case (("title" | "name" | "text" | "kind"), str()) if column in {"text", "kind"} or value.strip():
            return value.strip()[:_LONGEST_TITLE]
        case "currency", str():
            return currency_of(value)
        case (("source" | "grade" | "city" | "company" | "status"), str()):
            return value.strip()[:_LONGEST_TITLE]
        case (("source" | "grade" | "city" | "company" | "status"), None):
            return None
    raise InvalidInput("{column}: «{value}» can't stand there", column=column, value=str(value)[:50])


def _task(run: Run, action: MakeTask) -> dict[str, Any]:
    desk, record = run.desk, run.record
    due = desk.office.calendar(action.hours).due(desk.now, action.due) if action.due is not None else None
    people = people_of(desk, record, [action.to])
    task = tasks.make(
        desk,
        tasks.NewTask(
            title=run.text(action.title)[:_LONGEST_TITLE],
            assignee=people[0].login if people else None,
            due_at=due,
            contact_id=run.contact_id,
            lead_id=record.id if isinstance(record, LeadRecord) else getattr(record, "lead_id", None),
            deal_id=record.id if isinstance(record, DealRecord) else getattr(record, "deal_id", None),
            company_id=record.id if isinstance(record, CompanyRecord) else getattr(record, "company_id", None),
            text=run.lines(action.text),
            kind=action.kind,
            checklist=action.checklist,
        ),
    )
    run.touch(task)
    return {"task_id": task.id, "assignee": task.assignee}


def _close_tasks(run: Run, action: CloseTasks) -> dict[str, Any]:
    desk, record = run.desk, run.record
    column = "lead_id" if isinstance(record, LeadRecord) else "deal_id" if isinstance(record, DealRecord) else None
    if column is None and not isinstance(record, ContactRecord):
        raise InvalidInput("leads, cards and clients have tasks to close")
    found = desk.work.open_tasks(column or "contact_id", [record.id])
    wanted = [each for each in found if not action.kind or each.kind == action.kind]
    for each in wanted:
        run.touch(tasks.close(desk, each.id, f"rule:{run.rule}", run.text(action.result)))
    return {"closed": [each.id for each in wanted]}


def _move(run: Run, action: Move) -> dict[str, Any]:
    desk, card = run.desk, _card(run)
    place = desk.catalogue.place(card.stage_id)
    if action.pipeline is not None and (place is None or place[0].name != action.pipeline):
        moved = tunnels.move_over(
            desk, card, action.pipeline, action.stage, by_person=False, reason=action.reason or None
        )
        run.touch(moved)
    elif action.stage is not None:
        moved = stages.enter(desk, card, action.stage, by_person=False, reason=action.reason or None)
    else:
        moved = card
    return {"pipeline": action.pipeline, "stage": action.stage, "from_stage_id": card.stage_id, "to": moved.stage_id}


def _copy(run: Run, action: Copy) -> dict[str, Any]:
    along = tunnels.Along(items=action.items, debt=action.debt)
    made = tunnels.copy(run.desk, _card(run), action.pipeline, action.stage, by_person=False, along=along)
    run.touch(made)
    return {"pipeline": action.pipeline, "deal_id": made.id}


def _assign(run: Run, action: Assign) -> dict[str, Any]:
    desk, record = run.desk, run.record
    now = getattr(record, _KEEPER.get(type(record), "manager"), None)
    if action.empty and now is not None:
        raise HeldAction("it is somebody's already")
    if action.login is not None:
        user = desk.work.staff.get(action.login)
        if user is None or not user.active:
            raise InvalidInput("login: «{action}» is nobody who works here", action=action.login)
    else:
        user = desk.policies.assigner.assign(action.group, desk.work.staff, desk.loads, desk.now)
        if user is None:
            raise HeldAction("nobody of group «{group}» is there", group=action.group)
    if now == user.login:
        return {"login": user.login}
    if isinstance(record, LeadRecord) and record.status is LeadStatus.NEW:
        give_lead(desk, record, run.contact, user)
    else:
        _put(run, record, **{_KEEPER.get(type(record), "manager"): user.login})
    return {"login": user.login, "instead_of": now}


_KEEPER = {TaskRecord: "assignee"}


def _send(run: Run, action: Send) -> dict[str, Any]:
    desk = run.desk
    key = f"rule:{run.occasion.run_key}:{action.template}"
    about = None if isinstance(run.record, ContactRecord) else run.record
    found = deliver(desk, run.contact.id, action.template, channels=action.channels, dedupe=key, about=about)
    if isinstance(found, HeldBack):
        raise HeldAction(held_back(desk, found))
    run.touched.append(("contact", found.contact_id))
    return {"template": action.template, "channel": found.channel, "account": found.account, "entry_id": found.id}


def _notify(run: Run, action: Notify) -> dict[str, Any]:
    desk = run.desk
    people = people_of(desk, run.record, action.to)
    if not people:
        raise HeldAction("there is nobody to be told: {to}", to=", ".join(action.to))
    cause = f"rule:{run.occasion.run_key}:{run.record[0]}"
    tell(desk, people, cause, run.text(action.text), contact_id=run.contact_id)
    return {"to": [each.login for each in people]}


def _ring_back(run: Run, action: RingBack) -> dict[str, Any]:
    desk, contact = run.desk, run.contact
    if contact.list_name is not None:
        raise HeldAction("the client stands on the list «{list_name}»", list_name=contact.list_name)
    manager = getattr(run.record, "manager", None) or contact.manager
    at = desk.now + action.after
    order = callbacks.order(desk, contact, CallbackReason.TAKEN, at, author=f"rule:{run.rule}", manager=manager)
    return {"callback_id": order.id, "due_at": order.due_at.isoformat()}


def _emit(run: Run, action: Emit) -> dict[str, Any]:
    data = {key: run.text(text) for key, text in action.data.items()}
    about = {"kind": run.occasion.kind, "id": run.record[0], "contact_id": run.contact_id, "rule": run.rule}
    run.desk.emit(action.event, run.record[0], {**about, **data})
    return {"event": action.event}


def _start_chain(run: Run, action: StartChain) -> dict[str, Any]:
    card = run.record if isinstance(run.record, DealRecord) else None
    entry = run.occasion.fact.entry if run.occasion.fact is not None else None
    chain = chaining.start(run.desk, action.chain, run.contact, card, entry)
    if chain is None:
        raise HeldAction("chain «{chain}» runs for this client already", chain=action.chain)
    return {"chain": action.chain, "chain_run_id": chain.id}


def _stop_chain(run: Run, action: StopChain) -> dict[str, Any]:
    stopped = chaining.stop(run.desk, run.contact.id, action.chain, f"rule:{run.rule}")
    return {"chain": action.chain, "stopped": [each.chain for each in stopped]}


def _create(run: Run, action: Create) -> dict[str, Any]:
    desk, record = run.desk, run.record
    contact = run.contact if run.contact_id is not None else None
    if contact is not None and contact.list_name is not None:
        raise HeldAction("the client stands on the list «{list_name}»", list_name=contact.list_name)
    pipeline = named_pipeline(desk, action.pipeline)
    stage = named_stage(pipeline, action.stage) if action.stage else beginning(desk, pipeline.name)[1]
    if action.unless_open and contact is not None:
        on = [each.id for each in pipeline.stages if each.open]
        if desk.work.open_cards([contact.id], on):
            raise HeldAction("the client has an open card in «{pipeline}»", pipeline=pipeline.name)
    of_type = pipeline.record.type
    given = {key: run.text(text) for key, text in action.fields.items()}
    deal = DealRecord(
        id=desk.work.next_id(),
        contact_id=contact.id if contact is not None else None,
        pipeline_id=pipeline.id,
        stage_id=stage.id,
        title=run.text(action.title)[:_LONGEST_TITLE] or pipeline.name,
        created_at=desk.now,
        updated_at=desk.now,
        stage_since=desk.now,
        manager=getattr(record, "manager", None) or (contact.manager if contact is not None else None),
        source=getattr(record, "source", None),
        fields=fields.given(desk, of_type, {}, {key: text for key, text in given.items() if text}),
        type=of_type,
        company_id=getattr(record, "company_id", None),
        lead_id=record.id if isinstance(record, LeadRecord) else None,
        source_id=record.id if isinstance(record, DealRecord) else None,
    )
    deal = stages.put_on(desk, deal, pipeline, stage, by_person=False)
    data = {"id": deal.id, "contact_id": deal.contact_id, "type": deal.type, "title": deal.title}
    desk.emit("deal.created", deal.id, {**data, "pipeline": pipeline.name, "stage": stage.name})
    run.touch(deal)
    return {"pipeline": pipeline.name, "deal_id": deal.id}


def _card(run: Run) -> DealRecord:
    if not isinstance(run.record, DealRecord):
        raise InvalidInput("only cards stand on stages")
    return run.record


def _put(run: Run, record: Any, **changes: Any) -> None:
    if "updated_at" in record._fields:
        changes["updated_at"] = run.desk.now
    run.desk.work.put(record._replace(**changes))


ACTIONS: Mapping[type, Callable[[Run, Any], dict[str, Any]]] = {
    Tag: _tag,
    SetField: _set,
    MakeTask: _task,
    CloseTasks: _close_tasks,
    Move: _move,
    Copy: _copy,
    Assign: _assign,
    Send: _send,
    Notify: _notify,
    RingBack: _ring_back,
    Emit: _emit,
    StartChain: _start_chain,
    StopChain: _stop_chain,
    Create: _create,
}
