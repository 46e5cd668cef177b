"""The page of one card, as it is read: a fixed number of statements, however much belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from crm_core.errors import NotFound
from crm_core.model.access import Right
from crm_core.model.automation import RuleRunRecord
from crm_core.model.definitions import DocumentBody, Pipeline, Section, Stage
from crm_core.model.definitions.fields import FieldType
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.exchange import DocumentRecord
from crm_core.model.fields import Field, fields_of
from crm_core.model.history import ChangeRecord
from crm_core.model.records import DealRecord
from crm_core.model.selling import CompanyRecord, LineItemRecord, LinkRecord, PaymentRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.storage.queries.deals import StageSpan, stage_spans
from crm_core.storage.queries.documents import list_documents
from crm_core.storage.queries.history import history_of, links_of, titles_of
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.runs import RunFilter, list_runs
from crm_core.storage.queries.seeing import seen_among
from crm_core.storage.queries.selling import lines_of, payments_of
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.cards import companies_of, seen_card, tasks_of_card
from crm_core.storage.queries.workspace.clients import Client, clients_of
from hub.web.board.boards import pipelines_of, titles_of_types

MAIN = "main"
"""The group of the card's own columns."""

_DOCUMENTS = 20
_CHANGES = 30
_RUNS = 30


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together; `name` is empty for those of no group. `key` names it in addresses."""

    number: int
    name: str
    fields: tuple[Field, ...]

    @property
    def key(self) -> str:
        """How forms name it."""
        return f"={self.name}"


@dataclass(frozen=True, slots=True)
class Linked:
    """A record that a card is linked with, and in what role."""

    link: LinkRecord
    kind: str
    ident: int
    title: str

    @property
    def address(self) -> str:
        """Where it is shown; empty where nothing shows it."""
        match self.kind:
            case "contact":
                return f"/contacts/{self.ident}"
            case kind if kind not in PLAIN_KINDS:
                return f"/deals/{self.ident}"
            case _:
                return ""


@dataclass(frozen=True, slots=True)
class DealView:
    """A card and all that belongs to it."""

    asker: Asker
    deal: DealRecord
    pipeline: Pipeline
    stage: Stage
    client: Client | None
    company: CompanyRecord | None
    lines: tuple[LineItemRecord, ...]
    payments: tuple[PaymentRecord, ...]
    tasks: tuple[TaskRecord, ...]
    documents: tuple[DocumentRecord, ...]
    links: tuple[Linked, ...]
    titles: Mapping[tuple[str, int], str]
    pipelines: tuple[Pipeline, ...]
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The custom fields in their groups, in the order of both."""
        found: dict[str, list[Field]] = {}
        for each in fields_of(self.asker.catalogue, self.deal.type).by_key.values():
            found.setdefault(each.body.group, []).append(each)
        return tuple(Group(number, name, tuple(fields)) for number, (name, fields) in enumerate(found.items()))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the bar: those in use, and the one it stands on."""
        return tuple(each for each in self.pipeline.stages if not each.record.archived or each.id == self.stage.id)

    def past(self, stage: Stage) -> bool:
        """Whether a stage lies behind the card."""
        return self.stage.open and self.pipeline.place(stage.id) < self.pipeline.place(self.stage.id)

    @property
    def late(self) -> bool:
        """Whether it stands longer than it may."""
        deal = self.deal
        return deal.closed_at is None and deal.due_at is not None and deal.due_at < self.asker.now

    @property
    def stood(self) -> timedelta:
        """How long it has been on its stage."""
        return self.asker.now - self.deal.stage_since

    def overdue(self, task: TaskRecord) -> bool:
        """Whether a task should be done by now."""
        return task.state is TaskState.OPEN and task.due_at is not None and task.due_at < self.asker.now

    def asked(self, key: str) -> bool:
        """Whether the stage asks for a field."""
        return key in self.stage.settings.required

    def linked_title(self, of: Field, value: object) -> str:
        """What the record is called that a field points to."""
        return self.titles.get((of.body.to or "", value), f"№ {value}") if isinstance(value, int) else ""

    @property
    def templates(self) -> tuple[str, ...]:
        """The templates of documents that can be made of it."""
        bodies = self.asker.catalogue.bodies(Section.DOCUMENT, DocumentBody)
        return tuple(each.name for each, body in bodies if body.of == self.deal.type)

    @property
    def beside(self) -> tuple[Pipeline, ...]:
        """Where records of other types are opened that belong to it."""
        return tuple(each for each in self.pipelines if each.record.type != self.deal.type)

    @property
    def able(self) -> dict[str, bool]:
        """What whoever looks may do with it."""
        access, owner = self.asker.access, self.deal.manager
        alive = self.deal.deleted_at is None
        return {"keep": alive and access.may(Right.KEEP_SALES), "delete": access.within(Right.DELETE, owner)}

    def name(self, login: str | None) -> str:
        """A person's name."""
        user = self.asker.staff.get(login)
        return user.name if user is not None else (login or "")


