"""The canonical vocabulary between all parts: facts that come in, messages that go out, decisions on calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crm_core.model.call import CallSnapshot
from crm_core.model.channel import ChannelKey
from crm_core.model.identity import Identity
from crm_core.model.timeline import Delivery, EntryKind

__all__ = ["ChannelKey", "Delivery", "EntryKind"]  # at home in the model, spoken everywhere


# ---------------------------------------------------------------- what comes in


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a fact, as far as the provider vouches for it: identities that are theirs, and a display name."""

    identities: tuple[Identity, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Utm:
    """Marks of a campaign, as they stood in the link."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    content: str = ""
    term: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that lies in the hub's file store under the SHA-256 of its content; `size` in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message: stored already, or still at the provider under `remote_id`.

    Exactly one of `stored` and `remote_id` is set. `size` is in bytes, None where the provider did not say.
    """

    name: str
    content_type: str
    stored: StoredFile | None = None
    remote_id: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place, WGS 84 degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A client wrote. `ref` is the provider's id of the message, unique within (account, conversation).

    `automatic` marks auto-replies, newsletters and bounces: on the timeline, but no lead and no case.
    """

    kind: EntryKind
    text: str
    ref: str
    attachments: tuple[Attachment, ...] = ()
    subject: str = ""
    html: str | None = None
    quoted: str = ""
    location: Location | None = None
    automatic: bool = False
    utm: Utm = field(default_factory=Utm)


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A client changed an earlier message; `at` is the time of the change. May arrive before the message itself."""

    ref: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """The provider reports that messages were deleted."""

    refs: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactShared:
    """A contact card. `own` is true only where the provider proves that it is the sender's own card."""

    ref: str
    text: str
    own: bool
    identities: tuple[Identity, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class FormSubmitted:
    """A website form, its fields as the visitor typed them; `fields` holds every field that has no place of its own.

    `callback_at` is when the visitor asks to be rung back, aware; None where they do not.
    """

    name: str = ""
    phone: str = ""
    email: str = ""
    message: str = ""
    page: str = ""
    utm: Utm = field(default_factory=Utm)
    fields: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    callback_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallChanged:
    """A call moved on; the snapshot holds everything known so far."""

    call: CallSnapshot


class BlockState(StrEnum):
    """Whether a client lets a bot or a community write to them."""

    BLOCKED = "blocked"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class BlockChanged:
    """A client blocked or unblocked the account."""

    state: BlockState


class StaffAct(StrEnum):
    """What a person of the office presses under a notification."""

    TAKEN = "taken"
    PROMISE = "promise"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class StaffCommand:
    """A person of the office pressed a button. `actor` identifies them (their messenger id), `case_id` the case.

    `argument` is the button's: minutes for a promise, a reason for a closing.
    """

    actor: Identity
    act: StaffAct
    case_id: int
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A fact of a kind that the hub has no use for; kept in the journal."""

    what: str


@dataclass(frozen=True, slots=True)
class Unparsable:
    """A fact that was not understood; kept in the journal as failed, to be replayed."""

    error: str


Payload = (
    MessageReceived
    | MessageEdited
    | MessageDeleted
    | ContactShared
    | FormSubmitted
    | CallChanged
    | BlockChanged
    | StaffCommand
    | Ignored
    | Unparsable
)


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One fact from outside.

    `external_id` is unique within (channel, account): a repeat changes nothing. `conversation` is where a reply goes:
    the chat id, the mail address, the number. `sequence` orders facts of one moment (the provider's own counter).
    `occurred_at` is aware. `raw` is what arrived, byte for byte, `raw_type` its media type.
    """

    key: ChannelKey
    external_id: str
    conversation: str
    occurred_at: datetime
    sender: Sender
    payload: Payload
    raw: bytes
    raw_type: str = "application/json"
    sequence: int = 0
    correlation_id: str = ""


class ReceiptState(StrEnum):
    """What became of a fact."""

    DONE = "done"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof that a fact is in the journal. `answer` is a line for the person who pressed a button, else empty."""

    state: ReceiptState
    journal_id: int | None
    answer: str = ""


# ---------------------------------------------------------------- what goes out


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message to staff; `data` comes back as `StaffCommand`: `act:case_id:argument`."""

    text: str
    data: str


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file to be sent; its content lies in the file store."""

    name: str
    content_type: str
    stored: StoredFile


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """A message to be delivered through `key` into `conversation`.

    `idempotency_key` is the same on every try; `number` is a 31-bit number unique to the message for providers that
    want one. `reply_to` is the provider's id of the message answered. `buttons` are rows.
    `attempt` counts from 1.
    """

    key: ChannelKey
    conversation: str
    text: str
    idempotency_key: str
    number: int = 0
    subject: str = ""
    reply_to: str | None = None
    files: tuple[OutboundFile, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """The provider took the message; `refs` are its ids of the parts, in order."""

    refs: tuple[str, ...]


# ---------------------------------------------------------------- who takes a call


@dataclass(frozen=True, slots=True)
class RouteQuery:
    """A PBX asks who takes a call. `number` and `line` as the PBX gave them; `attempt` 0 first.

    `call_id` is the channel's unique id, the same on every attempt of one call; empty in a dry run. `key` is what the
    caller pressed in the line's voice menu, `-` where they pressed nothing in time, empty before the menu was played.
    """

    pbx: str
    number: str
    line: str
    attempt: int = 0
    call_id: str = ""
    key: str = ""


class RouteAction(StrEnum):
    """What the PBX does with a call, as `HUB_ACTION`."""

    DIAL = "dial"
    REJECT = "reject"
    CALLBACK = "callback"
    FALLBACK = "fallback"
    MENU = "menu"


class Verdict(StrEnum):
    """Why somebody rings or is passed over."""

    RINGS = "rings"
    ABSENT = "absent"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    DO_NOT_DISTURB = "do_not_disturb"
    NO_EXTENSION = "no_extension"
    DISABLED = "disabled"
    TRIED = "tried"
    NOBODY = "nobody"
    LISTED = "listed"
    OFF_HOURS = "off_hours"
    PAUSED = "paused"
    WRAP_UP = "wrap_up"
    CHOSEN = "chosen"
    CLOSED = "closed"
    LATER = "later"


class RouteStage(StrEnum):
    """The places where a taker is sought, in the order of the configured fallback."""

    LIST = "list"
    LINE = "line"
    MENU = "menu"
    MANAGER = "manager"
    DEPUTY = "deputy"
    GROUP = "group"
    DUTY = "duty"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One consideration of a decision: the stage, the person's login (empty for a stage), the verdict, details."""

    stage: RouteStage
    verdict: Verdict
    login: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """Whom a call rings now. `endpoints` ring together for `ring_s` seconds; `reason` is one word or a short phrase.

    `sound` is an Asterisk sound name played first (a greeting, or the menu's text), `keys` the digits a menu takes;
    `record` whether the conversation is to be recorded, None: as the PBX does with all of them.
    """

    action: RouteAction
    endpoints: tuple[str, ...] = ()
    ring_s: int = 0
    reason: str = ""
    contact_id: int | None = None
    trace: tuple[TraceStep, ...] = ()
    sound: str = ""
    keys: str = ""
    record: bool | None = None


class DeviceState(StrEnum):
    """What a PBX says of a telephone."""

    UNKNOWN = "unknown"
    IDLE = "idle"
    RINGING = "ringing"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
