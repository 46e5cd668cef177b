"""Rules and chains: kept, tried on what is over, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field, ValidationError

from crm_core.errors import InvalidInput
from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord, RunOutcome
from crm_core.model.definitions import Body, ChainBody, RuleBody, Section
from crm_core.model.definitions.base import Name, Slug
from crm_core.model.faults import first_of
from crm_core.services.automation.checks import check_chain, check_rule
from crm_core.services.automation.trying import Trial
from crm_core.services.desk import Desk
from crm_core.services.letters import chaining
from crm_core.storage.queries import runs as queries
from crm_core.storage.queries.pages import Page, Reading
from crm_core.storage.queries.seeing import seen_type
from hub.http.acting import json_response, to_json
from hub.http.api.office.definitions import SectionOperations
from hub.http.bodies import MAX_JSON, read_body
from hub.http.operations import Call, Kind, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Moment, NoBody, Paged, PageQuery, QueryId, Taken
from hub.http.versions import as_it_is
from hub.office.rules_trial import Report, try_rules
from hub.tongues import aloud

_TAG = "rules"
_MOST_RECORDS = 20_000  # looked at for one question; more is for the command line
_MOST_TRIALS = 1000


class RunQuery(PageQuery):
    """`kind` and `subject_id` name the record, `contact_id` the client whose it is; `outcome` is `done`, `failed`,
    `held_back`, or `unmet` (it was time, but its conditions did not hold: `error` names one); `since` is inclusive."""

    kind: Slug | None = None
    subject_id: QueryId | None = None
    contact_id: QueryId | None = None
    rule: Name | None = None
    outcome: RunOutcome | None = None
    since: Moment | None = None


class RuleRun(Given):
    """What a rule (or a step of a chain) did on a record: `why` it looked, `actions` in order, and what stopped it."""

    rule: str
    kind: str
    subject_id: int
    contact_id: int | None
    at: datetime
    outcome: RunOutcome
    why: str
    actions: list[dict[str, Any]]
    error: str


class RuleRunPage(Paged[RuleRun]):
    """A page of runs."""


class ChainRunQuery(PageQuery):
    """`running` leaves out those that are over."""

    contact_id: QueryId | None = None
    chain: Name | None = None
    running: bool = False


class ChainRun(Given):
    """A chain of messages to a client: `step` is the next one, due at `next_at`; `reason` says why it stopped."""

    id: int
    chain: str
    contact_id: int
    deal_id: int | None
    state: ChainState
    step: int
    started_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    reason: str


class ChainRunPage(Paged[ChainRun]):
    """A page of runs of chains."""


class TriedRule(RuleBody):
    """A rule that is not kept."""

    name: Name


class RuleTrial(Taken):
    """Which rules are tried (those in use where none are given), on what happened since when."""

    since: Moment
    rules: Annotated[list[TriedRule], Field(max_length=200)] | None = None


class TriedRun(Given):
    """That a rule would have acted on a record."""

    rule: str
    kind: str
    subject_id: int
    contact_id: int | None
    title: str
    at: datetime
    why: str
    actions: list[dict[str, Any]]
    error: str


class TriedCount(Given):
    """How often a rule would have acted, and how often its condition made no sense."""

    rule: str
    runs: int
    failed: int


class TrialReport(Given):
    """What rules would have done. `records` were looked at; not `complete` where there was too much to look at all."""

    since: datetime
    until: datetime
    records: int
    complete: bool
    rules: list[TriedCount]
    runs: list[TriedRun]


def _rule(desk: Desk, _name: str, body: Body) -> None:
    if isinstance(body, RuleBody):
        check_rule(desk, body)


def _chain(desk: Desk, _name: str, body: Body) -> None:
    if isinstance(body, ChainBody):
        check_chain(desk, body)


def _run(record: RuleRunRecord) -> RuleRun:
    return RuleRun(**{name: aloud(getattr(record, name)) for name in RuleRun.model_fields})


def _chain_run(record: ChainRunRecord) -> ChainRun:
    return ChainRun(**{name: aloud(getattr(record, name)) for name in ChainRun.model_fields})


def _tried(trial: Trial) -> TriedRun:
    found = {name: getattr(trial, name) for name in TriedRun.model_fields}
    return TriedRun(**{**found, "actions": list(trial.actions)})


def _runs(conn: Reading, call: Call[RunQuery, NoBody]) -> RuleRunPage:
    query = call.query
    wanted = queries.RunFilter(
        query.kind,
        query.subject_id,
        query.rule,
        query.outcome,
        query.since,
        query.contact_id,
    )
    found: Page[RuleRun] = queries.list_runs(conn, call.access, wanted, query.where).map(_run)
    return RuleRunPage(items=list(found.items), next=found.next)


def _runs_of(kind: str) -> Any:
    def handler(conn: Reading, call: Call[PageQuery, NoBody]) -> RuleRunPage:
        of_type = seen_type(conn, call.access, call.number()) if kind == "deal" else kind
        wanted = queries.RunFilter(of_type, call.number())
        found: Page[RuleRun] = queries.list_runs(conn, call.access, wanted, call.query.where).map(_run)
        return RuleRunPage(items=list(found.items), next=found.next)

    return handler


def _chain_runs(conn: Reading, call: Call[ChainRunQuery, NoBody]) -> ChainRunPage:
    query = call.query
    found = queries.list_chain_runs(
        conn,
        call.access,
        query.where,
        contact_id=query.contact_id,
        chain=query.chain,
        running=query.running,
    ).map(_chain_run)
    return ChainRunPage(items=list(found.items), next=found.next)


def _stopped(desk: Desk, call: Call[Any, NoBody]) -> ChainRun:
    record, _contact = desk.work.owned(ChainRunRecord, call.number())
    chaining.stop(desk, record.contact_id, record.chain, f"user:{call.user.login}")
    return _chain_run(as_it_is(desk, record))


async def _trial(request: web.Request, call: Call[Any, NoBody]) -> web.StreamResponse:
    content = await read_body(request, MAX_JSON)
    try:
        given = RuleTrial.model_validate_json(content)
    except ValidationError as err:
        where, why = first_of(err)
        raise InvalidInput("{where}: {why}", where=where, why=why) from err
    rules = None
    if given.rules is not None:
        rules = [(each.name, RuleBody.model_validate(each.model_dump(exclude={"name"}))) for each in given.rules]
    report = await try_rules(
        call.hub.store, call.access, given.since, rules, most_records=_MOST_RECORDS, most_trials=_MOST_TRIALS
    )
    return json_response(to_json(_shown(report)), 200)


def _shown(report: Report) -> TrialReport:
    return TrialReport(
        since=report.since,
        until=report.until,
        records=report.records,
        complete=report.complete,
        rules=[TriedCount(rule=rule, runs=count, failed=report.failed[rule]) for rule, count in report.counts.items()],
        runs=[_tried(each) for each in report.trials],
    )


SECTIONS = (
    SectionOperations(Section.RULE, "/rules", RuleBody, "Rule", "a rule", "rules", check=_rule),
    SectionOperations(Section.CHAIN, "/chains", ChainBody, "Chain", "a chain", "chains", check=_chain),
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/rules/try",
        _TAG,
        "Try rules on what happened since a moment; nothing is written",
        Right.CONFIGURE,
        Kind.OWN,
        _trial,
        body=RuleTrial,
        response=TrialReport,
    ),
    *(operation for each in SECTIONS for operation in each.operations()),
    read(
        "/rule-runs",
        _runs,
        tag=_TAG,
        summary="What rules did, the newest first",
        right=Right.SEE_SALES,
        query=RunQuery,
        response=RuleRunPage,
    ),
    *(
        read(
            f"/{of}/{{id}}/runs",
            _runs_of(kind),
            tag=_TAG,
            summary=f"What rules did on a {kind}",
            right=Right.SEE_SALES,
            query=PageQuery,
            response=RuleRunPage,
        )
        for of, kind in (("deals", "deal"), ("leads", "lead"), ("contacts", "contact"), ("tasks", "task"))
    ),
    read(
        "/chain-runs",
        _chain_runs,
        tag=_TAG,
        summary="Chains of messages to clients, the newest first",
        right=Right.SEE_SALES,
        query=ChainRunQuery,
        response=ChainRunPage,
    ),
    act(
        "POST",
        "/chain-runs/{id}/stop",
        _stopped,
        tag=_TAG,
        summary="End a chain of messages to a client",
        right=Right.KEEP_SALES,
        response=ChainRun,
    ),
)
