"""What a website needs to be known by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey

CHANNEL = "web"
ANY_ORIGIN = "*"
MB = 1024 * 1024

_ORIGIN = re.compile(r"https?://[^\s/?#@]+\Z")


@dataclass(frozen=True, slots=True)
class WebConfig:
    """A website whose forms are posted here.

    `origins` as browsers send them (`https://example.org`), `*` for any; a request without an Origin comes from a
    server and needs the key alone. `max_size` of a body with its files, in bytes. `per_minute` forms are taken from
    one address. `zone` is the office's, in which visitors name the time of a callback. Raises InvalidInput for an empty
    key and for origins that no browser sends.
    """

    name: str
    key: str = field(repr=False)
    origins: tuple[str, ...] = ()
    max_size: int = MB
    per_minute: int = 30
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def __post_init__(self) -> None:
        if not self.key:
            raise InvalidInput(f"web {self.name}: the key is empty")
        for origin in self.origins:
            if origin != ANY_ORIGIN and not _ORIGIN.match(origin):
                raise InvalidInput(f"web {self.name}: «{origin}» is no origin; one looks like https://example.org")

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
