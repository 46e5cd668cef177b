"""Names and words from strangers, made fit to be stored and to be seen."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from aiogram.types import Chat, Contact, User

MAX_NAME = 200

# Databases refuse NUL, encoders refuse halves of surrogate pairs; JSON can carry both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# What turns the direction of writing around, and with it the ending of a file's name or the words beside a name.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSAFE_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]')
_SPACE = re.compile(r"\s+")
# Letters and signs by their class, blank to the eye.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Mn", "Me", "Zs", "Zl", "Zp"})


def clean(text: str) -> str:
    """The text without what can't be stored."""
    return _UNSTORABLE.sub("\ufffd", text)


def visible(name: str) -> str:
    """A name as it may stand beside others: nothing that turns the writing around, at most 200 characters; empty where
    there is nothing to be seen."""
    plain = _SPACE.sub(" ", _TURNING.sub("", clean(name))).strip()[:MAX_NAME]
    seen = any(char not in _BLANK and unicodedata.category(char) not in _UNSEEN for char in plain)
    return plain if seen else ""


def full_name(user: User) -> str:
    """A person's name as they wrote it, else their handle."""
    parts = (visible(part or "") for part in (user.first_name, user.last_name))
    return " ".join(part for part in parts if part) or handle(user)


def handle(user: User | Chat) -> str:
    """The @name, empty where there is none."""
    return clean(f"@{user.username}")[:MAX_NAME] if user.username else ""


def chat_name(chat: Chat) -> str:
    """What a chat is called: its title, the person's name, the @name, or its number."""
    parts = (visible(part or "") for part in (chat.title, chat.first_name, chat.last_name))
    return " ".join(part for part in parts if part) or handle(chat) or str(chat.id)


def card_name(card: Contact) -> str:
    """The name on a contact card."""
    parts = (visible(part or "") for part in (card.first_name, card.last_name))
    return " ".join(part for part in parts if part)


def safe_file_name(name: str) -> str:
    """A file's name that no file system and no header trips over, at most 200 characters, its ending kept."""
    safe = _UNSAFE_IN_NAMES.sub("_", _TURNING.sub("", name)).strip(" .") or "file"
    if len(safe) <= MAX_NAME:
        return safe
    ending = PurePosixPath(safe).suffix[:20]
    return safe[: MAX_NAME - len(ending)] + ending
