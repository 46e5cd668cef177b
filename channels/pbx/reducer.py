"""The pure heart: a call's state and one event give its next state, and the transitions that were passed on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from channels.pbx.call_facts import CallFacts, PbxProfile
from channels.pbx.events import (
    BridgeEntered,
    BridgeLeft,
    CallbackWished,
    CallEvent,
    Chan,
    ChannelChanged,
    ChannelCreated,
    ChannelListed,
    DialEnded,
    Dialled,
    HangupAsked,
    HungUp,
    RecordingStarted,
    created_at,
)
from channels.pbx.states import Inside, Over, Ringing, State, Talking
from crm_core.model.call import CallSnapshot


class Kind(StrEnum):
    """The transitions of a call that are facts of their own."""

    STARTED = "started"
    ANSWERED = "answered"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Transition:
    """A call moved on. `blocks` are the AMI blocks that made it what it is, in order."""

    kind: Kind
    call: CallSnapshot
    blocks: tuple[bytes, ...] = ()


def step(state: State, event: CallEvent, profile: PbxProfile) -> State:
    """The state after one more event. Never raises; an event that tells nothing new returns the state itself."""
    facts = learn(state.facts, event, profile)
    return state if facts is state.facts else state.learnt(facts, event.at)


def passed(before: State, after: State) -> tuple[tuple[Kind, CallSnapshot], ...]:
    """The transitions between two states of a call, each with the call as it stood then."""
    found: list[tuple[Kind, CallSnapshot]] = []
    if before is after or (after.facts.direction is None):
        return ()
    facts = after.facts
    if isinstance(before, Inside):
        found.append((Kind.STARTED, Ringing(replace(facts, answered_at=None, answered_by=None)).snapshot()))
    if before.facts.answered_at is None and facts.answered_at is not None:
        found.append((Kind.ANSWERED, Talking(facts).snapshot()))
    if isinstance(after, Over):
        found.append((Kind.FINISHED, after.snapshot()))
    return tuple(found)


def learn(facts: CallFacts, event: CallEvent, profile: PbxProfile) -> CallFacts:
    """The facts of a call with one more event. The same object where nothing is new."""
    match event:
        case ChannelCreated(_, chan):
            return facts.with_channel(chan, profile)
        case ChannelChanged(at, chan):
            facts = facts.with_channel(chan, profile)
            return facts.with_pickup(chan.uniqueid, at) if chan.up else facts
        case ChannelListed(at, chan, bridge):
            return _listed(facts, event, chan, bridge, profile)
        case Dialled(at, parent, dest, dial_string):
            if parent is None:
                return facts.with_leg(dest, dial_string, profile, at).with_origin(dest)
            return facts.with_channel(parent, profile).with_leg(dest, dial_string, profile, at)
        case DialEnded(at, _, dest, status):
            facts = facts.with_leg(dest, "", profile, created_at(dest.uniqueid, at))
            return facts.with_dial_end(dest.uniqueid, status, at)
        case BridgeEntered(at, chan, bridge):
            facts = facts.with_channel(chan, profile)
            return facts.with_bridge(chan.uniqueid, chan.endpoint, bridge).with_talk(at)
        case BridgeLeft(_, chan, bridge):
            party = facts.party(chan.uniqueid)
            return (
                facts
                if party is None or party.bridge != bridge
                else facts.with_bridge(chan.uniqueid, party.endpoint, "")
            )
        case HangupAsked(_, chan):
            return facts.with_far_hangup(chan.uniqueid)
        case HungUp(at, chan, cause, cause_text):
            return facts.with_hangup(chan.uniqueid, at, cause, cause_text)
        case CallbackWished():
            return facts if facts.wish_callback else replace(facts, wish_callback=True)
        case RecordingStarted():
            return facts if facts.recorded else replace(facts, recorded=True)


def _listed(facts: CallFacts, event: ChannelListed, chan: Chan, bridge: str, profile: PbxProfile) -> CallFacts:
    facts = facts.with_channel(chan, profile)
    if chan.uniqueid != facts.linkedid and not chan.local:
        facts = facts.with_leg(chan, "", profile, created_at(chan.uniqueid, event.at))
        facts = facts.with_pickup(chan.uniqueid, event.at) if chan.up else facts
    return facts.with_bridge(chan.uniqueid, chan.endpoint, bridge).with_talk(event.at) if bridge else facts
