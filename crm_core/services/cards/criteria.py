"""Stages that let cards in by themselves: a card goes to the furthest later stage whose criteria hold.

Looked at are cards that changed, and those of clients of whom something new is known. Without a stage that has criteria
nothing is asked; else a fixed number of statements, however many cards there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.model.case import Signal
from crm_core.model.definitions import Catalogue, Pipeline, Stage
from crm_core.model.expressions import ExpressionError, Program, compiled
from crm_core.model.history import Change
from crm_core.model.records import ContactRecord, DealRecord, EntryRecord, LeadRecord, StageKind
from crm_core.model.selling import ClientScoreRecord, CompanyRecord, PaymentRecord
from crm_core.model.task import TaskRecord
from crm_core.model.timeline import EntryKind
from crm_core.services.cards.pipelines import missing, required_keys
from crm_core.services.cards.stages import BY_ITSELF, put_on, tell
from crm_core.services.desk import Desk
from crm_core.services.scope import scope_of
from crm_core.services.wording import Phrase

# What a criterion may name besides what every expression sees: whether the client picked up a call or answered a
# message since the card was opened.
REACHED, TALKED, ANSWERED = "reached", "talked", "answered"
VARIABLES: Mapping[str, type | None] = {REACHED: None, TALKED: None, ANSWERED: None}
_TELLING = frozenset({EntryKind.MESSAGE, EntryKind.CALL, EntryKind.EMAIL, EntryKind.FORM})


@dataclass(frozen=True, slots=True)
class _Criterion:
    """A stage that lets cards in, and its place in its pipeline."""

    pipeline: Pipeline
    stage: Stage
    place: int
    program: Program


@dataclass(frozen=True, slots=True)
class _Criteria:
    """All of them: by pipeline, the furthest first; and what any of them names."""

    of: Mapping[int, tuple[_Criterion, ...]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()


def let_in(desk: Desk, changes: Sequence[Change]) -> None:
    """The step: cards enter the stages whose criteria hold, forward only, each stage once a transaction; those that a
    person put somewhere in this transaction stay there."""
    criteria = desk.catalogue.made("criteria of stages", _criteria)
    if not criteria.of:
        return
    cards = [each for each in _concerned(desk, criteria, changes) if each.id not in desk.moves.by_person]
    if not cards:
        return
    talks = _talks(desk, criteria, cards)
    _fetch(desk, criteria, cards)
    failed: dict[str, RuleRunRecord] = {}
    for card in cards:
        found = _furthest(desk, criteria, card, talks, failed)
        if found is not None:
            _enter(desk, card, found)
    if failed:
        known = {each.key for each in desk.work.related(RuleRunRecord, "key", failed)}
        for key, trace in failed.items():
            if key not in known:
                desk.work.put(trace)


def _criteria(catalogue: Catalogue) -> _Criteria:
    of: dict[int, tuple[_Criterion, ...]] = {}
    for pipeline in catalogue.pipelines:
        found = []
        for place, stage in enumerate(pipeline.stages):
            takes = not stage.record.archived and stage.record.kind is not StageKind.LOST
            program = _program(stage.settings.enter_when) if takes else None
            if program is not None:
                found.append(_Criterion(pipeline, stage, place, program))
        if found and not pipeline.record.archived:
            of[pipeline.id] = tuple(reversed(found))
    names = {name for several in of.values() for each in several for name in each.program.names}
    return _Criteria(of, frozenset(names))


def _program(text: str) -> Program | None:
    """None where there is no text, or one that a later version of the language refuses: it was checked when kept."""
    try:
        return compiled(text) if text else None
    except ValueError:
        return None


def _concerned(desk: Desk, criteria: _Criteria, changes: Sequence[Change]) -> list[DealRecord]:
    """The open cards, in pipelines with criteria, of which something changed that a criterion may name."""
    ids: dict[int, None] = {}
    clients: dict[int, None] = {}
    for change in changes:
        after = change.after
        match after:
            case DealRecord():
                if _open_in(criteria, after):
                    ids[after.id] = None
            case EntryRecord():
                if after.kind in _TELLING:
                    clients[after.contact_id] = None
            case ContactRecord():
                if _tells(change) and criteria.names & {"contact", "client"}:
                    clients[after.id] = None
            case LeadRecord():
                if "lead" in criteria.names:
                    clients[after.contact_id] = None
            case TaskRecord() | PaymentRecord():
                if after.deal_id is not None:
                    ids[after.deal_id] = None
            case _:
                pass
    if clients:
        for card in desk.work.related(DealRecord, "contact_id", clients):
            if _open_in(criteria, card):
                ids[card.id] = None
    cards = (desk.work.peek(DealRecord, each) for each in ids)
    return [each for each in cards if each is not None and _open_in(criteria, each)]


def _tells(change: Change) -> bool:
    """Whether a contact changed in more than the hub's own bookkeeping."""
    before, after = change
    if before is None:
        return False  # a new one has no cards but those that are new themselves
    plain = {"updated_at": after.updated_at, "search": after.search, "version": after.version, "marks": after.marks}
    return bool(before._replace(**plain) != after)


