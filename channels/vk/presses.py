"""Answers to pressed buttons, given after the press is committed, beside everything else."""

from __future__ import annotations

import asyncio
import json
import logging

from channels.vk.api import VkApi
from channels.vk.inbound import Press
from crm_core.errors import DeliveryError, PermanentDeliveryError

log = logging.getLogger(__name__)

SNACKBAR = 90
TRIES = 2


class PressAnswers:
    """Answers in the background, by sendMessageEventAnswer: a lost answer leaves a waiting mark, never a lost fact."""

    def __init__(self, api: VkApi) -> None:
        self._api = api
        self._going_on: set[asyncio.Task[None]] = set()

    def committed(self, press: Press | None, words: str) -> None:
        """Answer a press, with a line for whoever pressed where there is one."""
        if press is None:
            return
        task = asyncio.create_task(self._answer(press, words[:SNACKBAR]))
        self._going_on.add(task)
        task.add_done_callback(self._over)

    async def drain(self) -> None:
        """Wait until the answers under way are given."""
        if self._going_on:
            await asyncio.wait(self._going_on)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._going_on.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a pressed button was not answered", exc_info=error)

    async def _answer(self, press: Press, words: str) -> None:
        shown = json.dumps({"type": "show_snackbar", "text": words}, ensure_ascii=False) if words else None
        for attempt in range(1, TRIES + 1):
            try:
                await self._api.call(
                    "messages.sendMessageEventAnswer",
                    event_id=press.event_id,
                    user_id=press.user_id,
                    peer_id=press.peer_id,
                    event_data=shown,
                )
            except PermanentDeliveryError as error:
                # It is good for a minute, and only once.
                log.info("a pressed button was not answered: %s", error)
            except DeliveryError as error:
                log.warning("a pressed button was not answered, try %d of %d: %s", attempt, TRIES, error)
                continue
            return
