"""Where a reply goes: a chat, directly or through somebody's Telegram Business account."""

from __future__ import annotations

import re
from dataclasses import dataclass

from typing_extensions import override

from crm_core.errors import PermanentDeliveryError

_FORM = re.compile(r"(?:business:(?P<business>[^:]+):)?(?P<chat>-?[0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat id and, for Telegram Business, the connection a reply reuses. As text `1001` or `business:ID:1001`."""

    chat_id: int
    business: str | None = None

    @override
    def __str__(self) -> str:
        return str(self.chat_id) if self.business is None else f"business:{self.business}:{self.chat_id}"


def parse_conversation(text: str) -> Conversation:
    """Read a conversation key; raises PermanentDeliveryError."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise PermanentDeliveryError("«{text}» is not a Telegram chat", text=text[:80])
    return Conversation(int(form["chat"]), form["business"])