def deal_view(conn: Reading, asker: Asker, deal_id: int) -> DealView:
    """A card with all that belongs to it; at most eighteen statements. Raises NotFound, also where it is not seen, or
    deleted and not theirs to bring back."""
    deal = _shown(conn, asker, deal_id)
    place = asker.catalogue.place(deal.stage_id)
    assert place is not None, "a card stands on a stage"  # noqa: S101 - a foreign key says so
    links, titles = _linked(conn, asker, deal)
    return DealView(
        asker=asker,
        deal=deal,
        pipeline=place[0],
        stage=place[1],
        client=clients_of(conn, [deal.contact_id]).get(deal.contact_id or 0),
        company=companies_of(conn, [deal.company_id]).get(deal.company_id or 0),
        lines=tuple(lines_of(conn, asker.access, deal)),
        payments=tuple(payments_of(conn, asker.access, deal)),
        tasks=tuple(tasks_of_card(conn, asker, deal.id)),
        documents=list_documents(conn, asker.access, Slice(limit=_DOCUMENTS), deal_id=deal.id).items,
        links=links,
        titles=titles,
        pipelines=pipelines_of(asker),
        types=titles_of_types(asker),
    )


def _shown(conn: Reading, asker: Asker, deal_id: int) -> DealRecord:
    deal = seen_card(conn, asker, deal_id)
    if deal.deleted_at is not None and not asker.access.within(Right.DELETE, deal.manager):
        raise NotFound("there is no deal {deal}", deal=deal_id)
    return deal


def _linked(conn: Reading, asker: Asker, deal: DealRecord) -> tuple[tuple[Linked, ...], dict[tuple[str, int], str]]:
    """What a card is linked with, and what the records are called that it names; of cards those that are seen."""
    here = (deal.type, deal.id)
    ends: list[tuple[LinkRecord, str, int]] = []
    for each in links_of(conn, asker.access, *here):
        there = (each.to_kind, each.to_id)
        ends.append((each, *(there if there != here else (each.from_kind, each.from_id))))
    named = list(_named(asker, deal))
    cards = {ident for kind, ident in [*((kind, ident) for _, kind, ident in ends), *named] if _is_card(kind)}
    seen = seen_among(conn, cards, asker.sight)
    shown = [(link, kind, ident) for link, kind, ident in ends if not _is_card(kind) or ident in seen]
    wanted = {(kind, ident) for _, kind, ident in shown}
    wanted |= {(kind, ident) for kind, ident in named if not _is_card(kind) or ident in seen}
    titles = titles_of(conn, sorted(wanted)) if wanted else {}
    found = tuple(Linked(link, kind, ident, titles.get((kind, ident), "")) for link, kind, ident in shown)
    return found, titles


def _named(asker: Asker, deal: DealRecord) -> Iterator[tuple[str, int]]:
    """The records that fields of a card point to."""
    for key, each in fields_of(asker.catalogue, deal.type).by_key.items():
        value = deal.fields.get(key)
        if each.type is FieldType.LINK and isinstance(value, int) and each.body.to:
            yield each.body.to, value


def _is_card(kind: str) -> bool:
    return kind not in PLAIN_KINDS


@dataclass(frozen=True, slots=True)
class End:
    """A record that a column of the history names; `address` is where it is shown, empty where nothing shows it."""

    title: str
    address: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened to a card: who changed what, the newest first; what rules did; where it stood."""

    view: DealRecord
    asker: Asker
    changes: Page[ChangeRecord]
    runs: tuple[RuleRunRecord, ...]
    spans: tuple[StageSpan, ...]
    fields: Mapping[str, Field]
    titles: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def end(self, name: str, value: object) -> End | None:
        """The record that a value of a column stands for, None where it stands for none or is not to be seen."""
        kind = _ENDS.get(name)
        if kind is None or not isinstance(value, int):
            return None
        title = self.titles.get((kind, value), "")
        paths = {"contact": f"/contacts/{value}", "deal": f"/deals/{value}"} if (kind, value) in self.titles else {}
        return End(title or f"№ {value}", paths.get(kind, ""))


_ENDS: Mapping[str, str] = {
    "contact_id": "contact",
    "company_id": "company",
    "lead_id": "lead",
    "source_id": "deal",
}
"""Columns of a card that name another record, and of which kind."""


def trace(conn: Reading, asker: Asker, deal_id: int, after: str | None) -> Trace:
    """The history of a card, a page of it. At most eleven statements. Raises NotFound."""
    deal = _shown(conn, asker, deal_id)
    first = after is None
    wanted = RunFilter(kind=deal.type, subject_id=deal.id)
    changes = history_of(conn, asker.access, "deal", deal.id, Slice(after, _CHANGES))
    return Trace(
        view=deal,
        asker=asker,
        changes=changes,
        runs=list_runs(conn, asker.access, wanted, Slice(limit=_RUNS)).items if first else (),
        spans=tuple(stage_spans(conn, deal)) if first else (),
        fields=fields_of(asker.catalogue, deal.type).by_key,
        titles=_titles_in(conn, asker, changes.items),
    )


def _titles_in(conn: Reading, asker: Asker, changes: Iterable[ChangeRecord]) -> dict[tuple[str, int], str]:
    """What the records are called that changes name; of cards those that are seen."""
    named = {
        (_ENDS[name], value)
        for row in changes
        for name, *values in row.changes
        if name in _ENDS
        for value in values
        if isinstance(value, int)
    }
    cards = {ident for kind, ident in named if _is_card(kind)}
    seen = seen_among(conn, cards, asker.sight) if cards else set()
    wanted = sorted((kind, ident) for kind, ident in named if not _is_card(kind) or ident in seen)
    return titles_of(conn, wanted) if wanted else {}
