"""What a channel may know of the record, and tell of the moment: what was said in a conversation, of whom a name is
wanted, and that a client is writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from crm_core.messages import ChannelKey, Delivery, StoredFile
from crm_core.model.call import Direction
from crm_core.model.identity import Identity, IdentityKind


@dataclass(frozen=True, slots=True)
class SaidFile:
    """A file of a message in a conversation; `stored` is None while it is not here."""

    id: int
    name: str
    content_type: str
    size: int | None
    stored: StoredFile | None


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a conversation as its client may see it. `seq` grows in the order in which messages became known;
    `ref` is the channel's id of it, empty before it was sent. `author` is the name of a person of the office, empty for
    automatic texts and the client's own. `choices` are the items of a menu under it, key and text."""

    id: int
    seq: int
    ref: str
    direction: Direction
    occurred_at: datetime
    text: str
    author: str
    automatic: bool
    delivery: Delivery | None
    files: tuple[SaidFile, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    ask_contact: bool = False


class Conversations(Protocol):
    """What was said with the client of a conversation; for channels whose clients keep no history of their own."""

    async def said(self, key: ChannelKey, conversation: str, after: int, limit: int) -> Sequence[Said]:
        """The messages whose `seq` is greater than `after`, in that order; raises StorageUnavailable."""

    def follow(self, key: ChannelKey, conversation: str, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called whenever a message of the conversation came or changed, on whichever node, until what
        is returned is called. It must not block; in the loop's own thread."""


class Writing(Protocol):
    """That somebody is writing at this moment: never kept, and lost rather than waited for."""

    def client_writes(self, key: ChannelKey, conversation: str, who: Identity) -> None:
        """A client writes in a conversation; nothing of what. Returns at once, never raises; in the loop's own thread.
        Channels may tell it as often as their clients do."""


class Nameless(Protocol):
    """Clients of whom nothing but an id is known."""

    async def nameless(self, kind: IdentityKind, limit: int) -> Sequence[Identity]:
        """Identities of clients without a name, the newest first; raises StorageUnavailable."""
