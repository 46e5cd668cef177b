"""Webhook: the view that commits and then answers 200, and the keeper that has Telegram post to it."""

from __future__ import annotations

import asyncio
import hmac
import logging

from channels.telegram.afterwards import Afterwards
from channels.telegram.api import BotApi
from channels.telegram.config import TelegramConfig
from channels.telegram.health import Health
from channels.telegram.inbound import Reader
from channels.telegram.memory import Memory
from channels.telegram.waiting import Backoff, Sleep, first
from crm_core.errors import DeliveryError, TransientDeliveryError
from crm_core.ports import ChannelState, Clock, HttpRequest, HttpResponse, InboundSink
from crm_core.wording import Sentence

log = logging.getLogger(__name__)

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the name of a header
MAX_BODY = 1024 * 1024
LOOK_AGAIN_S = 300.0


class WebhookView:
    """Takes in what Telegram posts."""

    def __init__(
        self, config: TelegramConfig, reader: Reader, memory: Memory, afterwards: Afterwards, clock: Clock
    ) -> None:
        self._secret = (config.secret or "").encode()
        self._reader = reader
        self._memory = memory
        self._afterwards = afterwards
        self._clock = clock

    async def handle(self, request: HttpRequest, sink: InboundSink) -> HttpResponse:
        """401 for a wrong secret, else 200 after commit, also for what is not understood: it is in the journal.

        Raises IntakeFull or IntakeUnavailable where nothing was committed.
        """
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not self._secret or not hmac.compare_digest(given, self._secret):
            return HttpResponse(401)
        arrival = self._reader.body(request.body, self._clock.now())
        await self._memory.keep([arrival])
        receipt = await sink.receive(arrival.event)
        self._afterwards.committed([arrival], [receipt])
        return HttpResponse(200)


class WebhookKeeper:
    """Sets the webhook, and looks from time to time whether it is still set."""

    def __init__(self, config: TelegramConfig, api: BotApi, health: Health, public_url: str, sleep: Sleep) -> None:
        self._url = f"{public_url.rstrip('/')}{config.path}"
        self._secret = config.secret or ""
        self._api = api
        self._health = health
        self._sleep = sleep
        self._stop = asyncio.Event()
        self._backoff = Backoff()

    def stop(self) -> None:
        """End the loop; the webhook stays set, updates wait with Telegram."""
        self._stop.set()

    async def run(self) -> None:
        """Keep the webhook until stopped."""
        await first(self._keep(), self._stop.wait())

    async def _keep(self) -> None:
        # Once always: the secret may have changed, and Telegram does not tell it.
        known = False
        while True:
            try:
                known = await self._look(known)
                self._backoff.reset()
                pause = LOOK_AGAIN_S
            except DeliveryError as error:
                self._health.failed(error)
                pause = self._backoff.next(error.retry_after if isinstance(error, TransientDeliveryError) else None)
            except Exception:
                log.exception("the webhook is looked after again after an unexpected failure")
                pause = self._backoff.next()
            await self._sleep(pause)

    async def _look(self, known: bool) -> bool:
        found = await self._api.webhook() if known else None
        if found is None or found.url != self._url:
            await self._api.set_webhook(self._url, self._secret)
            found = None
        trouble = found is not None and found.pending > 0 and found.last_error
        detail = ""
        if found is not None and trouble:
            detail = Sentence("{count} updates wait: {words}", count=found.pending, words=found.last_error)
        self._health.set(ChannelState.CONNECTED, detail)
        return True
