"""Whether what a rule or a chain names is there: pipelines, stages, fields, templates, people. Else words that say what
is missing and what was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.calendar import ANY_HOURS
from crm_core.model.definitions import Catalogue, RuleBody, Section, SegmentBody
from crm_core.model.definitions.chains import ChainBody
from crm_core.model.definitions.fields import FieldType
from crm_core.model.definitions.rules import (
    PLAIN_KINDS,
    Action,
    Assign,
    CloseTasks,
    Copy,
    Create,
    Event,
    MakeTask,
    Move,
    Notify,
    Send,
    SetField,
    StartChain,
    StopChain,
    When,
)
from crm_core.model.expressions import compiled
from crm_core.model.fields import fields_of
from crm_core.model.filters import Filter, filter_of
from crm_core.model.history import KIND_OF
from crm_core.model.money import currency_of
from crm_core.model.records import DealRecord
from crm_core.model.templates import TemplateError, checked
from crm_core.model.user import Role
from crm_core.services.automation.actions import SETTABLE
from crm_core.services.automation.conditions import CHANGE_VARIABLES, FACT_VARIABLES
from crm_core.services.cards.pipelines import pipelines
from crm_core.services.desk import Desk
from crm_core.services.scope import unknown_names
from crm_core.wording import Sentence

_RECORD_OF = {kind: record for record, kind in KIND_OF.items()}
_DEAL = "deal"


def check_rule(desk: Desk, rule: RuleBody) -> None:
    """Raise InvalidInput for the first thing that a rule names and that is not there."""
    catalogue = desk.catalogue
    kinds = {*PLAIN_KINDS, _DEAL, *catalogue.section(Section.RECORD_TYPE)}
    _known(Sentence("on: there is no kind of records"), rule.on, kinds)
    for number, when in enumerate(rule.when):
        _at(f"when.{number}", partial(_check_when, desk, rule, when))
    _at("only", lambda: _check_only(desk, rule))
    if rule.condition:
        more = {**FACT_VARIABLES, **CHANGE_VARIABLES}
        _at("condition", lambda: _check_names(catalogue, rule.condition, rule.on, more))
    for number, action in enumerate(rule.then):
        _at(f"then.{number}", partial(_check_action, desk, rule, action))


def check_chain(desk: Desk, chain: ChainBody) -> None:
    """Raise InvalidInput for the first thing that a chain names and that is not there."""
    for number, step in enumerate(chain.steps):
        _at(f"steps.{number}", partial(_check_template, desk, step.template))
    if chain.stop_when:
        _at("stop_when", lambda: _check_names(desk.catalogue, chain.stop_when, _DEAL, {}))


def _check_when(desk: Desk, rule: RuleBody, when: When) -> None:
    _check_places(desk, rule.on, when.pipelines, when.stages)
    _check_hours(desk, when.hours)
    if when.field:
        _check_field(desk.catalogue, rule.on, when.field)
    if when.event in {Event.CREATED, Event.CHANGED, Event.TAG_ADDED} or when.event in _TIMES:
        pass
    elif rule.on in {"task", "product", "payment"}:
        raise InvalidInput(
            "event: a {kind} has no timeline, «{event}» never happens to it", kind=rule.on, event=when.event.value
        )
    if when.segment is not None:
        segment = desk.catalogue.body(Section.SEGMENT, when.segment, SegmentBody)
        if segment is None:
            _known(Sentence("segment: there is no segment"), when.segment, desk.catalogue.section(Section.SEGMENT))
        elif segment.of != rule.on:
            raise InvalidInput(
                "segment: «{segment}» is one of {of}, the rule is about {kind}",
                segment=when.segment,
                of=segment.of,
                kind=rule.on,
            )
        else:
            _at("segment", partial(_check_filter, desk, segment.of, segment.filter))
    if when.filter is not None:
        _check_filter(desk, rule.on, filter_of(when.filter))


def check_segment(desk: Desk, segment: SegmentBody) -> None:
    """Raise InvalidInput for the first term of a segment's filter that makes no sense."""
    _check_filter(desk, segment.of, segment.filter)


def _check_filter(desk: Desk, kind: str, wanted: Filter) -> None:
    # Asked for a record, it tells what it can't read.
    desk.work.subjects_after(kind, 0, 1, wanted=wanted, catalogue=desk.catalogue, region=desk.office.region)


_TIMES = frozenset({Event.IN_STAGE, Event.SILENCE, Event.DATE, Event.SCHEDULE, Event.STAGE_ENTERED, Event.STAGE_LEFT})


def _check_only(desk: Desk, rule: RuleBody) -> None:
    _check_places(desk, rule.on, rule.only.pipelines, rule.only.stages)
    _check_hours(desk, rule.only.hours)
    for login in rule.only.managers:
        _known(Sentence("managers: there is nobody"), login, desk.work.staff.by_login)


def _check_action(desk: Desk, rule: RuleBody, action: Action) -> None:
    match action:
        case Move():
            _check_move(desk, rule, action)
        case Copy() | Create():
            _check_places(desk, None, [action.pipeline], [action.stage] if action.stage else [])
            if isinstance(action, Create):
                _check_created(desk, action)
        case Send():
            _check_template(desk, action.template)
        case SetField():
            _check_set(desk.catalogue, rule.on, action)
        case MakeTask():
            _check_people(desk, rule.on, [action.to])
            _check_hours(desk, action.hours)
            _check_texts(action.title, action.text)
        case CloseTasks():
            _check_texts(action.result)
        case Notify():
            _check_people(desk, rule.on, action.to)
            _check_texts(action.text)
        case Assign(login=str() as login):
            _known(Sentence("login: there is nobody"), login, desk.work.staff.by_login)
        case Assign(group=str() as group):
            _known(Sentence("group: there is no group"), group, _groups(desk))
        case StartChain(chain=chain) | StopChain(chain=str() as chain):
            _known(Sentence("chain: there is no chain"), chain, desk.catalogue.section(Section.CHAIN))
        case _:
            pass


