"""What a board, a card's page and a task's show beside them: next steps, all tasks of a card, the card of a task."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, literal_column, select

from crm_core.errors import NotFound
from crm_core.model.access import Right
from crm_core.model.records import DealRecord
from crm_core.model.selling import CompanyRecord
from crm_core.model.task import TaskRecord, TaskState
from crm_core.storage.queries.pages import all_of, both, one_of
from crm_core.storage.queries.seeing import seen_task
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.tables import company, task

_MOST_TASKS = 100


def next_steps(conn: Connection, asker: Asker, deal_ids: Collection[int]) -> dict[int, TaskRecord]:
    """The open task of each card that is due first; one without a deadline counts last. One statement. Raises
    Forbidden for whoever sees no sales."""
    asker.access.demand(Right.SEE_SALES)
    if not deal_ids:
        return {}
    conditions = both(
        (
            task.c.deal_id.in_(deal_ids),
            task.c.state == literal_column(f"'{TaskState.OPEN.value}'"),
            task.c.deleted_at.is_(None),
            seen_task(task, asker.sight),
        )
    )
    order = (task.c.due_at.is_(None), task.c.due_at, task.c.id)
    found: dict[int, TaskRecord] = {}
    for each in all_of(conn, TaskRecord, select(task).where(*conditions).order_by(*order)):
        if each.deal_id is not None:
            found.setdefault(each.deal_id, each)
    return found


def tasks_of_card(conn: Connection, asker: Asker, deal_id: int) -> list[TaskRecord]:
    """The tasks about a card, open ones first, of those over the newest; at most a hundred. One statement. Raises
    Forbidden for whoever sees no sales."""
    asker.access.demand(Right.SEE_SALES)
    conditions = both((task.c.deal_id == deal_id, task.c.deleted_at.is_(None), seen_task(task, asker.sight)))
    done = task.c.state != TaskState.OPEN.value
    order = (done, task.c.done_at.desc(), task.c.due_at.is_(None), task.c.due_at, task.c.id)
    return all_of(conn, TaskRecord, select(task).where(*conditions).order_by(*order).limit(_MOST_TASKS))


def seen_card(conn: Connection, asker: Asker, deal_id: int) -> DealRecord:
    """A card, also a deleted one; raises NotFound where it is not seen by whoever asks, Forbidden where they see no
    sales. One statement."""
    asker.access.demand(Right.SEE_SALES)
    found = one_of(conn, DealRecord, deal_id)
    if found is None or not asker.sight.sees(found):
        raise NotFound("there is no deal {deal}", deal=deal_id)
    return found


def companies_of(conn: Connection, ids: Iterable[int | None]) -> dict[int, CompanyRecord]:
    """Companies by id. One statement at most."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    return {each.id: each for each in all_of(conn, CompanyRecord, select(company).where(company.c.id.in_(wanted)))}


def card_about(conn: Connection, asker: Asker, deal_id: int | None) -> DealRecord | None:
    """The card that something is about, also a deleted one; None where it is about none, or none that somebody sees.
    One statement at most. Raises Forbidden for whoever sees no sales."""
    asker.access.demand(Right.SEE_SALES)
    found = one_of(conn, DealRecord, deal_id) if deal_id is not None else None
    return found if found is not None and asker.sight.sees(found) else None
