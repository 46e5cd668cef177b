"""Answers posted to the gateway: signed, with an id that is the same on every try."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import aiohttp
from pydantic import ValidationError

from channels.gateway.config import GatewayConfig
from channels.gateway.wire import OutButton, OutFile, OutMessage, Taken
from crm_core.errors import ChannelAuthError, ChannelStopped, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import DeliveryReceipt, OutboundMessage
from crm_core.model.signature import signature
from crm_core.ports import Clock, FileStore
from crm_core.wording import Sentence

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)
_LONGEST_ANSWER = 64 * 1024
_PIECE = 64 * 1024
_LONGEST_PAUSE_S = 3600.0


class Poster:
    """Talks to the gateway's address. Used between `open` and `close`."""

    def __init__(self, config: GatewayConfig, files: FileStore, clock: Clock) -> None:
        self._config = config
        self._files = files
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Open the client; without it nothing is sent."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def close(self) -> None:
        """Close it. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Hand one answer over. The gateway knows a repeated id, so that trying again is safe.

        2xx: taken. 401 and 403: the signature is refused. 429 and 5xx: later. Anything else: refused for good.
        """
        taken = await self._post(await self._body(message), message.idempotency_key)
        return DeliveryReceipt((taken.id,) if taken.id is not None else ())

    async def ask(self) -> None:
        """Post a mere `ping`, which the gateway answers with 2xx; raises the errors of `send`."""
        await self._post(b'{"type": "ping"}', "ping")

    async def fetch(self, address: str) -> AsyncIterator[bytes]:
        """A file of a message, in pieces; raises the errors of `send`."""
        if not self._config.may_fetch(address):
            raise PermanentDeliveryError("the file lies on a host that is not in file_hosts of this gateway")
        try:
            async with self._client.get(address, allow_redirects=False) as response:
                if response.status >= 500 or response.status == 429:
                    raise TransientDeliveryError("the file's host answered {status}", status=response.status)
                if response.status != 200:
                    raise PermanentDeliveryError("the file's host answered {status}", status=response.status)
                async for piece in response.content.iter_chunked(_PIECE):
                    yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientDeliveryError("the file's host: {why}", why=type(error).__name__) from error

    @property
    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise ChannelStopped
        return self._session

    async def _body(self, message: OutboundMessage) -> bytes:
        size = sum(file.stored.size for file in message.files)
        if size > self._config.max_size:
            raise PermanentDeliveryError("the files have {size} bytes, more than max_size of this gateway", size=size)
        files = [
            OutFile(
                name=file.name,
                content_type=file.content_type,
                size=file.stored.size,
                content=base64.b64encode(await self._files.read(file.stored.sha256)).decode(),
            )
            for file in message.files
        ]
        said = OutMessage(
            id=message.idempotency_key,
            account=message.key.account,
            conversation=message.conversation,
            at=self._clock.now(),
            text=message.text,
            reply_to=message.reply_to,
            files=files,
            buttons=[[OutButton(text=each.text, data=each.data) for each in row] for row in message.buttons],
            ask_contact=message.ask_contact,
        )
        return said.model_dump_json().encode("utf-8", "replace")

    async def _post(self, body: bytes, delivery: str) -> Taken:
        if self._config.url is None:
            raise PermanentDeliveryError("this gateway has no url: it only brings messages")
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Delivery": delivery,
            "X-Hub-Timestamp": timestamp,
            "X-Hub-Signature": f"sha256={signature(self._config.secret, timestamp, body)}",
        }
        try:
            async with self._client.post(
                self._config.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                said = await response.content.read(_LONGEST_ANSWER)
                return _answer(response.status, said, response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TransientDeliveryError("the gateway can't be reached: {why}", why=type(error).__name__) from error


def _answer(status: int, body: bytes, retry_after: str) -> Taken:
    try:
        taken = Taken.model_validate_json(body)
    except ValidationError:
        taken = Taken()  # an answer without words is an answer too
    words = Sentence("the gateway answered {status}", status=status)
    if taken.error:
        words = Sentence("the gateway answered {status}: {words}", status=status, words=taken.error)
    if 200 <= status < 300:
        return taken
    if status in {401, 403}:
        raise ChannelAuthError("{words}. Compare the secret on both sides.", words=words)
    if status == 429 or status >= 500:
        pause = min(float(retry_after), _LONGEST_PAUSE_S) if retry_after.isdigit() else None
        raise TransientDeliveryError(words, retry_after=pause)
    raise PermanentDeliveryError(words)
