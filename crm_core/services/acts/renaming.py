"""A stage or a pipeline gets another name: the rules, segments and criteria that mean it go along."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_core.model.definitions import Pipeline, Section
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.expression_text import Sort, meaning, shape_of, words_of
from crm_core.model.records import StageRecord
from crm_core.services import defining
from crm_core.services.cards.pipelines import pipelines
from crm_core.services.desk import Desk

Json = Any
_STAGE, _PIPELINE = "stage", "pipeline"


@dataclass(frozen=True, slots=True)
class _Renaming:
    """From which name to which. Of a stage `pipeline` is its pipeline, and `namesakes` are the other pipelines of its
    `type` with a stage of the old name: whatever may mean either is to mean both."""

    what: str
    old: str
    new: str
    type: str
    pipeline: str
    namesakes: frozenset[str] = frozenset()

    def shared(self, among: list[str]) -> bool:
        """Whether one of these pipelines, any where none is named, has a stage of the old name still."""
        return bool(self.namesakes & set(among) if among else self.namesakes)


def stage_renamed(desk: Desk, pipeline: Pipeline, old: str, new: str) -> None:
    """Let what means the stage `old` of a pipeline mean `new`."""
    of_type = pipeline.record.type
    others = (each for each in pipelines(desk) if each.id != pipeline.id and each.record.type == of_type)
    namesakes = frozenset(each.name for each in others if each.stage(old) is not None)
    _carry(desk, _Renaming(_STAGE, old, new, of_type, pipeline.name, namesakes))


def pipeline_renamed(desk: Desk, of_type: str, old: str, new: str) -> None:
    """Let what means the pipeline `old` mean `new`."""
    _carry(desk, _Renaming(_PIPELINE, old, new, of_type, old))


def _carry(desk: Desk, renaming: _Renaming) -> None:
    forms: tuple[tuple[Section, Callable[[_Renaming, Json], Json]], ...] = (
        (Section.RULE, _rule),
        (Section.SEGMENT, _segment),
    )
    for section, carried in forms:
        for record in defining.of_section(desk, section):
            body = carried(renaming, record.body)
            if body != record.body:
                fresh = record._replace(body=body, version=record.version + 1)
                desk.work.put(fresh._replace(updated_at=desk.now, updated_by=desk.work.author))
    for each in (stage.record for found in pipelines(desk) for stage in found.stages):
        criterion = (each.settings or {}).get("enter_when", "")
        if criterion and (said := _said(renaming, criterion)) != criterion:
            known = desk.work.get(StageRecord, each.id)
            desk.work.put(known._replace(settings={**known.settings, "enter_when": said}))


def _rule(renaming: _Renaming, body: Mapping[str, Json]) -> Json:
    on = body.get("on", "deal")
    named = [name for part in (body.get("only", {}), *body["when"]) for name in part.get("pipelines", [])]
    return {
        **body,
        "when": [_places(renaming, on, each) for each in body["when"]],
        **({"only": _places(renaming, on, body["only"])} if "only" in body else {}),
        **({"condition": _said(renaming, body["condition"])} if "condition" in body else {}),
        "then": [_action(renaming, on, each, named) for each in body["then"]],
    }


def _segment(renaming: _Renaming, body: Mapping[str, Json]) -> Json:
    if "filter" not in body:
        return body
    return {**body, "filter": _filter(renaming, body.get("of", "contact"), body["filter"])}


def _places(renaming: _Renaming, on: str, part: Mapping[str, Json]) -> Json:
    """A condition on where a card stands, as a rule's `when` and `only` have it."""
    found = dict(part)
    among: list[str] = part.get("pipelines", [])
    if renaming.what == _PIPELINE:
        if among:
            found["pipelines"] = [renaming.new if each == renaming.old else each for each in among]
    elif on == renaming.type and renaming.old in part.get("stages", []) and _may_mean(renaming, among):
        found["stages"] = _renamed(renaming, part["stages"], beside=renaming.shared(among))
    if found.get("filter") is not None:
        found["filter"] = _filter(renaming, on, found["filter"])
    return found


def _action(renaming: _Renaming, on: str, action: Mapping[str, Json], named: list[str]) -> Json:
    """An action that brings a card somewhere; `named` are the pipelines that its rule is about, where it says so."""
    found = dict(action)
    if "expression" in action:
        found["expression"] = _said(renaming, action["expression"])
    if renaming.what == _PIPELINE:
        if action.get("pipeline") == renaming.old:
            found["pipeline"] = renaming.new
        return found
    goal = action.get("pipeline")
    here = goal is None and action["do"] == "move" and on == renaming.type and _may_mean(renaming, named)
    if action.get("stage") == renaming.old and (goal == renaming.pipeline or (here and not renaming.shared(named))):
        found["stage"] = renaming.new
    return found


def _filter(renaming: _Renaming, kind: str, term: Mapping[str, Json]) -> Json:
    found = dict(term)
    for name in ("all", "any"):
        if isinstance(term.get(name), list):
            found[name] = [_filter(renaming, kind, each) for each in term[name]]
    if isinstance(term.get("not"), Mapping):
        found["not"] = _filter(renaming, kind, term["not"])
    if term.get("field") == "deals" and isinstance(term.get("value"), Mapping):
        found["value"] = _filter(renaming, "deal", term["value"])
    elif term.get("field") == renaming.what and kind not in PLAIN_KINDS:
        found |= _value(renaming, kind, term)
    return found


def _value(renaming: _Renaming, kind: str, term: Mapping[str, Json]) -> dict[str, Json]:
    """What a term that compares with stages or pipelines is compared with from here on."""
    value: Json = term.get("value")
    known: list[str] = value if isinstance(value, list) else [value]
    if renaming.old not in known or (renaming.what == _STAGE and kind != renaming.type):
        return {}
    names = _renamed(renaming, known, beside=renaming.shared([]))
    if isinstance(value, list):
        return {"value": names}
    if len(names) == 1:
        return {"value": names[0]}
    return {"op": "in", "value": names} if term.get("op", "=") == "=" else {}


def _may_mean(renaming: _Renaming, among: list[str]) -> bool:
    return not among or renaming.pipeline in among


def _renamed(renaming: _Renaming, names: list[str], *, beside: bool) -> list[str]:
    """The names with the new one in place of the old, or beside it."""
    if beside:
        return list(dict.fromkeys([*names, renaming.new]))
    return list(dict.fromkeys(renaming.new if each == renaming.old else each for each in names))


def _said(renaming: _Renaming, text: str) -> str:
    """An expression that compares with the name; as it stands where the name may be another stage's too."""
    words = words_of(text)
    if renaming.namesakes or not any(path[-1] == renaming.what for path in shape_of(words).paths):
        return text
    fresh = json.dumps(renaming.new, ensure_ascii=False)
    return "".join(fresh if each.sort is Sort.TEXT and meaning(each) == renaming.old else each.text for each in words)
