"""What an event says before it is put into the hub's envelope, and the small things that all readers of events need."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from channels.vk.conversation import Comments, Conversation, Peer
from channels.vk.fields import Fields, clean
from crm_core.messages import Payload, Sender, Utm
from crm_core.model.identity import Identity, IdentityKind

Names = Callable[[int], str]
"""The name of a user, empty where it is not known (yet)."""

NOBODY = Sender()
_UTM = ("source", "medium", "campaign", "content", "term")


@dataclass(frozen=True, slots=True)
class Fact:
    """What an event says; `at` is None where it names no moment."""

    payload: Payload
    conversation: Conversation | None = None
    sender: Sender = NOBODY
    at: datetime | None = None
    sequence: int = 0

    @property
    def group(self) -> bool:
        """Whether several people are in the conversation."""
        return isinstance(self.conversation, Comments) or (
            isinstance(self.conversation, Peer) and self.conversation.is_chat
        )


@dataclass(frozen=True, slots=True)
class About:
    """Whose events are read: the community, what it wants of joins, and what names are known."""

    group_id: int
    joins: bool
    name_of: Names

    def sender(self, user_id: int) -> Sender:
        """A user as the sender of a fact."""
        return Sender((vk_identity(user_id),), self.name_of(user_id))


def vk_identity(user_id: int) -> Identity:
    """A user of VK."""
    return Identity(IdentityKind.VK, str(user_id))


def pressed(payload: object) -> str:
    """The data of one of our buttons, from the payload that VK gives back; empty where it is none of ours."""
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return ""
    found = payload.get("hub") if isinstance(payload, dict) else payload
    return clean(found) if isinstance(found, str) else ""


def is_start(payload: object) -> bool:
    """Whether a message is VK's own «Начать» button: nobody has asked anything yet."""
    try:
        found = json.loads(payload) if isinstance(payload, str) else payload
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("command") == "start"


def origin(message: Fields) -> tuple[str, Utm]:
    """Where a client came from, of a link like `vk.me/club?ref=…&ref_source=…`: a source and marks of a campaign."""
    ref, ref_source = message.text("ref"), message.text("ref_source")
    marks = {name: value[:200] for name, value in parse_qsl(ref[:2000], max_num_fields=20)} if "utm_" in ref else {}
    utm = Utm(**{name: marks.get(f"utm_{name}", "") for name in _UTM})
    if marks:
        return utm.source or ref_source[:200], utm
    return ref[:200], Utm(source=ref_source[:200])
