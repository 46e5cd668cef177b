"""A whole channel in a hundred lines, the one that CONTRIBUTING.md builds: short messages over somebody's HTTP API."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp
from pydantic import AwareDatetime, BaseModel, ValidationError

from crm_core import errors, ports
from crm_core import messages as m
from crm_core.model.identity import telephone


@dataclass(frozen=True, slots=True)
class SmsConfig:
    """`token` proves both sides to each other; `url` is the provider's address."""

    name: str
    url: str
    token: str = field(repr=False)


class Incoming(BaseModel):
    """The provider's JSON; it ends here."""

    id: str
    phone: str
    text: str
    at: AwareDatetime


class SmsChannel:
    """`Channel`, `ReceivesHttp`, `ReparsesRaw`, `ProvesItself`."""

    def __init__(self, config: SmsConfig, context: ports.ChannelContext) -> None:
        self._config, self._context = config, context
        self._sink: ports.InboundSink | None = None
        self.key = m.ChannelKey("sms", config.name)
        self.health = ports.ChannelHealth(ports.ChannelState.CONNECTING)

    async def start(self, sink: ports.InboundSink) -> None:
        self._sink, self.health = sink, ports.ChannelHealth(ports.ChannelState.CONNECTED)

    async def stop(self) -> None:
        self._sink, self.health = None, ports.ChannelHealth(ports.ChannelState.STOPPED)

    def routes(self) -> Sequence[ports.HttpRoute]:
        return (ports.HttpRoute("POST", f"/in/sms/{self._config.name}", self._posted),)

    async def _posted(self, request: ports.HttpRequest) -> ports.HttpResponse:
        if not hmac.compare_digest(request.headers.get("x-token", "").encode(), self._config.token.encode()):
            return ports.HttpResponse(401)
        assert self._sink is not None, "routes are served between start and stop"
        id_ = f"sha256:{hashlib.sha256(request.body).hexdigest()}"
        await self._sink.receive(self.reparse(id_, request.body, self._context.clock.now()))
        return ports.HttpResponse(200, b"ok")  # only now: the fact is committed

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> m.InboundEvent:
        try:
            said = Incoming.model_validate_json(raw)
            sender = m.Sender((telephone(said.phone, self._context.region),))
        except (ValidationError, errors.InvalidIdentity) as error:  # kept as failed, to be replayed
            return m.InboundEvent(
                self.key, external_id, "", received_at, m.Sender(), m.Unparsable(str(error)[:500]), raw
            )
        message = m.MessageReceived(m.EntryKind.MESSAGE, said.text, said.id)
        return m.InboundEvent(self.key, external_id, sender.identities[0].value, said.at, sender, message, raw)

    async def send(self, message: m.OutboundMessage) -> m.DeliveryReceipt:
        if self.health.state is ports.ChannelState.STOPPED:
            raise errors.ChannelStopped
        said = {"to": message.conversation, "text": message.text, "key": message.idempotency_key}
        status, answer = await self._call("send", said)
        if status != 200:
            raise errors.PermanentDeliveryError(f"the provider answered {status}: {answer}")
        return m.DeliveryReceipt((str(json.loads(answer)["id"]),))

    async def check(self) -> str:
        await self._call("balance", {})
        return f"{self._config.url} takes our token"

    async def _call(self, method: str, said: dict[str, str]) -> tuple[int, str]:
        headers = {"X-Token": self._config.token}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session,
                session.post(f"{self._config.url}/{method}", json=said, headers=headers) as response,
            ):
                status, answer = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise errors.TransientDeliveryError(str(error), uncertain=True) from error
        if status == 401:
            self.health = ports.ChannelHealth(ports.ChannelState.BAD_CREDENTIALS, "the provider refuses the token")
            raise errors.ChannelAuthError(self.health.detail)
        if status == 429 or status >= 500:
            raise errors.TransientDeliveryError(f"the provider answered {status}", retry_after=1.0)
        return status, answer
