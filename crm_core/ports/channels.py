"""What every connector is to the hub, and the extras that some are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from crm_core.messages import ChannelKey, DeliveryReceipt, InboundEvent, OutboundMessage, Receipt


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
        """Deliver one message; raises TransientDeliveryError, PermanentDeliveryError or ChannelAuthError.

        After `stop` it opens no connection again, for nobody would close it: it raises ChannelStopped (transient).
        """


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


@runtime_checkable
class ShowsWriting(Protocol):
    """A channel whose clients can see that the office is writing to them."""

    @property
    def everywhere(self) -> bool:
        """Whether the client may be met on any node, so that each is told; else the one alone where somebody writes."""

    def show_writing(self, conversation: str, author: str, /) -> None:
        """Begin to show that this person writes, for a few seconds. Returns at once, never raises; in the loop's own
        thread."""


@runtime_checkable
class Retires(Protocol):
    """A channel that others know of after it stopped, since it will be back after a start."""

    def retire(self) -> None:
        """It will not be back: after `stop`, where the account is gone or another connector has it."""
