"""The board of a pipeline and the table of cards, as they are read: a fixed number of statements each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.access import Reach
from crm_core.model.definitions import Pipeline, RecordTypeBody, Section, Stage, TagGroupBody
from crm_core.model.fields import Field
from crm_core.model.records import DealRecord, StageKind
from crm_core.model.task import TaskRecord
from crm_core.model.user import User
from crm_core.services.cards.pipelines import DEAL
from crm_core.storage.filtering import Condition, condition
from crm_core.storage.queries.boards import BoardFilter, Column, Sum, board
from crm_core.storage.queries.deals import DealCard, DealFilter, list_deals
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.sorting import More
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.cards import next_steps
from crm_core.storage.queries.workspace.clients import Client, clients_of
from crm_core.storage.queries.workspace.saved import SavedView, views_of
from crm_core.storage.queries.workspace.unindexed import cards_with
from hub.web.board.asking import Wanted, asked_fields, asking_of, sorted_by

AT_ONCE = 12
"""Cards of a column that come at once: more than a screen is high."""

MORE = 30
"""Cards that come each time somebody scrolls to the end of a column."""

MOST_OPEN = 500
"""Cards of a column that may be opened on the board; all of them are in the table."""

MOST_CARDS = 1500
"""Cards that a board asked anew shows at most: where more are open, the longest columns give way."""

ROWS = 50
_WHOLE = 100
_NONE_OPENED: Mapping[int, int] = {}


@dataclass(frozen=True, slots=True)
class Beside:
    """What cards show besides themselves: their clients, their next steps, and when it is."""

    asker: Asker
    clients: Mapping[int, Client]
    steps: Mapping[int, TaskRecord]

    @classmethod
    def of(cls, conn: Reading, asker: Asker, cards: Iterable[DealRecord]) -> Beside:
        """The same of these cards. Three statements at most."""
        listed = list(cards)
        clients = clients_of(conn, (each.contact_id for each in listed))
        return cls(asker, clients, next_steps(conn, asker, [each.id for each in listed]))

    def client(self, card: DealRecord) -> Client | None:
        """Whose card it is; None where it is nobody's."""
        return self.clients.get(card.contact_id) if card.contact_id is not None else None

    def step(self, card: DealRecord) -> TaskRecord | None:
        """What is to be done next."""
        return self.steps.get(card.id)

    def late(self, card: DealRecord) -> bool:
        """Whether an open card stands longer than it may."""
        return card.closed_at is None and card.due_at is not None and card.due_at < self.asker.now

    def step_late(self, card: DealRecord) -> bool:
        """Whether its next step is overdue."""
        found = self.steps.get(card.id)
        return found is not None and found.due_at is not None and found.due_at < self.asker.now

    def manager(self, login: str | None) -> str:
        """A person's name."""
        user = self.asker.staff.get(login)
        return user.name if user is not None else (login or "")


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in the filter: people, groups, tags, custom fields."""

    people: tuple[User, ...]
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, asker: Asker, kind: str) -> Choices:
        """Those for cards of a type."""
        people = sorted((each for each in asker.staff.by_login.values() if each.active), key=lambda each: each.name)
        groups = sorted({each.group for each in people if each.group})
        bodies = asker.catalogue.bodies(Section.TAG_GROUP, TagGroupBody)
        tags = dict.fromkeys(tag for _, body in bodies if not body.on or kind in body.on for tag in body.tags)
        return cls(tuple(people), tuple(groups), tuple(tags), tuple(asked_fields(kind, asker.catalogue)))


@dataclass(frozen=True, slots=True)
class BoardView:
    """A board: its columns with their cards, and all that stands around them. `problem` says why a filter asks for
    nothing sensible; `cut` that fields without an index were looked for among the newest cards alone."""

    pipeline: Pipeline
    pipelines: tuple[Pipeline, ...]
    columns: tuple[Column, ...]
    wanted: Wanted
    choices: Choices
    views: tuple[SavedView, ...]
    beside: Beside
    problem: str = ""
    cut: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """The name under which its views are kept."""
        return f"board:{self.pipeline.id}"

    @property
    def address(self) -> str:
        """Where it is, as it is filtered."""
        return f"/deals/board/{self.pipeline.id}" + (f"?{self.wanted.address}" if self.wanted.address else "")

    @property
    def count(self) -> int:
        """How many cards there are in all."""
        return sum(each.count for each in self.columns)

    def rest(self, column: Column, after: int = 0) -> int:
        """How many cards of a column are not shown yet."""
        return max(column.count - after - len(column.cards), 0)


def pipelines_of(asker: Asker) -> tuple[Pipeline, ...]:
    """The pipelines in use of which somebody sees cards, those of deals first."""
    found = [
        each
        for each in asker.catalogue.pipelines
        if not each.record.archived and each.admits(asker.user) and asker.sight.reach(each.id) is not Reach.NONE
    ]
    return tuple(sorted(found, key=lambda each: each.record.type != DEAL))


def titles_of_types(asker: Asker) -> dict[str, str]:
    """What cards of each custom type are called, many of them."""
    bodies = asker.catalogue.bodies(Section.RECORD_TYPE, RecordTypeBody)
    return {each.name: body.titles for each, body in bodies}


def asked(
    conn: Reading, asker: Asker, wanted: Wanted, kind: str, pipeline_id: int | None
) -> tuple[Condition | None, str, bool]:
    """What a filter asks of cards, why it makes no sense (empty where it does), and whether it looked at the newest
    alone. One statement where fields are asked for that are not indexed."""
    try:
        also = condition(kind, wanted.filter(kind, asker.catalogue, asker.staff), asking_of(asker))
        terms = wanted.unindexed(kind, asker.catalogue)
        if not terms:
            return also, "", False
        found = cards_with(conn, asker, kind, terms, also, pipeline_id=pipeline_id, closed=wanted.closed)
    except InvalidInput as err:
        return None, str(err), False
    return found.condition, "", not found.whole


def board_view(
    conn: Reading,
    asker: Asker,
    pipeline_id: int,
    wanted: Wanted,
    *,
    opened: Mapping[int, int] = _NONE_OPENED,
    after: int = 0,
    stage_id: int | None = None,
) -> BoardView:
    """The board of a pipeline, of one stage alone where it is named; `opened` says how many cards of a stage stand open
    already, by its id. At most seven statements. Raises NotFound."""
    found = asker.catalogue.pipeline(pipeline_id)
    if found is None or not found.admits(asker.user) or asker.sight.reach(found.id) is Reach.NONE:
        raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
    kind = found.record.type
    also, problem, cut = asked(conn, asker, wanted, kind, found.id)
    only = BoardFilter(closed=wanted.closed, also=also)
    shown = bounded(opened)
    columns = board(
        conn,
        asker.access,
        found,
        only,
        wanted.order,
        limit=lambda stage: max(shown.get(stage, 0), MORE if after else AT_ONCE),
        offset=after,
        stage_id=stage_id,
    )
    cards = [card for column in columns for card in column.cards]
    return BoardView(
        pipeline=found,
        pipelines=pipelines_of(asker),
        columns=tuple(columns),
        wanted=wanted,
        choices=Choices.of(asker, kind),
        views=views_of(conn, asker.access, f"board:{found.id}") if stage_id is None else (),
        beside=Beside.of(conn, asker, cards),
        problem=problem,
        cut=cut,
        titles=titles_of_types(asker),
    )


def bounded(opened: Mapping[int, int]) -> dict[int, int]:
    """What stands open, by stage: of no stage more than `MOST_OPEN`, of all no more than `MOST_CARDS`; the longest
    columns give way first, so that short ones stay whole."""
    left, found = MOST_CARDS, dict[int, int]()
    by_length = sorted(opened.items(), key=lambda each: (each[1], each[0]))
    for place, (stage, count) in enumerate(by_length):
        found[stage] = min(count, MOST_OPEN, left // (len(by_length) - place))
        left -= found[stage]
    return found


def expected(column: Column) -> tuple[Sum, ...]:
    """What the cards of a column are worth, weighted by the stage's probability; of won ones all, of lost nothing."""
    match column.stage.record.kind:
        case StageKind.WON:
            share = _WHOLE
        case StageKind.LOST:
            return ()
        case _:
            share = column.stage.settings.probability or 0
    weighted = (Sum(each.currency, round(each.amount * share / _WHOLE), each.count) for each in column.sums)
    return tuple(each for each in weighted if each.amount)


