"""What a gateway needs to be known by."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey

CHANNEL = "gateway"
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """A program that brings the messages of a messenger and takes the answers.

    `secret` signs both ways. `url` is where answers are posted, None: it only brings. `phones`: the numbers that it
    names are proven to be their senders' (WhatsApp, not a classifieds site). `file_hosts` are the hosts besides that
    of `url` from which files may be fetched. `max_size` of a body and of a file in bytes. Raises InvalidInput for an
    empty secret.
    """

    name: str
    secret: str = field(repr=False)
    url: str | None = None
    phones: bool = False
    file_hosts: tuple[str, ...] = ()
    max_size: int = 20 * MB

    def __post_init__(self) -> None:
        if not self.secret:
            raise InvalidInput("gateway {name}: the secret is empty", name=self.name)

    @property
    def channel_key(self) -> ChannelKey:
        """Channel and account."""
        return ChannelKey(CHANNEL, self.name)

    @property
    def path(self) -> str:
        """Where facts are posted."""
        return f"/in/gateway/{self.name}"

    def may_fetch(self, address: str) -> bool:
        """Whether a file may be fetched from this address: only from where the office has said so."""
        try:
            parts, own = urlsplit(address), urlsplit(self.url or "")
            host, is_own = parts.hostname, (_port(parts), parts.hostname) == (_port(own), own.hostname)
        except ValueError:
            return False
        if parts.scheme not in {"http", "https"} or host is None or parts.username is not None:
            return False
        return is_own or host in {each.lower() for each in self.file_hosts}


def _port(parts: SplitResult) -> int | None:
    """Another port is another program: a gateway's neighbours on its machine are not asked for files."""
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
