"""The nightly statuses of all clients, after a day's sales: by the hub, which works out XYZ, needs and what follows of
changed statuses too, a slice of clients at a time; and by one statement written by hand."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from statistics import median

from benchmarks.crm.bare import Bare
from benchmarks.crm.bare_writing import a_day_of_sales, prepare_statuses, statuses
from benchmarks.crm.data import CONTACT_ID
from benchmarks.crm.loading import Told
from benchmarks.crm.office import Measured
from benchmarks.measuring import Row
from crm_core.storage.scoring import run_scores

DAYS = 3
MOST_TIMES, MOST_GROWTH = 2.0, 1.5
# Of a thousand clients so many buy on a day.
BUYERS = 0.5


async def rows(engine: str, offices: Sequence[Measured], bares: Sequence[Bare], tell: Told) -> list[Row]:
    """What is told of it; `offices` are a tenth and the whole."""
    took: list[tuple[list[float], list[float]]] = []
    for office, bare in zip(offices, bares, strict=True):
        await prepare_statuses(bare)
        first = await _seconds(partial(run_scores, office.store))
        bare_first = await _seconds(partial(statuses, bare))
        tell(f"{engine}: first statuses of {office.size.contacts:,} clients in {first:.1f} s, bare {bare_first:.1f} s")
        took.append(([], []))
    for _ in range(DAYS):
        for (ours, other), office, bare in zip(took, offices, bares, strict=True):
            buyers = max(int(office.size.contacts * BUYERS / 1000), 5)
            await a_day_of_sales(bare, CONTACT_ID, office.size.contacts, buyers)
            ours.append(await _seconds(partial(run_scores, office.store)))
            other.append(await _seconds(partial(statuses, bare)))
    (tenth, tenth_bare), (whole, whole_bare) = ((median(a), median(b)) for a, b in took)
    times = offices[-1].size.contacts / offices[0].size.contacts
    what = f"{engine}: daily status of all clients"
    each, bare_each = 1e6 / offices[-1].size.contacts, 1e6 / offices[0].size.contacts
    return [
        Row(
            *(what, f"{whole:.2f} s", f"{whole_bare:.2f} s", whole / whole_bare),
            *(f"<= {MOST_TIMES:.0f}", whole / whole_bare <= MOST_TIMES),
        ),
        Row(
            f"{what}: growth, a client",
            f"{tenth * bare_each:.1f} -> {whole * each:.1f} µs",
            f"{tenth_bare * bare_each:.1f} -> {whole_bare * each:.1f} µs = {whole_bare / tenth_bare / times:.2f}",
            whole / tenth / times,
            f"< {MOST_GROWTH}",
            whole / tenth / times < MOST_GROWTH,
        ),
    ]


async def _seconds(done: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await done()
    return time.perf_counter() - began
