"""What an update says, before it becomes the fact of an account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiogram.enums import ChatType
from aiogram.types import Chat, User

from channels.telegram.names import chat_name, full_name, handle
from crm_core.messages import Payload, Sender
from crm_core.model.identity import Identity, IdentityKind

NOBODY = Sender()


@dataclass(frozen=True, slots=True)
class Fact:
    """What an update says. `group`: people are among themselves, and the hub says nothing by itself: in groups, and in
    chats of an account whose owner connected the bot."""

    payload: Payload
    conversation: str = ""
    sender: Sender = NOBODY
    at: datetime | None = None
    sequence: int = 0
    group: bool = False


def identity_of(user_id: int) -> Identity:
    """Who a Telegram id is."""
    return Identity(IdentityKind.TG, str(user_id))


def sender_of(user: User) -> Sender:
    """The person who did something."""
    return Sender((identity_of(user.id),), full_name(user), handle(user))


def client_of(chat: Chat) -> Sender:
    """The person at the other end of a private chat."""
    named = any((chat.first_name, chat.last_name))
    return Sender((identity_of(chat.id),), chat_name(chat) if named else handle(chat), handle(chat))


def is_group(chat: Chat) -> bool:
    """Whether several people are in the chat."""
    return chat.type in {ChatType.GROUP, ChatType.SUPERGROUP}


def spelled(refs: Sequence[int]) -> tuple[str, ...]:
    """Ids of messages as the hub keeps them."""
    return tuple(str(ref) for ref in refs)
