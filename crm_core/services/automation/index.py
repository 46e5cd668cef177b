"""The rules of the office by what they wait for, so that a change costs nothing for those that it does not concern."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crm_core.model.definitions import Catalogue, RuleBody, Section
from crm_core.model.definitions.chains import ChainBody
from crm_core.model.definitions.rules import FACTS, PLAIN_KINDS, TIMED, Event, When
from crm_core.model.expressions import Program, compiled


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in use; `id` is its definition's."""

    id: int
    name: str
    body: RuleBody
    program: Program | None
    updated_at: datetime

    @property
    def on(self) -> str:
        """The kind of records it is about."""
        return self.body.on

    @property
    def reads(self) -> frozenset[str]:
        """The variables that its condition reads."""
        return self.program.names if self.program is not None else frozenset()


@dataclass(frozen=True, slots=True)
class Trigger:
    """One thing that a rule waits for, the `number`th of it; `stages` are the ids of those it is about, None any."""

    rule: Rule
    when: When
    number: int
    stages: frozenset[int] | None


Triggers = tuple[Trigger, ...]


@dataclass(frozen=True)
class Index:
    """Triggers by what they wait for. `columns` names what is watched on records of a kind for timed rules; `kinds` the
    kinds about which there is any rule that a change of such a record concerns."""

    rules: Mapping[int, Rule] = field(default_factory=dict)
    facts: Mapping[Event, Triggers] = field(default_factory=dict)
    created: Mapping[str, Triggers] = field(default_factory=dict)
    entered: Mapping[int, Triggers] = field(default_factory=dict)
    left: Mapping[int, Triggers] = field(default_factory=dict)
    changed: Mapping[str, Triggers] = field(default_factory=dict)
    tagged: Mapping[str, Triggers] = field(default_factory=dict)
    timed: Mapping[str, Triggers] = field(default_factory=dict)
    schedules: Mapping[int, Triggers] = field(default_factory=dict)
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()
    chains: bool = False


def index_of(catalogue: Catalogue) -> Index:
    """The index of the rules in use, made once a revision of the catalogue."""
    return catalogue.made("automation", _index)


def index_with(catalogue: Catalogue, rules: Iterable[Rule]) -> Index:
    """The index of other rules than those in use."""
    return _of(catalogue, list(rules))


def rules_of(catalogue: Catalogue) -> list[Rule]:
    """The rules in use, in their order."""
    bodies = catalogue.bodies(Section.RULE, RuleBody)
    return [rule_of(each.id, each.name, body, each.record.updated_at) for each, body in bodies if body.enabled]


def rule_of(rule_id: int, name: str, body: RuleBody, updated_at: datetime) -> Rule:
    """A rule by its form."""
    return Rule(rule_id, name, body, compiled(body.condition) if body.condition else None, updated_at)


def stages_of(catalogue: Catalogue, on: str, when: When) -> frozenset[int] | None:
    """The ids of the stages that are meant; None where any card, wherever it stands, is."""
    if on in PLAIN_KINDS:
        return None
    if not when.pipelines and not when.stages:
        return None
    return frozenset(
        stage.id
        for pipeline in catalogue.pipelines
        if pipeline.record.type == on and (not when.pipelines or pipeline.name in when.pipelines)
        for stage in pipeline.stages
        if not when.stages or stage.name in when.stages
    )


def _index(catalogue: Catalogue) -> Index:
    return _of(catalogue, rules_of(catalogue))


def _of(catalogue: Catalogue, rules: list[Rule]) -> Index:
    every = [
        Trigger(rule, when, number, stages_of(catalogue, rule.on, when))
        for rule in rules
        for number, when in enumerate(rule.body.when)
    ]
    places = {stage.id: pipeline.record.type for pipeline in catalogue.pipelines for stage in pipeline.stages}

    def by_stage(event: Event) -> dict[int, Triggers]:
        wanted = [each for each in every if each.when.event is event]
        found = {
            stage: tuple(each for each in wanted if each.rule.on == kind and _covers(each, stage))
            for stage, kind in places.items()
        }
        return {stage: triggers for stage, triggers in found.items() if triggers}

    def by_kind(*events: Event) -> dict[str, Triggers]:
        found: dict[str, list[Trigger]] = {}
        for each in every:
            if each.when.event in events:
                found.setdefault(each.rule.on, []).append(each)
        return {kind: tuple(triggers) for kind, triggers in found.items()}

    facts = {event: tuple(each for each in every if each.when.event is event) for event in FACTS}
    schedules: dict[int, list[Trigger]] = {}
    for each in every:
        if each.when.event is Event.SCHEDULE:
            schedules.setdefault(each.rule.id, []).append(each)
    timed = by_kind(*TIMED)
    return Index(
        rules={rule.id: rule for rule in rules},
        facts={event: triggers for event, triggers in facts.items() if triggers},
        created=by_kind(Event.CREATED),
        entered=by_stage(Event.STAGE_ENTERED),
        left=by_stage(Event.STAGE_LEFT),
        changed=by_kind(Event.CHANGED),
        tagged=by_kind(Event.TAG_ADDED),
        timed=timed,
        schedules={rule_id: tuple(triggers) for rule_id, triggers in schedules.items()},
        columns={kind: frozenset(_columns(triggers)) for kind, triggers in timed.items()},
        kinds=frozenset(each.rule.on for each in every if each.when.event not in FACTS),
        chains=bool(catalogue.bodies(Section.CHAIN, ChainBody)),
    )


def _covers(trigger: Trigger, stage_id: int) -> bool:
    return trigger.stages is None or stage_id in trigger.stages


def _columns(triggers: Triggers) -> Iterable[str]:
    """What of a record says when a timed rule is due."""
    yield from ("deleted_at", "stage_id", "stage_since", "contact_id", "status", "state")
    for each in triggers:
        if each.when.event is Event.DATE:
            yield each.when.field.partition(".")[0]
        if each.when.event is Event.SILENCE and each.rule.on == "contact":
            yield "last_contact_at"
