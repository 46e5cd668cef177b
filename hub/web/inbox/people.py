"""Who of the office can be rung, and what they do."""

from __future__ import annotations

from dataclasses import dataclass

from hub.bootstrap import Hub
from hub.telephony.attendance import attendance
from routing.reasons import state_words, verdict_words


@dataclass(frozen=True, slots=True)
class Colleague:
    """A line of the list: who, whether a call may ring them, and what they do or why not, in words."""

    name: str
    available: bool
    words: str


def colleagues(hub: Hub) -> tuple[Colleague, ...]:
    """Everybody who has a telephone, those who can answer first."""
    office = hub.store.office
    people = attendance(office, hub.directory.staff, hub.presence, hub.clock.now())
    found = [
        Colleague(
            each.user.name,
            each.available,
            state_words(each.state, office.language)
            if each.verdict is None
            else verdict_words(each.verdict, office.language),
        )
        for each in people
        if each.user.extension
    ]
    return tuple(sorted(found, key=lambda each: (not each.available, each.name)))
