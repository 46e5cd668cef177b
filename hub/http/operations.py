"""What an operation of the API is, declared once: routes, checks and the description are all made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

from crm_core.model.access import Access
from crm_core.model.user import User
from crm_core.services.desk import Desk
from crm_core.storage.queries.pages import Reading
from crm_core.storage.tokens import Token
from hub.bootstrap import Hub
from hub.http.rights import Right
from hub.http.types import NoBody, NoQuery

Query = TypeVar("Query", bound=BaseModel)
Body = TypeVar("Body", bound=BaseModel)


class Kind(StrEnum):
    """How an operation is run: a query, a service in a transaction, or something of its own making."""

    READ = "read"
    ACT = "act"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Call(Generic[Query, Body]):
    """One call of an operation, checked: who calls, what they may, and what with; `token` None: by a page's session."""

    hub: Hub
    access: Access
    path: Mapping[str, str]
    query: Query
    body: Body
    token: Token | None = None

    @property
    def user(self) -> User:
        """Who calls."""
        return self.access.user

    def number(self, name: str = "id") -> int:
        """A number of the path."""
        return int(self.path[name])


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `status` is that of success; `media` the type of an answer that is not JSON.

    `decides_calls`: what it changes is waited for until calls are decided by it. `before` is awaited before the
    transaction of an act, and may refuse it.
    """

    method: str
    path: str
    tag: str
    summary: str
    right: Right
    kind: Kind
    handler: Callable[..., Any]
    query: type[BaseModel] = NoQuery
    body: type[BaseModel] = NoBody
    response: type[BaseModel] | None = None
    status: int = 200
    media: str = "application/json"
    takes_media: str = "application/json"
    decides_calls: bool = False
    before: Callable[[Call[Any, Any]], Awaitable[None]] | None = None

    @property
    def writes(self) -> bool:
        """Whether it needs a token that may write."""
        return self.method != "GET"

    @property
    def name(self) -> str:
        """A unique name, for programs made from the description."""
        words = [word.strip("{}") for word in self.path.split("/") if word]
        return "_".join([self.method.lower(), *words]).replace("-", "_")


def read(
    path: str,
    handler: Callable[[Reading, Call[Query, NoBody]], BaseModel],
    *,
    tag: str,
    summary: str,
    right: Right,
    response: type[BaseModel],
    query: type[Query | NoQuery] = NoQuery,
) -> Operation:
    """An operation that only reads; `handler` runs in a thread or a greenlet, on a snapshot."""
    return Operation("GET", path, tag, summary, right, Kind.READ, handler, query=query, response=response)


def act(  # noqa: PLR0913 - a declaration names every side of an operation
    method: str,
    path: str,
    handler: Callable[[Desk, Call[Any, Body]], BaseModel | None],
    *,
    tag: str,
    summary: str,
    right: Right,
    response: type[BaseModel] | None,
    body: type[Body | NoBody] = NoBody,
    query: type[BaseModel] = NoQuery,
    status: int = 200,
    decides_calls: bool = False,
) -> Operation:
    """An operation that changes something in one transaction; `handler` may run again after a concurrent change."""
    return Operation(
        method,
        path,
        tag,
        summary,
        right,
        Kind.ACT,
        handler,
        query=query,
        body=body,
        response=response,
        status=status if response is not None else 204,
        decides_calls=decides_calls,
    )


def own(  # noqa: PLR0913 - a declaration names every side of an operation
    method: str,
    path: str,
    handler: Callable[[web.Request, Call[Query, NoBody]], Awaitable[web.StreamResponse]],
    *,
    tag: str,
    summary: str,
    right: Right,
    query: type[Query | NoQuery] = NoQuery,
    body: type[BaseModel] = NoBody,
    response: type[BaseModel] | None = None,
    status: int = 200,
    media: str = "application/json",
    takes_media: str = "application/json",
) -> Operation:
    """An operation that makes its answer itself: files, streams. It reads what is sent itself, `body` describes it."""
    return Operation(
        method,
        path,
        tag,
        summary,
        right,
        Kind.OWN,
        handler,
        query=query,
        body=body,
        response=response,
        status=status,
        media=media,
        takes_media=takes_media,
    )
