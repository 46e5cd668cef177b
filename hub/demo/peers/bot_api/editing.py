"""editMessageText and editMessageReplyMarkup."""

from __future__ import annotations

from aiogram import methods as api
from aiogram.types import InlineKeyboardMarkup, Message

from hub.demo.peers.bot_api.account import BotAccount, ChatRoom, Sent
from hub.demo.peers.bot_api.errors import bad_request
from hub.demo.peers.bot_api.keyboards import check_keyboard
from hub.demo.peers.bot_api.markup import TEXT_LIMIT, Formatted, formatted
from hub.demo.peers.bot_api.wire import dump

_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


async def edit_text(bot: BotAccount, call: api.EditMessageText) -> Message:
    """editMessageText; a keyboard that is not repeated disappears, as with Telegram."""
    text = formatted(call.text, call.parse_mode, call.entities, limit=TEXT_LIMIT, what="message")
    if not text.text:
        raise bad_request("message text is empty")
    room, message = _own_message(bot, call.chat_id, call.message_id)
    if message.text is None:
        raise bad_request("there is no text in the message to edit")
    return _change(bot, room, message, text, call.reply_markup, call.__api_method__)


async def edit_markup(bot: BotAccount, call: api.EditMessageReplyMarkup) -> Message:
    """editMessageReplyMarkup."""
    room, message = _own_message(bot, call.chat_id, call.message_id)
    text = Formatted(
        message.text or message.caption or "",
        tuple(message.entities or message.caption_entities or ()),
    )
    return _change(bot, room, message, text, call.reply_markup, call.__api_method__)


def _own_message(bot: BotAccount, chat_id: int | str | None, message_id: int | None) -> tuple[ChatRoom, Message]:
    if chat_id is None:
        raise bad_request("chat_id is empty")
    room = bot.room(chat_id)
    message = room.messages.get(message_id or 0)
    if message is None:
        raise bad_request("message to edit not found")
    if message.from_user is None or message.from_user.id != bot.me.id:
        raise bad_request("message can't be edited")
    return room, message


def _change(
    bot: BotAccount,
    room: ChatRoom,
    message: Message,
    text: Formatted,
    keyboard: InlineKeyboardMarkup | None,
    method: str,
) -> Message:
    check_keyboard(keyboard, room.chat)
    before = (message.text or message.caption or "", dump(message.reply_markup))
    if before == (text.text, dump(keyboard)):
        raise bad_request(_SAME)
    changes: dict[str, object] = {
        "edit_date": int(bot.clock.now().timestamp()),
        "reply_markup": keyboard,
    }
    if message.text is not None:
        changes |= {"text": text.text, "entities": list(text.entities) or None}
    changed = message.model_copy(update=changes)
    bot.keep(room, changed)
    bot.edits.append(
        Sent(
            method=method,
            chat_id=room.chat.id,
            message_id=message.message_id,
            text=text.text,
            entities=text.entities,
            keyboard=keyboard,
            at=bot.clock.now(),
            parameters={},
        )
    )
    return changed
