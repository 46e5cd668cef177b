"""What the workspace's pages read, on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crm_core.messages import RouteStage, TraceStep, Verdict
from crm_core.model.exchange import DocumentRecord
from crm_core.model.records import DealRecord, EntryRecord, LeadRecord
from crm_core.model.selling import ProductRecord
from crm_core.storage.queries.calls import GivenOut
from crm_core.storage.queries.workspace import inbox as inbox_queries
from crm_core.storage.queries.workspace import popup as popup_queries
from crm_core.storage.queries.workspace import search as search_queries
from crm_core.storage.queries.workspace import wall as wall_queries
from crm_core.storage.queries.workspace.clients import Client
from hub.http.api.clients.companies import Company, company_json
from hub.http.api.clients.entry_shapes import Entry, entry_json
from hub.http.api.selling.tasks import Task, task_json
from hub.http.api.telephony.calls import TelephoneCall, call_json
from hub.http.api.telephony.cases import Case, case_json
from hub.http.types import Given, Money
from routing.reasons import step_words


class BriefClient(Given):
    """A client in a line. `handle` is what people know them by; `proven` is false where they only call themselves so;
    `number` their telephone, E.164."""

    id: int
    name: str
    handle: str
    number: str | None
    proven: bool
    manager: str | None
    company: str | None
    city: str | None
    status: str | None
    list_name: str | None


class BriefEntry(Given):
    """What a client wrote or did last."""

    id: int
    kind: str
    text: str
    channel: str | None
    occurred_at: datetime


class BriefDeal(Given):
    """A card of a pipeline in a line."""

    id: int
    type: str
    title: str
    pipeline: str
    stage: str
    amount: Money
    manager: str | None
    stage_since: datetime
    due_at: datetime | None
    closed_at: datetime | None
    client: BriefClient | None


class BriefLead(Given):
    """An enquiry in a line."""

    id: int
    title: str
    status: str
    source: str | None
    grade: str | None
    manager: str | None
    group: str | None
    first_fact_at: datetime
    client: BriefClient | None


class Badges(Given):
    """Numbers for badges, each up to 1000: clients who wait, those of them whose promise has passed, and who are
    nobody's; untaken leads; own tasks overdue and of today; own deals for which nothing is planned."""

    cases: int
    broken: int
    nobodys: int
    leads: int
    overdue: int
    today: int
    planless: int


class WaitingClient(Given):
    """A client who waits; `broken`: the promise has passed."""

    case: Case
    client: BriefClient
    last: BriefEntry | None
    broken: bool


class InboxAnswer(Given):
    """What waits for whoever asks, the most urgent first."""

    counts: Badges
    cases: list[WaitingClient]
    leads: list[BriefLead]
    tasks: list[Task]
    deals: list[BriefDeal]


class Why(Given):
    """One attempt of a call: what was decided, and the considerations in words."""

    attempt: int
    action: str
    endpoints: list[str]
    reason: str
    reasons: list[str]


class PopupAnswer(Given):
    """What is known of a call before it is answered; `client` null where the caller has no card. `last` are the last
    entries of conversations, newest first; `why` it rings where it rings."""

    call: TelephoneCall
    client: BriefClient | None
    identities: list[str]
    abc: str | None
    rfm: str | None
    last: list[Entry]
    deals: list[BriefDeal]
    lead: BriefLead | None
    case: Case | None
    list_name: str | None
    why: list[Why]


class Telling(Given):
    """Somebody who was told on a rung, how, and whether it reached them (`queued`, `done`, `failed`)."""

    login: str
    rung: int
    channel: str
    state: str
    at: datetime


class Climbing(Given):
    """An open case on its ladder of so many `rungs`; `case.due_at` is when the next one is told, `next_tells` whom."""

    case: Case
    client: BriefClient
    rungs: int
    told: list[Telling]
    next_tells: list[str]


class GoingOn(Given):
    """A call that goes on."""

    call: TelephoneCall
    client: BriefClient | None
    since: datetime
    talking: str | None
    ringing: list[str]


class AtWork(Given):
    """Somebody, and what they have at hand; whether they are free is told by `/presence`."""

    login: str
    name: str
    group: str | None
    away: bool
    working: bool
    call_id: int | None
    cases: int
    leads: int


class ResponseTimes(Given):
    """How soon clients who began to wait today had a first answer, in seconds; `soon` the share within 5 minutes."""

    login: str | None
    answered: int
    waiting: int
    median_s: int | None
    p90_s: int | None
    soon: float | None


