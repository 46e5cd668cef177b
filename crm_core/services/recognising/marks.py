"""Which fact gave what: so that the same fact wins in whatever order facts arrive, and no fact overrides a person.

A stamp orders facts: `[microseconds, account, provider's sequence, fact's id]`. A mark is a stamp with the value it
gave; where the value is another one by now, a person of the office changed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_core.messages import InboundEvent

Stamp = list[Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_AFTER_ALL = 10**18  # microseconds; no fact is of that year


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


def learned(event: InboundEvent, value: Any) -> Learned:
    """What a provider told on being asked: it comes after all facts, so that any of them wins."""
    by = stamp_of(event)
    return Learned([by[0] + _AFTER_ALL, *by[1:]], value)


@dataclass(frozen=True, slots=True)
class Learned:
    """A value that stands only as long as no fact gives one."""

    by: Stamp
    value: Any

    @property
    def mark(self) -> list[Any]:
        """The mark of it."""
        return mark(self.by, self.value)

    def stands_in(self, value: Any, known: list[Any] | None) -> bool:
        """Whether it takes the place of `value`: of none, or of one that was told so before."""
        if not value:
            return True
        return known is not None and known[0] >= _AFTER_ALL and later(self.by, known, value)


def when(by: Stamp) -> datetime:
    """The moment of a stamp."""
    return _EPOCH + timedelta(microseconds=by[0])
