"""A dry run of rules over a time that is over: chunk by chunk, writing nothing."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from crm_core.errors import InvalidInput
from crm_core.model.access import Access
from crm_core.model.definitions import RuleBody
from crm_core.model.faults import first_of
from crm_core.services.automation.checks import check_rule
from crm_core.services.automation.index import Index, Rule, index_with, rule_of, rules_of
from crm_core.services.automation.trying import Trial, gone_through
from crm_core.services.desk import Desk
from crm_core.storage.store import Store

_CHUNK = 200
_MOST_RULES = 500
_MOMENT = timedelta(microseconds=1)  # what happens at the very moment of the question belongs to it


@dataclass(slots=True)
class Report:
    """What rules would have done: `records` were looked at, `counts` by rule, `errors` of rules whose conditions made
    no sense; `trials` the first ones of all, in the order of time. `complete`: nothing was left out for being too much.
    """

    since: datetime
    until: datetime
    records: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    trials: list[Trial] = field(default_factory=list)
    complete: bool = True


async def try_rules(
    store: Store,
    access: Access | None,
    since: datetime,
    rules: Sequence[tuple[str, RuleBody]] | None = None,
    *,
    most_records: int | None = None,
    most_trials: int = 10_000,
    told: Callable[[int], None] | None = None,
) -> Report:
    """Try rules (those in use where none are given) on what happened since a moment, for whoever may so much; None is
    the command line.

    `told` hears after every chunk how many records were looked at. Raises InvalidInput for rules that name what is not
    there, StorageUnavailable, Forbidden.
    """
    until = store.clock.now()
    if since >= until:
        raise InvalidInput("since: a moment that is over")
    report = Report(since, until)
    chosen = await store.look(lambda desk: _chosen(desk, rules), access)
    report.counts.update({rule.name: 0 for rule in chosen})

    for kind in dict.fromkeys(rule.on for rule in chosen):
        above = 0
        while True:
            if most_records is not None and report.records >= most_records:
                report.complete = False
                break
            ids, trials = await store.look(_chunk(chosen, kind, above, since, until + _MOMENT), access)
            if not ids:
                break
            above = ids[-1]
            report.records += len(ids)
            for trial in trials:
                report.counts[trial.rule] += 1
                report.failed[trial.rule] += bool(trial.error)
            room = most_trials - len(report.trials)
            report.complete = report.complete and len(trials) <= room
            report.trials.extend(trials[: max(room, 0)])
            if told is not None:
                told(report.records)
    report.trials.sort(key=lambda each: (each.at, each.kind, each.subject_id))  # of one record as they would have acted
    return report


def rules_in(text: str) -> list[tuple[str, RuleBody]]:
    """The rules of a TOML text: `[[rule]]` tables with a `name` each; raises InvalidInput."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise InvalidInput("this is no TOML: {why}", why=err) from err
    tables = given.get("rule", given.get("rules"))
    if isinstance(tables, dict):
        tables = [{"name": name, **body} for name, body in tables.items() if isinstance(body, dict)]
    if not isinstance(tables, list) or not tables:
        raise InvalidInput("there are no rules: write [[rule]] tables with a name, when and then")
    return [parsed_rule(each) for each in tables]


def parsed_rule(table: Any) -> tuple[str, RuleBody]:
    """A rule and its name; raises InvalidInput that names the rule and what is wrong."""
    if not isinstance(table, dict):
        raise InvalidInput("a rule is a table with a name, when and then")
    given = dict(table)
    name = given.pop("name", None)
    given.pop("position", None)
    if not isinstance(name, str) or not name.strip():
        raise InvalidInput("name: every rule has one")
    try:
        return name.strip(), RuleBody.model_validate(given)
    except ValidationError as err:
        where, why = first_of(err)
        raise InvalidInput("rule «{name}»: {where}: {why}", name=name, where=where, why=why) from err


def _chosen(desk: Desk, rules: Sequence[tuple[str, RuleBody]] | None) -> list[Rule]:
    if rules is None:
        return rules_of(desk.catalogue)
    if len(rules) > _MOST_RULES:
        raise InvalidInput("at most {most} rules at once", most=_MOST_RULES)
    for name, body in rules:
        try:
            check_rule(desk, body)
        except InvalidInput as err:
            raise InvalidInput("rule «{name}»: {why}", name=name, why=err) from err
    return [
        rule_of(-number, name, body, desk.now) for number, (name, body) in enumerate(rules, start=1) if body.enabled
    ]


def _chunk(
    rules: Sequence[Rule], kind: str, above: int, since: datetime, until: datetime
) -> Callable[[Desk], tuple[list[int], list[Trial]]]:
    def service(desk: Desk) -> tuple[list[int], list[Trial]]:
        index: Index = index_with(desk.catalogue, rules)
        return gone_through(desk, index, kind, since, until, above=above, limit=_CHUNK)

    return service
