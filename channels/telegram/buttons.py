"""Answers to pressed buttons, given after the press is committed, beside everything else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from channels.telegram.api import BotApi
from channels.telegram.inbound import Arrival
from crm_core.errors import DeliveryError, PermanentDeliveryError
from crm_core.messages import Receipt

log = logging.getLogger(__name__)

ANSWER_LIMIT = 200
TRIES = 2


class ButtonAnswers:
    """Calls answerCallbackQuery in the background. A lost answer leaves a spinning button, never a lost fact."""

    def __init__(self, api: BotApi) -> None:
        self._api = api
        self._running: set[asyncio.Task[None]] = set()

    def committed(self, arrivals: Sequence[Arrival], receipts: Sequence[Receipt]) -> None:
        """Answer every press among what was just committed."""
        for arrival, receipt in zip(arrivals, receipts, strict=True):
            if arrival.callback_id is not None:
                task = asyncio.create_task(self._answer(arrival.callback_id, receipt.answer[:ANSWER_LIMIT]))
                self._running.add(task)
                task.add_done_callback(self._done)

    async def drain(self) -> None:
        """Wait until the answers under way are given."""
        if self._running:
            await asyncio.wait(self._running)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a pressed button was not answered", exc_info=error)

    async def _answer(self, query_id: str, text: str) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                return await self._api.answer_callback(query_id, text)
            except PermanentDeliveryError as error:
                log.info("a pressed button was not answered: %s", error)  # too old, or answered on an earlier delivery
                return None
            except DeliveryError as error:
                log.warning("a pressed button was not answered, try %d of %d: %s", attempt, TRIES, error)
        return None
