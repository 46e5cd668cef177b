"""Days as both engines count them: since 1970, by the office's present distance from UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Day:
    """The day on which something is worked out: the moment, the office's distance from UTC in seconds."""

    now: datetime
    offset: int

    @classmethod
    def at(cls, now: datetime, zone: ZoneInfo) -> Day:
        """The day of a moment in the office's zone."""
        distance = now.astimezone(zone).utcoffset()
        return cls(now, int(distance.total_seconds()) if distance is not None else 0)

    @property
    def number(self) -> int:
        """Its number since 1970."""
        return (int(self.now.timestamp()) + self.offset) // _DAY_S

    def of(self, column: str, *, sqlite: bool) -> str:
        """SQL for the number of the day of a moment."""
        if sqlite:
            return f"(({column} / 1000000 + {self.offset}) / {_DAY_S})"
        return f"CAST(FLOOR((EXTRACT(EPOCH FROM {column}) + {self.offset}) / {_DAY_S}) AS INTEGER)"


def day_text(number: str, *, sqlite: bool) -> str:
    """SQL for a day as `YYYY-MM-DD`."""
    return (
        f"date({number} * {_DAY_S}, 'unixepoch')" if sqlite else f"TO_CHAR(DATE '1970-01-01' + {number}, 'YYYY-MM-DD')"
    )
