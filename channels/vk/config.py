"""What a VK community needs to be known by."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey

CHANNEL = "vk"
OFFICIAL_API = "https://api.vk.com/method"
API_VERSION = "5.199"
"""The version of VK's API that all calls are made in, and that events have to be set to."""


class Mode(StrEnum):
    """How events come in."""

    CALLBACK = "callback"
    LONGPOLL = "longpoll"


@dataclass(frozen=True, slots=True)
class VkConfig:
    """One community. `secret` and `confirmation` are wanted in mode callback; `wait_s` is how long one long poll waits,
    in seconds, at most 90. `joins`: whoever joins the community is an enquiry.

    Raises InvalidInput where VK could never be talked to like this.
    """

    name: str
    group_id: int
    token: str = field(repr=False)
    mode: Mode = Mode.CALLBACK
    secret: str | None = field(default=None, repr=False)
    confirmation: str | None = field(default=None, repr=False)
    api_base: str = OFFICIAL_API
    joins: bool = True
    wait_s: int = 25

    def __post_init__(self) -> None:
        if self.group_id <= 0:
            raise InvalidInput("vk {name}: group_id is the community's number, greater than zero", name=self.name)
        if not self.token:
            raise InvalidInput("vk {name}: the token is empty", name=self.name)
        if self.mode is Mode.CALLBACK and not (self.secret and self.confirmation):
            raise InvalidInput('vk {name}: mode "callback" needs a secret and a confirmation', name=self.name)
        if not 1 <= self.wait_s <= 90:
            raise InvalidInput("vk {name}: a long poll waits 1 to 90 seconds", name=self.name)

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return ChannelKey(CHANNEL, self.name)

    @property
    def path(self) -> str:
        """Where events are posted in mode callback."""
        return f"/in/vk/{self.name}"
