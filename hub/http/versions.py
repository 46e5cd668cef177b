"""Records that somebody else changed meanwhile: the refusal shows them as they are now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from crm_core.errors import Outdated

Record = TypeVar("Record")
Answer = TypeVar("Answer", bound=BaseModel)


def or_as_it_is(act: Callable[[], Answer], kind: type[Record], shown: Callable[[Record], BaseModel]) -> Answer:
    """What an act on a record of `kind` answers. Raises Outdated with what the API shows of the record, where the act
    does so with the record itself."""
    try:
        return act()
    except Outdated as err:
        if isinstance(err.current, kind):
            raise Outdated(str(err), shown(err.current)) from err
        raise
