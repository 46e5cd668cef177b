"""What the hub says to clients by itself: a greeting, that the office is closed, a menu; and when which of it is due.

Nothing of it closes a case or counts as an answer. Each is said at most once an occasion, whose key is kept: a greeting
a conversation, the closed office a closed period.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_core.model.calendar import WorkingHours

FRESH = timedelta(minutes=15)
"""What a client wrote longer ago (before an outage, in an imported mailbox) is not greeted any more."""

STILL_ASKED = timedelta(days=1)
"""What a client chose from a menu longer ago is answered by people."""

MOST_ITEMS = 10
_IN_ONE_COLUMN = 5
_KEY_LENGTH = 10


@dataclass(frozen=True, slots=True)
class MenuItem:
    """An item of a menu: pressed, `answer` is sent, and with `group` the client is given to its people.

    `key` comes back from the button. It does not depend on the place in the menu, so that buttons under old messages
    mean what they say.
    """

    key: str
    text: str
    answer: str = ""
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """What an account says by itself; empty texts are not said.

    `hours` names the calendar outside which `off_hours` is said. The menu stands under the greeting; with
    `ask_contact` the client is offered there to share their number.
    """

    greeting: str = ""
    off_hours: str = ""
    hours: str | None = None
    menu: tuple[MenuItem, ...] = ()
    ask_contact: bool = False

    def item(self, key: str) -> MenuItem | None:
        """The item of the menu with this key, if it is still there."""
        return next((each for each in self.menu if each.key == key), None)

    @property
    def rows(self) -> tuple[tuple[MenuItem, ...], ...]:
        """The menu as rows of buttons: one a row, two where that would be too long a column."""
        width = 1 if len(self.menu) <= _IN_ONE_COLUMN else 2
        return tuple(self.menu[start : start + width] for start in range(0, len(self.menu), width))


NO_ANSWERS = Answers()


@dataclass(frozen=True, slots=True)
class Written:
    """A client's message, as far as it matters here: where, when, whether somebody waits for an answer."""

    place: str
    at: datetime
    asks: bool = True


@dataclass(frozen=True, slots=True)
class Due:
    """What is said now: `texts` under each other, the menu and the offer to share the number where a greeting is
    among them. `keys` are the occasions that are dealt with by this, also those that pass in silence."""

    keys: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    greets: bool = False


def item_key(text: str) -> str:
    """The key of a menu's item that was given none: made of its text."""
    folded = " ".join(text.split()).casefold()
    return hashlib.sha256(folded.encode()).hexdigest()[:_KEY_LENGTH]


def greeting_key(place: str) -> str:
    """The occasion of a greeting: a conversation."""
    return f"greeting:{place}"


def off_hours_key(place: str, until: datetime | None) -> str:
    """The occasion of saying that the office is closed: a conversation and the end of the closed period."""
    return f"off_hours:{place}:{until.isoformat() if until is not None else 'never'}"


def fresh(at: datetime, now: datetime) -> bool:
    """Whether what was written then is still greeted."""
    return now - at <= FRESH


def occasions(answers: Answers, calendar: WorkingHours, written: Written, now: datetime) -> tuple[str, ...]:
    """The keys of all that may be due for a message; what was dealt with is not due any more."""
    if not fresh(written.at, now):
        return ()
    keys = [greeting_key(written.place)] if answers.greeting else []
    closed = _closed(answers, calendar, written, now)
    if closed is not None:
        keys.append(closed[0])
    return tuple(keys)


def due(
    answers: Answers,
    calendar: WorkingHours,
    written: Written,
    now: datetime,
    *,
    said: Container[str],
    attended: bool = False,
    spoken_at: datetime | None = None,
) -> Due:
    """What is said to a client who wrote.

    `said` holds the occasions that were dealt with. `attended`: a person of the office has written in this
    conversation, so that a greeting comes too late; `spoken_at` is when somebody last talked with the client or wrote
    to them: within the same closed period the office is not closed to them.
    """
    if not fresh(written.at, now):
        return Due()
    keys: list[str] = []
    texts: list[str] = []
    greeting = greeting_key(written.place)
    greets = bool(answers.greeting) and greeting not in said
    if greets:
        keys.append(greeting)
        greets = not attended
    if greets:
        texts.append(answers.greeting)
    closed = _closed(answers, calendar, written, now)
    if closed is not None and closed[0] not in said:
        key, since = closed
        keys.append(key)
        if spoken_at is None or (since is not None and spoken_at < since):
            texts.append(answers.off_hours)
    return Due(tuple(keys), tuple(texts), greets)


def _closed(
    answers: Answers, calendar: WorkingHours, written: Written, now: datetime
) -> tuple[str, datetime | None] | None:
    """The key and the beginning of the closed period in which the client wrote, if it still lasts."""
    if not (answers.off_hours and written.asks) or calendar.is_open(now):
        return None
    period = calendar.closed_period(written.at)
    if period is None:
        return None
    since, until = period
    # Closed then and closed now, but open in between: whoever is there has seen it.
    if until is not None and until <= now:
        return None
    return off_hours_key(written.place, until), since
