"""Faults to order: what the server does wrong instead of, or after, doing right."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

from hub.demo.peers.vk.errors import VkError


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
    """One fault for one call. `method` limits it to that method (`poll`, `upload`, `file` for what is none)."""

    act: Act
    when: When = When.BEFORE
    status: int = 500
    body: bytes = b""
    method: str | None = None


def error(code: int, words: str = "it is so", method: str | None = None) -> Fault:
    """One of VK's errors, with status 200."""
    return Fault(Act.ANSWER, status=200, body=VkError(code, words).encoded(), method=method)


def status(code: int, method: str | None = None) -> Fault:
    """A status of a proxy, with a page that is no JSON."""
    return Fault(Act.ANSWER, status=code, body=b"<html><body>nginx</body></html>", method=method)


def garbage(body: bytes = b"\xff{", method: str | None = None) -> Fault:
    """200 with a body that is no JSON, or not what anybody expects."""
    return Fault(Act.ANSWER, status=200, body=body, method=method)


def hang(when: When = When.BEFORE, method: str | None = None) -> Fault:
    """No answer until the client goes away."""
    return Fault(Act.HANG, when, method=method)


def drop(when: When = When.BEFORE, method: str | None = None) -> Fault:
    """The connection is cut."""
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
            if fault.method is None or fault.method == method:
                self._next.remove(fault)
                return fault
        return None

    @property
    def pending(self) -> int:
        """How many have not struck yet."""
        return len(self._next)
