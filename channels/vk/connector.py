"""A VK community as a channel: puts the parts together and starts and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from channels.vk.api import VkApi
from channels.vk.callback import MAX_BODY, CallbackKeeper, CallbackView
from channels.vk.config import Mode, VkConfig
from channels.vk.download import Downloads
from channels.vk.health import Health
from channels.vk.history import History
from channels.vk.inbound import Reader
from channels.vk.intake import Intake
from channels.vk.longpoll import Poller, PollTools
from channels.vk.names import NameKeeper
from channels.vk.outbound import Sender
from channels.vk.own_comments import OwnComments
from channels.vk.pacing import Pacer
from channels.vk.presses import PressAnswers
from channels.vk.proof import Proof
from channels.vk.uploads import Uploads
from channels.vk.waiting import Sleep
from channels.vk.writing import ShownWriting
from crm_core.errors import ChannelAuthError, IntakeUnavailable
from crm_core.messages import ChannelKey, DeliveryReceipt, InboundEvent, OutboundMessage
from crm_core.model.identity import Identity, IdentityKind
from crm_core.ports import ChannelContext, ChannelHealth, HttpRequest, HttpResponse, HttpRoute, InboundSink
from crm_core.wording import Sentence

log = logging.getLogger(__name__)


class VkChannel:
    """One community: `Channel`, `ReceivesHttp`, `ReparsesRaw`, `FetchesFiles`, `Measured`, `ProvesItself`,
    `ShowsWriting`."""

    def __init__(self, config: VkConfig, context: ChannelContext, *, sleep: Sleep = asyncio.sleep) -> None:
        self._config = config
        self._context = context
        self._sleep = sleep
        self._health = Health(config.key)
        self._api = VkApi(config, Pacer(context.clock, sleep))
        self._names = NameKeeper(config.key, self._api, context.clock, context.nameless, sleep)
        self._reader = Reader(config.key, config.group_id, self._names.name_of, config.joins)
        own = OwnComments(config.key, context.cursors)
        self._presses = PressAnswers(self._api)
        self._intake = Intake(own, self._presses, self._names, self._typed)
        self._writing = ShownWriting(self._api, config.group_id)
        self._sender = Sender(self._api, Uploads(self._api, context.files, config.group_id), own, config.group_id)
        self._downloads = Downloads(config, self._api)
        self._history = History(config, self._api, self._reader, self._intake, context.clock, context.cursors)
        self._view = CallbackView(config, self._reader, self._intake, self._history, context.clock)
        self._sink: InboundSink | None = None
        self._worker: Poller | CallbackKeeper | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._config.key

    @property
    def health(self) -> ChannelHealth:
        """How the community's account stands with VK."""
        return self._health.now

    async def start(self, sink: InboundSink) -> None:
        """Begin taking events in; connecting goes on in the background."""
        if self._tasks:
            raise RuntimeError(f"{self.key} is started already")
        self._health.begin()
        self._api.begin()
        self._sink = sink
        self._worker = self._poller(sink) if self._config.mode is Mode.LONGPOLL else self._keeper(sink)
        self._tasks = [
            asyncio.create_task(self._worker.run(), name=str(self.key)),
            asyncio.create_task(self._names.run(sink), name=f"{self.key} names"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """End a waiting poll at once, let a batch be committed and pressed buttons be answered, then close."""
        tasks, self._tasks = self._tasks, []
        self._sink = None
        if self._worker is not None:
            self._worker.stop()
        self._names.stop()
        if tasks:
            try:
                await asyncio.wait(tasks)
            except asyncio.CancelledError:
                for task in tasks:
                    task.cancel()  # whoever stops us has no more time: what was not committed comes again
                raise
        await self._presses.drain()
        await self._writing.drain()
        await self._api.stop()
        self._health.stopped()

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
        """The content of a file by its address, in pieces; raises the delivery errors."""
        return self._downloads.content(remote_id)

    @property
    def everywhere(self) -> bool:
        """VK need be told once."""
        return False

    def show_writing(self, conversation: str, _author: str, /) -> None:
        """Show a client that somebody writes; under the community's name, whoever it is."""
        if self._sink is not None:
            self._writing.show(conversation)

    def routes(self) -> Sequence[HttpRoute]:
        """The callback's path in mode callback; none in mode longpoll, so that it is answered 404."""
        if self._config.mode is not Mode.CALLBACK:
            return ()
        return (HttpRoute("POST", self._config.path, self._posted, MAX_BODY),)

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """Read a raw event of the journal again."""
        return replace(self._reader.body(raw, received_at).event, external_id=external_id)

    def measurements(self) -> Mapping[str, float]:
        """Events, calls, names; and how often VK could not go on from the hub's place."""
        parts = (self._intake.counts, self._api.counts, self._history.counts)
        counts: dict[str, float] = {name: value for part in parts for name, value in part.items()}
        counts["names_learned"] = self._names.learned
        return counts | (self._worker.counts if isinstance(self._worker, Poller) else {})

    async def check(self) -> str:
        """Ask VK whose token it is, what it may, and whether events are switched on."""
        try:
            return await Proof(self._config, self._api, self._context.public_url).check()
        finally:
            if not self._tasks:
                await self._api.close()

    def _typed(self, client: int) -> None:
        """A client is writing to the community."""
        if self._context.writing is not None:
            self._context.writing.client_writes(self.key, str(client), Identity(IdentityKind.VK, str(client)))

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
            intake=self._intake,
            history=self._history,
            health=self._health,
            clock=context.clock,
            cursors=context.cursors,
            lease=context.lease(str(self.key)),
            sleep=self._sleep,
        )
        return Poller(tools, sink)

    def _keeper(self, sink: InboundSink) -> CallbackKeeper:
        proof = Proof(self._config, self._api, self._context.public_url)
        return CallbackKeeper(proof, self._health, self._history, sink, self._sleep)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("%s: %s ended", self.key, task.get_name(), exc_info=error)
            self._health.ended(Sentence("the intake ended: {why}", why=type(error).__name__))


def create(config: VkConfig, context: ChannelContext) -> VkChannel:
    """The connector of one community; no I/O yet."""
    return VkChannel(config, context)
