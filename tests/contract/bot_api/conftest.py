"""The local Bot API server, and aiogram's own client to hold against it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiogram import Bot as Client
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import (
    Update,
)
from typing_extensions import override

from hub.demo.peers.bot_api import (
    Bot,
    BotApiServer,
    Limits,
    Person,
)
from tests.fakes.clock import DrivenClock
from tests.patience import PATIENCE_S

TOKEN = "7654321:AAE-strict_local_token"
JPEG = b"\xff\xd8\xff\xe0" + bytes(200)
OGG = b"OggS" + bytes(50)


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest_asyncio.fixture
async def server(clock: DrivenClock) -> AsyncIterator[BotApiServer]:
    async with BotApiServer(clock=clock, limits=Limits()) as running:
        yield running


@pytest.fixture
def bot(server: BotApiServer) -> Bot:
    return server.bot(TOKEN)


@pytest.fixture
def anna(bot: Bot) -> Person:
    return bot.user(id=1001, first_name="Анна", username="anna")


class PlainSession(AiohttpSession):
    """Closes at once; aiogram waits a quarter of a second for TLS, which there is none of here."""

    @override
    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def client_of(server: BotApiServer, token: str = TOKEN, timeout: float = 10) -> Client:
    return Client(token, session=PlainSession(api=TelegramAPIServer.from_base(server.url), timeout=timeout))


@pytest_asyncio.fixture
async def client(server: BotApiServer) -> AsyncIterator[Client]:
    async with client_of(server) as made:
        yield made


async def raw(server: BotApiServer, method: str, **request: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/bot{TOKEN}/{method}", **request) as response,
    ):
        return response.status, await response.json()


def texts(updates: list[Update]) -> list[str]:
    return [update.message.text or "" for update in updates if update.message]


async def until(condition: Any) -> None:
    """Let the other tasks run until `condition()` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
