"""The connectors of this node by account: read by everybody, changed while the hub runs."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView

from crm_core.errors import TransientDeliveryError
from crm_core.messages import ChannelKey, DeliveryReceipt, OutboundMessage
from crm_core.ports import Channel, ChannelHealth, ChannelState, InboundSink


class Channels(Mapping[ChannelKey, Channel]):
    """A mapping that stays as it was for whoever goes through it, also across awaits, while others change it.

    `revision` grows with every change. Changed on the loop's own thread.
    """

    def __init__(self, channels: Mapping[ChannelKey, Channel] | None = None) -> None:
        self._now = dict(channels or {})
        self.revision = 0

    def put(self, channel: Channel) -> None:
        """Have this connector serve its account, whichever did before."""
        self._become({**self._now, channel.key: channel})

    def remove(self, key: ChannelKey) -> None:
        """Have nobody serve an account."""
        self._become({each: channel for each, channel in self._now.items() if each != key})

    def _become(self, channels: dict[ChannelKey, Channel]) -> None:
        self._now = channels
        self.revision += 1

    def __getitem__(self, key: ChannelKey) -> Channel:
        return self._now[key]

    def __iter__(self) -> Iterator[ChannelKey]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def items(self) -> ItemsView[ChannelKey, Channel]:
        """The accounts of now with their connectors."""
        return self._now.items()

    def values(self) -> ValuesView[Channel]:
        """The connectors of now."""
        return self._now.values()


class BrokenChannel:
    """Stands for an account that can't be used as it is configured: what is to go out through it waits."""

    def __init__(self, key: ChannelKey, why: str = "", *, health: ChannelHealth | None = None) -> None:
        self._key = key
        self._health = health or ChannelHealth(ChannelState.STOPPED, why)

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return self._key

    @property
    def health(self) -> ChannelHealth:
        """Stopped, or how it is tried again, and why."""
        return self._health

    async def start(self, sink: InboundSink) -> None:
        """Nothing comes in."""

    async def stop(self) -> None:
        """Nothing is open."""

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Try again when the account is mended."""
        raise TransientDeliveryError("{account}: {why}", account=message.key, why=self._health.detail)
