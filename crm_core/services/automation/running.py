"""Running rules: guarded, each once an occasion, with a trace on the record. What fails of a rule fails alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from crm_core.errors import ConcurrentChange, CoreError, StorageUnavailable
from crm_core.model.alarm import AlarmKind
from crm_core.model.automation import RuleRunRecord, RunOutcome
from crm_core.model.expressions import ExpressionError
from crm_core.services.automation.actions import ACTIONS
from crm_core.services.automation.conditions import holds, holds_plainly, read_ahead, unmet
from crm_core.services.automation.matching import Occasion
from crm_core.services.automation.run import HeldAction, Run
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import raise_alarm
from crm_core.wording import Sentence, cut

log = logging.getLogger(__name__)

# What a rule's own mistake may raise. Of others (the database is away) the whole transaction has to know.
_ITS_OWN = (CoreError, ExpressionError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
_NOT_ITS_OWN = (ConcurrentChange, StorageUnavailable)


def act_when_due(desk: Desk, occasions: Sequence[Occasion]) -> int:
    """Run the rules whose time has come and whose conditions hold; how many did something.

    Where they don't hold, that is traced on the record, and this occasion is over, unless the rule itself is changed:
    when a rule acts must not hang on what else happens to be looked at later. One statement more than `act_on`.
    """
    keys = [key for each in occasions for key in (each.run_key, each.unmet_key)]
    known = {each.key: each for each in desk.work.related(RuleRunRecord, "key", keys)} if keys else {}

    def over(occasion: Occasion) -> bool:
        trace = known.get(occasion.unmet_key)
        return occasion.run_key in known or (trace is not None and trace.at >= occasion.rule.updated_at)

    fresh = [each for each in occasions if not over(each)]
    read_ahead(desk, fresh)
    acted = act_on(desk, fresh, known_anew=True)
    for occasion in fresh:
        if desk.work.peek(RuleRunRecord, occasion.run_key) is None and (why := _unmet(desk, occasion)):
            desk.work.put(_trace(desk, occasion, RunOutcome.UNMET, key=occasion.unmet_key, error=why))
    return acted


def _unmet(desk: Desk, occasion: Occasion) -> str:
    """Which condition does not hold; empty where they all do (something else kept the rule from acting)."""
    current = desk.work.peek(type(occasion.record), occasion.record[0])
    if current is None or getattr(current, "deleted_at", None) is not None:
        return ""
    fresh = replace(occasion, record=current)
    return unmet(desk, fresh) if _wants(desk, fresh) is False else ""


def act_on(desk: Desk, occasions: Sequence[Occasion], *, known_anew: bool = False) -> int:
    """Run the rules whose conditions hold; how many did something. `known_anew` says that the records of all occasions
    may have been acted on before (time, not a change, brings them).

    Statements: what conditions read (one a kind), one for occasions that may repeat, one for rates.
    """
    plain = _unique(occasion for occasion in occasions if holds_plainly(desk, occasion))
    if not plain:
        return 0
    read_ahead(desk, plain)
    wanted = [(occasion, error) for occasion in plain if (error := _wants(desk, occasion)) is not False]
    repeated = [each.run_key for each, _ in wanted if known_anew or each.seen or each.rule.body.once]
    done = {each.key for each in desk.work.related(RuleRunRecord, "key", repeated)} if repeated else set()
    wanted = [(occasion, error) for occasion, error in wanted if occasion.run_key not in done]
    if not wanted:
        return 0
    desk.rules.read(desk.work, [occasion.subject for occasion, _ in wanted])
    acted = 0
    touched: set[tuple[str, int]] = set()
    for occasion, error in wanted:
        current = desk.work.peek(type(occasion.record), occasion.record[0])
        if current is None or getattr(current, "deleted_at", None) is not None:
            continue
        fresh = occasion if current is occasion.record else replace(occasion, record=current)
        if occasion.subject in touched and (error := _wants(desk, fresh)) is False:
            continue  # an earlier rule made it needless
        if desk.work.peek(RuleRunRecord, fresh.run_key) is not None or _guarded(desk, fresh):
            continue
        _run(desk, fresh, error if isinstance(error, str) else None)
        touched.add(occasion.subject)
        acted += 1
    return acted


def _wants(desk: Desk, occasion: Occasion) -> str | bool:
    """Whether the rule is to act; words where its condition can't be worked out."""
    try:
        return holds(desk, occasion)
    except ExpressionError as err:
        return str(err)


