"""Cases: what a client is still owed, derived from the signals on their timeline.

A signal is the part of an entry that matters here: a missed call, an unanswered message, a conversation, a person's
reply, a closing by hand. Folding all signals in the order of their time gives the same cases in whatever order they
became known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

JUMP_MISSES = 3
JUMP_WINDOW = timedelta(minutes=10)


class CaseKind(StrEnum):
    """Why a client waits; a call outweighs a message."""

    CALL = "call"
    MESSAGE = "message"


class CaseState(StrEnum):
    """Whether the client still waits."""

    OPEN = "open"
    CLOSED = "closed"


class Signal(StrEnum):
    """What an entry means for the client's case."""

    MISS = "miss"
    ASK = "ask"
    TALK = "talk"
    REPLY = "reply"
    CLOSE = "close"

    @property
    def settles(self) -> bool:
        """Whether it closes a case."""
        return self in {Signal.TALK, Signal.REPLY, Signal.CLOSE}


@dataclass(frozen=True, slots=True)
class SignalAt:
    """A signal, when it was, the reason it gives for a closing, and the account (channel, name) it came by."""

    signal: Signal
    at: datetime
    reason: str = ""
    origin: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of a client's waiting. `count` signals; `misses` the last few missed calls that have not yet made
    the ladder jump; `origin` the account by which the first signal came."""

    kind: CaseKind
    opened_at: datetime
    count: int = 1
    misses: tuple[datetime, ...] = ()
    closed_at: datetime | None = None
    reason: str = ""
    origin: tuple[str, str] = ("", "")

    @property
    def jumps(self) -> bool:
        """Whether the misses are so many in so short a time that the next rung is told at once."""
        return len(self.misses) >= JUMP_MISSES


def step(span: Span | None, signal: SignalAt) -> Span | None:
    """The span after one more signal, later than all before; None where nobody waits."""
    match signal.signal:
        case Signal.MISS | Signal.ASK:
            kind = CaseKind.CALL if signal.signal is Signal.MISS else CaseKind.MESSAGE
            fresh = (signal.at,) if signal.signal is Signal.MISS else ()
            if span is None or span.closed_at is not None:
                return Span(kind, signal.at, 1, fresh, origin=signal.origin)
            return replace(
                span,
                kind=CaseKind.CALL if CaseKind.CALL in {kind, span.kind} else kind,
                count=span.count + 1,
                misses=_recent(span.misses, signal.at) if fresh else span.misses,
            )
        case Signal.TALK | Signal.REPLY | Signal.CLOSE:
            if span is None or span.closed_at is not None:
                return span
            return replace(span, closed_at=signal.at, reason=signal.reason or signal.signal.value)


def follows(span: Span | None, last: datetime | None, signal: SignalAt) -> bool:
    """Whether `step` from the newest span gives what `fold` over all signals would; `last` is the newest signal's time.

    Of one moment, questions come before what settles them: so a signal of the very moment of the last one follows only
    where somebody still waits, and since before that moment.
    """
    if last is None or signal.at > last:
        return True
    return signal.at == last and span is not None and span.closed_at is None and span.opened_at < signal.at


def fold(signals: Iterable[SignalAt]) -> tuple[Span, ...]:
    """All spans of a client's waiting, oldest first; only the last may be open."""
    spans: list[Span] = []
    for signal in sorted(signals, key=_order):
        last = spans[-1] if spans else None
        current = step(last, signal)
        if current is None or current is last:
            continue
        if last is not None and last.closed_at is None:
            spans[-1] = current
        else:
            spans.append(current)
    return tuple(spans)


def _order(signal: SignalAt) -> tuple[datetime, bool, str, str, tuple[str, str]]:
    """By time; of one moment the questions first. The rest only makes the order the same every time."""
    return signal.at, signal.signal.settles, signal.signal.value, signal.reason, signal.origin


def _recent(misses: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
    """The misses that count towards a jump: after a jump (three of them) counting begins anew."""
    kept = () if len(misses) >= JUMP_MISSES else misses
    return tuple(each for each in (*kept, at) if at - each <= JUMP_WINDOW)
