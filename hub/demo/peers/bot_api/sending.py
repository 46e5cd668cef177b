"""sendMessage and its kin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiogram import methods as api
from aiogram.types import (
    Audio,
    Document,
    InlineKeyboardMarkup,
    InputFile,
    Message,
    PhotoSize,
    ReplyParameters,
    Video,
    Voice,
)

from hub.demo.peers.bot_api.account import BotAccount, ChatRoom, Sent
from hub.demo.peers.bot_api.errors import bad_request
from hub.demo.peers.bot_api.files import StoredFile
from hub.demo.peers.bot_api.markup import (
    CAPTION_LIMIT,
    TEXT_LIMIT,
    Formatted,
    check_keyboard,
    formatted,
)
from hub.demo.peers.bot_api.wire import JsonObject, dump

WIDTH, HEIGHT = 1280, 960

SendsFile = api.SendPhoto | api.SendDocument | api.SendVoice | api.SendVideo | api.SendAudio


@dataclass(frozen=True, slots=True)
class Media:
    """A file in a message: the message's field, its object, and the file."""

    field: str
    value: object
    stored: StoredFile


async def send_message(bot: BotAccount, call: api.SendMessage) -> Message:
    """sendMessage."""
    text = formatted(call.text, call.parse_mode, call.entities, limit=TEXT_LIMIT, what="message")
    if not text.text:
        raise bad_request("message text is empty")
    return _deliver(bot, call, text, None)


async def send_photo(bot: BotAccount, call: api.SendPhoto) -> Message:
    """sendPhoto: the largest size carries the file itself."""
    return _send_file(
        bot,
        call,
        call.photo,
        "photos",
        lambda s: Media("photo", photo_sizes(bot, s), s),
    )


async def send_document(bot: BotAccount, call: api.SendDocument) -> Message:
    """sendDocument."""
    return _send_file(
        bot,
        call,
        call.document,
        "documents",
        lambda s: Media("document", document(s), s),
    )


async def send_voice(bot: BotAccount, call: api.SendVoice) -> Message:
    """sendVoice."""
    return _send_file(
        bot,
        call,
        call.voice,
        "voice",
        lambda s: Media("voice", voice(s, call.duration or 1), s),
    )


async def send_video(bot: BotAccount, call: api.SendVideo) -> Message:
    """sendVideo."""
    return _send_file(bot, call, call.video, "videos", lambda s: Media("video", video(s), s))


async def send_audio(bot: BotAccount, call: api.SendAudio) -> Message:
    """sendAudio."""
    return _send_file(bot, call, call.audio, "music", lambda s: Media("audio", audio(s), s))


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


def _send_file(
    bot: BotAccount,
    call: SendsFile,
    source: str | InputFile,
    folder: str,
    media: Callable[[StoredFile], Media],
) -> Message:
    caption = formatted(
        call.caption,
        call.parse_mode,
        call.caption_entities,
        limit=CAPTION_LIMIT,
        what="message caption",
    )
    bot.writable(call.chat_id, call.business_connection_id)
    stored = bot.files.take(folder, source, image=folder == "photos")
    return _deliver(bot, call, caption, media(stored))


def _deliver(
    bot: BotAccount,
    call: api.SendMessage | SendsFile,
    text: Formatted,
    media: Media | None,
) -> Message:
    check_keyboard(call.reply_markup)
    room = bot.writable(call.chat_id, call.business_connection_id)
    answered = _answered(room, call)
    bot.count(room)
    keyboard = call.reply_markup if isinstance(call.reply_markup, InlineKeyboardMarkup) else None
    fields: dict[str, Any] = {
        "text": text.text,
        "entities": list(text.entities) or None,
    }
    if media is not None:
        fields = {
            media.field: media.value,
            "caption": text.text or None,
            "caption_entities": list(text.entities) or None,
        }
    message = Message(
        message_id=bot.new_message_id(room),
        date=bot.clock.now(),
        chat=room.chat,
        from_user=bot.me,
        reply_markup=keyboard,
        reply_to_message=answered.model_copy(update={"reply_to_message": None}) if answered else None,
        business_connection_id=call.business_connection_id,
        **fields,
    )
    bot.keep(room, message)
    bot.sent.append(
        Sent(
            method=call.__api_method__,
            chat_id=room.chat.id,
            message_id=message.message_id,
            text=text.text,
            entities=text.entities,
            keyboard=keyboard,
            at=message.date,
            parameters=_parameters(call),
            content=media.stored.content if media else None,
            file_name=media.stored.name if media else None,
            reply_to=answered.message_id if answered else None,
            business_connection_id=call.business_connection_id,
        )
    )
    return message


def _answered(room: ChatRoom, call: api.SendMessage | SendsFile) -> Message | None:
    reply = call.reply_parameters
    if reply is None and call.reply_to_message_id is not None:
        reply = ReplyParameters(message_id=call.reply_to_message_id)
    if reply is None or reply.message_id is None:
        return None
    answered = room.messages.get(reply.message_id)
    if answered is None and reply.allow_sending_without_reply is not True:
        raise bad_request("message to be replied not found")
    return answered


def _parameters(call: api.SendMessage | SendsFile) -> JsonObject:
    return {name: value for name, value in dump(call).items() if not isinstance(value, InputFile)}
