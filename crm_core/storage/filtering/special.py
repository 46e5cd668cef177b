"""Terms of filters that have a name of their own: tags, stages, tasks, identities, what is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, exists, false, literal_column, not_, or_, select

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.case import CaseState
from crm_core.model.filters import Op
from crm_core.model.records import StageKind
from crm_core.storage import searching, tables
from crm_core.storage.filtering.place import Condition, Place, Special, stands_in, yes


def _tags(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if "tags" not in place.table.c:
        return None
    tags = place.table.c.tags
    match op:
        case Op.EMPTY:
            found = searching.no_tags(tags)
            negated = negated is yes(value)
        case Op.EQ | Op.CONTAINS:
            found = searching.has_tag(tags, str(value))
        case Op.IN:
            found = or_(false(), *(searching.has_tag(tags, str(each)) for each in value))
        case _:
            raise InvalidInput("«{op}» does not go with tags", op=op.value)
    return not_(found) if negated else found


def _pipeline(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is not tables.deal:
        return None
    names = _names(op, value)
    known = {each.name: each.id for each in place.asking.catalogue.pipelines if each.record.type == place.kind}
    found = place.table.c.pipeline_id.in_(_ids(names, known, "pipeline"))
    return not_(found) if negated else found


def _stage(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is not tables.deal:
        return None
    found: set[int] = set()
    stages = [
        stage
        for pipeline in place.asking.catalogue.pipelines
        if pipeline.record.type == place.kind
        for stage in pipeline.stages
    ]
    for name in _names(op, value):
        ids = {stage.id for stage in stages if name in {stage.name, str(stage.id)}}
        if not ids:
            raise InvalidInput("there is no stage «{stage}»", stage=written.brief(name))
        found |= ids
    within = place.table.c.stage_id.in_(sorted(found))
    return not_(within) if negated else within


def _state(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.table is not tables.deal:
        return None
    wanted = set(_names(op, value))
    if wanted - {each.value for each in StageKind}:
        raise InvalidInput("one of open, won, lost")
    ids = [
        stage.id
        for pipeline in place.asking.catalogue.pipelines
        for stage in pipeline.stages
        if stage.record.kind.value in wanted
    ]
    within = place.table.c.stage_id.in_(ids)
    found = and_(place.table.c.closed_at.is_(None), within) if wanted == {StageKind.OPEN.value} else within
    return not_(found) if negated else found


def _names(op: Op, value: Any) -> list[str]:
    if op is Op.IN:
        return [str(each) for each in value]
    if op is not Op.EQ:
        raise InvalidInput("«{op}» does not go with it: «=» or «in»", op=op.value)
    return [str(value)]


def _ids(names: list[str], known: Mapping[str, int], what: str) -> list[int]:
    for name in names:
        if name not in known and not name.isdigit():
            raise InvalidInput("there is no {what} «{name}»", what=what, name=written.brief(name))
    return [known[name] if name in known else int(name) for name in names]


def _opted_out(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.contact_id is None:
        return None
    _only_flags(op)
    out = tables.opt_out
    if yes(value) is not negated:
        return stands_in(place.contact_id, select(out.c.contact_id).where(out.c.contact_id.is_not(None)))
    return not_(exists(select(1).select_from(out).where(out.c.contact_id == place.contact_id)))


def _identity(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.contact_id is None:
        return None
    held = tables.identity
    if op is Op.EMPTY:
        any_at_all = exists(select(1).select_from(held).where(held.c.contact_id == place.contact_id))
        return not_(any_at_all) if yes(value) is not negated else any_at_all
    if op not in {Op.EQ, Op.STARTS} or not isinstance(value, str) or not value:
        raise InvalidInput('«=» or «starts» with a text such as "mailto:"')
    if op is Op.EQ and not negated:
        return stands_in(place.contact_id, select(held.c.contact_id).where(held.c.key == value))
    within = held.c.key == value if op is Op.EQ else and_(held.c.key >= value, held.c.key < value + "\U0010ffff")
    found = exists(select(1).select_from(held).where(held.c.contact_id == place.contact_id, within))
    return not_(found) if negated else found


def _tasks(flag: str) -> Special:
    def of(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
        task = tables.task
        column = {"contact": "contact_id", "lead": "lead_id", "company": "company_id"}.get(place.kind)
        if place.table is tables.deal:
            column = "deal_id"
        if column is None:
            return None
        _only_flags(op)
        conditions = [task.c.state == "open", task.c.deleted_at.is_(None)]
        if flag == "overdue_task":
            conditions.append(task.c.due_at < place.asking.now)
        elif flag == "next_step":
            conditions.append(task.c.due_at >= place.asking.now)
        found = exists(select(1).select_from(task).where(task.c[column] == place.id, *conditions))
        return found if yes(value) is not negated else not_(found)

    return of


def _open_case(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if place.contact_id is None:
        return None
    _only_flags(op)
    case = tables.contact_case
    # Written out, so that the index of open ones alone answers it.
    waiting = case.c.state == literal_column(f"'{CaseState.OPEN.value}'")
    if yes(value) is not negated:
        return stands_in(place.contact_id, select(case.c.contact_id).where(waiting))
    return not_(exists(select(1).select_from(case).where(case.c.contact_id == place.contact_id, waiting)))


def _typed(place: Place, op: Op, value: Any, negated: bool) -> Condition | None:
    if op not in {Op.EQ, Op.CONTAINS} or not isinstance(value, str) or not value.strip():
        raise InvalidInput("a text to look for")
    found = searching.found_by(place.table, value, place.asking.region)
    return not_(found) if negated else found


def _only_flags(op: Op) -> None:
    if op is not Op.EQ:
        raise InvalidInput("«=» with true or false")


SPECIAL: Mapping[str, Special] = {
    "tags": _tags,
    "pipeline": _pipeline,
    "stage": _stage,
    "state": _state,
    "opted_out": _opted_out,
    "identity": _identity,
    "open_case": _open_case,
    "open_task": _tasks("open_task"),
    "overdue_task": _tasks("overdue_task"),
    "next_step": _tasks("next_step"),
    "q": _typed,
}
