"""`python -m benchmarks [NAME …]`: measure, print the tables, write them to `benchmarks/results`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable

import uvloop
from rich.console import Console

from benchmarks import agi, ami, calls, deadlines, intake, mail, memory, ports, windows
from benchmarks.measuring import Report
from hub.log import configure_logging

MEASUREMENTS: dict[str, Callable[[], Awaitable[Report]]] = {
    "intake": intake.measure,
    "agi": agi.measure,
    "deadlines": deadlines.measure,
    "calls": calls.measure,
    "ami": ami.measure,
    "memory": memory.measure,
    "ports": ports.measure,
    "windows": windows.measure,
    "mail": mail.measure,
}


async def _one(measure: Callable[[], Awaitable[Report]]) -> Report:
    return await measure()


def main(names: list[str]) -> int:
    """Run the named measurements, all of them without a name."""
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    configure_logging(level=logging.ERROR)
    console = Console(width=120)
    for name in names or list(MEASUREMENTS):
        report = uvloop.run(_one(MEASUREMENTS[name]))
        report.show(console)
        console.print(f"  → {report.keep().relative_to(report.keep().parent.parent.parent)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
