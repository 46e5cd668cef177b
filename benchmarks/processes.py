"""Processes that are measured from outside: the processor time and the memory the kernel says they have taken."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_QUIET_SHARE = 0.04


def cpu_seconds(pid: int) -> float:
    """Processor time of a process with all its threads, in seconds since its start."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE / 1_000_000


class CpuShare:
    """The share of one processor that a process takes between two looks."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._spent, self._since = cpu_seconds(pid), time.perf_counter()

    def share(self) -> float:
        """Since the last look; 1.0 is a whole processor."""
        spent, now = cpu_seconds(self._pid), time.perf_counter()
        found = (spent - self._spent) / (now - self._since)
        self._spent, self._since = spent, now
        return found


async def quiet(pids: Sequence[int], within_s: float = 120.0) -> None:
    """Wait until all these processes have next to nothing left to do. Raises TimeoutError."""
    shares = [CpuShare(pid) for pid in pids]
    async with asyncio.timeout(within_s):
        while True:
            await asyncio.sleep(1)
            if max(each.share() for each in shares) < _QUIET_SHARE:
                return