class MissedClient(Given):
    """A client who called today, was not answered, and with whom nobody spoke since."""

    contact_id: int
    name: str
    number: str
    manager: str | None
    line: str
    begun: datetime
    last: datetime
    misses: int


class JamOnStage(Given):
    """A stage with cards; seconds."""

    pipeline: str
    stage_id: int
    stage: str
    count: int
    overdue: int
    median_s: int
    allowed_s: int | None
    jammed: bool


class WallAnswer(Given):
    """The supervisor's wall as of `at`; `*_count` say how many there are in all, up to 1000."""

    at: datetime
    cases: list[Climbing]
    cases_count: int
    calls: list[GoingOn]
    people: list[AtWork]
    responses: ResponseTimes
    responses_by: list[ResponseTimes]
    missed: list[MissedClient]
    missed_count: int
    leads: list[BriefLead]
    leads_count: int
    jams: list[JamOnStage]


class FoundClient(Given):
    """A client; `exact`: the whole number or address that was typed is theirs."""

    client: BriefClient
    exact: bool


class BriefProduct(Given):
    """A product in a line; `price` of one `unit`."""

    id: int
    name: str
    sku: str | None
    unit: str
    price: Money
    archived: bool


class BriefDocument(Given):
    """A document in a line; `number` counts within its template, `url` hands out the file."""

    id: int
    template: str
    number: int
    title: str
    created_at: datetime
    url: str
    contact_id: int | None
    deal_id: int | None
    client: BriefClient | None


class SearchAnswer(Given):
    """What was found, grouped; `more` names the groups that hold more."""

    clients: list[FoundClient]
    companies: list[Company]
    deals: list[BriefDeal]
    leads: list[BriefLead]
    tasks: list[Task]
    products: list[BriefProduct]
    documents: list[BriefDocument]
    more: list[str]


# ---------------------------------------------------------------- made of what was read


def client_json(client: Client) -> BriefClient:
    """A client on the wire."""
    return BriefClient(**{name: getattr(client, name) for name in BriefClient.model_fields})


def inbox_json(found: inbox_queries.Inbox, now: datetime) -> InboxAnswer:
    """An inbox on the wire."""
    return InboxAnswer(
        counts=badges_json(found.counts),
        cases=[
            WaitingClient(
                case=case_json(each.case, each.due_at),
                client=client_json(each.client),
                last=_last(each.last),
                broken=each.broken,
            )
            for each in found.cases
        ],
        leads=[_lead(each.lead, each.client) for each in found.leads],
        tasks=[
            task_json(each.task, each.client.title if each.client is not None else None, now) for each in found.tasks
        ],
        deals=[_deal(each.deal, each.pipeline, each.stage, each.client) for each in found.deals],
    )


def badges_json(found: inbox_queries.Counts) -> Badges:
    """The numbers on the wire."""
    return Badges(**{name: getattr(found, name) for name in Badges.model_fields})


def popup_json(found: popup_queries.Popup, language: str) -> PopupAnswer:
    """A popup on the wire, the considerations in a language."""
    known = found.known
    score = known.score if known is not None else None
    return PopupAnswer(
        call=call_json(found.call, None),
        client=client_json(known.client) if known is not None else None,
        identities=[each.key for each in known.identities] if known is not None else [],
        abc=score.abc if score is not None else None,
        rfm=score.rfm if score is not None else None,
        last=[entry_json(each) for each in known.last] if known is not None else [],
        deals=[_deal(each.deal, each.pipeline.name, each.stage.name, None) for each in known.deals] if known else [],
        lead=_lead(known.lead, None) if known is not None and known.lead is not None else None,
        case=case_json(known.case.case, known.case.due_at) if known is not None and known.case is not None else None,
        list_name=found.list_name,
        why=_why(found.decisions, language),
    )


