"""What a PBX is beside a channel: it asks who takes a call, places calls, knows numbers, keeps records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from crm_core.messages import DeviceState, InboundEvent, RouteDecision, RouteQuery


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
