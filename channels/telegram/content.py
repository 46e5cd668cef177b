"""What a Telegram message holds, in the hub's words: text, files, place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from aiogram.types import (
    Contact,
    Dice,
    Game,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    Poll,
    Sticker,
    Venue,
)
from aiogram.types import Location as TelegramLocation

from channels.telegram.entities import escaped, html_of
from channels.telegram.names import MAX_NAME, card_name, chat_name, clean, full_name, safe_file_name, visible
from channels.telegram.words import Words
from crm_core.messages import Attachment, Location

_MEDIA = (
    # field, ending and media type where Telegram names none; an animation repeats itself as a document
    ("animation", ".mp4", "video/mp4"),
    ("document", "", "application/octet-stream"),
    ("voice", ".ogg", "audio/ogg"),
    ("audio", ".mp3", "audio/mpeg"),
    ("video", ".mp4", "video/mp4"),
    ("video_note", ".mp4", "video/mp4"),
)

_ENVELOPE = frozenset(
    {
        "message_id", "message_thread_id", "direct_messages_topic", "from_user", "sender_chat", "sender_boost_count",
        "sender_business_bot", "sender_tag", "date", "guest_query_id", "business_connection_id", "chat",
        "forward_origin", "is_topic_message", "is_automatic_forward", "reply_to_message", "external_reply", "quote",
        "reply_to_story", "reply_to_checklist_task_id", "reply_to_poll_option_id", "via_bot", "edit_date",
        "has_protected_content", "is_from_offline", "is_paid_post", "guest_bot_caller_user",
        "guest_bot_caller_chat", "ephemeral_message_id", "media_group_id", "author_signature",
        "paid_star_count", "text", "entities", "link_preview_options", "suggested_post_info", "effect_id", "caption",
        "caption_entities", "show_caption_above_media", "has_media_spoiler", "reply_markup", "receiver_user",
        "forward_date", "forward_from", "forward_from_chat", "forward_from_message_id", "forward_sender_name",
        "forward_signature",
    }
)  # fmt: skip

_SERVICE = re.compile(
    r"new_chat_\w+|left_chat_member|delete_chat_photo|\w+_chat_created|message_auto_delete_timer_changed|migrate_\w+"
    r"|pinned_message|\w*forum_topic\w*|video_chat_\w+|boost_added|chat_background_set|write_access_allowed"
    r"|proximity_alert_triggered|giveaway\w*|\w+_price_changed|suggested_post_\w+|checklist_tasks_\w+|chat_owner_\w+"
    r"|community_\w+|managed_bot_created|poll_option_\w+|connected_website|users?_shared|chat_shared"
)


class _Media(Protocol):
    """What every kind of file has."""

    file_id: str
    file_size: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message; `html` is its text with the formatting, None where there is none."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    html: str | None = None


def content_of(message: Message, words: Words) -> Content | None:
    """What a person sent; None for Telegram's own notes about a chat (somebody joined, a message was pinned)."""
    attachments = _attachments(message)
    said = message.text or message.caption or _without_words(message)
    kinds = sorted(message.model_fields_set - _ENVELOPE)
    if not said and not attachments:
        present = [kind for kind in kinds if getattr(message, kind, None) is not None]
        if all(_SERVICE.fullmatch(kind) for kind in present):
            return None
        # A kind this version does not know yet is still somebody writing.
        said = f"[{', '.join(present)}]"
    place = message.location or (message.venue.location if message.venue else None)
    location = Location(place.latitude, place.longitude) if place else None
    said, head = clean(said), _forwarded(message, words)
    html = html_of(said, (message.entities if message.text else message.caption_entities) or ())
    return Content(
        f"{head}{said}".rstrip(), attachments, location, f"{escaped(head)}{html}" if html is not None else None
    )


def quotation(message: Message, words: Words) -> str:
    """The words a reply answers, empty where it answers none, or something without words."""
    if message.quote is not None:
        return clean(message.quote.text)
    if message.reply_to_story is not None:
        return words.story
    answered = message.reply_to_message
    if answered is None:
        return ""
    return clean(answered.text or answered.caption or _without_words(answered))


def _without_words(message: Message) -> str:
    match message:
        case Message(sticker=Sticker() as sticker):
            return sticker.emoji or "[sticker]"
        case Message(venue=Venue() as venue):
            return f"{venue.title}, {venue.address}\n{_degrees(venue.location)}"
        case Message(location=TelegramLocation() as place):
            return _degrees(place)
        case Message(contact=Contact() as card):
            return f"{card_name(card)}, {card.phone_number}".strip(", ")
        case Message(poll=Poll() as poll):
            return "\n".join([poll.question, *(f"— {option.text}" for option in poll.options)])
        case Message(dice=Dice() as dice):
            return f"{dice.emoji} {dice.value}"
        case Message(game=Game() as game):
            return game.title
        case _:
            return ""


def _degrees(place: TelegramLocation) -> str:
    return f"{place.latitude:.6f}, {place.longitude:.6f}"


def _forwarded(message: Message, words: Words) -> str:
    match message.forward_origin:
        case MessageOriginUser(sender_user=user):
            head = words.forwarded_from_person.format(name=full_name(user))
        case MessageOriginHiddenUser(sender_user_name=name):
            head = words.forwarded_from_person.format(name=visible(name))
        case MessageOriginChat(sender_chat=chat) | MessageOriginChannel(chat=chat):
            head = words.forwarded_from_chat.format(name=chat_name(chat))
        case _:
            return ""
    return f"{head}\n"


def _attachments(message: Message) -> tuple[Attachment, ...]:
    if message.photo:
        largest = max(message.photo, key=lambda size: (size.width * size.height, size.file_size or 0))
        return (_attachment(largest, f"photo_{message.message_id}.jpg", "image/jpeg"),)
    for field, ending, default in _MEDIA:
        media = getattr(message, field)
        if media is not None:
            name = getattr(media, "file_name", None) or f"{field}_{message.message_id}{ending}"
            return (_attachment(media, name, getattr(media, "mime_type", None) or default),)
    return ()


def _attachment(media: _Media, name: str, content_type: str) -> Attachment:
    kind = clean(content_type)[:MAX_NAME]
    return Attachment(safe_file_name(name), kind, remote_id=clean(media.file_id), size=media.file_size)