def wall_json(found: wall_queries.Wall) -> WallAnswer:
    """The wall on the wire."""
    return WallAnswer(
        at=found.at,
        cases=[
            Climbing(
                case=case_json(each.case, each.next_at),
                client=client_json(each.client),
                rungs=each.rungs,
                told=[
                    Telling(login=one.login, rung=one.rung, channel=one.channel, state=one.state.value, at=one.at)
                    for one in each.told
                ],
                next_tells=[one.value for one in each.next_tells],
            )
            for each in found.cases
        ],
        cases_count=found.cases_count,
        calls=[
            GoingOn(
                call=call_json(each.call, None),
                client=client_json(each.client) if each.client is not None else None,
                since=each.since,
                talking=each.talking,
                ringing=list(each.ringing),
            )
            for each in found.calls
        ],
        people=[_at_work(each) for each in found.people],
        responses=_times(found.responses),
        responses_by=[_times(each) for each in found.responses_by],
        missed=[
            MissedClient(**{name: getattr(each, name) for name in MissedClient.model_fields}) for each in found.missed
        ],
        missed_count=found.missed_count,
        leads=[_lead(each.lead, each.client) for each in found.leads],
        leads_count=found.leads_count,
        jams=[
            JamOnStage(
                pipeline=each.pipeline.name,
                stage_id=each.stage.id,
                stage=each.stage.name,
                count=each.count,
                overdue=each.overdue,
                median_s=int(each.median.total_seconds()),
                allowed_s=int(each.allowed.total_seconds()) if each.allowed is not None else None,
                jammed=each.jammed,
            )
            for each in found.jams
        ],
    )


def search_json(found: search_queries.Found, now: datetime) -> SearchAnswer:
    """What was found on the wire."""
    return SearchAnswer(
        clients=[FoundClient(client=client_json(each.client), exact=each.exact) for each in found.clients],
        companies=[company_json(each, {}) for each in found.companies],
        deals=[_deal(each.deal, each.pipeline, each.stage, each.client) for each in found.deals],
        leads=[_lead(each.lead, each.client) for each in found.leads],
        tasks=[
            task_json(each.task, each.client.title if each.client is not None else None, now) for each in found.tasks
        ],
        products=[_product(each) for each in found.products],
        documents=[_document(each.document, each.client) for each in found.documents],
        more=sorted(found.more),
    )


def _product(record: ProductRecord) -> BriefProduct:
    same = {name: getattr(record, name) for name in set(BriefProduct.model_fields) - {"price"}}
    return BriefProduct(**same, price=Money(amount=record.price, currency=record.currency))


def _document(record: DocumentRecord, client: Client | None) -> BriefDocument:
    same = {name: getattr(record, name) for name in set(BriefDocument.model_fields) - {"url", "client"}}
    shown = client_json(client) if client is not None else None
    return BriefDocument(**same, url=f"/api/v1/documents/{record.id}/file", client=shown)


def _last(entry: EntryRecord | None) -> BriefEntry | None:
    if entry is None:
        return None
    return BriefEntry(
        id=entry.id, kind=entry.kind.value, text=entry.text, channel=entry.channel, occurred_at=entry.occurred_at
    )


def _lead(record: LeadRecord, client: Client | None) -> BriefLead:
    same = set(BriefLead.model_fields) - {"status", "group", "client"}
    shown = client_json(client) if client is not None else None
    plain = {name: getattr(record, name) for name in same}
    return BriefLead(**plain, status=record.status.value, group=record.group_name, client=shown)


def _deal(record: DealRecord, pipeline: str, stage: str, client: Client | None) -> BriefDeal:
    same = set(BriefDeal.model_fields) - {"pipeline", "stage", "amount", "client"}
    return BriefDeal(
        **{name: getattr(record, name) for name in same},
        pipeline=pipeline,
        stage=stage,
        amount=Money(amount=record.amount, currency=record.currency),
        client=client_json(client) if client is not None else None,
    )


def _at_work(person: wall_queries.PersonAtWork) -> AtWork:
    same = set(AtWork.model_fields) - {"call_id"}
    call_id = person.call.call.id if person.call is not None else None
    return AtWork(**{name: getattr(person, name) for name in same}, call_id=call_id)


def _times(found: wall_queries.Responses) -> ResponseTimes:
    return ResponseTimes(**{name: getattr(found, name) for name in ResponseTimes.model_fields})


def _why(decisions: Sequence[GivenOut], language: str) -> list[Why]:
    return [
        Why(
            attempt=each.attempt,
            action=each.action,
            endpoints=list(each.endpoints),
            reason=each.reason,
            reasons=[step_words(_step(step), language) for step in each.trace],
        )
        for each in decisions
    ]


def _step(step: dict[str, str]) -> TraceStep:
    return TraceStep(RouteStage(step["stage"]), Verdict(step["verdict"]), step["login"], step["detail"])
