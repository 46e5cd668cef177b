"""What is known of one call: its channels, the legs that were rung, and what it all comes to. Immutable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from channels.pbx.events import Chan, created_at
from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction

CAUSE_BUSY = 17
CAUSE_REJECTED = 21
_BUSY = frozenset({"BUSY"})
_NO_ANSWER_CAUSES = frozenset({0, 16, 18, 19, 26, 31, 127})
_DIALLED_SIGNS = frozenset("+0123456789")


@dataclass(frozen=True, slots=True)
class PbxProfile:
    """How this PBX is wired: the endpoints behind which clients are, and how the contexts begin where calls enter."""

    trunks: frozenset[str] = frozenset({"PJSIP/trunk"})
    inbound_contexts: tuple[str, ...] = ("hub-inbound", "from-trunk", "from-pstn", "from-did")

    def outside(self, endpoint: str) -> bool:
        """Whether the far end of this endpoint is a client."""
        return endpoint in self.trunks

    def entrance(self, context: str) -> bool:
        """Whether calls of clients enter in this context; FreePBX has one for each trunk (`from-trunk-pjsip-…`)."""
        return context.startswith(self.inbound_contexts)


@dataclass(frozen=True, slots=True)
class Party:
    """A channel of the call: who is behind it, whether it lives, the bridge it is in."""

    uniqueid: str
    endpoint: str
    outside: bool
    local: bool
    alive: bool = True
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """An endpoint that was rung. `status` is Asterisk's word for how the ringing ended."""

    uniqueid: str
    endpoint: str
    outside: bool
    rang_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int = 0
    status: str = ""

    @property
    def busy(self) -> bool:
        """Whether it refused because somebody was talking."""
        return self.status in _BUSY or self.cause == CAUSE_BUSY

    def snapshot(self) -> CallLeg:
        """The leg as the record keeps it."""
        return CallLeg(self.endpoint, self.rang_at, self.answered_at, self.ended_at, self.cause)


_Change = Callable[[Leg], Leg]