def _guarded(desk: Desk, occasion: Occasion) -> bool:
    """Whether the rule is held back, which is traced on the record."""
    subject, name = occasion.subject, occasion.rule.name
    circle = desk.rules.circle(subject, name)
    if circle is not None:
        _hold_back(desk, occasion, Sentence("rules call each other in a circle: {circle}", circle=circle), "circle")
        return True
    most = desk.rules.full(subject, name, occasion.rule.body.per_hour)
    if most is None:
        return False
    if not desk.rules.told(subject, name):
        often = Sentence("rules acted on this record too often: {most} times within an hour", most=most)
        _hold_back(desk, occasion, often, "rate")
    return True


def _hold_back(desk: Desk, occasion: Occasion, error: str, kind: str) -> None:
    key = f"{occasion.rule.id}:{occasion.kind}:{occasion.record[0]}:{kind}:{desk.work.next_id()}"
    log.warning("a rule is held back: %s on %s %s: %s", occasion.rule.name, *occasion.subject, error)
    desk.rules.count(occasion.subject, occasion.rule.name, RunOutcome.HELD_BACK)
    desk.work.put(_trace(desk, occasion, RunOutcome.HELD_BACK, key=key, error=error))


def _run(desk: Desk, occasion: Occasion, condition: str | None) -> None:
    """Run a rule; `condition` says why its condition could not be worked out."""
    error = condition
    rule, subject = occasion.rule, occasion.subject
    if occasion.passing and not rule.body.once:
        occasion = replace(occasion, key=f"{occasion.key}:{desk.work.next_id()}")
    run = Run(desk, occasion)
    author, desk.work.author = desk.work.author, f"rule:{rule.name}"
    actions: list[dict[str, Any]] = []
    try:
        for action in rule.body.then if error is None else ():
            try:
                actions.append({"do": action.do, **ACTIONS[type(action)](run, action)})
            except HeldAction as err:
                actions.append({"do": action.do, "held_back": str(err)})
            except _NOT_ITS_OWN:
                raise
            except _ITS_OWN as err:
                error = Sentence("{act}: {why}", act=action.do, why=str(err) or type(err).__name__)
                level = logging.WARNING if isinstance(err, (CoreError, ExpressionError)) else logging.ERROR
                log.log(level, "a rule failed: %s on %s %s: %s", rule.name, *subject, error, exc_info=level > 30)
                break
    finally:
        desk.work.author = author
    if condition is not None:
        log.warning("the condition of a rule makes no sense: %s on %s %s: %s", rule.name, *subject, condition)
    desk.rules.acted(subject, rule.name, run.touched)
    outcome = RunOutcome.FAILED if error is not None else RunOutcome.DONE
    desk.rules.count(subject, rule.name, outcome)
    if error is not None:
        raise_alarm(desk, AlarmKind.RULE, rule.name, cut(error, 300))
    desk.work.put(_trace(desk, occasion, outcome, key=occasion.run_key, error=error or "", actions=actions))


def _trace(
    desk: Desk,
    occasion: Occasion,
    outcome: RunOutcome,
    *,
    key: str,
    error: str = "",
    actions: Sequence[dict[str, Any]] = (),
) -> RuleRunRecord:
    return RuleRunRecord(
        key=key,
        rule=occasion.rule.name,
        kind=occasion.kind,
        subject_id=occasion.record[0],
        contact_id=occasion.contact_id,
        at=desk.now,
        outcome=outcome,
        why=occasion.why,
        actions=list(actions),
        error=cut(error, 1000),
    )


def _unique(occasions: Iterable[Occasion]) -> list[Occasion]:
    """A rule looks once at one occasion, however many things it waits for came together."""
    found: dict[tuple[int, str, int, str], Occasion] = {}
    for occasion in occasions:
        cause = str(occasion.fact.cause[0]) if occasion.fact is not None else ""
        found.setdefault((occasion.rule.id, *occasion.subject, cause), occasion)
    return list(found.values())
