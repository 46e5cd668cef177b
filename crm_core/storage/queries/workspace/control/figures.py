"""The views that are figures: conversions, times, averages, load, jams, fields with values that do not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Integer, Select, case, func, literal_column, select

from crm_core.model.definitions import FieldBody, Section
from crm_core.storage.queries.pages import both
from crm_core.storage.queries.workspace.control.cohort import PipelineFigures, by_pipeline, cohort
from crm_core.storage.queries.workspace.control.leading import leading
from crm_core.storage.queries.workspace.control.lists import Wish
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, Figure, SubjectKind, Unit
from crm_core.storage.queries.workspace.jams import jams
from crm_core.storage.reports.base import Words, nearest_rank
from crm_core.storage.sight import seen_card
from crm_core.storage.tables import contact_case, deal, definition, field_check, lead, task

_CARDS = Words("Сделок", "Deals")
_CAME = Words("Дошло", "Came")
_OF_ALL = Words("От всех", "Of all")
_OF_BEFORE = Words("От предыдущего", "Of the one before")
_WON = Words("Выиграно", "Won")
_OF_CAME = Words("Из дошедших", "Of those who came")
_HALF = Words("Половина не дольше", "A half at most")
_MOST = Words("90 % не дольше", "90% at most")
_AVERAGE = Words("Средний чек", "Average order")
_CYCLE = Words("Цикл, половина не дольше", "Cycle, a half at most")
_LATE = Words("Дольше срока", "Too long")
_MEDIAN = Words("Стоит средняя", "The middle one stands")
_ALLOWED = Words("Срок этапа", "Deadline of the stage")
_CASES = Words("Ждут ответа", "Waiting clients")
_LEADS = Words("Лидов", "Leads")
_TASKS = Words("Задач", "Tasks")
_OVERDUE = Words("Просрочено", "Overdue")
_VALUES = Words("Неверных значений", "Values that do not fit")


def rows(conn: Connection, view: ControlView, wish: Wish) -> tuple[ControlRow, ...]:
    """The lines of a view of figures, all of them. Five statements at most."""
    return _FIGURES[view](conn, wish)


def _conversions(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    found: list[ControlRow] = []
    for each in _pipelines(conn, wish):
        total, before = len(each.cards), len(each.cards)
        whole = (_count(_CARDS, total), _count(_WON, len(each.won)), _share(_OF_ALL, len(each.won), total))
        found.append(ControlRow(SubjectKind.PIPELINE, each.pipeline.id, each.pipeline.name, figures=whole))
        for stage in each.stages:
            figures = (
                _count(_CAME, stage.came),
                _share(_OF_BEFORE, stage.came, before),
                _share(_OF_ALL, stage.came, total),
            )
            title = stage.stage.name
            found.append(ControlRow(SubjectKind.STAGE, stage.stage.id, title, note=each.pipeline.name, figures=figures))
            before = stage.came
    return tuple(found)


def _key_stage(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    return tuple(
        ControlRow(
            SubjectKind.STAGE,
            stage.stage.id,
            stage.stage.name,
            note=each.pipeline.name,
            figures=(
                _count(_CARDS, len(each.cards)),
                _count(_CAME, stage.came),
                _share(_OF_ALL, stage.came, len(each.cards)),
                _count(_WON, len(each.won)),
                _share(_OF_CAME, len(each.won), stage.came),
            ),
        )
        for each in _pipelines(conn, wish)
        for stage in each.stages
        if stage.stage.settings.key
    )


def _times(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    return tuple(
        ControlRow(
            SubjectKind.STAGE,
            stage.stage.id,
            stage.stage.name,
            note=each.pipeline.name,
            figures=(
                _count(_CARDS, len(stage.stayed)),
                Figure(_HALF, nearest_rank(list(stage.stayed), 50), Unit.SECONDS),
                Figure(_MOST, nearest_rank(list(stage.stayed), 90), Unit.SECONDS),
            ),
        )
        for each in _pipelines(conn, wish)
        for stage in each.stages
        if stage.stayed
    )


def _averages(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    found: list[ControlRow] = []
    for each in _pipelines(conn, wish):
        for currency in sorted({card.currency for card in each.won}):
            won = [card for card in each.won if card.currency == currency]
            cycles = sorted(
                int((card.closed_at - card.created_at).total_seconds()) for card in won if card.closed_at is not None
            )
            average = sum(card.amount for card in won) // len(won)
            figures = (
                _count(_WON, len(won)),
                Figure(_AVERAGE, average, Unit.MONEY, currency),
                Figure(_CYCLE, nearest_rank(cycles, 50), Unit.SECONDS),
            )
            found.append(ControlRow(SubjectKind.PIPELINE, each.pipeline.id, each.pipeline.name, figures=figures))
    return tuple(found)


def _pipelines(conn: Connection, wish: Wish) -> tuple[PipelineFigures, ...]:
    return by_pipeline(cohort(conn, wish.asker, wish.logins, wish.limits.cohort), wish.asker)


def _jams(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    return tuple(
        ControlRow(
            SubjectKind.STAGE,
            each.stage.id,
            each.stage.name,
            note=each.pipeline.name,
            figures=(
                _count(_CARDS, each.count),
                _count(_LATE, each.overdue),
                Figure(_MEDIAN, int(each.median.total_seconds()), Unit.SECONDS),
                Figure(_ALLOWED, int(each.allowed.total_seconds()) if each.allowed is not None else None, Unit.SECONDS),
            ),
        )
        for each in jams(conn, wish.asker, wish.logins)
    )


def _load(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    waiting, enquiries, cards, to_do = (conn.execute(each).all() for each in load_statements(wish))
    cases, leads, deals, tasks = ({row[0]: int(row[1]) for row in each} for each in (waiting, enquiries, cards, to_do))
    late = {row[0]: int(row[2] or 0) for row in to_do}
    people = sorted(wish.asker.staff.by_login.values(), key=lambda each: (each.name, each.login))
    held = {*cases, *leads, *deals, *tasks}
    return tuple(
        ControlRow(
            SubjectKind.USER,
            None,
            user.name,
            login=user.login,
            figures=tuple(
                _count(title, of.get(user.login, 0))
                for title, of in ((_CASES, cases), (_LEADS, leads), (_CARDS, deals), (_TASKS, tasks), (_OVERDUE, late))
            ),
        )
        for user in people
        if (user.active or user.login in held) and (wish.logins is None or user.login in wish.logins)
    )


def load_statements(wish: Wish) -> tuple[Select[Any], ...]:
    """What everybody has: waiting clients, open leads, open deals, open tasks with how many of them are overdue."""
    open_lead = lead.c.status.in_(("new", "taken"))
    late = func.sum(case((task.c.due_at < wish.asker.now, 1), else_=0), type_=Integer)
    seen = both((seen_card(wish.asker.sight),))
    return (
        select(contact_case.c.manager, func.count())
        .where(contact_case.c.state == literal_column("'open'"), contact_case.c.manager.is_not(None))
        .group_by(contact_case.c.manager),
        select(lead.c.manager, func.count())
        .where(open_lead, lead.c.deleted_at.is_(None), lead.c.manager.is_not(None))
        .group_by(lead.c.manager),
        select(deal.c.manager, func.count())
        .where(deal.c.closed_at.is_(None), deal.c.deleted_at.is_(None), deal.c.manager.is_not(None), *seen)
        .group_by(deal.c.manager),
        select(task.c.assignee, func.count(), late)
        .where(task.c.state == literal_column("'open'"), task.c.deleted_at.is_(None), task.c.assignee.is_not(None))
        .group_by(task.c.assignee),
    )


def _malformed(conn: Connection, wish: Wish) -> tuple[ControlRow, ...]:
    """What the last look through a field's records found; of cards' fields as of everybody's. One statement."""
    statement = (
        select(
            definition.c.id, definition.c.name, field_check.c.problems, field_check.c.samples, field_check.c.ended_at
        )
        .join(definition, definition.c.id == field_check.c.definition_id)
        .where(field_check.c.problems > 0, definition.c.archived.is_(False))
        .order_by(field_check.c.problems.desc(), definition.c.id)
    )
    if not wish.asker.everybody:  # samples show values of anybody's records
        return ()
    found: list[ControlRow] = []
    for number, name, problems, samples, at in conn.execute(statement):
        body = wish.asker.catalogue.body(Section.FIELD, name, FieldBody)
        title = body.title if body is not None else name
        why = "; ".join(f"№ {each[0]}: {each[1]}" for each in samples[:3])
        found.append(
            ControlRow(SubjectKind.FIELD, number, title, at=at, note=why, figures=(_count(_VALUES, problems),))
        )
    return tuple(found)


def _count(title: Words, value: int) -> Figure:
    return Figure(title, value, Unit.COUNT)


def _share(title: Words, part: int, whole: int) -> Figure:
    return Figure(title, part / whole if whole else None, Unit.SHARE)


_FIGURES: Mapping[ControlView, Callable[[Connection, Wish], tuple[ControlRow, ...]]] = {
    ControlView.CONVERSIONS: _conversions,
    ControlView.KEY_STAGE: _key_stage,
    ControlView.TIME_IN_STAGE: _times,
    ControlView.AVERAGES: _averages,
    ControlView.JAMS: _jams,
    ControlView.LOAD: _load,
    ControlView.MALFORMED: _malformed,
    ControlView.LEADING: leading,
}
FIGURES = frozenset(_FIGURES)
