"""What the parts want of each other, as protocols; `hub.bootstrap` is the only place that puts them together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar, runtime_checkable

from crm_core.messages import (
    ChannelKey,
    DeliveryReceipt,
    DeviceState,
    InboundEvent,
    OutboundMessage,
    Receipt,
    RouteDecision,
    RouteQuery,
    StoredFile,
)
from crm_core.model.alarm import AlarmKind
from crm_core.model.case import SignalAt
from crm_core.model.ladder import Told
from crm_core.model.records import (
    AlarmRecord,
    CallbackRecord,
    CallRecord,
    CaseRecord,
    ContactRecord,
    DialRecord,
    EntryRecord,
    IdentityRecord,
    LeadRecord,
    ListedNumberRecord,
)
from crm_core.model.user import Staff, User

Record = TypeVar("Record", bound=tuple[Any, ...])


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC. It may jump."""

    def monotonic(self) -> float:
        """Seconds that only grow; for timeouts and pacing."""


# ---------------------------------------------------------------- channels


class InboundSink(Protocol):
    """The one door for facts."""

    async def receive(self, event: InboundEvent) -> Receipt:
        """Return after the fact is committed.

        Raises IntakeFull or IntakeUnavailable where it was not, so that the provider sends it again.
        """

    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        """The same for several; they may share a transaction. Raises where at least one was not committed."""


class ChannelState(StrEnum):
    """How a channel account stands with its provider."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    BAD_CREDENTIALS = "bad_credentials"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """The state of a channel account and, where it is not well, the reason in words.

    `trouble`: it is connected, but what `detail` tells keeps it from a part of its work.
    """

    state: ChannelState
    detail: str = ""
    trouble: bool = False


class Channel(Protocol):
    """A connector. Constructing does no I/O; starting does."""

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""

    @property
    def health(self) -> ChannelHealth:
        """How it stands, without I/O."""

    async def start(self, sink: InboundSink) -> None:
        """Begin taking facts in; returns promptly, connecting goes on in the background."""

    async def stop(self) -> None:
        """Drain, then close. Idempotent."""

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Deliver one message; raises TransientDeliveryError, PermanentDeliveryError or ChannelAuthError."""


@runtime_checkable
class ReceivesHttp(Protocol):
    """A channel that takes facts in over HTTP."""

    def routes(self) -> Sequence[HttpRoute]:
        """What to mount; several accounts of a channel may return the same path once each with their name in it."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An inbound request, read whole. Header and query names are as sent; `headers` keys are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    remote: str


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The answer to an inbound request."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One path of a channel. `max_size` of the body in bytes; a longer one is answered 413 before `handle`.

    The face maps IntakeFull and IntakeUnavailable raised by `handle` to 503 with Retry-After.
    """

    method: str
    path: str
    handle: Callable[[HttpRequest], Awaitable[HttpResponse]]
    max_size: int = 1024 * 1024


@runtime_checkable
class ReparsesRaw(Protocol):
    """A channel that can read its raw facts again, for replay from the journal."""

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """The event of a raw fact; never raises: what is not understood has the payload Unparsable."""


@runtime_checkable
class KeepsFiles(Protocol):
    """A channel whose raw facts carry files; asked before `reparse`, which does no I/O."""

    async def keep_files(self, raw: bytes) -> None:
        """Put the files of a raw fact into the file store."""


@runtime_checkable
class FetchesFiles(Protocol):
    """A channel whose attachments lie with the provider until they are fetched."""

    def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        """The content in pieces; raises the delivery errors of `send`."""


@runtime_checkable
class Measured(Protocol):
    """A channel with numbers of its own for the metrics."""

    def measurements(self) -> Mapping[str, float]:
        """Name to value, as of now; counts since the start unless the name says otherwise."""


@runtime_checkable
class ProvesItself(Protocol):
    """A channel that can try its account out, for `hub check`."""

    async def check(self) -> str:
        """One line saying what was proved; raises DeliveryError with what is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """A call to be placed: `endpoint` rings first, then `number` through the trunk, showing `line`.

    `linkedid` becomes the call's id. The person sees `caller_name` and the client's number. `announce`: they hear
    `sound` and the last digits of the number, and accept with 1 before the client is dialled. `ring_s` bounds the
    ringing of the person. `record`: whether the talk is recorded, None: as the PBX does.
    """

    linkedid: str
    endpoint: str
    number: str
    line: str
    caller_name: str
    announce: bool
    ring_s: int
    sound: str = ""
    record: bool | None = None


@runtime_checkable
class ControlsCalls(Protocol):
    """A channel that can place calls, from the node that owns its link."""

    @property
    def controls(self) -> bool:
        """Whether this node can place calls now."""

    async def place_call(self, call: PlaceCall) -> None:
        """Hand the call to the PBX, once; how it ends comes as facts.

        Raises PermanentDeliveryError where the PBX refused it, TransientDeliveryError where it was surely not handed
        over, or with `uncertain` where nobody knows.
        """

    async def stop_call(self, linkedid: str) -> None:
        """Have a placed call end instead of dialling the client; nothing changes where the client is dialled already.

        Raises PermanentDeliveryError where there is no such call, TransientDeliveryError where the PBX did not hear it.
        """


class FileStore(Protocol):
    """Files by the hash of their content."""

    async def put(self, content: AsyncIterator[bytes], max_size: int) -> StoredFile:
        """Store, returning when it is on disk; raises InvalidInput where it is longer than `max_size` bytes."""

    async def put_bytes(self, content: bytes) -> StoredFile:
        """Store a small file whole."""

    async def read(self, sha256: str) -> bytes:
        """The whole content; raises NotFound."""


class CursorStore(Protocol):
    """Where a channel keeps its place in the provider's stream (offset, ts, UID) across restarts."""

    async def load(self, key: ChannelKey, name: str) -> str | None:
        """The place last saved."""

    async def save(self, key: ChannelKey, name: str, value: str) -> None:
        """Save the place; returns after commit."""


