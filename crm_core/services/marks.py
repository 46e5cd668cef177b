"""Which fact gave what: so that the same fact wins in whatever order facts arrive, and no fact overrides a person.

A stamp orders facts: `[microseconds, account, provider's sequence, fact's id]`. A mark is a stamp with the value it
gave; where the value is another one by now, a person of the office changed it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from crm_core.messages import InboundEvent

Stamp = list[Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def stamp_of(event: InboundEvent) -> Stamp:
    """The place of a fact among all facts."""
    return stamp(event.occurred_at, str(event.key), event.sequence, event.external_id)


def stamp(at: datetime, origin: str, sequence: int, fact: str) -> Stamp:
    """The place of a fact that was not the event itself, e.g. the answer of a call."""
    return [(at - _EPOCH) // _MICROSECOND, origin, sequence, fact]


def mark(by: Stamp, value: Any) -> list[Any]:
    """That `value` was given by the fact stamped `by`."""
    return [*by, value]


def earlier(by: Stamp, known: list[Any] | None, value: Any) -> bool:
    """Whether a fact comes before the one that gave `value`; False where a person gave it."""
    return known is not None and known[-1] == value and by < known[:-1]


def later(by: Stamp, known: list[Any] | None, value: Any) -> bool:
    """Whether a fact comes after the one that gave `value`; False where a person gave it."""
    return known is not None and known[-1] == value and by > known[:-1]


def when(by: Stamp) -> datetime:
    """The moment of a stamp."""
    return _EPOCH + timedelta(microseconds=by[0])
