"""What a website needs to be known by, and how its chat looks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey
from crm_core.model.calendar import ALWAYS, WorkingHours

CHANNEL = "web"
ANY_ORIGIN = "*"
MB = 1024 * 1024

_ORIGIN = re.compile(r"https?://[^\s/?#@]+\Z")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")


class Side(Enum):
    """In which lower corner of the page the chat's button stands."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """The chat of a site. `title` stands over it, empty for a plain one; `color` is `#rrggbb`; outside `hours` visitors
    are told when somebody is there and asked how to reach them; `file_size` of one file, in bytes.

    At most `per_visitor` streams are open for one visitor, `per_address` for one address and `streams` on this node;
    where nothing happens a stream says so every `heartbeat_s`. Raises InvalidInput for what is no colour.
    """

    on: bool = True
    title: str = ""
    color: str = "#2457d6"
    side: Side = Side.RIGHT
    hours: WorkingHours = ALWAYS
    file_size: int = 10 * MB
    per_visitor: int = 6
    per_address: int = 200
    streams: int = 20_000
    heartbeat_s: float = 25.0

    def __post_init__(self) -> None:
        if not _COLOR.match(self.color):
            raise InvalidInput("«{color}» is no colour; one looks like #2457d6", color=self.color)


@dataclass(frozen=True, slots=True)
class WebConfig:
    """A website whose forms are posted here.

    `origins` as browsers send them (`https://example.org`), `*` for any; a request without an Origin comes from a
    server and needs the key alone. `max_size` of a body with its files, in bytes. `per_minute` forms, and as many
    messages of the chat, are taken from one address in a minute. `zone` is the office's, in which visitors name the
    time of a callback. Raises InvalidInput for an empty key and for origins that no browser sends.
    """

    name: str
    key: str = field(repr=False)
    origins: tuple[str, ...] = ()
    max_size: int = MB
    per_minute: int = 30
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    chat: ChatConfig = ChatConfig()

    def __post_init__(self) -> None:
        if not self.key:
            raise InvalidInput("web {name}: the key is empty", name=self.name)
        for origin in self.origins:
            if origin != ANY_ORIGIN and not _ORIGIN.match(origin):
                raise InvalidInput(
                    "web {name}: «{origin}» is no origin; one looks like https://example.org",
                    name=self.name,
                    origin=origin,
                )

    @property
    def channel_key(self) -> ChannelKey:
        """Channel and account."""
        return ChannelKey(CHANNEL, self.name)

    @property
    def path(self) -> str:
        """Where forms are posted."""
        return f"/in/web/{self.name}"

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may post."""
        folded = origin.strip().lower().rstrip("/")
        return ANY_ORIGIN in self.origins or folded in {each.lower() for each in self.origins}
