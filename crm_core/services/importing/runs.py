"""The rows of an import itself: begun, moved on in the transaction that takes its lines in, ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from crm_core.errors import ConcurrentChange, Conflict, Duplicate
from crm_core.model.definitions import Section
from crm_core.model.definitions.mappings import MappingBody, MappingColumn, mapping_name
from crm_core.model.exchange import ImportProblemRecord, ImportRecord, ImportState
from crm_core.model.importing import Became, Column, How, ImportKind, Line, Outcome, Plan, Policy
from crm_core.model.rights import Right
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.wording import Joined, cut

ACTIVE = frozenset({ImportState.READY, ImportState.RUNNING})
_REPORT = "report"
_KEPT_CELLS = 500
_LONGEST_CELL = 2000


def begin(
    desk: Desk, kind: ImportKind, name: str, sha256: str, plan: Plan, how: How, total: int | None
) -> ImportRecord:
    """Note that a file is to be brought in."""
    desk.demand(Right.IMPORT)
    record = ImportRecord(
        id=desk.work.next_id(),
        kind=kind.value,
        name=name[:300],
        sha256=sha256,
        state=ImportState.READY,
        created_at=desk.now,
        author=how.author,
        total=total,
        mapping={"columns": [[each.heading, each.target] for each in plan.columns], "system": plan.system},
        options={name: value for name, value in asdict(how).items() if value not in (None, "", False, {})},
        counts=dict.fromkeys((each.value for each in Became), 0),
    )
    desk.work.put(record)
    return record


def plan_of(record: ImportRecord) -> Plan:
    """How the columns of an import were understood when it began."""
    columns = tuple(Column(heading, target) for heading, target in record.mapping["columns"])
    return Plan(ImportKind(record.kind), columns, record.mapping["system"])


def how_of(record: ImportRecord) -> How:
    """How an import is done."""
    options: dict[str, Any] = {name: value for name, value in record.options.items() if name != _REPORT}
    options["policy"] = Policy(options.get("policy", Policy.FILL))
    return How(**options)


def held(desk: Desk, import_id: int) -> ImportRecord:
    """An import, locked until the end of the transaction; raises NotFound."""
    return desk.work.import_run(import_id)


def moved_on(
    desk: Desk, record: ImportRecord, lines: Sequence[Line], outcomes: Sequence[Outcome], upto: int
) -> ImportRecord:
    """The lines were taken in: the place moves behind them, what was wrong is kept. Raises Conflict where another
    process was there first."""
    before = held(desk, record.id)
    if before.line != record.line or before.state not in ACTIVE:
        raise Conflict("import {record} is at line {line} already, or over", record=record.id, line=before.line)
    counted = Counter(each.became.value for each in outcomes)
    counts = {name: before.counts.get(name, 0) + counted.get(name, 0) for name in (each.value for each in Became)}
    moved = before._replace(state=ImportState.RUNNING, line=upto, counts=counts)
    desk.work.put(moved)
    cells = {line.number: line.cells for line in lines}
    for each in outcomes:
        if each.notes:
            desk.work.put(
                ImportProblemRecord(
                    key=f"{record.id}:{each.line}",
                    import_id=record.id,
                    line=each.line,
                    error=cut(Joined(each.notes), _LONGEST_CELL),
                    cells=[
                        each.became.value,
                        *(cell[:_LONGEST_CELL] for cell in cells.get(each.line, ())[:_KEPT_CELLS]),
                    ],
                )
            )
    return moved


def end(desk: Desk, import_id: int, state: ImportState, error: str = "") -> ImportRecord:
    """An import is over; what ended before stays as it was."""
    before = held(desk, import_id)
    if before.state not in ACTIVE:
        return before
    ended = before._replace(state=state, ended_at=desk.now, error=cut(error, 2000))
    desk.work.put(ended)
    return ended


def rehearsing(desk: Desk, import_id: int, counts: Mapping[str, int], upto: int) -> ImportRecord:
    """A rehearsal has come so far; one that was stopped stays as it is. It is for people to look at: where a rehearsal
    breaks off it begins anew."""
    before = held(desk, import_id)
    if before.state not in ACTIVE:
        return before
    whole = {each.value: counts.get(each.value, 0) for each in Became}
    moved = before._replace(state=ImportState.RUNNING, line=upto, counts=whole)
    desk.work.put(moved)
    return moved


def rehearsed(desk: Desk, import_id: int, counts: Mapping[str, int], report: str) -> ImportRecord:
    """A rehearsal is over: what would have happened, and the file that tells of every line."""
    before = held(desk, import_id)
    if before.state not in ACTIVE:
        return before
    whole = {each.value: counts.get(each.value, 0) for each in Became}
    options = {**before.options, _REPORT: report}
    done = before._replace(state=ImportState.DONE, ended_at=desk.now, counts=whole, options=options)
    desk.work.put(done)
    return done


def report_of(record: ImportRecord) -> str | None:
    """The hash of the file that tells of every line of a rehearsal."""
    found = record.options.get(_REPORT)
    return str(found) if found is not None else None


def cancel(desk: Desk, import_id: int) -> ImportRecord:
    """Stop an import behind the batch under way; what was taken in stays. Raises NotFound, Conflict."""
    desk.demand(Right.IMPORT)
    before = held(desk, import_id)
    if before.state not in ACTIVE:
        raise Conflict("import {import_id} is over already: {state}", import_id=import_id, state=before.state.value)
    return end(desk, import_id, ImportState.CANCELLED)


def keep_mapping(desk: Desk, plan: Plan, values: Mapping[str, Mapping[str, str]], login: str) -> None:
    """Remember what the columns of files with these headings mean."""
    body = MappingBody(
        kind=plan.kind,
        columns=[MappingColumn(heading=each.heading, target=each.target) for each in plan.columns],
        system=plan.system,
        values={name: dict(each) for name, each in values.items()},
    )
    name = mapping_name(plan.kind, [each.heading for each in plan.columns])
    known = desk.catalogue.section(Section.MAPPING).get(name)
    if known is None:
        try:
            defining.add(desk, Section.MAPPING, name, body, login)
        except Duplicate as err:  # somebody remembered it a moment ago, behind what this transaction has read
            raise ConcurrentChange(str(err)) from err
    elif known.body != body:
        defining.change(desk, Section.MAPPING, known.id, login, body=body)
