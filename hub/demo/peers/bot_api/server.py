"""The server itself: HTTP in front of the bots."""

from __future__ import annotations

import json
import re
from typing import Any

from aiogram.types import Chat, User
from aiohttp import web

from crm_core.ports import Clock
from hub.demo.peers.bot_api.account import BotAccount, Call
from hub.demo.peers.bot_api.errors import ApiError, not_found, unauthorized
from hub.demo.peers.bot_api.groups import Group
from hub.demo.peers.bot_api.limits import Limits
from hub.demo.peers.bot_api.methods import METHODS
from hub.demo.peers.bot_api.params import UPLOAD_LIMIT, RawCall, read_call
from hub.demo.peers.bot_api.people import Person
from hub.demo.peers.bot_api.wire import Json, WallClock
from hub.demo.peers.faults import Act, When
from hub.demo.peers.serving import PeerServer, cut

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_SUPERGROUP = -1_001_000_000_000


class Bot(BotAccount):
    """A bot as tests and the demo hold it: its account, and the people it meets."""

    def user(
        self,
        *,
        id: int,  # noqa: A002 - as Telegram names it
        first_name: str,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str = "ru",
    ) -> Person:
        """Somebody who has not pressed Start yet: the bot may not write to them before they write."""
        user = User(
            id=id,
            is_bot=False,
            first_name=first_name,
            last_name=last_name,
            username=username,
            language_code=language_code,
        )
        return Person(self, user)

    def group(self, title: str, *, id: int | None = None) -> Group:  # noqa: A002 - as Telegram names it
        """A supergroup with the bot in it."""
        number = id if id is not None else _SUPERGROUP - len(self.rooms) - self.me.id % 100_000
        return Group(self, Chat(id=number, type="supergroup", title=title))

    def basic_group(self, title: str) -> Group:
        """A plain group, which may become a supergroup."""
        return Group(self, Chat(id=-4_000_000 - len(self.rooms), type="group", title=title))

    def revoke(self) -> None:
        """The owner revoked the token: every call is 401 from now on."""
        self.revoked = True
        self.updates.interrupt(unauthorized())

    def restore(self) -> None:
        """The token is valid again."""
        self.revoked = False


class BotApiServer(PeerServer):
    """A strict Bot API server on a real socket of the loopback interface.

    `limits` switches flood control on, measured on `clock`.
    """

    upload_limit = UPLOAD_LIMIT

    def __init__(self, *, clock: Clock | None = None, limits: Limits | None = None, port: int = 0) -> None:
        super().__init__(port)
        self._clock = clock or WallClock()
        self._limits = limits
        self._bots: dict[str, Bot] = {}

    def bot(self, token: str, *, username: str = "shop_bot", first_name: str = "Магазин") -> Bot:
        """The bot of a token, new or known."""
        if not _TOKEN.fullmatch(token):
            raise ValueError("a token looks like 123456:AbC-dEf")
        if token not in self._bots:
            me = User(
                id=int(token.partition(":")[0]),
                is_bot=True,
                first_name=first_name,
                username=username,
            )
            self._bots[token] = Bot(token, me, self._clock, self._limits)
        return self._bots[token]

    @property
    def url(self) -> str:
        """The base for `api_base`."""
        return self.base

    # ------------------------------------------------------------ HTTP

    def _mount(self, router: web.UrlDispatcher) -> None:
        router.add_route("*", "/bot{token}/{method}", self._call)
        router.add_get("/file/bot{token}/{path:.+}", self._download)

    async def _let_go(self) -> None:
        for bot in self._bots.values():
            await bot.webhook.close()
            bot.updates.interrupt(ApiError(500, "Internal Server Error: restart"))

    def _authorized(self, request: web.Request) -> Bot:
        token = request.match_info["token"]
        if not _TOKEN.fullmatch(token):
            raise not_found()
        bot = self._bots.get(token)
        if bot is None or bot.revoked:
            raise unauthorized()
        return bot

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            bot = self._authorized(request)
            call = await read_call(request)
        except ApiError as error:
            return _refused(error)
        except web.HTTPRequestEntityTooLarge:
            return _refused(ApiError(413, "Request Entity Too Large"))
        fault = bot.faults.take(name)
        if fault is not None and fault.when is When.BEFORE:
            bot.calls.append(Call(name, call.values, fault.status if fault.act is Act.ANSWER else None))
            return await self._strike(request, fault)
        response = await self._run(bot, name, call)
        answered = fault is None
        bot.calls.append(Call(name, call.values, response.status if answered else None))
        return response if fault is None else await self._strike(request, fault)

    async def _run(self, bot: Bot, name: str, call: RawCall) -> web.Response:
        method = METHODS.get(name.lower())
        try:
            if method is None:
                raise not_found("method not found")
            return _answer({"ok": True, "result": await method.run(bot, call)})
        except ApiError as error:
            return _refused(error)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        try:
            bot = self._authorized(request)
            fault = bot.faults.take("file")
            if fault is not None and fault.when is When.BEFORE:
                return await self._strike(request, fault)
            stored = bot.files.at(request.match_info["path"])
        except ApiError as error:
            return _refused(error)
        if fault is not None:
            return await self._break_off(request, stored.content)
        return web.Response(body=stored.content, content_type="application/octet-stream")

    async def _break_off(self, request: web.Request, content: bytes) -> web.StreamResponse:
        """Half a file, then the connection is gone."""
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        cut(request)
        return response


def _answer(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=_encode(body), content_type="application/json")


def _refused(error: ApiError) -> web.Response:
    return web.Response(status=error.code, body=error.encoded(), content_type="application/json")


def _encode(body: Json) -> bytes:
    # Lone surrogates of injected updates must reach the client as JSON escapes, as Telegram would send them.
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body).encode()
