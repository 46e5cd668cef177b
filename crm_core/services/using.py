"""What else of the configuration needs a definition: it can't go while that does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from crm_core.model.definitions import Catalogue, ChainBody, FieldBody, Pipeline, RuleBody, Section, SegmentBody, Stage
from crm_core.model.definitions.rules import (
    PLAIN_KINDS,
    Create,
    MakeTask,
    Notify,
    Send,
    SetField,
    StartChain,
    StopChain,
)
from crm_core.model.definitions.scoring import ScoringBody
from crm_core.model.expressions import compiled
from crm_core.model.filters import Filter, filter_of

_SHOWN = 5


def users_of(catalogue: Catalogue, section: Section, name: str) -> list[str]:
    """In words what needs the definition of this name: «rule «Привет»», «stage «Продажа / Замер»»."""
    find = _USERS.get(section)
    return list(dict.fromkeys(find(catalogue, name))) if find is not None else []


def brief(users: list[str]) -> str:
    """The first of them."""
    more = f" and {len(users) - _SHOWN} more" if len(users) > _SHOWN else ""
    return ", ".join(users[:_SHOWN]) + more


def _of_field(catalogue: Catalogue, name: str) -> Iterator[str]:
    kind, _, key = name.partition(".")
    for pipeline, stage in _stages(catalogue):
        asks = key in stage.settings.required or _says(stage.settings.enter_when, kind, kind, key)
        if pipeline.record.type == kind and asks:
            yield f"stage «{pipeline.name} / {stage.name}»"
    for each, body in catalogue.bodies(Section.FIELD, FieldBody):
        if body.of == kind and each.name != name and _says(body.expression, kind, kind, key):
            yield f"formula «{body.title}»"
    for each, rule in catalogue.bodies(Section.RULE, RuleBody):
        if _rule_names(catalogue, rule, kind, key):
            yield f"rule «{each.name}»"
    for each, segment in catalogue.bodies(Section.SEGMENT, SegmentBody):
        if _asks(segment.filter, segment.of, kind, key):
            yield f"segment «{each.name}»"
    for each, scoring in catalogue.bodies(Section.SCORING, ScoringBody):
        if _scores(scoring, kind, key):
            yield f"scoring «{each.name}»"


def _of_template(catalogue: Catalogue, name: str) -> Iterator[str]:
    for each, rule in catalogue.bodies(Section.RULE, RuleBody):
        if any(isinstance(action, Send) and action.template == name for action in rule.then):
            yield f"rule «{each.name}»"
    for each, chain in catalogue.bodies(Section.CHAIN, ChainBody):
        if any(step.template == name for step in chain.steps):
            yield f"chain «{each.name}»"


def _of_chain(catalogue: Catalogue, name: str) -> Iterator[str]:
    for each, rule in catalogue.bodies(Section.RULE, RuleBody):
        if any(isinstance(action, StartChain | StopChain) and action.chain == name for action in rule.then):
            yield f"rule «{each.name}»"


def _of_segment(catalogue: Catalogue, name: str) -> Iterator[str]:
    for each, rule in catalogue.bodies(Section.RULE, RuleBody):
        if any(when.segment == name for when in rule.when):
            yield f"rule «{each.name}»"


def _of_record_type(catalogue: Catalogue, name: str) -> Iterator[str]:
    for pipeline in catalogue.pipelines:
        if pipeline.record.type == name and not pipeline.record.archived:
            yield f"pipeline «{pipeline.name}»"
    for _, body in catalogue.bodies(Section.FIELD, FieldBody):
        if name in {body.of, body.to}:
            yield f"field «{body.title}»"
    for each, rule in catalogue.bodies(Section.RULE, RuleBody):
        if rule.on == name:
            yield f"rule «{each.name}»"


_USERS: Mapping[Section, Callable[[Catalogue, str], Iterator[str]]] = {
    Section.FIELD: _of_field,
    Section.TEMPLATE: _of_template,
    Section.CHAIN: _of_chain,
    Section.SEGMENT: _of_segment,
    Section.RECORD_TYPE: _of_record_type,
}


def _stages(catalogue: Catalogue) -> Iterator[tuple[Pipeline, Stage]]:
    for pipeline in catalogue.pipelines:
        if not pipeline.record.archived:
            for stage in pipeline.in_use:
                yield pipeline, stage


def _rule_names(catalogue: Catalogue, rule: RuleBody, kind: str, key: str) -> bool:
    if _says(rule.condition, rule.on, kind, key):
        return True
    own = rule.on == kind
    for when in rule.when:
        if own and when.field == f"fields.{key}":
            return True
        if when.filter is not None and _asks(filter_of(when.filter), rule.on, kind, key):
            return True
    for action in rule.then:
        match action:
            case SetField():
                if (own and action.field in {f"fields.{key}", key}) or _says(action.expression, rule.on, kind, key):
                    return True
            case MakeTask(to=who):
                if own and who == f"field:{key}":
                    return True
            case Notify(to=whom):
                if own and f"field:{key}" in whom:
                    return True
            case Create():
                goal = catalogue.pipeline_named(action.pipeline)
                if goal is not None and goal.record.type == kind and key in action.fields:
                    return True
            case _:
                pass
    return False


def _says(expression: str, on: str, kind: str, key: str) -> bool:
    """Whether an expression about a record of `on` reads the field `key` of records of `kind`."""
    if not expression:
        return False
    try:
        paths = compiled(expression).paths
    except ValueError:
        return False  # it was kept by another version: it reads nothing
    named: set[tuple[str, ...]] = {("fields", key)} if on == kind else set()
    named.add((kind if kind in PLAIN_KINDS else "deal", "fields", key))
    return any(path[: len(each)] == each for path in paths for each in named)


def _asks(wanted: Filter, on: str, kind: str, key: str) -> bool:
    for each in [*(wanted.all or ()), *(wanted.any or ()), *((wanted.not_,) if wanted.not_ is not None else ())]:
        if _asks(each, on, kind, key):
            return True
    if wanted.field in _RELATED and isinstance(wanted.value, dict):
        return _asks(filter_of(wanted.value), _RELATED[wanted.field], kind, key)
    return wanted.field in ({f"fields.{key}"} if on == kind else set()) | {f"{kind}.fields.{key}"}


_RELATED = {"deals": "deal", "leads": "lead", "tasks": "task"}


def _scores(scoring: ScoringBody, kind: str, key: str) -> bool:
    if scoring.clients is not None:
        parts = [*scoring.clients.relation, *scoring.clients.attraction]
        return kind == "contact" and any(part.field == key for part in parts)
    grade = scoring.grade
    if grade is None:
        return False
    own = grade.of == kind and any(part.field == key for part in grade.parts)
    return own or _says(grade.formula, grade.of, kind, key)
