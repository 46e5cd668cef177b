"""The accounts through which clients and office talk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ChannelKey:
    """An account of a channel, e.g. `telegram:shop`. Channels: telegram, vk, email, pbx, web, cti."""

    channel: str
    account: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.account}"
