"""Bare numbers on special lists, and the tags in use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_core.errors import InvalidInput, NotFound
from crm_core.model.records import ListedNumberRecord
from crm_core.services import contacts as services
from crm_core.services.desk import Desk
from crm_core.storage.queries import lists as queries
from crm_core.storage.queries.pages import Reading
from hub.http.operations import Call, Operation, act, read
from hub.http.rights import Right
from hub.http.types import Given, Named, NoBody, Paged, PageQuery, Query, Short, Taken

_TAG = "lists"


class NumberBody(Taken):
    """A number, and why it is on the list."""

    number: Named
    reason: Short = ""


class NumberQuery(Query):
    """The number to be taken off, where the body does not name it."""

    number: Short | None = None


class RemovalBody(Taken):
    """The number to be taken off."""

    number: Short | None = None
    reason: Short = ""


class ListedNumber(Given):
    """A number on a special list: why, since when, and who put it there."""

    number: str
    list: str
    reason: str
    author: str
    created_at: datetime


class ListedNumbers(Paged[ListedNumber]):
    """A page of numbers."""


class UsedTag(Given):
    """A tag, and how many contacts, leads and deals carry it."""

    name: str
    count: int


class UsedTags(Paged[UsedTag]):
    """Every tag in use, the most used first."""


def _json(record: ListedNumberRecord) -> ListedNumber:
    return ListedNumber(
        number=record.key.removeprefix("tel:"),
        list=record.list_name,
        reason=record.reason,
        author=record.author,
        created_at=record.created_at,
    )


def _listed(conn: Reading, call: Call[PageQuery, NoBody]) -> ListedNumbers:
    name = _configured(call)
    page = queries.list_numbers(conn, name, call.query.where)
    return ListedNumbers(items=[_json(record) for record in page.items], next=page.next)


def _added(desk: Desk, call: Call[Any, NumberBody]) -> ListedNumber:
    body, name = call.body, _configured(call)
    return _json(services.put_on_list(desk, name, body.number, body.reason, call.user.login))


def _removed(desk: Desk, call: Call[NumberQuery, RemovalBody]) -> None:
    name, number = _configured(call), call.body.number or call.query.number
    if not number:
        raise InvalidInput("number: say which number, in the body or as ?number=")
    if number.startswith(" "):
        number = f"+{number.strip()}"
    if not services.take_off_list(desk, name, number):
        raise NotFound(f"«{number}» is not on the list «{name}»")


def _configured(call: Call[Any, Any]) -> str:
    name = call.path["name"]
    if name not in call.hub.store.office.lists:
        raise NotFound(f"there is no list «{name}»: lists are configured")
    return name


def _tags(conn: Reading, _call: Call[Query, NoBody]) -> UsedTags:
    return UsedTags(items=[UsedTag(name=each.name, count=each.count) for each in queries.used_tags(conn)], next=None)


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/lists/{name}/numbers",
        _listed,
        tag=_TAG,
        summary="The bare numbers of a special list",
        right=Right.SEE_CLIENTS,
        query=PageQuery,
        response=ListedNumbers,
    ),
    act(
        "POST",
        "/lists/{name}/numbers",
        _added,
        tag=_TAG,
        summary="Put a bare number on a special list",
        right=Right.KEEP_LISTS,
        body=NumberBody,
        response=ListedNumber,
        status=201,
        decides_calls=True,
    ),
    act(
        "DELETE",
        "/lists/{name}/numbers",
        _removed,
        tag=_TAG,
        summary="Take a number off",
        right=Right.KEEP_LISTS,
        query=NumberQuery,
        body=RemovalBody,
        response=None,
        decides_calls=True,
    ),
    read("/tags", _tags, tag="tags", summary="Tags in use", right=Right.SEE_CLIENTS, response=UsedTags),
)
