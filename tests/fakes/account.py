"""An account that is connected and does nothing: tests give it what they need of it."""

from __future__ import annotations

from typing_extensions import override

from crm_core.messages import ChannelKey, DeliveryReceipt, OutboundMessage
from crm_core.ports import Channel, ChannelHealth, ChannelState, InboundSink


class ConnectedAccount(Channel):
    """Nothing is sent through it: whoever does so fails the test."""

    def __init__(self, key: ChannelKey) -> None:
        self._key = key

    @property
    @override
    def key(self) -> ChannelKey:
        return self._key

    @property
    @override
    def health(self) -> ChannelHealth:
        return ChannelHealth(ChannelState.CONNECTED)

    @override
    async def start(self, sink: InboundSink) -> None: ...

    @override
    async def stop(self) -> None: ...

    @override
    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        raise AssertionError(f"nobody writes through {self._key}")
