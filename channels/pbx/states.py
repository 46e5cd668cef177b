"""The states of a call. Each is a frozen dataclass whose methods lead to the next; they only move forward."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.pbx.call_facts import CallFacts
from crm_core.model.call import CallSnapshot, CallState, Direction


@dataclass(frozen=True, slots=True)
class Inside:
    """No client takes part as far as is known: an internal call, or one whose client is still to be dialled."""

    facts: CallFacts

    def learnt(self, facts: CallFacts, at: datetime) -> State:
        """With more known: still internal, gone, or a call with a client."""
        if facts.direction is not None:
            return Ringing(facts).learnt(facts, at)
        return Inside(facts) if facts.alive else Gone(facts)


@dataclass(frozen=True, slots=True)
class Ringing:
    """A client waits, or is being rung."""

    facts: CallFacts

    def learnt(self, facts: CallFacts, at: datetime) -> State:
        """With more known: still ringing, talking, or over."""
        if facts.answered_at is not None:
            return Talking(facts).learnt(facts, at)
        return _ending(facts, at) or Ringing(facts)

    def snapshot(self) -> CallSnapshot:
        """The call as it stands."""
        return self.facts.snapshot(CallState.RINGING)

    @property
    def telephones(self) -> frozenset[str]:
        """The channels of the telephones that a calling client rings now; whoever picked up rings until they are
        through."""
        if self.facts.direction is not Direction.IN:
            return frozenset()
        return frozenset(leg.uniqueid for leg in self.facts.legs if leg.ended_at is None)

    @property
    def concerns(self) -> tuple[frozenset[str], str]:
        """The telephones that ring now, and who talks: nobody."""
        return self.telephones, ""


@dataclass(frozen=True, slots=True)
class Talking:
    """Client and office have heard each other."""

    facts: CallFacts

    def learnt(self, facts: CallFacts, at: datetime) -> State:
        """With more known: still talking, or over."""
        return _ending(facts, at) or Talking(facts)

    def snapshot(self) -> CallSnapshot:
        """The call as it stands."""
        return self.facts.snapshot(CallState.ANSWERED)

    @property
    def concerns(self) -> tuple[frozenset[str], str]:
        """The channels of the telephones that the call is passed on to now, and who talks."""
        return frozenset(leg.uniqueid for leg in self.facts.passed_on()), self.facts.talks.partner


@dataclass(frozen=True, slots=True)
class Leaving:
    """The client is gone since `since`; other channels have not said good-bye yet."""

    facts: CallFacts
    since: datetime

    def learnt(self, facts: CallFacts, at: datetime) -> State:
        """With more known: over once the last channel is gone. What counts is when the client left, not `at`."""
        del at
        return Leaving(facts, self.since) if facts.alive else Over(facts, self.since)

    def ended(self) -> State:
        """Over as well when the others take too long about it."""
        return Over(self.facts, self.since)


@dataclass(frozen=True, slots=True)
class Over:
    """The call has ended."""

    facts: CallFacts
    finished_at: datetime

    def learnt(self, facts: CallFacts, at: datetime) -> State:
        """Nothing changes any more."""
        del facts, at
        return self

    def snapshot(self) -> CallSnapshot:
        """The call, complete."""
        return self.facts.snapshot(self.facts.outcome(), self.finished_at)


@dataclass(frozen=True, slots=True)
class Gone:
    """An internal call has ended; nobody is told."""

    facts: CallFacts

    def learnt(self, facts: CallFacts, at: datetime) -> State:
        """Nothing changes any more."""
        del facts, at
        return self


State = Inside | Ringing | Talking | Leaving | Over | Gone


def _ending(facts: CallFacts, at: datetime) -> State | None:
    if not facts.alive:
        return Over(facts, facts.client_left_at or at)
    clients = [party for party in facts.parties if facts.is_client(party)]
    abandoned_by_client = facts.client_left_at is not None and not any(party.alive for party in clients)
    if abandoned_by_client and (facts.direction is Direction.IN or facts.answered_at is not None):
        return Leaving(facts, facts.client_left_at or at)
    return None
