"""What every connector is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm_core.ports.clients import Conversations, Nameless, Writing
from crm_core.ports.clock import Clock
from crm_core.ports.stores import CursorStore, FileStore, Lease
from crm_core.ports.telephony import CallRouter, ForeignRows, NumberBook, PresenceSink, RouteJournal


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What every connector is given: `create(config, context) -> Channel`.

    `secret` gives a key of the hub's own (32 bytes) for a purpose, the same on every node and after every start; it
    raises OSError where it can't be kept.
    """

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
    conversations: Conversations | None = None
    nameless: Nameless | None = None
    secret: Callable[[str], bytes] | None = None
    writing: Writing | None = None
