"""Faults to order from a strict server: what it does wrong instead of, or after, doing right."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum


class When(Enum):
    """Whether a fault strikes before the call takes effect or after."""

    BEFORE = "before"
    AFTER = "after"


class Act(Enum):
    """What goes wrong."""

    ANSWER = "answer"
    HANG = "hang"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault for one call. `method` limits it to that method, or to what is none
    (`file`, `poll`, `upload`); None takes any."""

    act: Act
    when: When = When.BEFORE
    status: int = 500
    body: bytes = b""
    content_type: str = "application/json"
    method: str | None = None


def garbage(body: bytes = b"\xff\xfe{", method: str | None = None) -> Fault:
    """200 with a body that is no JSON."""
    return Fault(Act.ANSWER, status=200, body=body, method=method)


def hang(when: When = When.BEFORE, method: str | None = None) -> Fault:
    """No answer until the client goes away, before or after the call took effect."""
    return Fault(Act.HANG, when, method=method)


def drop(when: When = When.BEFORE, method: str | None = None) -> Fault:
    """The connection is cut, before or after the call took effect."""
    return Fault(Act.DROP, when, method=method)


class FaultPlan:
    """The faults that have not struck yet, in order."""

    def __init__(self) -> None:
        self._next: deque[Fault] = deque()

    def add(self, *faults: Fault) -> None:
        """Plan one fault for each of the next calls it applies to."""
        self._next.extend(faults)

    def take(self, method: str) -> Fault | None:
        """The first planned fault that applies to a call of `method`; it is spent."""
        for fault in self._next:
            if fault.method is None or fault.method.lower() == method.lower():
                self._next.remove(fault)
                return fault
        return None

    @property
    def pending(self) -> int:
        """How many have not struck yet."""
        return len(self._next)

    def clear(self) -> None:
        """Forget what is planned."""
        self._next.clear()
