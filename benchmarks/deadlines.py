"""(c) How late 10,000 deadlines are that come due within a minute: from due to done, ladders climbed and staff told."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import partial

from benchmarks.engines import ENGINES, add_people, fresh_urls, migrated
from benchmarks.measuring import Report, Row, percentile
from crm_core.messages import ChannelKey, EntryKind, InboundEvent, MessageReceived, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.ladder import Ladder, LadderEvent, Ladders, LadderStep, Told
from crm_core.model.office import Office
from crm_core.model.records import DeadlineRecord
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from hub.clock import SystemClock
from hub.metrics import Metrics
from hub.workers import DeadlineWorker
from routing.assign import LeastLoaded
from routing.escalation import TellByRole

DEADLINES = 10_000
WITHIN_S = 60
PREPARE_S = 45
_BATCH = 100


class _Noting(DeadlineWorker):
    """Notes how late each deadline was done."""

    late_ms: list[float]

    def _count(self, due: list[DeadlineRecord], outcome: str) -> None:
        now = datetime.now(UTC)
        if outcome == "done":
            self.late_ms += [(now - each.due_at).total_seconds() * 1000 for each in due]


async def measure() -> Report:
    """Both engines, one after the other."""
    report = Report("deadlines: lateness of 10,000 within a minute")
    for engine in ENGINES:
        with fresh_urls(engine) as urls:
            late = await _run(next(urls))
        report.rows.append(
            Row(
                engine,
                f"p50 {percentile(late, 0.5):.0f} p99 {percentile(late, 0.99):.0f} max {max(late):.0f} ms",
                f"{len(late):,} fired",
                None,
                "all fired",
                len(late) == DEADLINES,
            )
        )
    return report


async def _run(url: str) -> list[float]:
    database = await migrated(url)
    await database.stop()
    wait = timedelta(seconds=PREPARE_S)
    ladder = Ladder(LadderEvent.MESSAGE_UNANSWERED, (LadderStep(wait, (Told.MANAGER, Told.CONTROLLER)),))
    office = Office(staff_channel=ChannelKey("telegram", "staff"), ladders=Ladders.of((ladder,)))
    store = Store(Database(url), SystemClock(), office, Policies(LeastLoaded(), TellByRole()))
    await store.run(add_people)
    start = datetime.now(UTC)
    step = timedelta(seconds=WITHIN_S / DEADLINES)
    for first in range(0, DEADLINES, _BATCH):
        events = [_event(number, start + step * number) for number in range(first, first + _BATCH)]
        await store.run(partial(_receive, events))
    if datetime.now(UTC) > start + wait:
        raise RuntimeError("this machine is too slow to prepare the deadlines in time")
    worker = _Noting(store, SystemClock(), Metrics())
    worker.late_ms = []
    worker.start()
    end = time.monotonic() + PREPARE_S + WITHIN_S + 60
    while len(worker.late_ms) < DEADLINES and time.monotonic() < end:  # noqa: ASYNC110 — seldom, so as not to weigh
        await asyncio.sleep(0.5)
    await worker.stop()
    await store.database.stop()
    return worker.late_ms


def _receive(events: list[InboundEvent], desk: Desk) -> None:
    receive(desk.work, events, desk.office, desk.policies)


def _event(number: int, at: datetime) -> InboundEvent:
    return InboundEvent(
        key=ChannelKey("telegram", "shop"),
        external_id=str(number),
        conversation=str(number),
        occurred_at=at,
        sender=Sender((Identity(IdentityKind.TG, str(number)),), f"Клиент {number}"),
        payload=MessageReceived(EntryKind.MESSAGE, "Здравствуйте", "1"),
        raw=b"{}",
    )
