"""Keyboards: what Telegram refuses of them, and which one stands at the bottom of a chat."""

from __future__ import annotations

from aiogram.types import Chat, InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove

from hub.demo.peers.bot_api.account import ChatRoom
from hub.demo.peers.bot_api.errors import bad_request

CALLBACK_DATA_LIMIT = 64


def check_keyboard(markup: object, chat: Chat, *, business: bool = False) -> None:
    """Refuse a keyboard that Telegram would refuse in this chat; raises ApiError."""
    match markup:
        case InlineKeyboardMarkup():
            _check_inline(markup)
        case ReplyKeyboardMarkup():
            _check_reply(markup, chat)
            if business:
                raise bad_request("reply keyboards can't be used in business chats")


def shown(room: ChatRoom, markup: object) -> None:
    """The keyboard at the bottom of the chat after a message with this markup."""
    match markup:
        case ReplyKeyboardMarkup():
            room.bottom = markup
        case ReplyKeyboardRemove():
            room.bottom = None


def _check_inline(markup: InlineKeyboardMarkup) -> None:
    for row in markup.inline_keyboard:
        for button in row:
            if not button.text:
                raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
            actions = [
                button.callback_data,
                button.url,
                button.web_app,
                button.switch_inline_query,
                button.copy_text,
            ]
            if all(action is None for action in actions):
                raise bad_request(
                    "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
                )
            if button.callback_data is not None and not 1 <= len(button.callback_data.encode()) <= CALLBACK_DATA_LIMIT:
                raise bad_request("BUTTON_DATA_INVALID")


def _check_reply(markup: ReplyKeyboardMarkup, chat: Chat) -> None:
    buttons = [button for row in markup.keyboard for button in row]
    if not buttons:
        raise bad_request("reply keyboard is empty")
    if any(not button.text for button in buttons):
        raise bad_request('can\'t parse keyboard button: Field "text" must be non-empty')
    if chat.type != "private" and any(button.request_contact for button in buttons):
        raise bad_request("phone number can be requested in private chats only")
