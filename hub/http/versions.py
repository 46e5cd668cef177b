"""Records as answers show them: after all that follows from an act; and where somebody else changed one meanwhile, as
it is now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from crm_core.errors import Outdated
from crm_core.services.desk import Desk
from crm_core.services.settling import settle

Record = TypeVar("Record")
Row = TypeVar("Row", bound=tuple[Any, ...])
Answer = TypeVar("Answer", bound=BaseModel)


def as_it_is(desk: Desk, record: Row) -> Row:
    """A record after all that follows from what was done in this transaction, such as what rules make of it."""
    settle(desk)
    return desk.work.peek(type(record), record[0]) or record


def or_as_it_is(act: Callable[[], Answer], kind: type[Record], shown: Callable[[Record], BaseModel]) -> Answer:
    """What an act on a record of `kind` answers. Raises Outdated with what the API shows of the record, where the act
    does so with the record itself."""
    try:
        return act()
    except Outdated as err:
        if isinstance(err.current, kind):
            raise Outdated(str(err), shown(err.current)) from err
        raise
