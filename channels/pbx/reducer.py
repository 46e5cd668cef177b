"""The pure heart: a call's state and one event give its next state, and the transitions that were passed on the way."""

from __future__ import annotations

from dataclasses import dataclass
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
    Held,
    HungUp,
    Parked,
    PickedUp,
    RecordingStarted,
    Unheld,
    created_at,
)
from channels.pbx.states import Inside, Over, Ringing, State, Talking
from channels.pbx.talks import SILENCE
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
        found.append((Kind.STARTED, Ringing(_unanswered(facts)).snapshot()))
    if before.facts.answered_at is None and facts.answered_at is not None:
        found.append((Kind.ANSWERED, Talking(facts).snapshot()))
    if isinstance(after, Over):
        found.append((Kind.FINISHED, after.snapshot()))
    return tuple(found)


def _unanswered(facts: CallFacts) -> CallFacts:
    return facts._replace(answered_at=None, answered_by=None, guessed=False, talks=SILENCE)


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
        case Dialled() | DialEnded():
            return _dialling(facts, event, profile)
        case CallbackWished():
            return facts if facts.wish_callback else facts._replace(wish_callback=True)
        case RecordingStarted():
            return facts if facts.recorded else facts._replace(recorded=True)
        case HangupAsked(_, chan):
            return facts.with_far_hangup(chan.uniqueid)
        case HungUp(at, chan, cause, cause_text):
            return facts.with_hangup(chan.uniqueid, at, cause, cause_text).with_talk(at)
        case _:
            return _talking(facts, event, profile)


def _dialling(facts: CallFacts, event: Dialled | DialEnded, profile: PbxProfile) -> CallFacts:
    match event:
        case Dialled(at, parent, dest, dial_string):
            if parent is None:
                return facts.with_leg(dest, dial_string, profile, at).with_origin(dest)
            return facts.with_channel(parent, profile).with_leg(dest, dial_string, profile, at, parent.uniqueid)
        case DialEnded(at, parent, dest, status):
            rang_at = created_at(dest.uniqueid, at)
            facts = facts.with_leg(dest, "", profile, rang_at, parent.uniqueid if parent is not None else "")
            return facts.with_dial_end(dest.uniqueid, status, at)


def _talking(
    facts: CallFacts, event: BridgeEntered | BridgeLeft | Held | Unheld | PickedUp | Parked, profile: PbxProfile
) -> CallFacts:
    match event:
        case BridgeEntered(at, chan, bridge):
            facts = facts.with_channel(chan, profile)
            return facts.with_bridge(chan.uniqueid, chan.endpoint, bridge).with_talk(at)
        case BridgeLeft(at, chan, bridge):
            party = facts.party(chan.uniqueid)
            if party is None or party.bridge != bridge:
                return facts
            return facts.with_bridge(chan.uniqueid, party.endpoint, "").with_talk(at)
        case Held(at, chan):
            return facts.with_hold(chan.uniqueid, at)
        case Unheld(at, chan):
            return facts.with_unhold(chan.uniqueid, at)
        case PickedUp(_, _, picker):
            return facts.with_picker(picker, profile)
        case Parked(at, chan):
            return facts.with_parking(chan.uniqueid, at)


def _listed(facts: CallFacts, event: ChannelListed, chan: Chan, bridge: str, profile: PbxProfile) -> CallFacts:
    facts = facts.with_channel(chan, profile)
    if chan.uniqueid != facts.linkedid and not chan.local:
        facts = facts.with_leg(chan, "", profile, created_at(chan.uniqueid, event.at))
        facts = facts.with_pickup(chan.uniqueid, event.at) if chan.up else facts
    return (
        facts.with_bridge(chan.uniqueid, chan.endpoint, bridge).with_talk(event.at, guessed=True) if bridge else facts
    )
