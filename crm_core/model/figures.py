"""What a day came to so far, for the people whose day it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a person, or of the whole office, since the beginning of the day.

    Calls that were answered, either way, and missed ones of the person's clients (of all clients); messages to
    clients by people; leads that came; cases open now, since when the first of them waits, how many of them were
    promised an answer and when the next one is due.
    """

    answered: int = 0
    missed: int = 0
    replies: int = 0
    leads: int = 0
    open_cases: int = 0
    waiting_since: datetime | None = None
    promised: int = 0
    promised_at: datetime | None = None
