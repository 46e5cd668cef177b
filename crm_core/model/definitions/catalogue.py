"""The catalogue: all that the office configured in the record, parsed once and shared until somebody changes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from crm_core.model.definitions.base import Body, DefinitionRecord, Section
from crm_core.model.definitions.pipelines import Pipeline, Stage, StageSettings, readable
from crm_core.model.faults import why_of
from crm_core.model.records import PipelineRecord, StageRecord
from crm_core.wording import Sentence

Form = TypeVar("Form", bound=Body)
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Defined:
    """A definition with its body parsed."""

    record: DefinitionRecord
    body: Body

    @property
    def id(self) -> int:
        """The definition's id."""
        return self.record.id

    @property
    def name(self) -> str:
        """The definition's name within its section."""
        return self.record.name


@dataclass(frozen=True)
class Catalogue:
    """Everything configured, as of one revision. `problems` are definitions that could not be read, in words; they are
    left out of `sections`."""

    revision: int = 0
    sections: Mapping[Section, Mapping[str, Defined]] = field(default_factory=dict)
    pipelines: tuple[Pipeline, ...] = ()
    problems: tuple[str, ...] = ()
    _stages: Mapping[int, tuple[Pipeline, Stage]] = field(default_factory=dict, repr=False)
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        revision: int,
        forms: Mapping[Section, type[Body]],
        definitions: Iterable[DefinitionRecord],
        pipelines: Iterable[PipelineRecord],
        stages: Iterable[StageRecord],
    ) -> Catalogue:
        """The catalogue of these rows; archived definitions are left out."""
        problems: list[str] = []
        sections: dict[Section, dict[str, Defined]] = {}
        for record in sorted(definitions, key=lambda each: (each.position, each.id)):
            form = forms.get(record.section)
            if record.archived or form is None:
                continue
            body = _parsed(form, record.body, f"{record.section.value} «{record.name}»", problems)
            if body is not None:
                sections.setdefault(record.section, {})[record.name] = Defined(record, body)
        made = _pipelines(list(pipelines), list(stages), problems)
        by_stage = {stage.id: (pipeline, stage) for pipeline in made for stage in pipeline.stages}
        return cls(revision, sections, made, tuple(problems), by_stage)

    def section(self, section: Section) -> Mapping[str, Defined]:
        """The definitions of a section by name, in their order."""
        return self.sections.get(section, {})

    def bodies(self, section: Section, form: type[Form]) -> list[tuple[Defined, Form]]:
        """The definitions of a section with their bodies, in their order."""
        return [(each, each.body) for each in self.section(section).values() if isinstance(each.body, form)]

    def body(self, section: Section, name: str, form: type[Form]) -> Form | None:
        """The body of one definition."""
        found = self.section(section).get(name)
        return found.body if found is not None and isinstance(found.body, form) else None

    def pipeline(self, pipeline_id: int) -> Pipeline | None:
        """A pipeline by its id."""
        return next((each for each in self.pipelines if each.id == pipeline_id), None)

    def pipeline_named(self, name: str) -> Pipeline | None:
        """A pipeline in use by its name."""
        return next((each for each in self.pipelines if each.name == name and not each.record.archived), None)

    def place(self, stage_id: int) -> tuple[Pipeline, Stage] | None:
        """A stage and its pipeline, by the stage's id."""
        return self._stages.get(stage_id)

    def made(self, name: str, make: Callable[[Catalogue], Made]) -> Made:
        """What is worked out of the catalogue (compiled rules, fields by kind), made once a revision."""
        if name not in self._made:
            self._made[name] = make(self)
        return cast(Made, self._made[name])


def _pipelines(pipelines: list[PipelineRecord], stages: list[StageRecord], problems: list[str]) -> tuple[Pipeline, ...]:
    of: dict[int, list[Stage]] = {}
    for stage in sorted(stages, key=lambda each: (each.position, each.id)):
        settings = _parsed(StageSettings, stage.settings, f"stage «{stage.name}»", problems)
        of.setdefault(stage.pipeline_id, []).append(Stage(stage, settings or StageSettings()))
    found = []
    for record in sorted(pipelines, key=lambda each: (each.position, each.id)):
        how, wrong = readable(record.settings)
        if wrong is not None:
            problems.append(_said(wrong, f"pipeline «{record.name}»"))
        found.append(Pipeline(record, how, tuple(of.get(record.id, ()))))
    return tuple(found)


def _parsed(form: type[Form], body: Any, what: str, problems: list[str]) -> Form | None:
    try:
        return form.model_validate(body)
    except ValidationError as err:
        problems.append(_said(err, what))
        return None


def _said(err: ValidationError, what: str) -> str:
    first = err.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(each) for each in first["loc"])
    return Sentence("{where}: {why}", where=f"{what}: {where}" if where else what, why=why_of(first))
