"""The daily control list, and filters of pages kept under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from crm_core.errors import NotFound
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.workspace import saved
from crm_core.storage.queries.workspace.control.asking import control_counts, control_page
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, Figure, SubjectKind, Unit
from crm_core.storage.queries.workspace.control.words import VIEWS
from crm_core.storage.queries.workspace.saved import SavedView
from hub.http.api.workspace.pages import asker_of
from hub.http.api.workspace.shapes import BriefClient, client_json
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, Named, NoBody, Paged, PageQuery, Query, Short, Taken

_TAG = "workspace"


class GroupQuery(Query):
    """Of which group, by default of all that one may see."""

    group: Short = ""


class ControlQuery(PageQuery):
    """Which page, of which group."""

    group: Short = ""


class ViewAbout(Given):
    """A view: what it is called, what exactly it shows; `count` of its lines up to 1000, null for figures."""

    name: ControlView
    title: str
    definition: str
    count: int | None


class ViewsAbout(Given):
    """The views in their order."""

    items: list[ViewAbout]


class FigureJson(Given):
    """A figure; null where there is nothing to work it out from."""

    title: str
    value: float | int | None
    unit: Unit
    currency: str


class Line(Given):
    """A line: what it is about, whose, the moment that counts, figures."""

    kind: SubjectKind
    id: int | None
    title: str
    client: BriefClient | None
    login: str | None
    at: datetime | None
    note: str
    figures: list[FigureJson]


class Lines(Paged[Line]):
    """A page of a view."""


class Kept(Given):
    """A filter of a page kept under a name; `query` is the page's query string. Only who made it changes it."""

    id: int
    login: str
    page: str
    name: str
    query: str
    shared: bool
    position: int
    created_at: datetime
    own: bool


class KeptViews(Given):
    """One's own in their order, then those that others share."""

    items: list[Kept]


class KeptQuery(Query):
    """Of which page."""

    page: Named


class KeepBody(Taken):
    """A filter to be kept; one's own of that name is replaced."""

    page: Named
    name: Named
    query: Annotated[str, Field(max_length=4000)] = ""
    shared: bool = False


class KeptBody(Taken):
    """What is to be changed of it; what is left out stays."""

    name: Named | None = None
    query: Annotated[str | None, Field(max_length=4000)] = None
    shared: bool | None = None


class OrderBody(Taken):
    """The order of one's own views of a page; those not named stay behind."""

    page: Named
    ids: Annotated[list[Id], Field(max_length=saved.MOST)]


def _views(conn: Reading, call: Call[GroupQuery, NoBody]) -> ViewsAbout:
    counted = control_counts(conn, asker_of(conn, call), group=call.query.group or None)
    language = call.hub.store.office.language
    return ViewsAbout(
        items=[
            ViewAbout(
                name=view.name,
                title=view.title.said(language),
                definition=view.definition.said(language),
                count=counted.get(view.name),
            )
            for view in VIEWS.values()
        ]
    )


def _view(conn: Reading, call: Call[ControlQuery, NoBody]) -> Lines:
    name = call.path["view"]
    if name not in set(ControlView):
        raise NotFound(
            "there is no view «{view}»: there are {controlview}", view=name[:80], controlview=", ".join(ControlView)
        )
    asker, group = asker_of(conn, call), call.query.group or None
    found = control_page(conn, asker, ControlView(name), call.query.where, group=group)
    language = call.hub.store.office.language
    return Lines(items=[_line(each, language) for each in found.items], next=found.next)


def _line(row: ControlRow, language: str) -> Line:
    same = set(Line.model_fields) - {"client", "figures"}
    return Line(
        **{name: getattr(row, name) for name in same},
        client=client_json(row.client) if row.client is not None else None,
        figures=[_figure(each, language) for each in row.figures],
    )


def _figure(figure: Figure, language: str) -> FigureJson:
    return FigureJson(title=figure.title.said(language), value=figure.value, unit=figure.unit, currency=figure.currency)


def _kept(conn: Reading, call: Call[KeptQuery, NoBody]) -> KeptViews:
    login = call.user.login
    return KeptViews(items=[_of(each, login) for each in saved.views_of(conn, call.access, call.query.page)])


def _keep(desk: Desk, call: Call[Query, KeepBody]) -> Kept:
    body, login = call.body, call.user.login
    return _of(saved.keep(desk, login, body.page, body.name, body.query, shared=body.shared), login)


def _changed(desk: Desk, call: Call[Query, KeptBody]) -> Kept:
    body, login = call.body, call.user.login
    found = saved.change(desk, login, call.number(), name=body.name, query=body.query, shared=body.shared)
    return _of(found, login)


def _ordered(desk: Desk, call: Call[Query, OrderBody]) -> KeptViews:
    login = call.user.login
    return KeptViews(items=[_of(each, login) for each in saved.order(desk, login, call.body.page, call.body.ids)])


def _removed(desk: Desk, call: Call[Query, NoBody]) -> None:
    saved.remove(desk, call.user.login, call.number())


def _of(view: SavedView, login: str) -> Kept:
    plain = {name: getattr(view, name) for name in set(Kept.model_fields) - {"own"}}
    return Kept(**plain, own=view.login == login)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/workspace/control",
        _views,
        tag=_TAG,
        summary="The daily control list: its views and how many lines each has",
        right=Right.SEE_REPORTS,
        query=GroupQuery,
        response=ViewsAbout,
    ),
    read(
        "/workspace/control/{view}",
        _view,
        tag=_TAG,
        summary="The lines of a view",
        right=Right.SEE_REPORTS,
        query=ControlQuery,
        response=Lines,
    ),
    read(
        "/workspace/views",
        _kept,
        tag=_TAG,
        summary="The filters that are kept of a page: one's own, and those that others share",
        right=Right.SEE_CLIENTS,
        query=KeptQuery,
        response=KeptViews,
    ),
    act(
        "POST",
        "/workspace/views",
        _keep,
        tag=_TAG,
        summary="Keep a filter under a name",
        right=Right.SEE_CLIENTS,
        body=KeepBody,
        response=Kept,
        status=201,
    ),
    act(
        "PATCH",
        "/workspace/views/{id}",
        _changed,
        tag=_TAG,
        summary="Rename a kept filter of one's own, refill it, share it",
        right=Right.SEE_CLIENTS,
        body=KeptBody,
        response=Kept,
    ),
    act(
        "POST",
        "/workspace/views/order",
        _ordered,
        tag=_TAG,
        summary="Put one's own kept filters of a page into an order",
        right=Right.SEE_CLIENTS,
        body=OrderBody,
        response=KeptViews,
    ),
    act(
        "DELETE",
        "/workspace/views/{id}",
        _removed,
        tag=_TAG,
        summary="Remove a kept filter of one's own",
        right=Right.SEE_CLIENTS,
        response=None,
    ),
)
