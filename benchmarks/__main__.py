"""`python -m benchmarks [NAME …]`: measure, print the tables, write them to `benchmarks/results`.

`--scale 0.01` makes the office of `crm` and `workspace` so much smaller; both together fill it once.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import uvloop
from rich.console import Console

from benchmarks import agi, ami, calls, crm, deadlines, intake, mail, memory, ports, windows
from benchmarks.measuring import Report
from benchmarks.workspace import measurement as workspace
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
    "crm": crm.measure,
    "workspace": workspace.measure,  # behind crm, whose office it looks at
}


async def _one(measure: Callable[[], Awaitable[Report]]) -> Report:
    return await measure()


def _scaled(scale: float, *, together: bool) -> dict[str, Callable[[], Awaitable[Report]]]:
    """The measurements of an office of a size; `together`: the workspace in the office that crm has filled."""
    if not together:
        return {"crm": partial(crm.measure, scale), "workspace": partial(workspace.measure, scale)}
    beside = workspace.Beside(scale)
    return {"crm": partial(crm.measure, scale, then=beside.add), "workspace": beside.told}


def main(arguments: list[str]) -> int:
    """Run the named measurements, all of them without a name."""
    reader = argparse.ArgumentParser(prog="python -m benchmarks")
    reader.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    reader.add_argument("--scale", type=float, default=1.0, help="the share of its size that the office has")
    given = reader.parse_args(arguments)
    names: list[str] = given.names
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    configure_logging(level=logging.ERROR)
    console = Console(width=120)
    wanted = names or list(MEASUREMENTS)
    scaled = _scaled(given.scale, together={"crm", "workspace"} <= set(wanted))
    for name in sorted(wanted, key=list(MEASUREMENTS).index):
        found = scaled.get(name, MEASUREMENTS[name])
        report = uvloop.run(_one(found))
        report.show(console)
        console.print(f"  → {report.keep().relative_to(report.keep().parent.parent.parent)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
