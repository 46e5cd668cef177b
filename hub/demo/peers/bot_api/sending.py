"""sendMessage and its kin."""

from __future__ import annotations

from collections.abc import Callable

from aiogram import methods as api
from aiogram.types import (
    InputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
)

from hub.demo.peers.bot_api.account import BotAccount
from hub.demo.peers.bot_api.delivering import Letter, deliver
from hub.demo.peers.bot_api.errors import bad_request
from hub.demo.peers.bot_api.files import StoredFile
from hub.demo.peers.bot_api.markup import CAPTION_LIMIT, TEXT_LIMIT, formatted
from hub.demo.peers.bot_api.media import Media, audio, document, photo_sizes, video, voice

MAX_ALBUM = 10

SendsFile = api.SendPhoto | api.SendDocument | api.SendVoice | api.SendVideo | api.SendAudio


async def send_message(bot: BotAccount, call: api.SendMessage) -> Message:
    """sendMessage."""
    text = formatted(call.text, call.parse_mode, call.entities, limit=TEXT_LIMIT, what="message")
    if not text.text:
        raise bad_request("message text is empty")
    return deliver(bot, call, [Letter(text)])[0]


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
    return deliver(bot, call, [Letter(caption, media(stored))])[0]


async def send_album(bot: BotAccount, call: api.SendMediaGroup) -> list[Message]:
    """sendMediaGroup: 2 to 10 files, pictures and films together, documents and music only among themselves."""
    if not 2 <= len(call.media) <= MAX_ALBUM:
        raise bad_request(f"media group must include 2-{MAX_ALBUM} items")
    if len({_companions(each) for each in call.media}) != 1:
        raise bad_request("media of these types can't be sent in one album")
    bot.writable(call.chat_id, call.business_connection_id)
    letters = [
        Letter(
            formatted(
                each.caption, each.parse_mode, each.caption_entities, limit=CAPTION_LIMIT, what="message caption"
            ),
            _media_of(bot, each),
        )
        for each in call.media
    ]
    return deliver(bot, call, letters)


def _companions(item: object) -> str:
    match item:
        case InputMediaPhoto() | InputMediaVideo():
            return "pictures"
        case InputMediaDocument():
            return "documents"
        case InputMediaAudio():
            return "music"
        case _:
            raise bad_request("this type can't be sent in an album")


def _media_of(bot: BotAccount, item: object) -> Media:
    match item:
        case InputMediaPhoto(media=source):
            stored = bot.files.take("photos", source, image=True)
            return Media("photo", photo_sizes(bot, stored), stored)
        case InputMediaVideo(media=source):
            stored = bot.files.take("videos", source)
            return Media("video", video(stored), stored)
        case InputMediaAudio(media=source):
            stored = bot.files.take("music", source)
            return Media("audio", audio(stored), stored)
        case InputMediaDocument(media=source):
            stored = bot.files.take("documents", source)
            return Media("document", document(stored), stored)
        case _:
            raise bad_request("this type can't be sent in an album")