class Lease(Protocol):
    """The exclusive right to own a link or a polling loop, among all nodes."""

    async def acquire(self) -> None:
        """Wait until this node holds it."""

    @property
    def held(self) -> bool:
        """Whether it still does; a loop asks before each step and stops where not."""

    async def lost(self) -> None:
        """Wait until it is lost."""

    async def release(self) -> None:
        """Give it up. Idempotent."""


REJECTED = "*"
"""The owner of a number whose calls are refused."""


@dataclass(frozen=True, slots=True)
class BookChanges:
    """What is new up to a position of the feed: the last ten digits of numbers, and whoever takes their calls now."""

    position: int
    owners: Mapping[str, str | None]


class NumberBook(Protocol):
    """Who takes the calls of which number, for a PBX that must know it when no hub answers.

    A number is its last ten digits; one that would mean different people is left out. An owner is a short word of
    letters, digits and `._@+-#`, or REJECTED. Everything raises StorageUnavailable.
    """

    @property
    def edition(self) -> str:
        """Changes when the settings give the same record another meaning."""

    async def position(self) -> int:
        """The position of the newest change."""

    async def portion(self, ending: str) -> Mapping[str, str]:
        """The owners of all numbers that end with these two digits."""

    async def since(self, position: int) -> BookChanges | None:
        """The next changes behind a position; the same position where there are none. None: it is too long ago."""

    async def people(self) -> Mapping[str, str]:
        """The extension to ring for each owner now; absent people are stood in for, or not there."""

    async def news(self, position: int) -> None:
        """Wait for a change behind a position."""


class ForeignRows(Protocol):
    """A table of somebody else's database, only read. Everything raises StorageUnavailable."""

    @property
    def name(self) -> str:
        """Which table of which database, for people; no secret is in it."""

    async def columns(self) -> frozenset[str]:
        """The names of its columns."""

    def between(
        self, columns: Sequence[str], by: str, since: datetime, until: datetime
    ) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """The rows whose column `by` lies in [since, until), in its order; a piece of them at a time.

        Moments of a column without a zone are compared as if it were UTC.
        """


@dataclass(frozen=True, slots=True)
class RecordedCalls:
    """Some of the calls that a PBX recorded: the facts they would be, and how many were without a client; records that
    can't be read stand as they are in `unreadable`, each once."""

    events: tuple[InboundEvent, ...]
    internal: int = 0
    unreadable: tuple[str, ...] = ()


@runtime_checkable
class KeepsCallRecords(Protocol):
    """A channel whose provider keeps records of calls, to compare with."""

    @property
    def keeps_records(self) -> bool:
        """Whether there are any that can be read from here."""

    def recorded(self, since: datetime, until: datetime) -> AsyncIterator[RecordedCalls]:
        """Every recorded call that began in [since, until), each once; raises DeliveryError or StorageUnavailable where
        the records can't be read."""


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What every connector is given: `create(config, context) -> Channel`."""

    clock: Clock
    files: FileStore
    cursors: CursorStore
    lease: Callable[[str], Lease]
    public_url: str
    region: str
    time_zone: str
    call_router: CallRouter
    route_journal: RouteJournal
    presence: PresenceSink
    numbers: NumberBook | None = None
    foreign: Callable[[str, str], ForeignRows] | None = None


# ---------------------------------------------------------------- policies that routing implements


class CallRouter(Protocol):
    """Who takes a call; answers from memory in microseconds, from any thread."""

    def route(self, query: RouteQuery) -> RouteDecision:
        """The decision, with its trace; never raises."""


class RouteJournal(Protocol):
    """Where decisions on calls are kept with their trace."""

    def decided(self, query: RouteQuery, decision: RouteDecision, took_ms: float) -> None:
        """Note a decision; called after the answer, from any thread, never blocks."""


class PresenceSink(Protocol):
    """Where a PBX reports what its telephones do."""

    def device(self, pbx: str, endpoint: str, state: DeviceState) -> None:
        """A telephone changed; any thread."""

    def paused(self, pbx: str, endpoint: str, queue: str, *, paused: bool) -> None:
        """Somebody paused in a queue, or came back; any thread."""

    def forget(self, pbx: str) -> None:
        """The link is lost: nothing is known of this PBX's telephones any more."""


