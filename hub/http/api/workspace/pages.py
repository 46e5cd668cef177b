"""What the workspace shows, for other programs: the inbox, a popup, the wall, searching, a timeline both ways."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from crm_core.model.timeline import EntryKind
from crm_core.storage.queries.contacts import current
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace import entries
from crm_core.storage.queries.workspace.asker import Asker, Whose
from crm_core.storage.queries.workspace.inbox import counts, inbox
from crm_core.storage.queries.workspace.popup import popup
from crm_core.storage.queries.workspace.search import search
from crm_core.storage.queries.workspace.wall import wall
from hub.http.api.clients.entry_shapes import Entry, entry_json
from hub.http.api.workspace.shapes import (
    Badges,
    InboxAnswer,
    PopupAnswer,
    SearchAnswer,
    WallAnswer,
    badges_json,
    inbox_json,
    popup_json,
    search_json,
    wall_json,
)
from hub.http.operations import Call, Operation, read
from hub.http.rights import Right
from hub.http.types import Given, NoBody, Query, QueryId, Short

_TAG = "workspace"
_Limit = Annotated[int, Field(ge=1, le=200)]


class InboxQuery(Query):
    """Whose clients and leads: `mine`, those of my `group`, `everybody`'s; nobody sees more than they may."""

    whose: Whose = Whose.EVERYBODY
    limit: _Limit = 50


class WallQuery(Query):
    """Of which group, by default of all that one may see."""

    group: Short = ""
    limit: _Limit = 50


class SearchQuery(Query):
    """A part of a name, a number, an address, an article, a title; at most so many of each group."""

    q: Short = ""
    limit: Annotated[int, Field(ge=1, le=50)] = 7


class StretchQuery(Query):
    """Which stretch: the newest; that before the cursor `older`, behind the cursor `newer`, or around an entry. But for
    the last, all words of `q` stand in the text or subject of what is shown: 2,000 entries are read for them at a time,
    so that a stretch may hold few, or none, and still have a cursor to go on with."""

    older: Annotated[str | None, Field(max_length=200)] = None
    newer: Annotated[str | None, Field(max_length=200)] = None
    around: QueryId | None = None
    kind: EntryKind | None = None
    q: Short = ""
    limit: _Limit = 50


class Stretch(Given):
    """A stretch of a timeline, oldest first; `older` and `newer` are cursors to go on with, null at the ends. `counts`
    are the kinds of the newest thousand entries."""

    items: list[Entry]
    older: str | None
    newer: str | None
    counts: dict[str, int]


def asker_of(conn: Reading, call: Call[Any, Any]) -> Asker:
    """Whoever calls."""
    return call.hub.store.asker(conn, call.access)


def _inbox(conn: Reading, call: Call[InboxQuery, NoBody]) -> InboxAnswer:
    asker = asker_of(conn, call)
    return inbox_json(inbox(conn, asker, call.query.whose, limit=call.query.limit), asker.now)


def _counts(conn: Reading, call: Call[InboxQuery, NoBody]) -> Badges:
    return badges_json(counts(conn, asker_of(conn, call), call.query.whose))


def _popup(conn: Reading, call: Call[Query, NoBody]) -> PopupAnswer:
    return popup_json(popup(conn, asker_of(conn, call), call.number()), call.hub.store.office.language)


def _wall(conn: Reading, call: Call[WallQuery, NoBody]) -> WallAnswer:
    return wall_json(wall(conn, asker_of(conn, call), call.query.group or None, limit=call.query.limit))


def _search(conn: Reading, call: Call[SearchQuery, NoBody]) -> SearchAnswer:
    asker = asker_of(conn, call)
    return search_json(search(conn, asker, call.query.q, limit=call.query.limit), asker.now)


def _stretch(conn: Reading, call: Call[StretchQuery, NoBody]) -> Stretch:
    asker, query = asker_of(conn, call), call.query
    contact = current(conn, call.access, call.number())
    kinds = frozenset({query.kind}) if query.kind is not None else frozenset()
    found = entries.stretch(
        conn,
        asker,
        contact.id,
        older=query.older,
        newer=query.newer,
        around=query.around,
        kinds=kinds,
        words=query.q,
        limit=query.limit,
    )
    numbers = entries.count_by_kind(conn, asker, contact.id)
    return Stretch(
        items=[entry_json(each) for each in found.entries],
        older=found.older,
        newer=found.newer,
        counts={kind.value: count for kind, count in numbers.items()},
    )


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/workspace/inbox",
        _inbox,
        tag=_TAG,
        summary="What waits: clients without an answer, untaken leads, tasks of today, deals without a plan",
        right=Right.SEE_CASES,
        query=InboxQuery,
        response=InboxAnswer,
    ),
    read(
        "/workspace/counts",
        _counts,
        tag=_TAG,
        summary="How much of it there is, for badges",
        right=Right.SEE_CASES,
        query=InboxQuery,
        response=Badges,
    ),
    read(
        "/workspace/calls/{id}",
        _popup,
        tag=_TAG,
        summary="A call as it rings: who it is, what was last, what is open, why it rings here",
        right=Right.SEE_CALLS,
        response=PopupAnswer,
    ),
    read(
        "/workspace/wall",
        _wall,
        tag=_TAG,
        summary="The supervisor's wall; whoever oversees nobody sees it of themselves",
        right=Right.SEE_REPORTS,
        query=WallQuery,
        response=WallAnswer,
    ),
    read(
        "/workspace/search",
        _search,
        tag=_TAG,
        summary="Everything by a part of a name, a number, an address, an article, a title; a whole number first",
        right=Right.SEE_CLIENTS,
        query=SearchQuery,
        response=SearchAnswer,
    ),
    read(
        "/workspace/contacts/{id}/entries",
        _stretch,
        tag=_TAG,
        summary="A client's timeline from any place both ways",
        right=Right.SEE_CLIENTS,
        query=StretchQuery,
        response=Stretch,
    ),
)
