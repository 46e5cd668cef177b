"""What a handler asks of its request: the session, the person and what they may, fields, numbers, ways back."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web
from multidict import MultiMapping

from crm_core.errors import InvalidInput
from crm_core.model.access import Access
from crm_core.model.user import User
from hub.http.keys import USER
from hub.web.sessions import Session

_NUL: Final = "\x00"
_LONGEST_COUNT: Final = 6

MOST_SHOWN = 500
"""Rows of a list that refresh by themselves; whoever scrolled further sees them as they were."""

MOST_FRESH = 99
"""New rows that are counted where a list does not refresh by itself."""

SESSION = web.RequestKey("session", Session)
"""The session of a request."""
ACCESS = web.RequestKey("access", Access)
"""What the person of a request may."""


def session_of(request: web.Request) -> Session:
    """The session of a request."""
    return request[SESSION]


def access_here(request: web.Request) -> Access:
    """What the person of a request that a page let in may do and see."""
    return request[ACCESS]


def user_here(request: web.Request) -> User:
    """The person of a request that a page let in."""
    return request[USER]


async def field_of(request: web.Request, name: str, most: int = 1000) -> str:
    """A text field of the form that was sent, empty where there is none."""
    value = (await request.post()).get(name)
    return value[:most] if isinstance(value, str) else ""


def number_in(request: web.Request, name: str = "id") -> int:
    """A number of the path; 404 where no row could have it."""
    text = request.match_info[name]
    if len(text) > 18:
        raise web.HTTPNotFound
    return int(text)


def rows_shown(request: web.Request, at_once: int) -> int:
    """How many rows of a list are asked for anew: as many as stand there (`shown`), in whole pages of `at_once`."""
    text = request.query.get("shown", "")
    shown = int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT else 0
    return max(-(-shown // at_once), 1) * at_once


def fresh_rows(count: int) -> str:
    """How many new rows a list says that there are: `MOST_FRESH` and more look alike; empty where there are none."""
    if count > MOST_FRESH:
        return f"{MOST_FRESH}+"
    return str(count) if count else ""


def local_path(given: object, otherwise: str) -> str:
    """A path of this hub that a form or a link names; never another site."""
    if not isinstance(given, str) or not given.startswith("/") or given.startswith(("//", "/\\")):
        return otherwise
    parts = urlsplit(given)
    if parts.scheme or parts.netloc or not given.isprintable():
        return otherwise
    return given


def storable(request: web.Request) -> None:
    """Raise HTTPNotFound or InvalidInput where the path or the query holds what no record could: a NUL character."""
    if _NUL in request.path:
        raise web.HTTPNotFound
    if request.query_string:
        storable_form(request.query)


def storable_form(form: MultiMapping[Any]) -> None:
    """Raise InvalidInput where a text of a form holds a NUL character."""
    for name, value in form.items():
        if isinstance(value, str) and _NUL in value:
            raise InvalidInput("{name}: a NUL character can't be stored", name=name.replace(_NUL, ""))


async def let_go(request: web.Request) -> None:
    """Close the files of a form that was read; aiohttp does so for the request that it made alone."""
    if request._post is None:  # noqa: SLF001 - to ask for the form would read one that was refused unread
        return
    for each in (await request.post()).values():
        if isinstance(each, web.FileField):
            each.file.close()
