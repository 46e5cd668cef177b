"""The captured AMI streams, replayed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from channels.pbx.ami_wire import Splitter, parse_block
from channels.pbx.book import CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import CallEvent, parse_event
from channels.pbx.reducer import Transition

FIXTURES = Path(__file__).parents[2] / "fixtures" / "pbx"
STREAMS = sorted(path.stem for path in FIXTURES.glob("*.ami"))
ARRIVED = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def blocks_of(name: str) -> list[bytes]:
    """The blocks of a captured stream."""
    return Splitter().feed((FIXTURES / f"{name}.ami").read_bytes() + b"\r\n\r\n")


def events_of(name: str) -> list[tuple[CallEvent, bytes]]:
    """The events of a captured stream that concern calls, each with its block."""
    return events_in((FIXTURES / f"{name}.ami").read_bytes())


def events_in(stream: bytes) -> list[tuple[CallEvent, bytes]]:
    """The same of any bytes."""
    found: list[tuple[CallEvent, bytes]] = []
    for block in Splitter().feed(stream + b"\r\n\r\n"):
        event = parse_event(parse_block(block), ARRIVED)
        if isinstance(event, CallEvent):
            found.append((event, block))
    return found


def replay(name: str, profile: PbxProfile | None = None) -> tuple[CallBook, list[Transition]]:
    """The book after a captured stream, and the transitions it made."""
    book = CallBook(profile or PbxProfile())
    found: list[Transition] = []
    for event, block in events_of(name):
        found.extend(book.apply(event, block))
    return book, found
