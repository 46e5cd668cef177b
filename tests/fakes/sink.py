"""The one door for facts, in memory: keeps what comes, knows repeats, fails on order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from typing_extensions import override

from crm_core.messages import Ignored, InboundEvent, Receipt, ReceiptState, StaffCommand, Unparsable
from crm_core.ports import InboundSink
from tests.patience import PATIENCE_S


class MemorySink(InboundSink):
    """Commits to a list. `answer` is what a person who pressed a button is told."""

    def __init__(self, answer: str = "") -> None:
        self.events: list[InboundEvent] = []
        self.batches: list[list[InboundEvent]] = []
        self.answer = answer
        self._failures: deque[Exception] = deque()
        self._known: set[tuple[object, str]] = set()
        self._changed = asyncio.Condition()
        self.refused = 0
        self.gate: asyncio.Event | None = None
        self.committing = asyncio.Event()

    def fail_next(self, *errors: Exception) -> None:
        """Raise these, one for each of the next calls."""
        self._failures.extend(errors)

    @override
    async def receive(self, event: InboundEvent) -> Receipt:
        """Commit one."""
        return (await self.receive_many([event]))[0]

    @override
    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        """Commit several; while `gate` is set and closed, the commit hangs there."""
        self.committing.set()
        if self.gate is not None:
            await self.gate.wait()
        async with self._changed:
            self._changed.notify_all()
            if self._failures:
                self.refused += 1
                raise self._failures.popleft()
            self.batches.append(list(events))
            return [self._commit(event) for event in events]

    async def wait_for(self, matches: Callable[[InboundEvent], bool]) -> InboundEvent:
        """The first event that matches, waiting for it."""
        await self.until(lambda: any(matches(event) for event in self.events))
        return next(event for event in self.events if matches(event))

    async def wait_count(self, count: int) -> list[InboundEvent]:
        """All events, as soon as there are `count`."""
        await self.until(lambda: len(self.events) >= count)
        return list(self.events)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()` holds; asked again after every call."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    def _commit(self, event: InboundEvent) -> Receipt:
        known = (event.key, event.external_id)
        if known in self._known:
            return Receipt(ReceiptState.DUPLICATE, None)
        self._known.add(known)
        self.events.append(event)
        match event.payload:
            case Unparsable():
                state = ReceiptState.FAILED
            case Ignored():
                state = ReceiptState.IGNORED
            case _:
                state = ReceiptState.DONE
        answer = self.answer if isinstance(event.payload, StaffCommand) else ""
        return Receipt(state, len(self.events), answer)
