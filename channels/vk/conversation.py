"""Where a reply goes: a dialogue or a chat by its peer, or the comments under something of the community's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import override

from crm_core.errors import PermanentDeliveryError

FIRST_CHAT = 2_000_000_000
_PEER = re.compile(r"-?[0-9]{1,19}")
_COMMENTS = re.compile(r"(?P<kind>wall|photo|video|market|board):(?P<owner>-?[0-9]{1,19})_(?P<item>[0-9]{1,19})")


class Kind(StrEnum):
    """What people comment on."""

    WALL = "wall"
    PHOTO = "photo"
    VIDEO = "video"
    MARKET = "market"
    BOARD = "board"


@dataclass(frozen=True, slots=True)
class Peer:
    """A dialogue with a client, or a chat of several: as text `1001`, `2000000005`."""

    peer_id: int

    @property
    def is_chat(self) -> bool:
        """Whether several people are in it."""
        return self.peer_id > FIRST_CHAT

    @override
    def __str__(self) -> str:
        return str(self.peer_id)


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments under a post, a photo, a video, goods, or in a discussion: as text `wall:-123456_45`."""

    kind: Kind
    owner_id: int
    item_id: int

    @property
    def link(self) -> str:
        """Where people find it."""
        match self.kind:
            case Kind.MARKET:
                return f"https://vk.com/product{self.owner_id}_{self.item_id}"
            case Kind.BOARD:
                return f"https://vk.com/topic{self.owner_id}_{self.item_id}"
            case _:
                return f"https://vk.com/{self.kind.value}{self.owner_id}_{self.item_id}"

    @override
    def __str__(self) -> str:
        return f"{self.kind.value}:{self.owner_id}_{self.item_id}"


Conversation = Peer | Comments


def parse_conversation(text: str) -> Conversation:
    """Read a conversation key; raises PermanentDeliveryError."""
    if _PEER.fullmatch(text):
        return Peer(int(text))
    found = _COMMENTS.fullmatch(text)
    if found is None:
        raise PermanentDeliveryError("«{text}» is no conversation of VK's", text=text[:80])
    return Comments(Kind(found["kind"]), int(found["owner"]), int(found["item"]))
