"""An intake in memory: keeps facts by their id as the real one does, and fails when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from crm_core.errors import IntakeUnavailable
from crm_core.messages import InboundEvent, Receipt, ReceiptState
from tests.patience import PATIENCE_S


class MemoryIntake:
    """An `InboundSink`. `events` are the facts in the order they were committed, each id once; `calls` are the sizes of
    the lots that were offered.
    """

    def __init__(self) -> None:
        self.events: list[InboundEvent] = []
        self.offered: list[InboundEvent] = []
        self.calls: list[int] = []
        self.refusals = 0
        self.failure: Exception | None = None
        self._seen: dict[tuple[str, str], int] = {}
        self._changed = asyncio.Condition()

    async def receive(self, event: InboundEvent) -> Receipt:
        """Commit one fact, unless told to fail."""
        return (await self.receive_many([event]))[0]

    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        """Commit several, unless told to fail."""
        async with self._changed:
            try:
                self.offered.extend(events)
                self.calls.append(len(events))
                if self.failure is not None:
                    self.refusals += 1
                    raise self.failure
                return [self._take(event) for event in events]
            finally:
                self._changed.notify_all()

    def go_away(self) -> None:
        """Refuse everything, as with the database away."""
        self.failure = IntakeUnavailable()

    def come_back(self) -> None:
        """Take facts again."""
        self.failure = None

    async def until(self, true: Callable[[MemoryIntake], bool], within_s: float = PATIENCE_S) -> None:
        """Wait until something holds; raises TimeoutError naming what is there."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: true(self))
        except TimeoutError:
            raise TimeoutError(f"committed: {[event.external_id for event in self.events]}") from None

    async def event(self, true: Callable[[InboundEvent], bool], within_s: float = PATIENCE_S) -> InboundEvent:
        """The first committed fact that fits, awaited."""
        await self.until(lambda sink: any(true(event) for event in sink.events), within_s)
        return next(event for event in self.events if true(event))

    def _take(self, event: InboundEvent) -> Receipt:
        place = (str(event.key), event.external_id)
        if place in self._seen:
            return Receipt(ReceiptState.DUPLICATE, self._seen[place])
        self.events.append(event)
        self._seen[place] = len(self.events)
        return Receipt(ReceiptState.DONE, len(self.events))
