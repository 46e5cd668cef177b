"""The API methods that the server plays."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiogram import methods as api
from aiogram.methods.base import TelegramMethod
from aiogram.types import BotCommandScopeChat, BotCommandScopeDefault

from hub.demo.peers.bot_api import editing, sending
from hub.demo.peers.bot_api.account import BotAccount, CallbackAnswer
from hub.demo.peers.bot_api.errors import bad_request, conflict
from hub.demo.peers.bot_api.params import RawCall, parse
from hub.demo.peers.bot_api.webhook import checked_hook
from hub.demo.peers.bot_api.wire import Json, dump

M = TypeVar("M", bound=TelegramMethod[Any])

ANSWER_LIMIT = 200
MAX_COMMANDS = 100
MAX_DESCRIPTION = 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


@dataclass(frozen=True, slots=True)
class Method(Generic[M]):
    """A method: its schema and what it does."""

    model: type[M]
    act: Callable[[BotAccount, M], Awaitable[object]]

    async def run(self, bot: BotAccount, call: RawCall) -> Json:
        """Check the parameters, act, and return the result's JSON; raises ApiError."""
        return dump(await self.act(bot, parse(self.model, call)))


async def _get_me(bot: BotAccount, _: api.GetMe) -> object:
    return bot.me.model_copy(
        update={
            "can_join_groups": True,
            "can_read_all_group_messages": bot.reads_groups,
            "supports_inline_queries": False,
            "can_connect_to_business": bot.business,
        }
    )


async def _get_updates(bot: BotAccount, call: api.GetUpdates) -> list[Json]:
    if bot.webhook.hook is not None:
        raise conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )
    bot.updates.allow(call.allowed_updates)
    return await bot.updates.poll(call.offset or 0, call.limit or 100, call.timeout or 0)


async def _set_webhook(bot: BotAccount, call: api.SetWebhook) -> bool:
    if not call.url:
        return await _remove_webhook(bot, drop=bool(call.drop_pending_updates))
    hook = checked_hook(call.url, call.secret_token, call.max_connections)
    bot.updates.interrupt(conflict("terminated by setWebhook request"))
    bot.updates.allow(call.allowed_updates)
    if call.drop_pending_updates:
        bot.updates.drop()
    await bot.webhook.set(hook)
    return True


async def _delete_webhook(bot: BotAccount, call: api.DeleteWebhook) -> bool:
    return await _remove_webhook(bot, drop=bool(call.drop_pending_updates))


async def _remove_webhook(bot: BotAccount, *, drop: bool) -> bool:
    await bot.webhook.set(None)
    if drop:
        bot.updates.drop()
    return True


async def _webhook_info(bot: BotAccount, _: api.GetWebhookInfo) -> object:
    return bot.webhook.info()


async def _answer_callback(bot: BotAccount, call: api.AnswerCallbackQuery) -> bool:
    if call.callback_query_id not in bot.open_queries:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(call.text or "") > ANSWER_LIMIT:
        raise bad_request("MESSAGE_TOO_LONG")
    bot.open_queries.discard(call.callback_query_id)
    bot.answers.append(CallbackAnswer(call.callback_query_id, call.text or "", bool(call.show_alert)))
    return True


async def _get_file(bot: BotAccount, call: api.GetFile) -> object:
    return bot.files.get(call.file_id).as_file()


async def _get_chat(bot: BotAccount, call: api.GetChat) -> object:
    return bot.room(call.chat_id).chat


async def _chat_action(bot: BotAccount, call: api.SendChatAction) -> bool:
    bot.writable(call.chat_id, call.business_connection_id)
    return True


async def _delete_message(bot: BotAccount, call: api.DeleteMessage) -> bool:
    if bot.room(call.chat_id).messages.pop(call.message_id, None) is None:
        raise bad_request("message to delete not found")
    return True


async def _get_connection(bot: BotAccount, call: api.GetBusinessConnection) -> object:
    connection = bot.connections.get(call.business_connection_id)
    if connection is None:
        raise bad_request("business connection not found")
    return connection


async def _set_commands(bot: BotAccount, call: api.SetMyCommands) -> bool:
    if len(call.commands) > MAX_COMMANDS:
        raise bad_request("too many bot commands specified")
    for each in call.commands:
        if not _COMMAND.fullmatch(each.command):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(each.description) <= MAX_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    bot.commands[_scope(bot, call.scope)] = call.commands
    return True


async def _get_commands(bot: BotAccount, call: api.GetMyCommands) -> object:
    return bot.commands.get(_scope(bot, call.scope), [])


def _scope(bot: BotAccount, scope: object) -> int | None:
    """The chat whose commands are meant; None for everybody's."""
    if scope is None or isinstance(scope, BotCommandScopeDefault):
        return None
    if not isinstance(scope, BotCommandScopeChat):
        raise bad_request("commands of one chat or of all are known here")
    return bot.room(scope.chat_id).chat.id


def _method(model: type[M], act: Callable[[BotAccount, M], Awaitable[object]]) -> tuple[str, Method[M]]:
    return model.__api_method__.lower(), Method(model, act)


METHODS: dict[str, Method[Any]] = dict(
    [
        _method(api.GetMe, _get_me),
        _method(api.GetUpdates, _get_updates),
        _method(api.SetWebhook, _set_webhook),
        _method(api.DeleteWebhook, _delete_webhook),
        _method(api.GetWebhookInfo, _webhook_info),
        _method(api.SendMessage, sending.send_message),
        _method(api.SendPhoto, sending.send_photo),
        _method(api.SendDocument, sending.send_document),
        _method(api.SendVoice, sending.send_voice),
        _method(api.SendVideo, sending.send_video),
        _method(api.SendAudio, sending.send_audio),
        _method(api.SendMediaGroup, sending.send_album),
        _method(api.GetBusinessConnection, _get_connection),
        _method(api.SetMyCommands, _set_commands),
        _method(api.GetMyCommands, _get_commands),
        _method(api.EditMessageText, editing.edit_text),
        _method(api.EditMessageReplyMarkup, editing.edit_markup),
        _method(api.AnswerCallbackQuery, _answer_callback),
        _method(api.GetFile, _get_file),
        _method(api.GetChat, _get_chat),
        _method(api.SendChatAction, _chat_action),
        _method(api.DeleteMessage, _delete_message),
    ]
)

__all__ = ["METHODS", "Method"]
