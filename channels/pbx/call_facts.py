"""What is known of one call: its channels, the legs that were rung, and what it all comes to. Immutable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from channels.pbx.events import Chan, created_at
from channels.pbx.parties import CAUSE_BUSY, Leg, Party, PbxProfile, dialled_number
from channels.pbx.talks import PARKED, SILENCE, Talks
from crm_core.model.call import CallSnapshot, CallState, Direction

__all__ = ["CAUSE_BUSY", "CallFacts", "PbxProfile", "dialled_number", "new_facts"]

CAUSE_REJECTED = 21
_NO_ANSWER_CAUSES = frozenset({0, 16, 18, 19, 26, 31, 127})


_Change = Callable[[Leg], Leg]


class CallFacts(NamedTuple):
    """All facts of a call; every method returns the facts with one more. `direction` is None while it is internal.

    `answered_at` and `answered_by` are of the first conversation, `guessed` where it had begun before it was seen.
    """

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
    guessed: bool = False
    talks: Talks = SILENCE
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

    def passed_on(self) -> tuple[Leg, ...]:
        """The telephones that ring for a client who talks or talked with somebody else: the call is being passed on.
        Whoever picked up rings until they are through; whoever rang before the answer was not quicker."""
        if self.answered_at is None:
            return ()
        asked = (leg for leg in self.legs if leg.ended_at is None and leg.rang_at > self.answered_at)
        return tuple(leg for leg in asked if not self.talks.reached(leg.endpoint, leg.rang_at))

    def partner(self) -> Party | None:
        """Whom the client is in a bridge with now: a telephone of the office rather than another client or a wire."""
        bridges = {party.bridge for party in self.parties if party.bridge and self.is_client(party)}
        others = [party for party in self.parties if party.bridge in bridges and not self.is_client(party)]
        return min(others, key=lambda party: (party.local, party.outside), default=None)

    def telephone(self, party: Party) -> tuple[str, Leg | None]:
        """The endpoint by which a party is known, and its ringing; behind a wire those of who is at its other end."""
        seen = {party.uniqueid}
        while party.local:
            found = self._far_end(party, seen)
            if found is None:
                # nothing leads on: it is the telephone picked up last
                inbound = self.direction is Direction.IN
                picked = [leg for leg in self.legs if leg.answered_at is not None and (inbound or not leg.outside)]
                return (picked[-1].endpoint, picked[-1]) if picked else (party.endpoint, None)
            seen.add(found.uniqueid)
            party = found
        leg = self.leg(party.uniqueid)
        return (leg.endpoint if leg is not None and leg.outside else party.endpoint), leg

    def _far_end(self, party: Party, seen: set[str]) -> Party | None:
        half = next((each for each in self.parties if each.wire == party.wire and each.uniqueid not in seen), None)
        if half is None:
            return None
        seen.add(half.uniqueid)
        there = [each for each in self.parties if half.bridge and each.bridge == half.bridge]
        rung = {leg.uniqueid for leg in self.legs if leg.parent == half.uniqueid and leg.answered_at is not None}
        there += [each for each in self.parties if each.uniqueid in rung]
        others = [each for each in there if each.uniqueid not in seen and not self.is_client(each)]
        return min(others, key=lambda each: each.local, default=None)

    # ------------------------------------------------------------ facts that come in

    def with_channel(self, chan: Chan, profile: PbxProfile) -> CallFacts:
        """A channel was seen. The first channel of a call that comes through a trunk makes it an inbound call."""
        if self.party(chan.uniqueid) is not None:
            return self
        wire = chan.name.rpartition(";")[0] if chan.local else ""
        party = Party(chan.uniqueid, chan.endpoint, profile.outside(chan.endpoint), chan.local, wire)
        facts = self._replace(parties=(*self.parties, party))
        entered = party.outside or profile.entrance(chan.context)
        if facts.direction is None and chan.uniqueid == self.linkedid and entered:
            return facts._replace(
                direction=Direction.IN,
                number=chan.number,
                caller_name=chan.caller_name,
                line=dialled_number(chan.exten),
            )
        return facts

    def with_leg(self, chan: Chan, dial_string: str, profile: PbxProfile, at: datetime, parent: str = "") -> CallFacts:
        """An endpoint is being rung. Ringing a client through a trunk makes a call an outgoing one."""
        facts = self.with_channel(chan, profile)
        party = facts.party(chan.uniqueid)
        if chan.local or facts.leg(chan.uniqueid) is not None or (party is not None and party.picker):
            return facts
        outside = profile.outside(chan.endpoint)
        technology = chan.endpoint.partition("/")[0]
        endpoint = f"{technology}/{dial_string}" if outside and dial_string else chan.endpoint
        leg = Leg(chan.uniqueid, endpoint, outside, max(at, self.started_at), parent)
        facts = facts._replace(legs=(*facts.legs, leg))
        if outside and facts.direction is None:
            number = dialled_number(dial_string.partition("@")[0].rpartition("/")[2]) or dialled_number(chan.number)
            return facts._replace(direction=Direction.OUT, number=number)
        return facts

    def with_origin(self, chan: Chan) -> CallFacts:
        """The PBX was told to ring a telephone in a client's name: an outgoing call from the first ring."""
        own = chan.endpoint.rpartition("/")[2]
        number = dialled_number(chan.number)
        if self.direction is not None or not number or number == own or len(number) < 5:
            return self
        return self._replace(direction=Direction.OUT, number=number, caller_name=chan.caller_name)

    def with_pickup(self, uniqueid: str, at: datetime) -> CallFacts:
        """A leg was picked up."""
        return self._with_leg(uniqueid, lambda leg: leg._replace(answered_at=leg.answered_at or at))

    def with_dial_end(self, uniqueid: str, status: str, at: datetime) -> CallFacts:
        """The ringing of a leg ended."""
        if status == "ANSWER":
            return self.with_pickup(uniqueid, at)
        return self._with_leg(
            uniqueid, lambda leg: leg._replace(status=leg.status or status, ended_at=leg.ended_at or at)
        )

    def with_bridge(self, uniqueid: str, endpoint: str, bridge: str) -> CallFacts:
        """A channel entered a bridge (`""`: left it). The endpoint may have changed: calls are picked up and moved."""
        party = self.party(uniqueid)
        if party is None or not party.alive:
            return self
        return self._with_party(party._replace(bridge=bridge, endpoint=endpoint))

    def with_talk(self, at: datetime, *, guessed: bool = False) -> CallFacts:
        """Whoever is in a bridge with the client by now hears them. `guessed`: since when is not known."""
        partner = self.partner()
        if partner is None:
            return self._with_talks(self.talks.alone(at))
        endpoint, leg = self.telephone(partner)
        now = self.talks.now
        if now is not None and now.endpoint == endpoint:
            return self
        # a channel moved to another telephone than rang, or somebody took it
        picked_up = partner.picker or (leg is not None and leg.endpoint != endpoint)
        began = self.talks.alone(at).began(leg.rang_at if leg else None, picked_up=picked_up)
        facts = self._replace(talks=self.talks.with_partner(endpoint, began, at), hung_up_by="")
        if self.answered_at is None:
            facts = facts._replace(answered_at=at, answered_by=endpoint, guessed=guessed)
        return facts

    def with_hold(self, uniqueid: str, at: datetime) -> CallFacts:
        """A telephone put the other side on hold; that counts where it talks with the client."""
        party, now = self.party(uniqueid), self.talks.now
        if party is None or now is None or self.is_client(party) or self.telephone(party)[0] != now.endpoint:
            return self
        return self._with_talks(self.talks.held(uniqueid, at))

    def with_unhold(self, uniqueid: str, at: datetime) -> CallFacts:
        """A telephone took the other side back."""
        return self._with_talks(self.talks.resumed(uniqueid, at))

    def with_parking(self, uniqueid: str, at: datetime) -> CallFacts:
        """A channel was parked; that counts where it is the client's."""
        party = self.party(uniqueid)
        if party is None or not party.alive or not self.is_client(party) or not self.talks.all:
            return self
        talks = self.talks.resumed(self.talks.held_by, at).held(PARKED, at)
        return self._replace(talks=talks, hung_up_by="")

    def with_picker(self, chan: Chan, profile: PbxProfile) -> CallFacts:
        """Somebody takes the call from a colleague's telephone.

        Asterisk may tell of the end of ringing, and even of the conversation, before it tells who took the call: their
        own telephone has not rung.
        """
        facts = self.with_channel(chan, profile)
        parties = (each._replace(picker=True) if each.uniqueid == chan.uniqueid else each for each in facts.parties)
        legs = tuple(leg for leg in facts.legs if leg.uniqueid != chan.uniqueid)
        return facts._replace(parties=tuple(parties), legs=legs, talks=facts.talks.picked_up(chan.endpoint))

    def with_far_hangup(self, uniqueid: str) -> CallFacts:
        """The far end of a channel hung up. A telephone that refuses to ring does not end the call."""
        party = self.party(uniqueid)
        if party is None or not party.alive:
            return self
        leg, by = self.leg(uniqueid), self.hung_up_by
        if leg is not None and leg.answered_at is None:
            pass
        elif self.is_client(party):
            # where the office hung up first, the client's own hanging up is no more than an answer to that
            by = "client" if self.talks.now is None else by or "client"
        elif self.talks.now is not None:
            by = by or ("office" if self.telephone(party)[0] == self.talks.now.endpoint else "")
        elif self.direction is Direction.OUT and uniqueid == self.linkedid and self.answered_at is None:
            by = "office"
        return self if by == self.hung_up_by else self._replace(hung_up_by=by)

    def with_hangup(self, uniqueid: str, at: datetime, cause: int, cause_text: str) -> CallFacts:
        """A channel is gone."""
        party = self.party(uniqueid)
        if party is None or not party.alive:
            return self
        facts = self._with_leg(
            uniqueid, lambda leg: leg._replace(ended_at=leg.ended_at or at, cause=leg.cause or cause)
        ).without(party)
        if facts.is_client(party):
            return facts._replace(client_left_at=at, cause=cause, cause_text=cause_text)
        if not facts.alive and facts.client_left_at is None:
            return facts._replace(cause=cause, cause_text=cause_text)
        return facts

    def without(self, party: Party) -> CallFacts:
        """The party's channel lives no more."""
        return self._with_party(party._replace(alive=False, bridge=""))

    def absorbing(self, other: CallFacts) -> CallFacts:
        """The channels and legs of an internal call that has become part of this one."""
        parties = tuple(party for party in other.parties if self.party(party.uniqueid) is None)
        legs = tuple(leg for leg in other.legs if self.leg(leg.uniqueid) is None)
        return self._replace(parties=(*self.parties, *parties), legs=(*self.legs, *legs))

    def joined_by(self, other: CallFacts, uniqueid: str) -> CallFacts:
        """A channel of another client's call has come into a bridge with this one."""
        party, leg = other.party(uniqueid), other.leg(uniqueid)
        if party is None or self.party(uniqueid) is not None:
            return self
        legs = (*self.legs, leg) if leg is not None and self.leg(uniqueid) is None else self.legs
        return self._replace(parties=(*self.parties, party), legs=legs)

    # ------------------------------------------------------------ what it comes to

    def outcome(self) -> CallState:
        """What a call that is over comes to."""
        if self.answered_at is not None:
            return CallState.ANSWERED
        return self._outcome_in() if self.direction is Direction.IN else self._outcome_out()

    def snapshot(self, state: CallState, finished_at: datetime | None = None, *, settled: bool = False) -> CallSnapshot:
        """The call as the record keeps it."""
        talks = self.talks.until(finished_at) if finished_at is not None else self.talks
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
            hold_s=round(talks.hold_s, 3),
            talks=talks.all,
            guessed=self.guessed,
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

    def _with_talks(self, talks: Talks) -> CallFacts:
        return self if talks is self.talks else self._replace(talks=talks)

    def _with_party(self, changed: Party) -> CallFacts:
        if changed in self.parties:
            return self
        return self._replace(
            parties=tuple(changed if party.uniqueid == changed.uniqueid else party for party in self.parties)
        )

    def _with_leg(self, uniqueid: str, change: _Change) -> CallFacts:
        legs = tuple(change(leg) if leg.uniqueid == uniqueid else leg for leg in self.legs)
        return self if legs == self.legs else self._replace(legs=legs)


def new_facts(chan: Chan, at: datetime, *, created_now: bool) -> CallFacts:
    """The facts of a call of which `chan` is the first thing seen; an unseen birth is dated by the call's id."""
    return CallFacts(
        chan.linkedid, at if created_now and chan.uniqueid == chan.linkedid else created_at(chan.linkedid, at)
    )
