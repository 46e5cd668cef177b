"""How soon the first byte of a page comes, how much comes, and what a first visit loads; beside the bare program."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.crm.bare import bare_on
from benchmarks.crm.data import ENTRY_ID
from benchmarks.crm.office import Measured
from benchmarks.crm.operations import main_pipeline
from benchmarks.measuring import Row, percentile, spread
from benchmarks.workspace.visitors import DIRECTOR, MANAGER, log_in
from benchmarks.workspace.weight import first_visit
from benchmarks.workspace.wire import Answer, Visitor

MOST_P99_MS, MOST_KB = 100.0, 250
_WARM_UP = 5
_LONGEST_S = 30.0
_KB = 1000


@dataclass(slots=True)
class Opened:
    """What one page took, round by round."""

    name: str
    paths: Sequence[str]
    visitor: Visitor
    bare_paths: Sequence[str]
    ours: list[Answer] = field(default_factory=list)
    bare: list[Answer] = field(default_factory=list)

    def row(self, engine: str) -> Row:
        """What is told of it."""
        ours, bare = [each.first_ms for each in self.ours], [each.first_ms for each in self.bare]
        kb = median(each.sent for each in self.ours) / _KB
        plain = median(len(each.text.encode()) for each in self.ours) / _KB
        p99 = percentile(ours, 0.99)
        return Row(
            f"{engine}: {self.name}: first byte; {kb:.1f} kB sent, {plain:.0f} kB unpacked",
            spread(ours),
            spread(bare),
            median(ours) / median(bare),
            f"p99 < {MOST_P99_MS:.0f} ms",
            p99 < MOST_P99_MS,
        )


async def opened(office: Measured, port: int, bare_port: int, token: str, rounds: int) -> list[Opened]:
    """Every page in turn, hub and bare program alternating. Raises RuntimeError for a page that does not come."""
    manager, director = await log_in(port, MANAGER), await log_in(port, DIRECTOR)
    program = Visitor(port, {"Authorization": f"Bearer {token}"})
    pages = await _pages(office, rounds, manager, director, program)
    bare = Visitor(bare_port)
    for page in pages:
        end = time.monotonic() + _LONGEST_S
        for number, (path, bare_path) in enumerate(zip(page.paths, page.bare_paths, strict=True)):
            ours, other = await page.visitor.get(path), await bare.get(bare_path)
            if number >= _WARM_UP:
                page.ours.append(ours)
                page.bare.append(other)
            if time.monotonic() > end and page.ours:
                break
    for each in (manager, director, program, bare):
        each.close()
    return pages


async def _pages(office: Measured, rounds: int, manager: Visitor, director: Visitor, program: Visitor) -> list[Opened]:
    count, rng = rounds + _WARM_UP, random.Random(5)  # the same choice in every run
    board = main_pipeline(office).id
    async with bare_on(office.url) as bare:
        # Whoever has much to tell is looked at more often.
        entries = [ENTRY_ID + 1 + rng.randrange(office.size.entries) for _ in range(count)]
        owners = [(await bare.fetch("SELECT contact_id FROM timeline WHERE id = $1", each))[0][0] for each in entries]
    cards, boards = [f"/contacts/{each}" for each in owners], [f"/deals/board/{board}"] * count
    bare_boards = [f"/deals/{board}"] * count
    return [
        Opened("inbox of a manager", ["/"] * count, manager, [f"/inbox/{MANAGER}"] * count),
        Opened("inbox of the director", ["/"] * count, director, [f"/inbox/{MANAGER}"] * count),
        Opened("card of a client", cards, manager, cards),
        Opened("board", boards, director, bare_boards),
        Opened("wall", ["/wall"] * count, director, ["/"] * count),
        Opened("card of a client by the API", [f"/api/v1{each}" for each in cards], program, cards),
        Opened("a page of nothing (the keys of one's own)", ["/me"] * count, manager, ["/"] * count),
    ]


async def weights(office: Measured, engine: str, port: int, client: int) -> list[Row]:
    """What a first visit to each page loads."""
    visitor = await log_in(port, DIRECTOR)
    named = {"inbox": "/", "card": f"/contacts/{client}", "wall": "/wall"}
    named["board"] = f"/deals/board/{main_pipeline(office).id}"
    rows = []
    for name, path in named.items():
        found = await first_visit(visitor, path)
        kb, page = sum(found.values()) / _KB, found[path] / _KB
        what = f"{engine}: first visit to the {name}: {len(found)} requests"
        rows.append(Row(what, f"{kb:.0f} kB", f"{page:.0f} kB the page", kb / page, f"< {MOST_KB} kB", kb < MOST_KB))
    visitor.close()
    return rows
