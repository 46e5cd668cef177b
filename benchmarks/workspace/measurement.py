"""The measurement: pages and the live feed of a real hub on a filled office, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.crm.data import CONTACT_ID, Size
from benchmarks.crm.measurement import SETTINGS, SHARES, tell
from benchmarks.crm.office import Measured, office
from benchmarks.engines import ENGINES, fresh_urls
from benchmarks.measuring import Report, spread
from benchmarks.workspace.feeding import follow
from benchmarks.workspace.nodes import Node, bare_pages, node
from benchmarks.workspace.opening import opened, weights
from benchmarks.workspace.visitors import log_in, prepare
from benchmarks.workspace.wire import Visitor
from tests.peers.redis import RedisServer


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is asked: rounds of each page, browsers, facts that they hear of; for how long the hub may come to rest
    in between."""

    rounds: int = 150
    browsers: int = 200
    facts: int = 300
    rest_s: float = 15.0


FULL, SMOKE = Extent(), Extent(rounds=15, browsers=20, facts=10)
_PACE_S = 0.25
# Two hundred browsers that ask for what is stale are busy for a while.
_SLOW_PACE_S = 1.0
_SLOW_SHARE = 3
_LEAST_FULL = 0.1
_NOTES = (
    (
        "first byte: from the whole request to the first byte of the answer, over a kept connection, with a session"
        " and gzip; the bare program asks a few statements by hand, packs the rows, and knows nobody; beside the wall"
        " and the page of nothing it answers an empty page"
    ),
    (
        "a fact: a message posted to a gateway's webhook; its commit: when the hub asks the database for it, so that"
        " the wait for the disk counts in; its appearance: the last byte of the finished piece in a browser's stream"
    ),
    "browsers are a process of their own beside the hub, and share its processors",
)


async def measure(scale: float = 1.0, engines: Sequence[str] = ENGINES, extent: Extent | None = None) -> Report:
    """Both engines, each with an office of its own; `scale` is the share of the whole size."""
    beside = Beside(scale, extent)
    for engine in engines:
        async with AsyncExitStack() as stack:
            urls = stack.enter_context(fresh_urls(engine, SETTINGS))
            size = Size.of(scale * SHARES[engine])
            await beside.add(engine, await stack.enter_async_context(office(next(urls), size, tell)))
    return beside.report


class Beside:
    """The measurement in offices that others have filled."""

    def __init__(self, scale: float = 1.0, extent: Extent | None = None) -> None:
        self._extent = extent or (FULL if scale >= _LEAST_FULL else SMOKE)
        self.report = Report(f"workspace{'' if scale == 1.0 else f' at {scale:g}'}: pages and the live feed")
        self.report.notes += _NOTES

    async def add(self, engine: str, found: Measured) -> None:
        """The rows of one engine."""
        await add(self.report, engine, found, self._extent)

    async def told(self) -> Report:
        """All that was found."""
        return self.report


async def add(report: Report, engine: str, found: Measured, extent: Extent) -> None:
    """The rows of one engine."""
    with TemporaryDirectory(prefix="hub-bench-") as named:
        folder = Path(named)
        logins, token = await prepare(found.store, extent.browsers)
        report.notes.append(f"{engine}: {found.size}")
        async with AsyncExitStack() as stack:
            redis = stack.enter_context(RedisServer()).url if engine != "sqlite" else None
            first = await stack.enter_async_context(node(found.url, folder, redis, rest_s=extent.rest_s))
            async with bare_pages(found.url, folder) as bare_port:
                pages = await opened(found, first.port, bare_port, token, extent.rounds)
            for page in pages:
                report.rows.append(page.row(engine))
                tell(f"{engine}: {page.name}: {spread([each.first_ms for each in page.ours])}")
            report.rows += await weights(found, engine, first.port, CONTACT_ID + 1)
            name = engine if redis is None else f"{engine} + redis"
            browsers = [await log_in(first.port, login) for login in logins]
            await _feed(report, f"{name}: a fact in {len(browsers)} browsers", [first], browsers, extent)
            if redis is not None:
                second = await stack.enter_async_context(node(found.url, folder, redis, rest_s=extent.rest_s))
                for each in browsers[1::2]:
                    each.close()
                    each.port = second.port
                what = f"{name}, 2 nodes: a fact in {len(browsers)} browsers"
                await _feed(report, what, [first, second], browsers, extent)
            for each in browsers:
                each.close()


async def _feed(report: Report, what: str, nodes: Sequence[Node], browsers: Sequence[Visitor], extent: Extent) -> None:
    for asks in (False, True):
        facts, pace_s = (max(extent.facts // _SLOW_SHARE, 3), _SLOW_PACE_S) if asks else (extent.facts, _PACE_S)
        told = await follow(nodes, browsers, facts, pace_s, asks=asks, rest_s=extent.rest_s)
        said = f"{what} that ask for what is stale" if asks else what
        report.rows += told.rows(said)
        report.notes.append(told.note(said))
        tell(told.note(said))
        await asyncio.sleep(1)
