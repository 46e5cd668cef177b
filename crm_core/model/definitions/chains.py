"""The form of chains: timed messages to a client, one after another, until the client answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from crm_core.model.definitions.base import Body, Delay, Line, Name, Slug
from crm_core.model.definitions.rules import Condition, Moment


class ChainStep(Body):
    """A message by a template, `after` the one before (the beginning), at `at` of that day where given. `channels` are
    tried in this order; where none is named, the client is written to where they wrote last."""

    template: Name
    after: Delay = timedelta(0)
    at: Moment | None = None
    channels: Annotated[list[Slug], Field(max_length=20)] = []


class ChainBody(Body):
    """A chain of messages. It stops when the client answers (`until_answered`), when `stop_when` holds (an expression
    in CEL over the client and the card that began it), when the card is closed (`until_closed`), when the client wants
    no messages."""

    steps: Annotated[list[ChainStep], Field(min_length=1, max_length=100)]
    until_answered: bool = True
    until_closed: bool = True
    stop_when: Condition = ""
    help: Line = ""
