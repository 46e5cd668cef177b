"""What happens in a PBX, as types; `events` reads them off the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Chan(NamedTuple):
    """A channel as an event describes it. `uniqueid` is its own, `linkedid` the call's; `number` may be empty."""

    name: str
    uniqueid: str
    linkedid: str
    up: bool = False
    number: str = ""
    caller_name: str = ""
    context: str = ""
    exten: str = ""

    @property
    def endpoint(self) -> str:
        """`PJSIP/101` of `PJSIP/101-0000001f`."""
        return endpoint_of(self.name)

    @property
    def local(self) -> bool:
        """Whether it is one half of a Local channel, a wire inside Asterisk and nobody's telephone."""
        return self.name.startswith("Local/")


def endpoint_of(channel: str) -> str:
    """The endpoint of a channel name; one half of a Local channel keeps its `;1`."""
    stem, dash, tail = channel.rpartition("-")
    return stem if dash and stem and tail.partition(";")[0].isalnum() else channel


@dataclass(frozen=True, slots=True)
class ChannelCreated:
    """A channel came into being."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """A channel began to ring or was picked up."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class ChannelListed:
    """A channel that lives at the moment of asking, and its bridge if any; its creation may not have been seen."""

    at: datetime
    chan: Chan
    bridge: str = ""


@dataclass(frozen=True, slots=True)
class ListingEnded:
    """All living channels have been listed."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Dialled:
    """`parent` (None for an originated call) rings `dest`."""

    at: datetime
    parent: Chan | None
    dest: Chan
    dial_string: str


@dataclass(frozen=True, slots=True)
class DialEnded:
    """The ringing of `dest` is over: ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL …"""

    at: datetime
    parent: Chan | None
    dest: Chan
    status: str


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    """A channel joined a bridge; in a bridge people hear each other."""

    at: datetime
    chan: Chan
    bridge: str


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    """A channel left a bridge."""

    at: datetime
    chan: Chan
    bridge: str


@dataclass(frozen=True, slots=True)
class HangupAsked:
    """The far end of a channel hung up."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class HungUp:
    """A channel is gone; `cause` is the Q.850 cause."""

    at: datetime
    chan: Chan
    cause: int
    cause_text: str


@dataclass(frozen=True, slots=True)
class Held:
    """A telephone put the other side on hold."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class Unheld:
    """A telephone took the other side back from hold."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class PickedUp:
    """`picker` took a call that rang `chan`, a colleague's telephone."""

    at: datetime
    chan: Chan
    picker: Chan


@dataclass(frozen=True, slots=True)
class Parked:
    """A channel was parked: it hears music until somebody fetches it."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class CallbackWished:
    """The caller pressed the key that asks for a call back."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """The call is being recorded."""

    at: datetime
    chan: Chan


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A telephone's state, in Asterisk's word (NOT_INUSE, INUSE, RINGING, UNAVAILABLE …)."""

    at: datetime
    device: str
    state: str


@dataclass(frozen=True, slots=True)
class MemberPaused:
    """Somebody is or is not paused in a queue. `interface` is the telephone whose state the queue watches."""

    at: datetime
    queue: str
    interface: str
    paused: bool


@dataclass(frozen=True, slots=True)
class Originated:
    """What became of an originated call's first leg. `exten` is where it was to go on: the client's number."""

    at: datetime
    action_id: str
    success: bool
    reason: int
    uniqueid: str
    exten: str = ""


CallEvent = (
    ChannelCreated
    | ChannelChanged
    | ChannelListed
    | Dialled
    | DialEnded
    | BridgeEntered
    | BridgeLeft
    | HangupAsked
    | HungUp
    | Held
    | Unheld
    | PickedUp
    | Parked
    | CallbackWished
    | RecordingStarted
)
PbxEvent = CallEvent | ListingEnded | DeviceChanged | MemberPaused | Originated