@dataclass(frozen=True, slots=True)
class TableView:
    """Cards of one type in a table, a page of them."""

    kind: str
    pipeline: Pipeline | None
    stage: Stage | None
    pipelines: tuple[Pipeline, ...]
    page: Page[DealCard]
    wanted: Wanted
    choices: Choices
    views: tuple[SavedView, ...]
    beside: Beside
    sort: str
    problem: str = ""
    cut: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)


def table_view(
    conn: Reading,
    asker: Asker,
    wanted: Wanted,
    *,
    pipeline_id: int | None,
    stage_id: int | None,
    after: str | None,
    rows: int = ROWS,
) -> TableView:
    """A page of cards, so many `rows`: of a pipeline, or all deals. At most nine statements. Raises NotFound."""
    pipelines = pipelines_of(asker)
    found = next((each for each in pipelines if each.id == pipeline_id), None)
    if pipeline_id is not None and found is None:
        raise NotFound("there is no pipeline {pipeline}", pipeline=pipeline_id)
    kind = found.record.type if found is not None else DEAL
    stage = next((each for each in found.stages if each.id == stage_id), None) if found is not None else None
    asking = asking_of(asker)
    also, problem, cut = asked(conn, asker, wanted, kind, pipeline_id)
    sort = sorted_by(wanted.sort) or "-updated_at"
    only = DealFilter(
        pipeline=found.name if found is not None else None,
        stage=stage.name if stage is not None else None,
        open_only=not wanted.closed,
        type=kind,
    )
    page = list_deals(conn, asker.access, only, Slice(after, rows), More(also, sort, asking))
    return TableView(
        kind=kind,
        pipeline=found,
        stage=stage,
        pipelines=pipelines,
        page=page,
        wanted=wanted,
        choices=Choices.of(asker, kind),
        views=views_of(conn, asker.access, f"cards:{kind}"),
        beside=Beside.of(conn, asker, [each.deal for each in page.items]),
        sort=sort,
        problem=problem,
        cut=cut,
        titles=titles_of_types(asker),
    )
