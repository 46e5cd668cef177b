"""The measurement: two offices, one ten times the other, each question asked of both in turn, and the driver beside."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks.crm import daily
from benchmarks.crm.bare import Bare, bare_on
from benchmarks.crm.data import Size
from benchmarks.crm.office import Measured, office
from benchmarks.crm.operations import Once, Operation, operations
from benchmarks.engines import ENGINES, fresh_urls
from benchmarks.measuring import Report, Row, percentile, spread

ROUNDS = 200
WARM_UP = 10
LONGEST_S = 90
MOST_TIMES, MOST_GROWTH, MOST_P99_MS = 2.0, 1.5, 100.0
SETTINGS = ("shared_buffers=2GB", "max_wal_size=8GB", "wal_level=minimal", "max_wal_senders=0")
Then = Callable[[str, Measured], Awaitable[None]]
# SQLite holds a tenth.
SHARES = {"postgresql": 1.0, "sqlite": 0.1}


@dataclass(slots=True)
class Timed:
    """Milliseconds of each round, of one question in one office."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pair:
    """A question in the whole office and in a tenth of it."""

    name: str
    whole: Timed
    tenth: Timed

    def rows(self, engine: str) -> list[Row]:
        """What is told of it: beside the driver, and beside the smaller office."""
        ours, bare = median(self.whole.ours), median(self.whole.bare)
        p99 = percentile(self.whole.ours, 0.99)
        grown, bare_grown = ours / median(self.tenth.ours), bare / median(self.tenth.bare)
        what = f"{engine}: {self.name}"
        return [
            Row(
                what,
                spread(self.whole.ours),
                spread(self.whole.bare),
                ours / bare,
                f"<= {MOST_TIMES:.0f}, p99 < {MOST_P99_MS:.0f} ms",
                ours / bare <= MOST_TIMES and p99 < MOST_P99_MS,
            ),
            Row(
                f"{what}: growth",
                f"{median(self.tenth.ours):.2f} -> {ours:.2f} ms",
                f"{median(self.tenth.bare):.2f} -> {bare:.2f} ms = {bare_grown:.2f}",
                grown,
                f"< {MOST_GROWTH}",
                grown < MOST_GROWTH,
            ),
        ]


async def measure(
    scale: float = 1.0, engines: Sequence[str] = ENGINES, rounds: int = ROUNDS, then: Then | None = None
) -> Report:
    """Both engines; `scale` is the share of the whole size. `then` measures something else in the whole office of each
    engine, which takes minutes to fill."""
    report = Report("crm: a selling office" if scale == 1.0 else f"crm at {scale:g}: a selling office, small")
    for engine in engines:
        share = scale * SHARES[engine]
        async with AsyncExitStack() as stack:
            urls = stack.enter_context(fresh_urls(engine, SETTINGS))
            sizes = Size.of(share / 10), Size.of(share)
            offices = [await stack.enter_async_context(office(next(urls), size, tell)) for size in sizes]
            await add(report, engine, offices, rounds)
            if then is not None:
                await then(engine, offices[-1])
    report.notes.append("rounds alternate: hub and driver, the whole office and a tenth of it; ratios are of medians")
    report.notes.append("growth: the same question in the whole office by a tenth of it; in brackets of the driver")
    report.notes.append("on a shared machine times are noisy, p99 above all: only ratios of one run tell anything")
    return report


async def add(report: Report, engine: str, offices: Sequence[Measured], rounds: int) -> None:
    """The rows of one engine; `offices` are a tenth and the whole."""
    async with AsyncExitStack() as stack:
        bares = [await stack.enter_async_context(bare_on(each.url)) for each in offices]
        sets = [await operations(each, bare, rounds) for each, bare in zip(offices, bares, strict=True)]
        counts = []
        for tenth, whole in zip(*sets, strict=True):
            pair = await _timed(tenth, whole)
            report.rows += pair.rows(engine)
            counts.append(f"{whole.name} {len(pair.whole.ours)} ({median(pair.whole.rows):.0f} rows)")
            tell(f"{engine}: {whole.name}: {spread(pair.whole.ours)}, bare {spread(pair.whole.bare)}")
        report.rows += await daily.rows(engine, offices, bares, tell)
        report.notes.append(f"{engine}: {offices[-1].size}; a tenth: {offices[0].size}")
        report.notes.append(f"{engine}, rounds (rows of a typical answer): {', '.join(counts)}")


async def _timed(tenth: Operation, whole: Operation) -> Pair:
    pair = Pair(whole.name, Timed(), Timed())
    end = time.monotonic() + LONGEST_S
    for number, arguments in enumerate(zip(tenth.arguments, whole.arguments, strict=False)):
        for timed, operation, argument in zip((pair.tenth, pair.whole), (tenth, whole), arguments, strict=True):
            rows, took = await _once(operation.ours, argument)
            bare_rows, bare_took = await _once(operation.bare, argument)
            if rows != bare_rows:
                raise RuntimeError(f"{operation.name}, {argument}: {rows} rows by the hub, {bare_rows} by the driver")
            if number >= min(WARM_UP, len(whole.arguments) // 2):
                timed.ours.append(took)
                timed.bare.append(bare_took)
                timed.rows.append(rows)
        if time.monotonic() > end and pair.whole.ours:
            break
    return pair


async def _once(asked: Once, argument: object) -> tuple[int, float]:
    began = time.perf_counter()
    rows = await asked(argument)
    return rows, (time.perf_counter() - began) * 1000


def tell(text: str) -> None:
    """How far it has come: filling a million clients takes minutes."""
    print(f"  {text}", file=sys.stderr, flush=True)


__all__ = ["Bare", "add", "measure", "tell"]
