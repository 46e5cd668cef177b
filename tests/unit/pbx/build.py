"""AMI events made by hand, for calls that no capture holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from channels.pbx.book import CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import CallEvent, Chan
from channels.pbx.reducer import Transition

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment, in seconds from the start."""
    return START + timedelta(seconds=seconds)


def chan(name: str, uniqueid: str, linkedid: str = "", **more: str) -> Chan:
    """A channel `PJSIP/101-0000000a` of endpoint `PJSIP/101`."""
    return Chan(
        f"{name}-0000000a",
        uniqueid,
        linkedid or uniqueid,
        number=more.get("number", ""),
        context=more.get("context", ""),
        exten=more.get("exten", ""),
    )


def caller(uniqueid: str = "1", number: str = "79161234567", line: str = "+74951234567") -> Chan:
    """A client's channel."""
    return chan("PJSIP/trunk", uniqueid, number=number, context="hub-inbound", exten=line)


def run(*events: CallEvent, profile: PbxProfile | None = None) -> tuple[CallBook, list[Transition]]:
    """The book after these events, and the transitions."""
    book = CallBook(profile or PbxProfile())
    found: list[Transition] = []
    for event in events:
        found.extend(book.apply(event, repr(event).encode()))
    return book, found
