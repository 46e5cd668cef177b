"""What a configuration would change of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from crm_core.model.definitions import Section
from crm_core.model.records import PipelineRecord, StageRecord
from crm_core.services.configuration.reading import Configuration, WantedPipeline
from crm_core.services.defining import as_json, of_section
from crm_core.services.desk import Desk


class Verb(StrEnum):
    """What becomes of something configured."""

    ADD = "add"
    CHANGE = "change"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would be added, changed or taken back into use; `changes` are `(key, old, new)`."""

    verb: Verb
    section: str
    name: str
    changes: tuple[tuple[str, Any, Any], ...] = ()


def compared(desk: Desk, wanted: Configuration) -> list[Difference]:
    """What applying `wanted` would change; empty where everything is so already. What it does not name stays."""
    found: list[Difference] = []
    for section, bodies in wanted.definitions.items():
        known = {each.name: each for each in of_section(desk, section)}
        for position, (name, body) in enumerate(bodies.items()):
            record = known.get(name)
            if record is None:
                found.append(Difference(Verb.ADD, section.value, name))
                continue
            changes = changed_keys(record.body, as_json(body))
            if _ordered(section) and record.position != position:
                changes += (("position", record.position, position),)
            if record.archived or changes:
                verb = Verb.RETURN if record.archived else Verb.CHANGE
                found.append(Difference(verb, section.value, name, changes))
    for position, pipeline in enumerate(wanted.pipelines):
        found += _pipeline(desk, pipeline, position)
    return found


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    """The keys in which two bodies differ."""
    keys = dict.fromkeys([*old, *new])
    return tuple((key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key))


def _ordered(section: Section) -> bool:
    """Whether the order of a section means something: rules are run in it, fields are shown in it."""
    return section in {Section.RULE, Section.FIELD}


def _pipeline(desk: Desk, wanted: WantedPipeline, position: int) -> list[Difference]:
    record = next((each for each in desk.work.everything(PipelineRecord) if each.name == wanted.name), None)
    if record is None:
        stages = [Difference(Verb.ADD, "stage", f"{wanted.name} / {each.name}") for each in wanted.stages]
        return [Difference(Verb.ADD, "pipeline", wanted.name), *stages]
    found: list[Difference] = []
    changes = changed_keys(record.settings, as_json(wanted.settings))
    if record.type != wanted.type:
        changes += (("type", record.type, wanted.type),)
    if record.position != position:
        changes += (("position", record.position, position),)
    if record.archived or changes:
        found.append(Difference(Verb.RETURN if record.archived else Verb.CHANGE, "pipeline", wanted.name, changes))
    known = {each.name: each for each in desk.work.related(StageRecord, "pipeline_id", [record.id])}
    for at, stage in enumerate(wanted.stages):
        name, before = f"{wanted.name} / {stage.name}", known.get(stage.name)
        if before is None:
            found.append(Difference(Verb.ADD, "stage", name))
            continue
        differing = changed_keys(before.settings, as_json(stage.settings))
        if before.kind is not stage.kind:
            differing += (("kind", before.kind.value, stage.kind.value),)
        if before.position != at:
            differing += (("position", before.position, at),)
        if before.archived or differing:
            found.append(Difference(Verb.RETURN if before.archived else Verb.CHANGE, "stage", name, differing))
    return found
