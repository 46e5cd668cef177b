"""Facts that come in: what a channel hands to the one door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crm_core.model.call import CallSnapshot
from crm_core.model.channel import ChannelKey
from crm_core.model.identity import Identity
from crm_core.model.timeline import Delivery, EntryKind, Trust


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a fact, as far as the provider vouches for it: identities that are theirs, and a display name.

    `handle` is what else the provider calls them by, like a `@username`; it may change hands and proves nothing.
    """

    identities: tuple[Identity, ...] = ()
    name: str = ""
    handle: str = ""


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

    Exactly one of `stored` and `remote_id` is set. `size` is in bytes, None where the provider did not say. `cid` is
    how the HTML of a mail names it, empty where it does not. `warning` says why to be careful (see
    `crm_core.model.file_warning`): the door fills it, channels leave it empty.
    """

    name: str
    content_type: str
    stored: StoredFile | None = None
    remote_id: str | None = None
    size: int | None = None
    cid: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place, WGS 84 degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Authenticity:
    """What a server that the office trusts found out about the sender, in its own words (`spf=pass dkim=fail`)."""

    trust: Trust
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail belongs among others. `own` is its id; `answers` the ids it refers to, the nearest first;
    `token` the thread that our own reply address names, None where it names none; `subject` without the marks of
    replies and forwards."""

    own: str
    answers: tuple[str, ...] = ()
    token: int | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A client wrote. `ref` is the provider's id of the message, unique within (account, conversation).

    `automatic` marks auto-replies, newsletters and bounces: on the timeline, but no lead and no case. `asks`: somebody
    waits for an answer; without it a lead is opened, but no case (a bot was started, a community joined). `source` is
    where the enquiry comes from, if the provider tells more than the account does. Messages with the same `album` were
    sent as one. `answers` is the provider's id of the message that this one replies to.
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
    asks: bool = True
    source: str = ""
    album: str = ""
    answers: str = ""
    authenticity: Authenticity | None = None
    thread: Thread | None = None


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A person of the office wrote to a client on the provider's own side: in the community's inbox, in their own
    messenger. The event's sender is the client it went to.

    `ref` and `number` recognise our own echo: it changes nothing but the delivery. `author` is who wrote, where the
    provider tells: an identity of a person of the office, and a name for whoever is none. `automatic`: the provider
    sent it by itself (an away message), nobody has been answered by it.
    """

    kind: EntryKind
    text: str
    ref: str
    attachments: tuple[Attachment, ...] = ()
    number: int | None = None
    author: Identity | None = None
    author_name: str = ""
    location: Location | None = None
    album: str = ""
    thread: Thread | None = None
    automatic: bool = False
    html: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryChanged:
    """The provider tells what became of messages of ours: `refs` are its ids of them.

    With `upto` the same holds for all earlier ones of the conversation. `number` is the message's own, where the
    provider knows it by that. `detail` says why it failed, in the provider's words. The state only moves forward.
    """

    state: Delivery
    refs: tuple[str, ...] = ()
    number: int | None = None
    detail: str = ""
    upto: bool = False


@dataclass(frozen=True, slots=True)
class ReactionChanged:
    """The sender's reactions to a message, all of them that stand now."""

    ref: str
    emojis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MenuChosen:
    """A client pressed an item of the account's menu. `ref` is unique like a message's; `item` the item's key."""

    ref: str
    item: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a client did and that asks for no answer: joined a community, came to a page.

    A line of the timeline; with `enquiry` it opens a lead where none is open, as a message does.
    """

    text: str
    source: str = ""
    enquiry: bool = False
    utm: Utm = field(default_factory=Utm)


@dataclass(frozen=True, slots=True)
class ProfileLearned:
    """Names that a provider told on being asked; they stand where no fact has given one."""

    names: tuple[tuple[Identity, str], ...]


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A client changed an earlier message; `at` is the time of the change. May arrive before the message itself.

    `html` is the new text with its formatting, None where it has none.
    """

    ref: str
    text: str
    at: datetime
    html: str | None = None


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

    `callback_at` is when the visitor asks to be rung back, aware; None where they do not. `source` as in a message.
    `subject` is that of the mail it came by; `authenticity` too.
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
    source: str = ""
    subject: str = ""
    authenticity: Authenticity | None = None


@dataclass(frozen=True, slots=True)
class CallChanged:
    """A call moved on; the snapshot holds everything known so far."""

    call: CallSnapshot


@dataclass(frozen=True, slots=True)
class CallRinging:
    """Which telephones of the office a client's call rings just now: the legs of `call` without an end. Its other
    fields are those of a call that rings; or of one that was answered and is passed on: then its `talks` tell, too.

    A state that passes, not a fact of its own: whatever the call comes to tells all of it again. So it stands in the
    call only until then, and the journal has no row of it.
    """

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
    """What a person of the office presses under a notification. WRITE asks how to answer the client."""

    TAKEN = "taken"
    PROMISE = "promise"
    CLOSE = "close"
    TAKE_LEAD = "take_lead"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class StaffCommand:
    """A person of the office pressed a button. `actor` identifies them (their messenger id); `subject_id` is the case,
    of TAKE_LEAD the lead, of WRITE the contact.

    `argument` is the button's: minutes for a promise, a reason for a closing.
    """

    actor: Identity
    act: StaffAct
    subject_id: int
    argument: str = ""


class StaffQuestion(StrEnum):
    """What a person of the office asks the bot for by a command."""

    TODAY = "today"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class StaffAsked:
    """A person of the office asks for something; the answer goes to them alone.

    `otherwise` is the same as a client's message: a stranger who types a command is a client.
    """

    actor: Identity
    question: StaffQuestion
    otherwise: MessageReceived | None = None


@dataclass(frozen=True, slots=True)
class StaffReply:
    """A person of the office answers a notification: the words go to the client it was about.

    `contact_id` is the client whom the notification named in its buttons (`write:CONTACT:`). `otherwise` is the same as
    a client's message, for who is none of the office (any more).
    """

    actor: Identity
    contact_id: int
    text: str
    attachments: tuple[Attachment, ...] = ()
    otherwise: MessageReceived | None = None


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
    | MessageSent
    | MessageEdited
    | MessageDeleted
    | ContactShared
    | FormSubmitted
    | CallChanged
    | CallRinging
    | BlockChanged
    | DeliveryChanged
    | ReactionChanged
    | MenuChosen
    | Noted
    | ProfileLearned
    | StaffCommand
    | StaffAsked
    | StaffReply
    | Ignored
    | Unparsable
)


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One fact from outside.

    `external_id` is unique within (channel, account): a repeat changes nothing. `conversation` is where a reply goes:
    the chat id, the mail address, the number. `sequence` orders facts of one moment (the provider's own counter).
    `occurred_at` is aware. `raw` is what arrived, byte for byte, `raw_type` its media type. `group`: several people are
    in the conversation, so that the hub says nothing there by itself.
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
    group: bool = False


class ReceiptState(StrEnum):
    """What became of a fact."""

    DONE = "done"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof that a fact is in the journal; `journal_id` is None of a repeat, and of what passes (CallRinging).

    `answer` is a line for the person who pressed a button, else empty.
    """

    state: ReceiptState
    journal_id: int | None
    answer: str = ""
