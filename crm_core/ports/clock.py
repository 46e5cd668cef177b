"""Where the time comes from."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC. It may jump."""

    def monotonic(self) -> float:
        """Seconds that only grow; for timeouts and pacing."""
