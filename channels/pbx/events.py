"""What Asterisk tells, as types: AMI blocks become these events here, and no further in does anybody see a header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from channels.pbx.ami_wire import AmiMessage

NOTHING = "<unknown>"
CALLBACK_EVENT = "HubCallback"


@dataclass(frozen=True, slots=True)
class Chan:
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
    """Somebody is or is not paused in a queue. `interface` is the telephone that counts: the one whose state is watched."""

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
    | CallbackWished
    | RecordingStarted
)
PbxEvent = CallEvent | ListingEnded | DeviceChanged | MemberPaused | Originated


def parse_event(message: AmiMessage, arrived: datetime) -> PbxEvent | None:
    """The event of a block, None where it is of no use. `arrived` stands in where the PBX sends no Timestamp."""
    parser = _PARSERS.get(message.event)
    return parser(message, _moment(message.get("Timestamp"), arrived)) if parser is not None else None


def created_at(uniqueid: str, otherwise: datetime) -> datetime:
    """When a channel was created, to the second: its id is `[system-]epoch.number`."""
    epoch = uniqueid.rpartition("-")[2].partition(".")[0]
    return _moment(epoch, otherwise) if len(epoch) >= 9 else otherwise


def _moment(epoch: str, otherwise: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(float(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        return otherwise


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else 0


def _known(value: str) -> str:
    return "" if value == NOTHING else value


def _chan(message: AmiMessage, prefix: str = "") -> Chan | None:
    uniqueid = message.get(f"{prefix}Uniqueid")
    if not uniqueid or uniqueid == NOTHING:
        return None
    return Chan(
        name=message.get(f"{prefix}Channel"),
        uniqueid=uniqueid,
        linkedid=message.get(f"{prefix}Linkedid") or uniqueid,
        up=message.get(f"{prefix}ChannelState") == "6",
        number=_known(message.get(f"{prefix}CallerIDNum")),
        caller_name=_known(message.get(f"{prefix}CallerIDName")),
        context=message.get(f"{prefix}Context"),
        exten=message.get(f"{prefix}Exten"),
    )


_Parser = Callable[[AmiMessage, datetime], PbxEvent | None]


def _of_chan(make: Callable[[datetime, Chan], PbxEvent]) -> _Parser:
    def parse(message: AmiMessage, at: datetime) -> PbxEvent | None:
        chan = _chan(message)
        return make(at, chan) if chan is not None else None

    return parse


def _of_bridge(make: Callable[[datetime, Chan, str], PbxEvent]) -> _Parser:
    def parse(message: AmiMessage, at: datetime) -> PbxEvent | None:
        chan, bridge = _chan(message), message.get("BridgeUniqueid")
        return make(at, chan, bridge) if chan is not None and bridge else None

    return parse


def _of_dial(make: Callable[[datetime, Chan | None, Chan, str], PbxEvent], key: str) -> _Parser:
    def parse(message: AmiMessage, at: datetime) -> PbxEvent | None:
        dest = _chan(message, "Dest")
        return make(at, _chan(message), dest, message.get(key)) if dest is not None else None

    return parse


def _listed(message: AmiMessage, at: datetime) -> PbxEvent | None:
    chan = _chan(message)
    return None if chan is None else ChannelListed(at, chan, message.get("BridgeId"))


def _hangup(message: AmiMessage, at: datetime) -> PbxEvent | None:
    chan = _chan(message)
    return None if chan is None else HungUp(at, chan, _number(message.get("Cause")), message.get("Cause-txt"))


def _user_event(message: AmiMessage, at: datetime) -> PbxEvent | None:
    chan = _chan(message)
    return CallbackWished(at, chan) if chan is not None and message.get("UserEvent") == CALLBACK_EVENT else None


def _device(message: AmiMessage, at: datetime) -> PbxEvent | None:
    device = message.get("Device")
    return DeviceChanged(at, device, message.get("State")) if device else None


def _member(message: AmiMessage, at: datetime) -> PbxEvent | None:
    interface = message.get("StateInterface") or message.get("Interface") or message.get("Location")
    if not interface:
        return None
    # who has left a queue is not paused in it any more
    paused = message.get("Paused") == "1" and message.event != "QueueMemberRemoved"
    return MemberPaused(at, message.get("Queue"), interface, paused)


def _originated(message: AmiMessage, at: datetime) -> PbxEvent | None:
    success = message.get("Response") == "Success"
    return Originated(
        at,
        message.get("ActionID"),
        success,
        _number(message.get("Reason")),
        _known(message.get("Uniqueid")),
        message.get("Exten"),
    )


_PARSERS: dict[str, _Parser] = {
    "Newchannel": _of_chan(ChannelCreated),
    "Newstate": _of_chan(ChannelChanged),
    "CoreShowChannel": _listed,
    "CoreShowChannelsComplete": lambda _, at: ListingEnded(at),
    "DialBegin": _of_dial(Dialled, "DialString"),
    "DialEnd": _of_dial(DialEnded, "DialStatus"),
    "BridgeEnter": _of_bridge(BridgeEntered),
    "BridgeLeave": _of_bridge(BridgeLeft),
    "HangupRequest": _of_chan(HangupAsked),
    "Hangup": _hangup,
    "UserEvent": _user_event,
    "MixMonitorStart": _of_chan(RecordingStarted),
    "DeviceStateChange": _device,
    "QueueMember": _member,
    "QueueMemberAdded": _member,
    "QueueMemberPause": _member,
    "QueueMemberRemoved": _member,
    "QueueMemberStatus": _member,
    "OriginateResponse": _originated,
}

WANTED = frozenset(_PARSERS)
