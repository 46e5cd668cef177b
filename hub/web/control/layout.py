"""How the views are put together: in groups by what they control, what their columns are called, where lines lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from crm_core.model.definitions import Catalogue
from crm_core.storage.queries.workspace.control.lists import CALLS
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, Figure, SubjectKind, Unit
from hub.web.tongues import N_, NP_, gettext, pgettext

GROUPS: Final[tuple[tuple[str, tuple[ControlView, ...]], ...]] = (
    (
        N_("Enquiries"),
        (ControlView.MISSED_CALLS, ControlView.STUCK_LEADS, ControlView.REJECTIONS),
    ),
    (
        NP_("control", "Deals"),
        (
            ControlView.LARGE_DEALS,
            ControlView.OVERDUE_DEALS,
            ControlView.TASKLESS_DEALS,
            ControlView.PLANLESS_DEALS,
            ControlView.BAD_FIELDS,
            ControlView.WRONG_STAGE,
            ControlView.MALFORMED,
        ),
    ),
    (
        N_("Tasks and people"),
        (ControlView.MY_TASKS, ControlView.UNDATED_TASKS, ControlView.LOAD, ControlView.LEADING),
    ),
    (
        N_("Calls to listen to"),
        (ControlView.LONG_CALLS, ControlView.SHORT_CALLS, ControlView.FIRST_CALLS, ControlView.LOST_AFTER),
    ),
    (
        N_("The pipeline in figures"),
        (
            ControlView.KEY_STAGE,
            ControlView.CONVERSIONS,
            ControlView.JAMS,
            ControlView.TIME_IN_STAGE,
            ControlView.AVERAGES,
        ),
    ),
)
NEUTRAL: Final = CALLS | {ControlView.MY_TASKS, ControlView.LARGE_DEALS}
"""Views that are not wrong for having lines."""

_IN_CONTEXT: Final = frozenset({"Deals"})
_SUBJECTS: Final[Mapping[SubjectKind, str]] = {
    SubjectKind.CONTACT: N_("Client"),
    SubjectKind.LEAD: N_("Lead"),
    SubjectKind.DEAL: N_("Deal"),
    SubjectKind.TASK: N_("Task"),
    SubjectKind.CALL: N_("Client"),
    SubjectKind.USER: N_("Person"),
    SubjectKind.STAGE: N_("Stage"),
    SubjectKind.PIPELINE: N_("Pipeline"),
    SubjectKind.FIELD: N_("Field"),
    SubjectKind.DAY: N_("Day"),
}
_NOTES: Final[Mapping[SubjectKind, str]] = {
    SubjectKind.CONTACT: N_("Line"),
    SubjectKind.LEAD: N_("Reason"),
    SubjectKind.DEAL: N_("Stage"),
    SubjectKind.TASK: N_("Kind"),
    SubjectKind.CALL: N_("Which way"),
    SubjectKind.FIELD: N_("Examples"),
}
_MOMENTS: Final[Mapping[SubjectKind, str]] = {
    SubjectKind.CONTACT: N_("Last call"),
    SubjectKind.LEAD: N_("Since"),
    SubjectKind.DEAL: N_("On the stage since"),
    SubjectKind.TASK: N_("Due"),
    SubjectKind.CALL: N_("Call at"),
    SubjectKind.FIELD: N_("Checked"),
}
_COUNTED: Final = frozenset({ControlView.LOAD, ControlView.JAMS, ControlView.LEADING})


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a list are called; empty where it has none of that kind."""

    subject: str
    client: bool
    login: bool
    at: str
    note: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as it is drawn: `part` of one is the length of its bar, None without one."""

    figure: Figure
    part: float | None


@dataclass(frozen=True, slots=True)
class Block:
    """Figures under the same headings: those of a pipeline under its line (`head`), where it has one of its own."""

    head: ControlRow | None
    columns: Columns
    lines: tuple[tuple[ControlRow, tuple[Cell, ...]], ...]


def group_title(name: str) -> str:
    """A group in the language of the request."""
    return pgettext("control", name) if name in _IN_CONTEXT else gettext(name)


def columns_of(view: ControlView, rows: Iterable[ControlRow], language: str) -> Columns:
    """The columns that the lines of a view fill."""
    found = list(rows)
    kind = found[0].kind if found else SubjectKind.CONTACT
    note = N_("What is missing") if view is ControlView.BAD_FIELDS else _NOTES.get(kind, "")
    at = N_("Rejected") if view is ControlView.REJECTIONS else _MOMENTS.get(kind, "")
    apart = {SubjectKind.LEAD, SubjectKind.DEAL, SubjectKind.TASK}
    return Columns(
        subject=gettext(_SUBJECTS[kind]),
        client=kind in apart,
        login=kind
        not in {SubjectKind.USER, SubjectKind.DAY, SubjectKind.FIELD, SubjectKind.STAGE, SubjectKind.PIPELINE},
        at=gettext(at) if at and any(each.at for each in found) else "",
        note=gettext(note) if note and any(each.note for each in found) else "",
        figures=tuple(each.title.said(language) for each in found[0].figures) if found else (),
    )


def blocks_of(view: ControlView, rows: Iterable[ControlRow], language: str) -> tuple[Block, ...]:
    """Figures as tables: lines with the same headings together; of conversions each pipeline on its own, each day
    by itself."""
    heads: list[ControlRow | None] = []
    parts: list[list[ControlRow]] = []
    for row in rows:
        if row.kind is SubjectKind.DAY or (view is ControlView.CONVERSIONS and row.kind is SubjectKind.PIPELINE):
            heads.append(row)
            parts.append([])
            continue
        if not parts:
            heads.append(None)
            parts.append([])
        parts[-1].append(row)
    return tuple(
        Block(head, columns_of(view, part, language), _lines(view, part))
        for head, part in zip(heads, parts, strict=True)
    )


def address_of(row: ControlRow, catalogue: Catalogue) -> str:
    """Where a line leads; empty where there is nothing to open."""
    match row.kind:
        case SubjectKind.CONTACT:
            return f"/contacts/{row.id}"
        case SubjectKind.LEAD | SubjectKind.CALL:
            return f"/contacts/{row.client.id}" if row.client is not None else ""
        case SubjectKind.DEAL:
            return f"/deals/{row.id}"
        case SubjectKind.TASK:
            return f"/tasks/{row.id}"
        case SubjectKind.USER:
            return f"/control?person={row.login}"
        case SubjectKind.PIPELINE:
            return f"/deals/board/{row.id}"
        case SubjectKind.STAGE:
            place = catalogue.place(row.id) if row.id is not None else None
            return f"/deals/board/{place[0].id}#stage-{row.id}" if place is not None else ""
        case SubjectKind.FIELD | SubjectKind.DAY:
            return ""


def hears(view: ControlView) -> bool:
    """Whether its lines are calls to listen to."""
    return view in CALLS


def _lines(view: ControlView, rows: list[ControlRow]) -> tuple[tuple[ControlRow, tuple[Cell, ...]], ...]:
    """Shares have bars of their own length, numbers of some views bars as of the largest of their column."""
    most = [max((_value(row.figures[place]) for row in rows), default=0) for place in range(_width(rows))]
    return tuple(
        (row, tuple(_cell(view, figure, most[place]) for place, figure in enumerate(row.figures))) for row in rows
    )


def _cell(view: ControlView, figure: Figure, most: float) -> Cell:
    if figure.unit is Unit.SHARE and figure.value is not None:
        return Cell(figure, min(float(figure.value), 1.0))
    if figure.unit is Unit.COUNT and view in _COUNTED and most:
        return Cell(figure, _value(figure) / most)
    return Cell(figure, None)


def _width(rows: list[ControlRow]) -> int:
    return min((len(each.figures) for each in rows), default=0)


def _value(figure: Figure) -> float:
    return float(figure.value or 0)
