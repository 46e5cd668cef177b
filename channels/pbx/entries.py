"""What the book of calls keeps of each, and how events and states are taken apart for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from channels.pbx.call_facts import CallFacts
from channels.pbx.events import CallEvent, Chan, DialEnded, Dialled
from channels.pbx.states import Leaving, Over, State


@dataclass(slots=True)
class Entry:
    """A call, the blocks that told of it, each with its turn, the turn of the last event, the turn in which it was seen
    to begin (0: it was not), the linkedids of the calls that have become part of it, and whom it concerned when that
    was last told: the telephones that rang, and who talked.
    """

    state: State
    blocks: list[tuple[int, bytes]]
    touched: int
    began: int = 0
    inner: list[str] = field(default_factory=list)
    told: tuple[frozenset[str], str] = (frozenset(), "")

    @property
    def raw(self) -> tuple[bytes, ...]:
        """The blocks alone."""
        return tuple(block for _, block in self.blocks)


def subject_of(event: CallEvent) -> Chan:
    """The channel by which an event finds its call."""
    match event:
        case Dialled(_, parent, dest, _) | DialEnded(_, parent, dest, _):
            return parent or dest
        case _:
            return event.chan


def with_facts(state: State, facts: CallFacts) -> State:
    """The same state with other facts."""
    match state:
        case Leaving(_, since):
            return Leaving(facts, since)
        case Over(_, finished_at):
            return Over(facts, finished_at)
        case _:
            return type(state)(facts)
