"""Who of the office can be rung, and what they do."""

from __future__ import annotations

from dataclasses import dataclass

from hub.bootstrap import Hub
from hub.telephony.attendance import attendance
from hub.tongues import language
from routing.reasons import state_words, verdict_words


@dataclass(frozen=True, slots=True)
class Colleague:
    """A line of the list: who, whether a call may ring them, and what they do or why not, in words of whoever reads."""

    name: str
    available: bool
    words: str


def colleagues(hub: Hub) -> tuple[Colleague, ...]:
    """Everybody who has a telephone, those who can answer first."""
    tongue = language()
    people = attendance(hub.store.office, hub.directory.staff, hub.presence, hub.clock.now())
    found = [
        Colleague(
            each.user.name,
            each.available,
            state_words(each.state, tongue) if each.verdict is None else verdict_words(each.verdict, tongue),
        )
        for each in people
        if each.user.extension
    ]
    return tuple(sorted(found, key=lambda each: (not each.available, each.name)))
