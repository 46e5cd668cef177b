"""The form of subscriptions: another program that is told of events."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from crm_core.model.definitions.base import Body
from crm_core.model.events import PATTERN, mistyped
from crm_core.wording import Sentence


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError as err:
        raise ValueError(Sentence("this is no address: {why}", why=err)) from err
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ValueError(Sentence("an address that begins with https:// (or http://) and names a host"))
    if parts.username or parts.password:
        raise ValueError(Sentence("no name or password in it: what comes is proved by its signature"))
    if parts.fragment or not value.isascii() or any(char.isspace() for char in value):
        raise ValueError(
            Sentence("an address without blanks and without «#»; letters beyond ASCII are percent-encoded")
        )
    return value


def _event(value: str) -> str:
    if not PATTERN.fullmatch(value):
        raise ValueError(Sentence("an event («deal.moved»), all of a kind («deal.*») or all («*»)"))
    guess = mistyped(value)
    if guess:
        raise ValueError(Sentence("there is no event «{event}»: {guess}", event=value, guess=guess))
    return value


Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_address)]
EventName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_event)]


class WebhookBody(Body):
    """A subscription: `events` are posted to `url`, signed with `secret` (made where none is given, shown only then).
    One that is not `active` is told of nothing; what waited for it is given up."""

    url: Address
    events: Annotated[list[EventName], Field(min_length=1, max_length=200)]
    active: bool = True
    secret: Annotated[str, StringConstraints(max_length=200, pattern=r"^[\x21-\x7e]*$")] = ""