def _check_move(desk: Desk, rule: RuleBody, action: Move) -> None:
    if action.pipeline is not None:
        _check_places(desk, None, [action.pipeline], [action.stage] if action.stage else [])
    else:
        _check_places(desk, rule.on, [], [action.stage] if action.stage else [])


def _check_created(desk: Desk, action: Create) -> None:
    pipeline = next(each for each in pipelines(desk) if each.name == action.pipeline)
    declared = fields_of(desk.catalogue, pipeline.record.type)
    _check_texts(action.title, *action.fields.values())
    for key in action.fields:
        if declared.by_key:
            _known(Sentence("fields: a {kind} has no field", kind=pipeline.record.type), key, declared.by_key)


def _check_set(catalogue: Catalogue, on: str, action: SetField) -> None:
    column, _, key = action.field.partition(".")
    columns = SETTABLE.get(_RECORD_OF.get(on, DealRecord), frozenset())
    declared = fields_of(catalogue, on)
    if column != "fields" and column not in columns:
        key = column
    if key and declared.named(key) is None and (declared.by_key or column != "fields"):
        _known(Sentence("field: a {kind} has no field", kind=on), key, {*declared.by_key, *columns})
    if action.expression:
        _check_names(catalogue, action.expression, on, {**FACT_VARIABLES, **CHANGE_VARIABLES})
    if isinstance(action.value, str):
        _check_texts(action.value)
        if column == "currency" and not key and "{" not in action.value:
            currency_of(action.value)


def _check_field(catalogue: Catalogue, on: str, name: str) -> None:
    column, _, key = name.partition(".")
    if column == "fields":
        declared = fields_of(catalogue, on).by_key
        if declared:
            _known(Sentence("field: a {kind} has no field", kind=on), key, declared)
    else:
        _known(Sentence("field: a {kind} has no column", kind=on), column, _RECORD_OF.get(on, DealRecord)._fields)  # type: ignore[attr-defined]  # all are named tuples


def _check_names(catalogue: Catalogue, text: str, on: str, more: Mapping[str, type | None]) -> None:
    problems = unknown_names(catalogue, compiled(text), on, more)
    if problems:
        raise InvalidInput(problems[0])


def _check_places(desk: Desk, on: str | None, wanted: Iterable[str], stages: Iterable[str]) -> None:
    known = [each for each in pipelines(desk) if not each.record.archived and on in {None, each.record.type}]
    what = Sentence("pipeline: there is no pipeline")
    if on not in {None, _DEAL}:
        what = Sentence("pipeline: there is no pipeline of «{kind}»", kind=on)
    for name in wanted:
        _known(what, name, {each.name for each in known})
    chosen = [each for each in known if each.name in wanted] or known
    for name in stages:
        there = {stage.name for each in chosen for stage in each.stages if not stage.record.archived}
        there |= {str(stage.id) for each in chosen for stage in each.stages} if name.isdigit() else set()
        none = Sentence("stage: these pipelines have no stage")
        if len(chosen) == 1:
            none = Sentence("stage: «{pipeline}» has no stage", pipeline=chosen[0].name)
        _known(none, name, there)


def _check_hours(desk: Desk, name: str | None) -> None:
    if name is not None and name != ANY_HOURS:
        _known(
            Sentence("hours: there is no calendar"),
            name,
            {*desk.office.calendars, *desk.catalogue.section(Section.HOURS)},
        )


def _check_template(desk: Desk, name: str) -> None:
    _known(Sentence("template: there is no template"), name, desk.catalogue.section(Section.TEMPLATE))


def _check_people(desk: Desk, on: str, wanted: Iterable[str]) -> None:
    logins = desk.work.staff.by_login
    words = {"manager", "responsible", *(role.value for role in Role)}
    for who in wanted:
        kind, _, name = who.partition(":")
        if who in words:
            continue
        if kind == "group":
            _known(Sentence("to: there is no group"), name.strip(), _groups(desk))
            continue
        if kind == "field":
            _check_person_field(desk.catalogue, on, name.strip())
            continue
        _known(Sentence("to: there is nobody"), who.removeprefix("login:").strip(), {*logins, *words})


def _check_person_field(catalogue: Catalogue, on: str, key: str) -> None:
    declared = fields_of(catalogue, on).by_key
    if not declared:
        return  # fields that nobody declared take anything
    _known(Sentence("to: a {kind} has no field", kind=on), key, declared)
    if declared[key].body.type is not FieldType.USER:
        raise InvalidInput(
            "to: the field «{key}» of a {kind} names no person: it is one of type {type}",
            key=key,
            kind=on,
            type=declared[key].body.type,
        )


def _groups(desk: Desk) -> set[str]:
    people = {each.group for each in desk.work.staff.by_login.values() if each.group}
    return {*people, *desk.office.groups, *desk.catalogue.section(Section.GROUP)}


def _check_texts(*texts: str) -> None:
    for text in texts:
        try:
            checked(text)
        except TemplateError as err:
            raise InvalidInput(str(err)) from err


def _known(what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name in names:
        return
    close = get_close_matches(name, names, 1, 0.5)
    meant = Sentence(", did you mean «{name}»?", name=close[0]) if close else ""
    raise InvalidInput("{what} «{name}»{meant}", what=what, name=name, meant=meant)


def _at(where: str, check: Callable[[], Any]) -> None:
    """Say in which part of the form it is."""
    try:
        check()
    except InvalidInput as err:
        raise InvalidInput("{where}: {why}", where=where, why=err) from err