@dataclass(frozen=True, slots=True)
class CallFacts:
    """All facts of a call; every method returns the facts with one more. `direction` is None while it is internal."""

    linkedid: str
    started_at: datetime
    direction: Direction | None = None
    number: str = ""
    line: str = ""
    caller_name: str = ""
    parties: tuple[Party, ...] = ()
    legs: tuple[Leg, ...] = ()
    answered_at: datetime | None = None
    answered_by: str | None = None
    client_left_at: datetime | None = None
    cause: int = 0
    cause_text: str = ""
    hung_up_by: str = ""
    recorded: bool = False
    wish_callback: bool = False

    # ------------------------------------------------------------ questions

    def party(self, uniqueid: str) -> Party | None:
        """The party behind a channel."""
        return next((party for party in self.parties if party.uniqueid == uniqueid), None)

    def leg(self, uniqueid: str) -> Leg | None:
        """The leg of a channel."""
        return next((leg for leg in self.legs if leg.uniqueid == uniqueid), None)

    @property
    def alive(self) -> bool:
        """Whether any channel of the call lives."""
        return any(party.alive for party in self.parties)

    def is_client(self, party: Party) -> bool:
        """Whether the client is behind this party: the one who called, or whoever is reached through a trunk."""
        if self.direction is Direction.IN:
            return party.uniqueid == self.linkedid
        return party.outside

    def partner(self) -> Party | None:
        """Whom the client talks with now: another party in the client's bridge, a telephone rather than a wire."""
        bridges = {party.bridge for party in self.parties if party.bridge and self.is_client(party)}
        others = [party for party in self.parties if party.bridge in bridges and not self.is_client(party)]
        return min(others, key=lambda party: party.local, default=None)

    # ------------------------------------------------------------ facts that come in

    def with_channel(self, chan: Chan, profile: PbxProfile) -> CallFacts:
        """A channel was seen. The first channel of a call that comes through a trunk makes it an inbound call."""
        if self.party(chan.uniqueid) is not None:
            return self
        party = Party(chan.uniqueid, chan.endpoint, profile.outside(chan.endpoint), chan.local)
        facts = replace(self, parties=(*self.parties, party))
        entered = party.outside or profile.entrance(chan.context)
        if facts.direction is None and chan.uniqueid == self.linkedid and entered:
            return replace(
                facts,
                direction=Direction.IN,
                number=chan.number,
                caller_name=chan.caller_name,
                line=dialled_number(chan.exten),
            )
        return facts

    def with_leg(self, chan: Chan, dial_string: str, profile: PbxProfile, at: datetime) -> CallFacts:
        """An endpoint is being rung. Ringing a client through a trunk makes a call an outgoing one."""
        facts = self.with_channel(chan, profile)
        if chan.local or facts.leg(chan.uniqueid) is not None:
            return facts
        outside = profile.outside(chan.endpoint)
        technology = chan.endpoint.partition("/")[0]
        endpoint = f"{technology}/{dial_string}" if outside and dial_string else chan.endpoint
        facts = replace(facts, legs=(*facts.legs, Leg(chan.uniqueid, endpoint, outside, at)))
        if outside and facts.direction is None:
            number = dialled_number(dial_string.partition("@")[0].rpartition("/")[2]) or dialled_number(chan.number)
            return replace(facts, direction=Direction.OUT, number=number)
        return facts

    def with_origin(self, chan: Chan) -> CallFacts:
        """The PBX was told to ring a telephone in a client's name: an outgoing call from the first ring."""
        own = chan.endpoint.rpartition("/")[2]
        number = dialled_number(chan.number)
        if self.direction is not None or not number or number == own or len(number) < 5:
            return self
        return replace(self, direction=Direction.OUT, number=number, caller_name=chan.caller_name)

    def with_pickup(self, uniqueid: str, at: datetime) -> CallFacts:
        """A leg was picked up."""
        return self._with_leg(uniqueid, lambda leg: replace(leg, answered_at=leg.answered_at or at))

    def with_dial_end(self, uniqueid: str, status: str, at: datetime) -> CallFacts:
        """The ringing of a leg ended."""
        if status == "ANSWER":
            return self.with_pickup(uniqueid, at)
        return self._with_leg(
            uniqueid, lambda leg: replace(leg, status=leg.status or status, ended_at=leg.ended_at or at)
        )

    def with_bridge(self, uniqueid: str, endpoint: str, bridge: str) -> CallFacts:
        """A channel entered a bridge (`""`: left it). The endpoint may have changed: calls are picked up and moved."""
        party = self.party(uniqueid)
        if party is None or not party.alive:
            return self
        return self._with_party(replace(party, bridge=bridge, endpoint=endpoint))

    def with_talk(self, at: datetime) -> CallFacts:
        """Client and office hear each other."""
        partner = self.partner()
        if partner is None or self.answered_at is not None:
            return self
        if partner.local:
            # the telephone is behind a wire: it is the one picked up last
            inbound = self.direction is Direction.IN
            picked = [leg for leg in self.legs if leg.answered_at is not None and (inbound or not leg.outside)]
            endpoint = picked[-1].endpoint if picked else partner.endpoint
        else:
            leg = self.leg(partner.uniqueid)
            endpoint = leg.endpoint if leg is not None and leg.outside else partner.endpoint
        return replace(self, answered_at=at, answered_by=endpoint)

    def with_far_hangup(self, uniqueid: str) -> CallFacts:
        """The far end of a channel hung up. A leg that refuses to ring does not end the call."""
        party = self.party(uniqueid)
        if party is None or self.hung_up_by or not (self.is_client(party) or self.answered_at is not None):
            return self
        return replace(self, hung_up_by="client" if self.is_client(party) else "office")

    def with_hangup(self, uniqueid: str, at: datetime, cause: int, cause_text: str) -> CallFacts:
        """A channel is gone."""
        party = self.party(uniqueid)
        if party is None or not party.alive:
            return self
        facts = self._with_leg(
            uniqueid, lambda leg: replace(leg, ended_at=leg.ended_at or at, cause=leg.cause or cause)
        ).without(party)
        if facts.is_client(party):
            return replace(facts, client_left_at=at, cause=cause, cause_text=cause_text)
        if not facts.alive and facts.client_left_at is None:
            return replace(facts, cause=cause, cause_text=cause_text)
        return facts

    def without(self, party: Party) -> CallFacts:
        """The party's channel lives no more."""
        return self._with_party(replace(party, alive=False, bridge=""))

    def absorbing(self, other: CallFacts) -> CallFacts:
        """The channels and legs of an internal call that has become part of this one."""
        parties = tuple(party for party in other.parties if self.party(party.uniqueid) is None)
        legs = tuple(leg for leg in other.legs if self.leg(leg.uniqueid) is None)
        return replace(self, parties=(*self.parties, *parties), legs=(*self.legs, *legs))

    # ------------------------------------------------------------ what it comes to

    def outcome(self) -> CallState:
        """What a call that is over comes to."""
        if self.answered_at is not None:
            return CallState.ANSWERED
        return self._outcome_in() if self.direction is Direction.IN else self._outcome_out()

    def snapshot(self, state: CallState, finished_at: datetime | None = None, *, settled: bool = False) -> CallSnapshot:
        """The call as the record keeps it."""
        return CallSnapshot(
            linkedid=self.linkedid,
            direction=self.direction or Direction.IN,
            number=self.number,
            line=self.line,
            state=state,
            started_at=self.started_at,
            caller_name=self.caller_name,
            answered_at=self.answered_at,
            finished_at=finished_at,
            answered_by=self.answered_by,
            legs=tuple(leg.snapshot() for leg in self.legs),
            cause=self.cause,
            cause_text=self.cause_text,
            hung_up_by=self.hung_up_by,
            recording=f"{self.linkedid}.wav" if self.recorded and self.answered_at is not None else None,
            wish_callback=self.wish_callback,
            settled=settled,
        )

    def _outcome_in(self) -> CallState:
        if not self.legs and self.cause == CAUSE_REJECTED:
            return CallState.REJECTED
        if self.hung_up_by == "client" or self.cause == 127:
            return CallState.ABANDONED
        if self.legs and all(leg.busy for leg in self.legs):
            return CallState.BUSY
        return CallState.MISSED

    def _outcome_out(self) -> CallState:
        clients = [leg for leg in self.legs if leg.outside]
        if not clients:
            # the manager did not take it: the client was never rung
            return CallState.FAILED
        last = clients[-1]
        if last.busy:
            return CallState.BUSY
        if last.status in {"NOANSWER", "CANCEL"} or (not last.status and last.cause in _NO_ANSWER_CAUSES):
            return CallState.NO_ANSWER
        return CallState.FAILED

    def _with_party(self, changed: Party) -> CallFacts:
        if changed in self.parties:
            return self
        return replace(
            self, parties=tuple(changed if party.uniqueid == changed.uniqueid else party for party in self.parties)
        )

    def _with_leg(self, uniqueid: str, change: _Change) -> CallFacts:
        legs = tuple(change(leg) if leg.uniqueid == uniqueid else leg for leg in self.legs)
        return self if legs == self.legs else replace(self, legs=legs)


def dialled_number(text: str) -> str:
    """A dialled number, empty where the text is none (`s`, `T`, a name)."""
    return text if text and _DIALLED_SIGNS.issuperset(text) else ""


def new_facts(chan: Chan, at: datetime, *, created_now: bool) -> CallFacts:
    """The facts of a call of which `chan` is the first thing seen; an unseen birth is dated by the call's id."""
    return CallFacts(
        chan.linkedid, at if created_now and chan.uniqueid == chan.linkedid else created_at(chan.linkedid, at)
    )
