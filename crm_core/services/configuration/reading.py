"""A configuration out of plain data: a list of tables for each section, pipelines with their stages.

title = "…"                      description = "…"
[[pipeline]]                     name, type, and what `PipelineSettings` says
[[pipeline.stage]]               name, kind, and what `StageSettings` says
[[field]] [[rule]] [[ladder]] …  name, and what the form of the section says
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from crm_core.errors import InvalidInput
from crm_core.model.definitions import FORMS, Body, PipelineSettings, Section, StageSettings, name_of
from crm_core.model.faults import why_of
from crm_core.model.records import StageKind
from crm_core.wording import Joined, Sentence

Form = TypeVar("Form", bound=BaseModel)
Path = tuple[str | int, ...]

_ABOUT = ("title", "description")
_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong, and at which key."""

    path: Path
    what: str


class BadConfiguration(InvalidInput):
    """The configuration has faults."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        told = (Sentence("{where}: {why}", where=place(each.path), why=each.what) for each in self.faults)
        super().__init__(Joined(told, "; "))


@dataclass(frozen=True, slots=True)
class WantedStage:
    """A stage as it is to be."""

    name: str
    kind: StageKind
    settings: StageSettings


@dataclass(frozen=True, slots=True)
class WantedPipeline:
    """A pipeline as it is to be, its stages in order."""

    name: str
    type: str
    settings: PipelineSettings
    stages: tuple[WantedStage, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is to be configured; `definitions` by section and name, in their order."""

    title: str = ""
    description: str = ""
    pipelines: tuple[WantedPipeline, ...] = ()
    definitions: Mapping[Section, Mapping[str, Body]] = field(default_factory=dict)


def read(tables: Mapping[str, Any]) -> Configuration:
    """The configuration that these tables say; raises BadConfiguration naming every fault."""
    faults: list[Fault] = []
    known = [*_ABOUT, "pipeline", *(each.value for each in FORMS)]
    strange = (key for key in tables if key not in known)
    faults.extend(
        Fault((key,), Sentence("there is no such section{meant}", meant=_nearest(key, known))) for key in strange
    )
    title, description = (_text(tables, key, faults) for key in _ABOUT)
    pipelines = tuple(
        found
        for position, table in _tables(tables, ("pipeline",), faults)
        if (found := _pipeline(table, ("pipeline", position), faults)) is not None
    )
    _unique([(("pipeline", at, "name"), each.name) for at, each in enumerate(pipelines)], faults)
    sections = {section: _section(tables, section, form, faults) for section, form in FORMS.items()}
    if faults:
        raise BadConfiguration(faults[:_MOST_FAULTS])
    return Configuration(title, description, pipelines, {key: bodies for key, bodies in sections.items() if bodies})


def place(path: Path) -> str:
    """A key path as people write it; positions count from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _section(tables: Mapping[str, Any], section: Section, form: type[Body], faults: list[Fault]) -> dict[str, Body]:
    found: dict[str, Body] = {}
    for position, table in _tables(tables, (section.value,), faults):
        path = (section.value, position)
        values = {key: value for key, value in table.items() if key != "name"}
        body = _parsed(form, values, path, faults)
        if body is None:
            continue
        own = name_of(body)
        name = own if own is not None else _name(table, path, faults)
        if own is not None and table.get("name", own) != own:
            faults.append(
                Fault((*path, "name"), Sentence("the name of this one is «{name}»: leave the key out", name=own))
            )
        if name in found:
            faults.append(Fault((*path, "name"), Sentence("«{name}» stands there twice", name=name)))
        elif name is not None:
            found[name] = body
    return found


def _pipeline(table: Mapping[str, Any], path: Path, faults: list[Fault]) -> WantedPipeline | None:
    name, kind = _name(table, path, faults), table.get("type", "deal")
    settings = _parsed(PipelineSettings, _without(table, "name", "type", "stage"), path, faults)
    stages = [
        stage
        for position, each in _tables(table, (*path, "stage"), faults)
        if (stage := _stage(each, (*path, "stage", position), faults)) is not None
    ]
    _unique([((*path, "stage", at, "name"), each.name) for at, each in enumerate(stages)], faults)
    if not table.get("stage"):
        faults.append(Fault((*path, "stage"), Sentence("a pipeline has at least one stage")))
    if not isinstance(kind, str):
        faults.append(Fault((*path, "type"), Sentence("a type is a text, e.g. «deal»")))
        return None
    return WantedPipeline(name, kind, settings, tuple(stages)) if name is not None and settings is not None else None


def _stage(table: Mapping[str, Any], path: Path, faults: list[Fault]) -> WantedStage | None:
    name, given = _name(table, path, faults), table.get("kind", StageKind.OPEN.value)
    settings = _parsed(StageSettings, _without(table, "name", "kind"), path, faults)
    kinds = [each.value for each in StageKind]
    if given not in kinds:
        faults.append(Fault((*path, "kind"), Sentence("a stage is one of {kinds}", kinds=", ".join(kinds))))
        return None
    return WantedStage(name, StageKind(given), settings) if name is not None and settings is not None else None


def _tables(tables: Mapping[str, Any], path: Path, faults: list[Fault]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    found = tables.get(str(path[-1]), [])
    if not isinstance(found, list):
        faults.append(Fault(path, Sentence("expected a list of tables: head each with [[{table}]]", table=path[-1])))
        return
    for position, each in enumerate(found):
        if isinstance(each, dict):
            yield position, each
        else:
            faults.append(Fault((*path, position), Sentence("expected a table")))


def _parsed(form: type[Form], values: Mapping[str, Any], path: Path, faults: list[Fault]) -> Form | None:
    try:
        return form.model_validate(values)
    except ValidationError as err:
        for each in err.errors(include_url=False, include_input=False):
            what = why_of(each)
            if each["type"] == "extra_forbidden":
                what = Sentence("there is no such key{meant}", meant=_nearest(str(each["loc"][-1]), form.model_fields))
            faults.append(Fault((*path, *each["loc"]), what))
        return None


def _name(table: Mapping[str, Any], path: Path, faults: list[Fault]) -> str | None:
    name = table.get("name")
    if isinstance(name, str) and 0 < len(name.strip()) <= 200 and "\x00" not in name:
        return name.strip()
    faults.append(Fault((*path, "name"), Sentence("give it a name of 1 to 200 characters")))
    return None


def _text(tables: Mapping[str, Any], key: str, faults: list[Fault]) -> str:
    value = tables.get(key, "")
    if isinstance(value, str):
        return value
    faults.append(Fault((key,), Sentence("expected a text")))
    return ""


def _unique(names: list[tuple[Path, str]], faults: list[Fault]) -> None:
    seen: set[str] = set()
    for path, name in names:
        if name in seen:
            faults.append(Fault(path, Sentence("«{name}» stands there twice", name=name)))
        seen.add(name)


def _without(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word.casefold(), list(known), n=1, cutoff=0.5)
    if close:
        return Sentence("; did you mean «{name}»?", name=close[0])
    return Sentence("; known are {names}", names=", ".join(sorted(known)))
