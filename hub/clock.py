"""The real clock. Everything that needs the time is given a `Clock`; nobody else asks the system."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The `Clock` of a running hub."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC. It may jump."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow; for timeouts and pacing."""
        return time.monotonic()
