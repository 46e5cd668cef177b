"""A Telegram bot as a channel: puts the parts together and starts and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from channels.telegram.afterwards import Afterwards
from channels.telegram.api import BotApi
from channels.telegram.background import Background
from channels.telegram.business import BusinessLinks
from channels.telegram.commands import StaffMenus
from channels.telegram.config import Mode, TelegramConfig
from channels.telegram.health import Health
from channels.telegram.inbound import Reader
from channels.telegram.memory import Memory
from channels.telegram.outbound import Sender
from channels.telegram.pacing import Pacer
from channels.telegram.polling import Poller, PollTools
from channels.telegram.proof import Proof
from channels.telegram.waiting import Sleep
from channels.telegram.webhook import MAX_BODY, WebhookKeeper, WebhookView
from channels.telegram.writing import ShownWriting
from crm_core.errors import ChannelAuthError, IntakeUnavailable
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
from crm_core.wording import Sentence

log = logging.getLogger(__name__)


class TelegramChannel:
    """One bot: `Channel`, `ReceivesHttp`, `ReparsesRaw`, `FetchesFiles`, `ProvesItself`, `ShowsWriting`."""

    def __init__(self, config: TelegramConfig, context: ChannelContext, *, sleep: Sleep = asyncio.sleep) -> None:
        self._config = config
        self._context = context
        self._sleep = sleep
        self._health = Health(config.key)
        self._api = BotApi(config)
        words, pacer = config.words, Pacer(context.clock, sleep)
        self._background = Background()
        self._reader = Reader(config.key, context.region, int(config.bot_id), words)
        links = BusinessLinks(config.key, context.cursors, self._api, context.clock)
        self._memory = Memory(config.key, context.cursors, links)
        self._afterwards = Afterwards(self._api, self._background, pacer, words)
        menus = StaffMenus(self._api, self._background, words)
        self._sender = Sender(self._api, context.files, pacer, self._memory, menus, words)
        self._writing = ShownWriting(self._api, self._background, self._memory)
        self._view = WebhookView(config, self._reader, self._memory, self._afterwards, context.clock)
        self._sink: InboundSink | None = None
        self._worker: Poller | WebhookKeeper | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._config.key

    @property
    def health(self) -> ChannelHealth:
        """How the bot stands with Telegram."""
        return self._health.now

    async def start(self, sink: InboundSink) -> None:
        """Begin taking updates in; connecting goes on in the background."""
        if self._task is not None:
            raise RuntimeError(f"{self.key} is started already")
        self._health.restart()
        self._api.begin()
        self._sink = sink
        self._worker = self._poller(sink) if self._config.mode is Mode.POLLING else self._keeper()
        self._task = asyncio.create_task(self._worker.run(), name=str(self.key))
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End a waiting poll at once, let a batch be committed and pressed buttons be answered, then close."""
        task, self._task = self._task, None
        self._sink = None
        if task is not None and self._worker is not None:
            self._worker.stop()
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                task.cancel()  # whoever stops us has no more time: what was not committed comes again
                raise
        await self._background.drain()
        await self._api.stop()
        self._health.set(ChannelState.STOPPED)

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Deliver one message, see `outbound`; a refused token turns the health to BAD_CREDENTIALS."""
        self._api.insist()
        try:
            receipt = await self._sender.send(message)
        except ChannelAuthError as error:
            self._health.failed(error)
            raise
        self._health.accepted()
        return receipt

    def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        """The content of a file by its `file_id`, in pieces; raises the delivery errors."""
        return self._api.download(remote_id)

    @property
    def everywhere(self) -> bool:
        """Telegram need be told once."""
        return False

    def show_writing(self, conversation: str, _author: str, /) -> None:
        """Show a client that somebody writes; under the bot's name, whoever it is."""
        if self._sink is not None:
            self._writing.show(conversation)

    def routes(self) -> Sequence[HttpRoute]:
        """The webhook's path in mode webhook; none in mode polling, so that it is answered 404."""
        if self._config.mode is not Mode.WEBHOOK:
            return ()
        return (HttpRoute("POST", self._config.path, self._posted, MAX_BODY),)

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """Read a raw update of the journal again."""
        return replace(self._reader.body(raw, received_at).event, external_id=external_id)

    async def check(self) -> str:
        """Ask Telegram who the bot is, how its updates come in, and what it may."""
        try:
            return await Proof(self._config, self._api, self._context.public_url).check()
        finally:
            if self._task is None:
                await self._api.close()

    async def _posted(self, request: HttpRequest) -> HttpResponse:
        if self._sink is None:
            raise IntakeUnavailable("the channel is not started")
        return await self._view.handle(request, self._sink)

    def _poller(self, sink: InboundSink) -> Poller:
        context = self._context
        tools = PollTools(
            config=self._config,
            api=self._api,
            reader=self._reader,
            memory=self._memory,
            afterwards=self._afterwards,
            health=self._health,
            clock=context.clock,
            cursors=context.cursors,
            lease=context.lease(str(self.key)),
            sleep=self._sleep,
        )
        return Poller(tools, sink)

    def _keeper(self) -> WebhookKeeper:
        return WebhookKeeper(self._config, self._api, self._health, self._context.public_url, self._sleep)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("%s: intake ended", self.key, exc_info=error)
            self._health.set(ChannelState.RECONNECTING, Sentence("the intake ended: {why}", why=type(error).__name__))


def create(config: TelegramConfig, context: ChannelContext) -> TelegramChannel:
    """The connector of one bot; no I/O yet."""
    return TelegramChannel(config, context)
