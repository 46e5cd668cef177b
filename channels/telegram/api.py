"""The calls of the Bot API that the connector makes; every failure is a delivery error of the channel port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteWebhook,
    GetBusinessConnection,
    GetFile,
    GetMe,
    GetUpdates,
    GetWebhookInfo,
    SetMyCommands,
    SetWebhook,
    TelegramMethod,
)
from aiogram.types import BotCommand, BotCommandScopeChat
from aiohttp import ClientError, ClientTimeout

from channels.telegram.config import TelegramConfig
from channels.telegram.errors import translated
from channels.telegram.session import CONNECT_S, RawSession
from crm_core.errors import ChannelAuthError, ChannelStopped, PermanentDeliveryError, TransientDeliveryError
from crm_core.wording import Sentence

_TOO_BIG = Sentence("the file is over 20 MB, which Telegram does not give to bots: it is in the chat itself")
CALL_S = 30.0
UPLOAD_S = 90.0
GRACE_S = 10.0
CHUNK = 64 * 1024
DOWNLOAD_LIMIT = 20 * 1024 * 1024
BATCH = 100

WANTED = [
    "message",
    "edited_message",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "callback_query",
    "message_reaction",
    "poll_answer",
    "my_chat_member",
]
"""Every kind the hub has a use for. Telegram sends reactions only to whoever names them."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """What Telegram says of a bot's webhook; `url` is empty where there is none."""

    url: str
    pending: int
    last_error: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What Telegram says of a bot: its @name without the mark, whether it sees all messages of groups, and whether
    people can connect it to their business accounts."""

    username: str
    reads_groups: bool = False
    connects_business: bool = False


class BotApi:
    """One bot's calls. Constructing does no I/O; the first call opens the connection."""

    def __init__(self, config: TelegramConfig) -> None:
        self._config = config
        self._server = TelegramAPIServer.from_base(config.api_base)
        self._session = RawSession(api=self._server, timeout=CALL_S)
        self._bot = Bot(config.token, session=self._session)
        self._stopped = False

    def begin(self) -> None:
        """Calls are made again after `stop`."""
        self._stopped = False

    def insist(self) -> None:
        """Raise ChannelStopped after `stop`."""
        if self._stopped:
            raise ChannelStopped

    async def stop(self) -> None:
        """Close the connections; until `begin` every call raises ChannelStopped. Idempotent."""
        self._stopped = True
        await self.close()

    async def close(self) -> None:
        """Close the connections. Idempotent; a later call opens new ones."""
        await self._session.close()

    async def call(self, method: TelegramMethod[Any], timeout_s: float | None = None) -> Any:
        """The raw result of a call; raises the delivery errors of the channel port."""
        self.insist()
        try:
            return await self._bot(method, request_timeout=None if timeout_s is None else int(timeout_s))
        except (AiogramError, UnicodeError) as error:
            raise translated(error) from error

    async def updates(self, offset: int | None, wait_s: int) -> list[object]:
        """The next updates, as JSON values, waiting up to `wait_s` seconds for the first."""
        poll = GetUpdates(offset=offset, limit=BATCH, timeout=wait_s, allowed_updates=WANTED)
        result = await self.call(poll, wait_s + GRACE_S)
        if not isinstance(result, list):
            raise TransientDeliveryError("Telegram's answer holds no list of updates")
        return result

    async def profile(self) -> Profile:
        """Who the bot is, and what it may."""
        me = await self.call(GetMe())
        if not isinstance(me, dict):
            raise TransientDeliveryError("Telegram's answer does not describe a bot")
        groups, business = me.get("can_read_all_group_messages"), me.get("can_connect_to_business")
        return Profile(str(me.get("username", "")), groups is True, business is True)

    async def set_webhook(self, url: str, secret: str) -> None:
        """Have updates posted to `url`; what waits is kept."""
        await self.call(SetWebhook(url=url, secret_token=secret, allowed_updates=WANTED))

    async def delete_webhook(self) -> None:
        """Have updates wait for getUpdates; what waits is kept."""
        await self.call(DeleteWebhook())

    async def webhook(self) -> Webhook:
        """How the webhook stands."""
        info = await self.call(GetWebhookInfo())
        if not isinstance(info, dict):
            raise TransientDeliveryError("Telegram's answer does not describe a webhook")
        pending = info.get("pending_update_count", 0)
        return Webhook(str(info.get("url", "")), pending, str(info.get("last_error_message", "")))

    async def answer_callback(self, query_id: str, text: str) -> None:
        """End the waiting mark on a pressed button, with a line for whoever pressed it."""
        await self.call(AnswerCallbackQuery(callback_query_id=query_id, text=text or None))

    async def business_connection(self, connection_id: str) -> object:
        """A business connection, as JSON; raises PermanentDeliveryError where the bot knows no such one."""
        return await self.call(GetBusinessConnection(business_connection_id=connection_id))

    async def set_commands(self, chat_id: int, commands: Sequence[tuple[str, str]]) -> None:
        """Show these commands, name and words, in the menu of one private chat."""
        shown = [BotCommand(command=name, description=words) for name, words in commands]
        await self.call(SetMyCommands(commands=shown, scope=BotCommandScopeChat(chat_id=chat_id)))

    async def download(self, file_id: str) -> AsyncIterator[bytes]:
        """The content of a file in pieces; raises the delivery errors, PermanentDeliveryError over 20 MB."""
        file = await self._file(file_id)
        path, size = (file.get("file_path"), file.get("file_size")) if isinstance(file, dict) else (None, None)
        if not isinstance(path, str) or not path:
            raise PermanentDeliveryError("Telegram does not give this file out")
        received = 0
        async for piece in self._stream(path):
            received += len(piece)
            if received > DOWNLOAD_LIMIT:
                raise PermanentDeliveryError(_TOO_BIG)
            yield piece
        if isinstance(size, int) and received != size:
            raise TransientDeliveryError(
                "the file broke off after {received} of {size} bytes", received=received, size=size
            )

    async def _file(self, file_id: str) -> object:
        try:
            return await self.call(GetFile(file_id=file_id))
        except PermanentDeliveryError as error:
            if "too big" not in str(error):
                raise
            raise PermanentDeliveryError("{why} ({why2})", why=_TOO_BIG, why2=error) from error

    async def _stream(self, path: str) -> AsyncIterator[bytes]:
        self.insist()
        session = await self._session.create_session()
        limits = ClientTimeout(total=UPLOAD_S, connect=CONNECT_S, sock_read=CALL_S)
        url = self._server.file_url(self._config.token, path)
        try:
            async with session.get(url, timeout=limits, allow_redirects=False) as answer:
                if answer.status == 401:
                    raise ChannelAuthError("Telegram refuses the token")
                if answer.status != 200:
                    # Also 404: a path is good for an hour, the next try asks for a new one.
                    raise TransientDeliveryError("the file can't be had now: HTTP {status}", status=answer.status)
                async for piece in answer.content.iter_chunked(CHUNK):
                    yield piece
        except TimeoutError as error:
            raise TransientDeliveryError("the file did not come in time") from error
        except ClientError as error:
            raise TransientDeliveryError("the file can't be had now: {why}", why=type(error).__name__) from error