def _open_in(criteria: _Criteria, card: DealRecord) -> bool:
    return card.closed_at is None and card.deleted_at is None and card.pipeline_id in criteria.of


@dataclass(slots=True)
class _Talk:
    """When a client last talked with the office, and when they last answered what a person had written."""

    talked: datetime | None = None
    answered: datetime | None = None
    written: datetime | None = None

    def since(self, opened: datetime) -> dict[str, bool]:
        """What of it happened since a card was opened."""
        talked = self.talked is not None and self.talked >= opened
        answered = self.answered is not None and self.answered >= opened
        return {TALKED: talked, ANSWERED: answered, REACHED: talked or answered}


def _talks(desk: Desk, criteria: _Criteria, cards: Iterable[DealRecord]) -> dict[int, _Talk]:
    """What was said with the clients of these cards, where a criterion wants to know."""
    if not criteria.names & VARIABLES.keys():
        return {}
    owners = dict.fromkeys(each.contact_id for each in cards if each.contact_id is not None)
    found: dict[int, _Talk] = {}
    for owner, signals in desk.work.signals(owners).items():
        talk = found[owner] = _Talk()
        for each in signals:
            if each.signal is Signal.TALK:
                talk.talked = each.at
            elif each.signal is Signal.REPLY:
                talk.written = each.at
            elif each.signal is Signal.ASK and talk.written is not None:
                talk.answered = each.at
    return found


def _fetch(desk: Desk, criteria: _Criteria, cards: Sequence[DealRecord]) -> None:
    """What criteria name, read at once for all cards."""
    work = desk.work
    if criteria.names & {"contact", "company", "client"}:
        owners = work.contacts(each.contact_id for each in cards if each.contact_id is not None)
        if "company" in criteria.names:
            companies = {*(each.company_id for each in cards), *(each.company_id for each in owners.values())}
            work.related(CompanyRecord, "id", companies - {None})
        if "client" in criteria.names:
            work.related(ClientScoreRecord, "contact_id", owners)
    if "lead" in criteria.names:
        work.related(LeadRecord, "id", {each.lead_id for each in cards} - {None})


def _furthest(
    desk: Desk, criteria: _Criteria, card: DealRecord, talks: Mapping[int, _Talk], failed: dict[str, RuleRunRecord]
) -> _Criterion | None:
    several = criteria.of[card.pipeline_id]
    now = several[0].pipeline.place(card.stage_id)
    later = [each for each in several if each.place > now and (card.id, each.stage.id) not in desk.moves.let_in]
    if not later:
        return None
    scope = scope_of(desk, card, **talks.get(card.contact_id or 0, _Talk()).since(card.created_at))
    for each in later:
        try:
            holds = each.program.holds(scope)
        except ExpressionError as err:
            trace = _trace(desk, card, each, str(err))
            failed[trace.key] = trace
            continue
        if holds and not missing(desk, card, required_keys(each.pipeline, each.stage)):
            return each
    return None


def _trace(desk: Desk, card: DealRecord, found: _Criterion, error: str) -> RuleRunRecord:
    """That a criterion makes no sense for a card, kept once with the card."""
    stage = found.stage
    return RuleRunRecord(
        key=f"criteria:{stage.id}:{card.id}",
        rule=f"{found.pipeline.name} / {stage.name}",
        kind=card.type,
        subject_id=card.id,
        contact_id=card.contact_id,
        at=desk.now,
        outcome=RunOutcome.FAILED,
        why=stage.settings.enter_when,
        error=error,
    )


def _enter(desk: Desk, card: DealRecord, found: _Criterion) -> None:
    desk.moves.let_in.add((card.id, found.stage.id))
    author, desk.work.author = desk.work.author, BY_ITSELF
    moved = put_on(desk, card, found.pipeline, found.stage, by_person=False)
    tell(desk, moved, desk.say(Phrase.STAGE_REACHED, stage=found.stage.name), by_person=False)
    desk.work.author = author