class Assigner(Protocol):
    """Who takes a new lead."""

    def assign(self, group: str | None, staff: Staff, loads: dict[str, Load], at: datetime) -> User | None:
        """The least loaded of the group's present people, longest without a new lead first; None if nobody is there.

        Without a group, everybody with the role manager shares.
        """


@dataclass(frozen=True, slots=True)
class Load:
    """How much of new work somebody has: open leads, and a number that grows with each assignment (0 never)."""

    open_leads: int = 0
    last_assigned: int = 0


class LadderPolicy(Protocol):
    """Who is told on a rung."""

    def recipients(self, tell: Sequence[Told], manager: User | None, staff: Staff, at: datetime) -> tuple[User, ...]:
        """Everybody the rung names, each once; an absent person's deputy is told too.

        Never empty while the office has anybody who may be told: without anyone named, heads, directors and
        administrators stand in.
        """


@dataclass(frozen=True, slots=True)
class Policies:
    """The decisions that services ask for, so that one transaction can hold their outcome."""

    assigner: Assigner
    ladder: LadderPolicy


# ---------------------------------------------------------------- the unit of work that storage implements


class UnitOfWork(Protocol):
    """One transaction: what it reads is locked where it matters, what it puts is written together at its end."""

    now: datetime

    @property
    def staff(self) -> Staff:
        """Everybody of the office."""

    def next_id(self) -> int:
        """A fresh id, unique over all tables."""

    def put(self, record: tuple[Any, ...]) -> None:
        """Add a record, or replace one that was read."""

    def remove(self, kind: type, key: Any) -> None:
        """Delete a record by its key; nothing happens where there is none."""

    def changed(self, topic: str, subject_id: int, contact_id: int | None = None) -> None:
        """Tell the feed of a change that is in none of the records."""

    def loads(self) -> dict[str, Load]:
        """How much new work each person has, by login."""

    def journal_seen(self, facts: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        """Which facts (channel, account, external_id) are in the journal already."""

    def contacts_by_identity(self, keys: Iterable[str]) -> dict[str, ContactRecord]:
        """The contacts holding these identities, locked."""

    def contacts(self, ids: Iterable[int]) -> dict[int, ContactRecord]:
        """Contacts by id, locked; the lock covers what belongs to them."""

    def contact(self, contact_id: int) -> ContactRecord:
        """One contact, locked; raises NotFound."""

    def identities(self, contact_ids: Iterable[int]) -> dict[int, list[IdentityRecord]]:
        """The identities of contacts, oldest first."""

    def open_leads(self, contact_ids: Iterable[int]) -> dict[int, LeadRecord]:
        """The open lead of each contact that has one."""

    def open_cases(self, contact_ids: Iterable[int]) -> dict[int, CaseRecord]:
        """The open case of each contact that has one."""

    def active_callbacks(self, contact_ids: Iterable[int]) -> dict[int, CallbackRecord]:
        """The callback of each contact that is waiting or being dialled."""

    def dials_going_on(self, contact_id: int, login: str | None = None) -> list[DialRecord]:
        """The placed calls that are not over, of a client, and of a person where one is named."""

    def talks_now(self, contact_id: int, since: datetime) -> bool:
        """Whether a call of this client that began after `since` goes on."""

    def last_call(self, contact_id: int) -> CallRecord | None:
        """The client's newest inbound call, for the line and the PBX by which they know the office."""

    def cases_of(self, contact_ids: Iterable[int]) -> dict[int, list[CaseRecord]]:
        """All cases of contacts, oldest first."""

    def signals(self, contact_ids: Iterable[int]) -> dict[int, list[SignalAt]]:
        """All signals on the timelines of contacts, also those put in this transaction, in the order of their time."""

    def entries_by_ref(self, refs: Iterable[str]) -> dict[str, EntryRecord]:
        """Messages by their provider reference."""

    def calls_by_linkedid(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CallRecord]:
        """Calls by (pbx, linkedid)."""

    def call_numbers(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The client's number in calls by (pbx, linkedid), as it is now; nothing is locked."""

    def listed_numbers(self, keys: Iterable[str]) -> dict[str, ListedNumberRecord]:
        """The special-list rows of identities."""

    def open_alarms(self, kind: AlarmKind) -> list[AlarmRecord]:
        """The alarms of a kind that last, oldest first."""

    def last_entry(self, contact_id: int, channel: str, account: str | None) -> EntryRecord | None:
        """The client's newest inbound entry in a channel, with a conversation to answer into."""

    def peek(self, kind: type[Record], key: Any) -> Record | None:
        """A record that was read or put before, without asking the database."""

    def get(self, kind: type[Record], key: Any) -> Record:
        """A record by its key; raises NotFound."""

    def owned(self, kind: type[Record], key: Any) -> tuple[Record, ContactRecord | None]:
        """A record and its contact, the contact locked before the record was read; raises NotFound."""

    def related(self, kind: type[Record], column: str, keys: Iterable[Any]) -> list[Record]:
        """The records whose `column` has one of these values."""

    def everything(self, kind: type[Record]) -> list[Record]:
        """All records of a small table (pipelines, stages)."""
