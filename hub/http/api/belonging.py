"""What every kind of record has: links with others, a history, a way to be deleted and brought back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.rules import PLAIN_KINDS
from crm_core.model.fields import FieldSet, fields_of, shown
from crm_core.model.history import ChangeRecord
from crm_core.model.records import DealRecord
from crm_core.model.selling import LinkRecord
from crm_core.model.user import Staff
from crm_core.services.acts import removing
from crm_core.services.cards.pipelines import demand_access, place_of
from crm_core.services.clients import links as linking
from crm_core.services.desk import Desk
from crm_core.storage.queries import history as queries
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.seeing import seen_among, seen_type
from crm_core.storage.staff import load_staff
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Id, NoBody, Paged, PageQuery, Query, Short, Taken

_PATHS = {
    "contact": "contacts",
    "company": "companies",
    "lead": "leads",
    "deal": "deals",
    "task": "tasks",
    "product": "products",
}
# Deals and products are deleted by operations of their own.
_REMOVED = ("contact", "company", "lead", "task")
_TAG = "records"
KindName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class LinkBody(Taken):
    """The other record and what it is to this one: `{"kind": "contact", "id": 5, "role": "ЛПР"}`."""

    kind: KindName
    id: Id
    role: Short = ""


class Link(Given):
    """A link: the other record, what it is to this one, or (`outward` false) what this one is to it."""

    id: int
    kind: str
    record_id: int
    title: str
    role: str
    outward: bool
    created_at: datetime
    author: str


class Links(Paged[Link]):
    """All links of a record."""


class Changed(Given):
    """One thing that changed: `field` is a column or `fields.key`, `title` what people call it."""

    field: str
    title: str
    before: Any
    after: Any
    before_text: str
    after_text: str


class HistoryRow(Given):
    """What one act changed of a record; `author` a login, `rule:NAME`, or empty for a fact."""

    id: int
    at: datetime
    author: str
    author_name: str
    changes: list[Changed]


class History(Paged[HistoryRow]):
    """A page of a record's history, the newest first."""


def _seen(conn: Reading, call: Call[Any, Any], kind: str, ident: int) -> str:
    """The kind whose fields a record has; raises NotFound where a deal is not seen by whoever asks."""
    return seen_type(conn, call.access, ident) if kind == "deal" else kind


def _links(kind: str) -> Callable[[Reading, Call[Query, NoBody]], Links]:
    def shown_links(conn: Reading, call: Call[Query, NoBody]) -> Links:
        here = (_seen(conn, call, kind, call.number()), call.number())
        found = queries.links_of(conn, call.access, *here)
        cards = {ident for each in found for of, ident in (_other(each, here),) if of not in PLAIN_KINDS}
        shown = seen_among(conn, cards, call.access.sight)
        found = [each for each in found if (end := _other(each, here))[0] in PLAIN_KINDS or end[1] in shown]
        titles = queries.titles_of(conn, [_other(each, here) for each in found])
        return Links(items=[_link_json(each, here, titles.get(_other(each, here), "")) for each in found], next=None)

    return shown_links


def _linked(kind: str) -> Callable[[Desk, Call[Any, LinkBody]], Link]:
    def link(desk: Desk, call: Call[Any, LinkBody]) -> Link:
        one = _end(desk, kind, call.number())
        other = linking.record(desk, call.body.kind, call.body.id)
        _demand_seen(desk, one, (call.body.kind, call.body.id))
        made = linking.link(desk, one, (call.body.kind, call.body.id), call.body.role, call.user.login)
        return _link_json(made, one, str(getattr(other, "name", None) or getattr(other, "title", "")))

    return link


def _end(desk: Desk, kind: str, ident: int) -> tuple[str, int]:
    if kind == "deal":
        kind = desk.work.get(DealRecord, ident).type
    linking.record(desk, kind, ident)
    return kind, ident


def _unlinked(desk: Desk, call: Call[Any, NoBody]) -> None:
    found = desk.work.get(LinkRecord, call.number())
    _demand_seen(desk, (found.from_kind, found.from_id), (found.to_kind, found.to_id))
    linking.unlink(desk, found.id)


def _demand_seen(desk: Desk, *ends: tuple[str, int]) -> None:
    """Raise NotFound for a card that whoever acts does not see."""
    for kind, ident in ends:
        if kind not in PLAIN_KINDS:
            card = desk.work.get(DealRecord, ident)
            demand_access(desk, place_of(desk, card.stage_id)[0], card)


