"""Callback API: the view that commits and then answers `ok`, and the keeper that looks whether VK still posts to it."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re

from channels.vk.config import VkConfig
from channels.vk.health import Health
from channels.vk.history import History
from channels.vk.inbound import Reader
from channels.vk.intake import Intake
from channels.vk.proof import Proof
from channels.vk.waiting import Pauses, Sleep, before
from crm_core.errors import CoreError, DeliveryError, TransientDeliveryError
from crm_core.ports import Clock, HttpRequest, HttpResponse, InboundSink

log = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024
LOOK_AGAIN_S = 300.0
TROUBLED_S = 20.0
OK = HttpResponse(200, b"ok")
REFUSED = HttpResponse(403)

_SECRET = re.compile(rb'"secret"\s*:\s*"([^"\\]{0,200})"')


class CallbackView:
    """Takes in what VK posts."""

    def __init__(self, config: VkConfig, reader: Reader, intake: Intake, history: History, clock: Clock) -> None:
        self._config = config
        self._secret = (config.secret or "").encode()
        self._reader = reader
        self._intake = intake
        self._history = history
        self._clock = clock

    async def handle(self, request: HttpRequest, sink: InboundSink) -> HttpResponse:
        """403 for a wrong secret or another community, nothing written; else `ok` after commit, also for what is not
        understood: it is in the journal. A confirmation is answered by the configured words.

        Raises IntakeFull or IntakeUnavailable where nothing was committed: VK posts the event again.
        """
        try:
            event = json.loads(request.body)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            if "group_id" in event and event["group_id"] != self._config.group_id:
                return REFUSED
            if event.get("type") == "confirmation":
                return self._confirmed(event)
        if not self._is_ours(event, request.body):
            return REFUSED
        arrival = self._reader.body(request.body, self._clock.now())
        await self._intake.take([arrival], sink)
        await self._history.arrived()
        return OK

    def _confirmed(self, event: dict[str, object]) -> HttpResponse:
        if event.get("group_id") != self._config.group_id or not self._config.confirmation:
            return REFUSED
        return HttpResponse(200, self._config.confirmation.encode())

    def _is_ours(self, event: object, body: bytes) -> bool:
        """Whether the body knows the secret; in what is no JSON it is looked for as VK writes it."""
        if isinstance(event, dict):
            secret = event.get("secret")
            given = secret.encode("utf-8", "replace") if isinstance(secret, str) else b""
        else:
            found = _SECRET.search(body)
            given = found.group(1) if found else b""
        return bool(self._secret) and hmac.compare_digest(given, self._secret)


class CallbackKeeper:
    """Looks from time to time whether the token is good and VK posts to where the hub listens; fetches what VK did not
    wait with."""

    def __init__(self, proof: Proof, health: Health, history: History, sink: InboundSink, sleep: Sleep) -> None:
        self._proof = proof
        self._health = health
        self._history = history
        self._sink = sink
        self._sleep = sleep
        self._stop = asyncio.Event()
        self._pauses = Pauses()

    def stop(self) -> None:
        """End the loop; VK goes on posting, and tries again while nobody answers."""
        self._stop.set()

    async def run(self) -> None:
        """Look until stopped."""
        await before(self._keep(), self._stop.wait())

    async def _keep(self) -> None:
        while True:
            try:
                await self._history.look()
                trouble = await self._proof.trouble()
                self._health.connected(trouble)
                if trouble:
                    await self._history.interrupted()
                whole = not trouble and await self._history.catch_up(self._sink)
                self._pauses.reset()
                # Somebody may be mending it at this moment.
                pause = LOOK_AGAIN_S if whole else TROUBLED_S
            except DeliveryError as error:
                self._health.failed(error)
                pause = self._pauses.next(error.retry_after if isinstance(error, TransientDeliveryError) else None)
            except CoreError as error:
                log.warning("what was missed is fetched later: %s", error)
                pause = self._pauses.next()
            except Exception:
                log.exception("the callback is looked after again after an unexpected failure")
                pause = self._pauses.next()
            await self._sleep(pause)
