"""What Asterisk tells, as types: AMI blocks become these events here, and no further in does anybody see a header."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from channels.pbx.ami_wire import AmiMessage
from channels.pbx.happenings import (
    BridgeEntered,
    BridgeLeft,
    CallbackWished,
    CallEvent,
    Chan,
    ChannelChanged,
    ChannelCreated,
    ChannelListed,
    DeviceChanged,
    DialEnded,
    Dialled,
    HangupAsked,
    Held,
    HungUp,
    ListingEnded,
    MemberPaused,
    Originated,
    Parked,
    PbxEvent,
    PickedUp,
    RecordingStarted,
    Unheld,
    endpoint_of,
)

NOTHING = "<unknown>"
CALLBACK_EVENT = "HubCallback"
# where parked and waiting channels hear music and not each other
_HOLDING_BRIDGE = "holding_bridge"

__all__ = [
    "CALLBACK_EVENT",
    "WANTED",
    "BridgeEntered",
    "BridgeLeft",
    "CallEvent",
    "CallbackWished",
    "Chan",
    "ChannelChanged",
    "ChannelCreated",
    "ChannelListed",
    "DeviceChanged",
    "DialEnded",
    "Dialled",
    "HangupAsked",
    "Held",
    "HungUp",
    "ListingEnded",
    "MemberPaused",
    "Originated",
    "Parked",
    "PbxEvent",
    "PickedUp",
    "RecordingStarted",
    "Unheld",
    "created_at",
    "endpoint_of",
    "parse_event",
]


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


_CHAN_FIELDS = (
    "Channel",
    "Uniqueid",
    "Linkedid",
    "ChannelState",
    "CallerIDNum",
    "CallerIDName",
    "Context",
    "Exten",
)
_KEYS = {prefix: tuple(prefix + name for name in _CHAN_FIELDS) for prefix in ("", "Dest", "Target", "Parkee")}


def _chan(message: AmiMessage, prefix: str = "") -> Chan | None:
    get = message.fields.get
    name, uniqueid, linkedid, state, number, caller, context, exten = (get(key, "") for key in _KEYS[prefix])
    if not uniqueid or uniqueid == NOTHING:
        return None
    number, caller = _known(number.strip()), _known(caller.strip())
    return Chan(name, uniqueid, linkedid or uniqueid, state == "6", number, caller, context, exten)


_Parser = Callable[[AmiMessage, datetime], PbxEvent | None]


def _of_chan(make: Callable[[datetime, Chan], PbxEvent], prefix: str = "") -> _Parser:
    def parse(message: AmiMessage, at: datetime) -> PbxEvent | None:
        chan = _chan(message, prefix)
        return make(at, chan) if chan is not None else None

    return parse


def _of_bridge(make: Callable[[datetime, Chan, str], PbxEvent]) -> _Parser:
    def parse(message: AmiMessage, at: datetime) -> PbxEvent | None:
        if message.get("BridgeTechnology") == _HOLDING_BRIDGE:
            return None
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


def _pickup(message: AmiMessage, at: datetime) -> PbxEvent | None:
    picker, target = _chan(message), _chan(message, "Target")
    return None if picker is None or target is None else PickedUp(at, target, picker)


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
    "Hold": _of_chan(Held),
    "Unhold": _of_chan(Unheld),
    "Pickup": _pickup,
    "ParkedCall": _of_chan(Parked, "Parkee"),
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