def _other(link: LinkRecord, here: tuple[str, int]) -> tuple[str, int]:
    there = (link.to_kind, link.to_id)
    return there if there != here else (link.from_kind, link.from_id)


def _link_json(link: LinkRecord, here: tuple[str, int], title: str) -> Link:
    kind, ident = _other(link, here)
    return Link(
        id=link.id,
        kind=kind,
        record_id=ident,
        title=title,
        role=link.role,
        outward=(link.from_kind, link.from_id) == here,
        created_at=link.created_at,
        author=link.author,
    )


def _history(kind: str) -> Callable[[Reading, Call[PageQuery, NoBody]], History]:
    def shown_history(conn: Reading, call: Call[PageQuery, NoBody]) -> History:
        of_type = _seen(conn, call, kind, call.number())
        page = queries.history_of(conn, call.access, kind, call.number(), call.query.where)
        staff = load_staff(conn)
        catalogue = call.hub.store.catalogue(conn)
        fields = fields_of(catalogue, of_type)
        return History(items=[_row(staff, catalogue, fields, each) for each in page.items], next=page.next)

    return shown_history


def _row(staff: Staff, catalogue: Catalogue, fields: FieldSet, change: ChangeRecord) -> HistoryRow:
    found = []
    for name, before, after in change.changes:
        key = name.removeprefix("fields.") if name.startswith("fields.") else None
        field = fields.by_key.get(key) if key is not None else None
        texts = [shown(field, each) if field is not None else _said(catalogue, name, each) for each in (before, after)]
        title = field.title if field is not None else (key or name)
        found.append(
            Changed(field=name, title=title, before=before, after=after, before_text=texts[0], after_text=texts[1])
        )
    user = staff.get(change.author)
    author_name = user.name if user is not None else change.author
    return HistoryRow(id=change.id, at=change.at, author=change.author, author_name=author_name, changes=found)


def _said(catalogue: Catalogue, column: str, value: Any) -> str:
    """A column's value for people: a stage and a pipeline by their names."""
    if isinstance(value, int) and column == "stage_id" and (place := catalogue.place(value)) is not None:
        return place[1].name
    if isinstance(value, int) and column == "pipeline_id" and (found := catalogue.pipeline(value)) is not None:
        return found.name
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)


def _removed(kind: str) -> Callable[[Desk, Call[Any, NoBody]], None]:
    def removed(desk: Desk, call: Call[Any, NoBody]) -> None:
        removing.remove(desk, kind, call.number())

    return removed


def _brought_back(kind: str) -> Callable[[Desk, Call[Any, NoBody]], None]:
    def brought_back(desk: Desk, call: Call[Any, NoBody]) -> None:
        removing.bring_back(desk, kind, call.number())

    return brought_back


def _of(kind: str, path: str) -> tuple[Operation, ...]:
    client = kind in {"contact", "company"}
    see = Right.SEE_CLIENTS if client else Right.SEE_SALES
    keep = Right.KEEP_CLIENTS if client else Right.KEEP_SALES
    base = f"/{path}/{{id}}"
    found = [
        read(
            f"{base}/history",
            _history(kind),
            tag=_TAG,
            summary=f"Who changed what of a {kind}, the newest first",
            right=see,
            query=PageQuery,
            response=History,
        ),
        read(
            f"{base}/links",
            _links(kind),
            tag=_TAG,
            summary=f"What a {kind} is linked with",
            right=see,
            response=Links,
        ),
        act(
            "POST",
            f"{base}/links",
            _linked(kind),
            tag=_TAG,
            summary=f"Link a {kind} with another record, in a role",
            right=keep,
            body=LinkBody,
            response=Link,
            status=201,
        ),
    ]
    if kind in _REMOVED:
        decides = kind in {"contact", "lead"}
        found += [
            act(
                "DELETE",
                base,
                _removed(kind),
                tag=path,
                summary=f"Delete a {kind}; it can be brought back",
                right=Right.DELETE,
                response=None,
                decides_calls=decides,
            ),
            act(
                "POST",
                f"{base}/restore",
                _brought_back(kind),
                tag=path,
                summary=f"Bring a deleted {kind} back",
                right=Right.DELETE,
                response=None,
                decides_calls=decides,
            ),
        ]
    return tuple(found)


OPERATIONS: tuple[Operation, ...] = (
    *(operation for kind, path in _PATHS.items() for operation in _of(kind, path)),
    act(
        "DELETE",
        "/links/{id}",
        _unlinked,
        tag=_TAG,
        summary="Take a link away",
        right=Right.KEEP_SALES,
        response=None,
    ),
)
