"""Filters of a page kept under a name: listed, and kept, renamed, moved, shared and removed by whoever made them.

What changes one somebody runs as a service: `store.run(lambda desk: keep(desk, login, …))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, update

from crm_core.errors import Conflict, Duplicate, InvalidInput, NotFound
from crm_core.model.access import Access, Right
from crm_core.services.desk import Desk
from crm_core.storage.queries.within import connection_of
from crm_core.storage.tables import saved_view

MOST = 50
"""Views that somebody may keep of one page."""

_OF_SALES = ("board:", "cards:")
_LONGEST_NAME = 100
_LONGEST_QUERY = 4_000
_MOST_SHARED = 200


@dataclass(frozen=True, slots=True)
class SavedView:
    """A kept filter: `query` is the page's query string without `?`. Only who made it (`login`) changes it; others see
    it where it is `shared`."""

    id: int
    login: str
    page: str
    name: str
    query: str
    shared: bool
    position: int
    created_at: datetime


def _right_of(page: str) -> Right:
    """What whoever keeps filters of a page asks for: what they need to see it."""
    return Right.SEE_SALES if page.startswith(_OF_SALES) else Right.SEE_CLIENTS


def views_of(conn: Connection, access: Access, page: str) -> tuple[SavedView, ...]:
    """The views of a page: one's own in their order, then those that others share, by name. One statement. Raises
    Forbidden for whoever does not see what the page shows."""
    access.demand(_right_of(page))
    return _views(conn, access.login, page)


def _views(conn: Connection, login: str, page: str) -> tuple[SavedView, ...]:
    mine = saved_view.c.login == login
    statement = (
        select(saved_view)
        .where(saved_view.c.page == page, or_(mine, saved_view.c.shared.is_(True)))
        .order_by(mine.desc(), saved_view.c.position, saved_view.c.name, saved_view.c.id)
        .limit(MOST + _MOST_SHARED)
    )
    found = [SavedView(*row) for row in conn.execute(statement)]
    others = sorted((each for each in found if each.login != login), key=lambda each: (each.name, each.login))
    return (*(each for each in found if each.login == login), *others)


def keep(desk: Desk, login: str, page: str, name: str, query: str, *, shared: bool = False) -> SavedView:
    """Keep a filter under a name, behind the others; where there is one of that name, it is put in its place. Raises
    InvalidInput for an empty or too long name or query, Conflict where there are `MOST` of them, Forbidden."""
    desk.demand(_right_of(page))
    name, query = _named(name), query.strip().removeprefix("?")
    if len(query) > _LONGEST_QUERY:
        raise InvalidInput("query: at most {most} letters can be kept", most=_LONGEST_QUERY)
    if not page or len(page) > _LONGEST_NAME:
        raise InvalidInput("page: name the page of which this is a view")
    conn = connection_of(desk)
    own = [each for each in _views(conn, login, page) if each.login == login]
    known = next((each for each in own if each.name == name), None)
    if known is not None:
        conn.execute(update(saved_view).where(saved_view.c.id == known.id).values(query=query, shared=shared))
        return _one(conn, login, known.id)
    if len(own) >= MOST:
        raise Conflict("{most} views of a page at most: remove one first", most=MOST)
    position = max((each.position for each in own), default=0) + 1
    made = SavedView(desk.work.next_id(), login, page, name, query, shared, position, desk.now)
    conn.execute(insert(saved_view).values({field: getattr(made, field) for field in SavedView.__slots__}))
    return made


def change(
    desk: Desk,
    login: str,
    view_id: int,
    *,
    name: str | None = None,
    query: str | None = None,
    shared: bool | None = None,
) -> SavedView:
    """Rename, refill, share or no longer share a view of one's own; None leaves as it is. Raises NotFound,
    InvalidInput, Duplicate where another of one's own has that name, Forbidden."""
    conn = connection_of(desk)
    known = _one(conn, login, view_id)
    desk.demand(_right_of(known.page))
    if name is not None and _named(name) != known.name:
        own = _views(conn, login, known.page)
        if any(each.login == login and each.name == _named(name) for each in own):
            raise Duplicate("there is a view «{view}» already", view=_named(name))
    if query is not None and len(query) > _LONGEST_QUERY:
        raise InvalidInput("query: at most {most} letters can be kept", most=_LONGEST_QUERY)
    values = {
        "name": _named(name) if name is not None else known.name,
        "query": query.strip().removeprefix("?") if query is not None else known.query,
        "shared": shared if shared is not None else known.shared,
    }
    conn.execute(update(saved_view).where(saved_view.c.id == view_id).values(values))
    return _one(conn, login, view_id)


def order(desk: Desk, login: str, page: str, view_ids: Sequence[int]) -> tuple[SavedView, ...]:
    """Put one's own views of a page into an order; those not named stay behind. Raises NotFound for what is no view of
    one's own there, Forbidden."""
    desk.demand(_right_of(page))
    conn = connection_of(desk)
    own = {each.id: each for each in _views(conn, login, page) if each.login == login}
    wanted = list(dict.fromkeys(view_ids))
    for each in wanted:
        if each not in own:
            raise NotFound("there is no view {view}", view=each)
    for position, view_id in enumerate([*wanted, *(each for each in own if each not in wanted)], 1):
        if own[view_id].position != position:
            conn.execute(update(saved_view).where(saved_view.c.id == view_id).values(position=position))
    return tuple(each for each in _views(conn, login, page) if each.login == login)


def remove(desk: Desk, login: str, view_id: int) -> None:
    """Remove a view of one's own; raises NotFound, Forbidden."""
    conn = connection_of(desk)
    desk.demand(_right_of(_one(conn, login, view_id).page))
    conn.execute(delete(saved_view).where(saved_view.c.id == view_id))


def _one(conn: Connection, login: str, view_id: int) -> SavedView:
    """A view of one's own, so that nobody learns of others' from what is refused."""
    row = conn.execute(select(saved_view).where(saved_view.c.id == view_id, saved_view.c.login == login)).first()
    if row is None:
        raise NotFound("there is no view {view}", view=view_id)
    return SavedView(*row)


def _named(name: str) -> str:
    found = " ".join(name.split())
    if not found or len(found) > _LONGEST_NAME:
        raise InvalidInput("name: 1 to {most} letters", most=_LONGEST_NAME)
    return found
