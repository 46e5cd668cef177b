"""A website as a channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from channels.web.config import WebConfig
from channels.web.fields import FormFile
from channels.web.inbound import read
from channels.web.view import FormView
from crm_core.errors import IntakeUnavailable, PermanentDeliveryError
from crm_core.messages import ChannelKey, DeliveryReceipt, InboundEvent, OutboundMessage
from crm_core.ports import (
    ChannelContext,
    ChannelHealth,
    ChannelState,
    HttpRequest,
    HttpResponse,
    HttpRoute,
    InboundSink,
)


class WebChannel:
    """The forms of one website: `Channel`, `ReceivesHttp`, `ReparsesRaw`, `ProvesItself`."""

    def __init__(self, config: WebConfig, context: ChannelContext) -> None:
        self._config = config
        self._context = context
        self._view = FormView(config, context.files, context.clock)
        self._sink: InboundSink | None = None
        self._health = ChannelHealth(ChannelState.CONNECTING)

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._config.channel_key

    @property
    def health(self) -> ChannelHealth:
        """Forms need no connection: it is connected while it is started."""
        return self._health

    async def start(self, sink: InboundSink) -> None:
        """Begin taking forms in."""
        self._sink = sink
        self._health = ChannelHealth(ChannelState.CONNECTED)

    async def stop(self) -> None:
        """Take no more forms in; the HTTP server lets running requests end."""
        self._sink = None
        self._health = ChannelHealth(ChannelState.STOPPED)

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """A form can't be answered where it came from."""
        raise PermanentDeliveryError(f"{message.key}: a form has no way back; answer by mail, messenger or telephone.")

    def routes(self) -> Sequence[HttpRoute]:
        """Where forms are posted, and where browsers ask whether they may."""
        path, size = self._config.path, self._config.max_size
        return (HttpRoute("POST", path, self._posted, size), HttpRoute("OPTIONS", path, self._view.preflight, size))

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """Read a raw form of the journal again; its kind is told by its look. Its files: see `keep_files`."""
        return read(self._config, raw, "", received_at, external_id=external_id).event

    async def keep_files(self, raw: bytes) -> None:
        """Store the files of a raw form: before the replay of one that could not be read when it came."""
        arrival = read(self._config, raw, "", self._context.clock.now())
        await self._store(arrival.files)

    async def check(self) -> str:
        """Nothing to connect to; tells the address to post to, without its key."""
        origins = ", ".join(self._config.origins) or "servers only"
        return f"forms are posted to {self._context.public_url.rstrip('/')}{self._config.path}?key=… from {origins}"

    async def _posted(self, request: HttpRequest) -> HttpResponse:
        if self._sink is None:
            raise IntakeUnavailable("the channel is not started")
        return await self._view.post(request, self._sink)

    async def _store(self, files: Sequence[FormFile]) -> None:
        for file in files:
            await self._context.files.put_bytes(file.content)


def create(config: WebConfig, context: ChannelContext) -> WebChannel:
    """The connector of one website; no I/O."""
    return WebChannel(config, context)
