"""Delivery of updates by webhook: in order, again and again until the receiver answers 2xx."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from aiogram.types import WebhookInfo
from aiohttp import ClientError, ClientSession, ClientTimeout

from crm_core.ports import Clock
from hub.demo.peers.bot_api.errors import bad_request
from hub.demo.peers.bot_api.journal import Journal
from hub.demo.peers.bot_api.updates import UpdateQueue

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
DEFAULT_CONNECTIONS = 40
MAX_CONNECTIONS = 100
MAX_ATTEMPTS = 200
RETRY_S = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Pauses between tries, the last one again and again: short, since a demo and tests can't wait like Telegram."""

_TIMEOUT = ClientTimeout(total=10)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try: the update's id and the receiver's status (None where no answer came)."""

    update_id: int
    status: int | None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Where updates go."""

    url: str
    secret: str | None = None
    max_connections: int = DEFAULT_CONNECTIONS


def checked_hook(url: str, secret: str | None, max_connections: int | None) -> Hook:
    """The hook of a setWebhook call; raises ApiError. Plain HTTP is allowed, as on a server in local mode."""
    if not re.match(r"https?://[^/\s]+", url):
        raise bad_request("bad webhook: an HTTPS URL must be provided for webhook")
    if secret is not None and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    connections = DEFAULT_CONNECTIONS if max_connections is None else max_connections
    if not 1 <= connections <= MAX_CONNECTIONS:
        raise bad_request(f"max_connections must be from 1 to {MAX_CONNECTIONS}")
    return Hook(url, secret, connections)


class WebhookSender:
    """Posts the updates of one bot, one after the other."""

    def __init__(self, queue: UpdateQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._hook: Hook | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: tuple[datetime, str] | None = None
        self.deliveries: Journal[Delivery] = Journal()
        self.given_up: Journal[int] = Journal()

    @property
    def hook(self) -> Hook | None:
        """Where updates go, None without a webhook."""
        return self._hook

    async def set(self, hook: Hook | None) -> None:
        """Begin, change or end delivery."""
        await self.close()
        self._hook = hook
        self._error = None
        if hook is not None:
            self._task = asyncio.create_task(self._run(hook), name="webhook")

    async def close(self) -> None:
        """Stop delivering; what waits stays."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def info(self) -> WebhookInfo:
        """The answer to getWebhookInfo."""
        hook = self._hook
        return WebhookInfo(
            url=hook.url if hook else "",
            has_custom_certificate=False,
            pending_update_count=len(self._queue),
            last_error_date=self._error[0] if self._error else None,
            last_error_message=self._error[1] if self._error else None,
            max_connections=hook.max_connections if hook else None,
            allowed_updates=self._queue.allowed,
        )

    async def _run(self, hook: Hook) -> None:
        async with ClientSession(timeout=_TIMEOUT) as session:
            while True:
                await self._queue.arrival()
                await self._deliver_first(session, hook)

    async def _deliver_first(self, session: ClientSession, hook: Hook) -> None:
        waiting = self._queue.first(1)[0]
        headers = {"Content-Type": "application/json", "Connection": "keep-alive"}
        if hook.secret is not None:
            headers[SECRET_HEADER] = hook.secret
        content = waiting.content
        body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        for attempt in range(MAX_ATTEMPTS):
            delivery = await self._post(session, hook, waiting.update_id, body, headers)
            accepted = delivery.status is not None and 200 <= delivery.status < 300
            if accepted:
                self._queue.confirm(waiting.update_id + 1)
            self.deliveries.append(delivery)
            if accepted:
                return
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
        self._queue.confirm(waiting.update_id + 1)
        self.given_up.append(waiting.update_id)

    async def _post(
        self,
        session: ClientSession,
        hook: Hook,
        update_id: int,
        body: bytes,
        headers: dict[str, str],
    ) -> Delivery:
        try:
            async with session.post(hook.url, data=body, headers=headers, allow_redirects=False) as response:
                await response.read()
                if not 200 <= response.status < 300:
                    phrase = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else ""
                    self._failed(f"Wrong response from the webhook: {response.status} {phrase}".strip())
                return Delivery(update_id, response.status, response.headers.get("Retry-After"))
        except TimeoutError:
            self._failed("Read timeout expired")
        except ClientError as error:
            self._failed(f"Connection failed: {type(error).__name__}")
        return Delivery(update_id, None)

    def _failed(self, words: str) -> None:
        self._error = (self._clock.now(), words)
