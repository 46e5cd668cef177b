"""Files inside messages, as Telegram describes them."""

from __future__ import annotations

from dataclasses import dataclass

from aiogram.types import Audio, Document, PhotoSize, Video, Voice

from hub.demo.peers.bot_api.account import BotAccount
from hub.demo.peers.bot_api.files import StoredFile

WIDTH, HEIGHT = 1280, 960


@dataclass(frozen=True, slots=True)
class Media:
    """A file in a message: the message's field, its object, and the file."""

    field: str
    value: object
    stored: StoredFile


def photo_sizes(bot: BotAccount, stored: StoredFile) -> list[PhotoSize]:
    """A small size with a file of its own, then the photograph itself."""
    thumb = bot.files.put("photos", "thumb.jpg", stored.content[:64])
    return [_size(thumb, WIDTH // 4, HEIGHT // 4), _size(stored, WIDTH, HEIGHT)]


def document(stored: StoredFile, mime_type: str = "application/octet-stream") -> Document:
    """A document with the name it was sent under."""
    return Document(
        file_id=stored.file_id,
        file_unique_id=stored.unique_id,
        file_name=stored.name,
        mime_type=mime_type,
        file_size=stored.claimed_size,
    )


def voice(stored: StoredFile, duration: int) -> Voice:
    """A voice message of `duration` seconds."""
    return Voice(
        file_id=stored.file_id,
        file_unique_id=stored.unique_id,
        duration=duration,
        mime_type="audio/ogg",
        file_size=stored.claimed_size,
    )


def video(stored: StoredFile) -> Video:
    """A short video."""
    return Video(
        file_id=stored.file_id,
        file_unique_id=stored.unique_id,
        width=WIDTH,
        height=HEIGHT,
        duration=5,
        file_name=stored.name,
        mime_type="video/mp4",
        file_size=stored.claimed_size,
    )


def audio(stored: StoredFile) -> Audio:
    """A piece of music."""
    return Audio(
        file_id=stored.file_id,
        file_unique_id=stored.unique_id,
        duration=5,
        file_name=stored.name,
        mime_type="audio/mpeg",
        file_size=stored.claimed_size,
    )


def _size(stored: StoredFile, width: int, height: int) -> PhotoSize:
    return PhotoSize(
        file_id=stored.file_id,
        file_unique_id=stored.unique_id,
        width=width,
        height=height,
        file_size=stored.claimed_size,
    )
