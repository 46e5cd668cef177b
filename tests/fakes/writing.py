"""Who writes, as channels tell it."""

from __future__ import annotations

from crm_core.messages import ChannelKey
from crm_core.model.identity import Identity
from crm_core.ports import Writing


class HeardWriting(Writing):
    """Keeps what channels tell: conversation and identity."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def client_writes(self, key: ChannelKey, conversation: str, who: Identity) -> None:
        """Keep it."""
        self.heard.append((conversation, str(who)))
