"""(f) Memory after very many calls against memory after few: what a call leaves behind in a hub must be nothing.

The connector with the directory hears of 50,000 calls and decides on each; the whole hub, which writes everything down,
of fewer, for the database sets the pace. What a hub remembers for a while (the last 10,000 decisions, the last 2,000
changes, the ids of calls that are over) is what the slack is for. The whole hub runs on PostgreSQL: SQLite would keep
pages of its file in the hub's own memory.
"""

from __future__ import annotations

import asyncio
import sys

import orjson

from benchmarks.engines import fresh_urls, with_clients
from benchmarks.many_calls import CLIENTS
from benchmarks.measuring import Report, Row

RUNS = (
    ("connector and directory", "connector", "sqlite", 5_000, 50_000),
    ("whole hub", "hub", "postgresql", 2_000, 6_000),
)
RATIO_AIM, SLACK_MB = 1.05, 5
WITHIN_S = 400


async def measure() -> Report:
    """One process after the other."""
    report = Report("memory: after many calls against after few")
    for what, kind, engine, few, many in RUNS:
        with fresh_urls(engine) as urls:
            url = next(urls)
            await with_clients(url, CLIENTS)
            found = await _run(kind, url, few, many)
        before, after = found["before"], found["after"]
        report.rows.append(
            Row(
                f"{what}: {many:,} calls against {few:,}",
                f"{after:.1f} MB",
                f"{before:.1f} MB",
                after / before,
                f"≤ {RATIO_AIM:.2f} × + {SLACK_MB} MB",
                after <= before * RATIO_AIM + SLACK_MB,
            )
        )
        report.notes.append(f"{what}: {many / found['seconds']:,.0f} calls a second, in {found['seconds']:.0f} s")
    return report


async def _run(kind: str, url: str, few: int, many: int) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.many_calls", kind, url, str(few), str(many),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(WITHIN_S):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"{kind} ended with {process.returncode}")
    found: dict[str, float] = orjson.loads(out.splitlines()[-1])
    return found
