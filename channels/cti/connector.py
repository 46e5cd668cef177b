"""A telephone system that pushes its calls, as a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from channels.cti.config import PATH, CtiConfig
from channels.cti.door import CtiDoor
from channels.cti.inbound import Told, read
from crm_core.errors import IntakeUnavailable, PermanentDeliveryError
from crm_core.messages import (
    ChannelKey,
    DeliveryReceipt,
    InboundEvent,
    OutboundMessage,
    RouteAction,
    RouteQuery,
    RouteStage,
)
from crm_core.ports import ChannelContext, ChannelHealth, ChannelState, HttpRoute, InboundSink
from crm_core.wording import Sentence


class CtiChannel:
    """The calls of one telephone system: `Channel`, `ReceivesHttp`, `ReparsesRaw`, `ProvesItself`, `Measured`."""

    def __init__(self, config: CtiConfig, context: ChannelContext, door: CtiDoor) -> None:
        self._config = config
        self._context = context
        self._door = door
        self._sink: InboundSink | None = None
        self._health = ChannelHealth(ChannelState.CONNECTING)
        door.add(self)

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._config.channel_key

    @property
    def config(self) -> CtiConfig:
        """What the account was set up with."""
        return self._config

    @property
    def health(self) -> ChannelHealth:
        """Whoever pushes need not be connected to: it is connected while it is started."""
        return self._health

    async def start(self, sink: InboundSink) -> None:
        """Begin taking calls in."""
        self._sink = sink
        self._health = ChannelHealth(ChannelState.CONNECTED)

    async def stop(self) -> None:
        """Take no more calls in; the HTTP server lets running requests end."""
        self._sink = None
        self._health = ChannelHealth(ChannelState.STOPPED)

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Nothing can be said through a telephone system that only tells of its calls."""
        raise PermanentDeliveryError("{account}: this telephone system only tells of its calls.", account=message.key)

    def routes(self) -> Sequence[HttpRoute]:
        """Where events are posted; all accounts share the address, the token in it tells them apart."""
        return self._door.routes(self)

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """Read a raw event of the journal again."""
        return read(self._config, self._context.region, raw, received_at, external_id=external_id).event

    async def check(self) -> str:
        """Nothing to connect to; tells the address to post to, without its token."""
        url = f"{self._context.public_url.rstrip('/')}{PATH.replace('{token}', '…')}"
        return Sentence("calls are posted to {url}", url=url)

    def measurements(self) -> Mapping[str, float]:
        """Events by kind, those that were not understood, and callers who were refused."""
        return self._door.numbers(self._config.name)

    async def take(self, body: bytes) -> Told:
        """See `door.Account`."""
        if self._sink is None:
            raise IntakeUnavailable("the channel is not started")
        told = read(self._config, self._context.region, body, self._context.clock.now())
        await self._sink.receive(told.event)
        return told

    def refuses(self, told: Told) -> bool:
        """See `door.Account`. Whom to ring is the telephone system's own affair: only the lists count here."""
        decision = self._context.call_router.route(RouteQuery(self._config.name, told.peer, told.line))
        listed = any(step.stage is RouteStage.LIST for step in decision.trace)
        return listed and decision.action is RouteAction.REJECT


def create_all(configs: Sequence[CtiConfig], context: ChannelContext) -> list[CtiChannel]:
    """The connectors of several accounts, which share one address; no I/O."""
    door = CtiDoor()
    return [CtiChannel(config, context, door) for config in configs]


def create(config: CtiConfig, context: ChannelContext) -> CtiChannel:
    """The connector of one account; no I/O."""
    return create_all([config], context)[0]
