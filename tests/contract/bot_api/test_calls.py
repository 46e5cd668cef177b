"""Who may call, how, and what is refused: as strict as Telegram where we rely on it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiogram import Bot as Client
from aiogram.exceptions import (
    TelegramNetworkError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    Update,
)

from hub.demo.peers.bot_api import (
    Bot,
    BotApiServer,
    Person,
)
from tests.contract.bot_api.conftest import client_of, raw, texts, until
from tests.fakes.clock import DrivenClock


async def test_get_me_tells_the_profile(client: Client, bot: Bot) -> None:
    me = await client.get_me()
    assert (me.id, me.is_bot, me.username) == (7654321, True, "shop_bot")


async def test_unknown_token_is_401_and_a_malformed_one_404(server: BotApiServer, bot: Bot) -> None:
    async with client_of(server, "7654321:wrong") as stranger:
        with pytest.raises(TelegramUnauthorizedError, match="Unauthorized"):
            await stranger.get_me()
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/botnonsense/getMe") as response:
        assert response.status == 404
        assert await response.json() == {"ok": False, "error_code": 404, "description": "Not Found"}


async def test_revoked_token_is_401_also_for_a_waiting_poll(client: Client, bot: Bot) -> None:
    poll = asyncio.create_task(client.get_updates(timeout=30))
    await until(lambda: bot.updates.polled)
    bot.revoke()
    with pytest.raises(TelegramUnauthorizedError):
        await poll
    with pytest.raises(TelegramUnauthorizedError):
        await client.get_me()
    bot.restore()
    assert (await client.get_me()).is_bot


@pytest.mark.parametrize("encoding", ["json", "data", "params", "multipart"])
async def test_parameters_in_every_encoding(server: BotApiServer, bot: Bot, anna: Person, encoding: str) -> None:
    await anna.start()
    values: dict[str, Any] = {"chat_id": "1001", "text": "да"}
    if encoding == "multipart":
        form = aiohttp.FormData(values, default_to_multipart=True)
        status, body = await raw(server, "SENDMESSAGE", data=form)
    else:
        status, body = await raw(server, "sendMessage", **{encoding: values})
    assert (status, body["ok"], body["result"]["text"]) == (200, True, "да")
    assert Update.model_validate({"update_id": 1, "message": body["result"]}).message


async def test_keyboard_as_object_and_as_text(server: BotApiServer, bot: Bot, anna: Person, clock: DrivenClock) -> None:
    await anna.start()
    keyboard = {"inline_keyboard": [[{"text": "Взял", "callback_data": "taken:7"}]]}
    for markup in (keyboard, json.dumps(keyboard)):
        clock.advance(2)
        status, _ = await raw(server, "sendMessage", json={"chat_id": 1001, "text": "?", "reply_markup": markup})
        assert status == 200
    assert [sent.buttons() for sent in bot.sent] == [["taken:7"], ["taken:7"]]


@pytest.mark.parametrize(
    ("method", "values", "words"),
    [
        ("sendMessage", {"chat_id": 1001, "text": "да", "colour": "red"}, "unknown parameter colour"),
        ("sendMessage", {"chat_id": 1001, "text": ""}, "message text is empty"),
        ("sendMessage", {"chat_id": 1001}, "message text is empty"),
        ("sendMessage", {"chat_id": 1001, "text": " \n "}, "message text is empty"),
        ("sendMessage", {"text": "да"}, "chat_id is empty"),
        ("sendMessage", {"chat_id": 1001, "text": "я" * 4097}, "message is too long"),
        ("sendMessage", {"chat_id": 1001, "text": "😀" * 2049}, "message is too long"),
        ("sendMessage", {"chat_id": 555, "text": "да"}, "chat not found"),
        ("sendMessage", {"chat_id": 1001, "text": "x", "parse_mode": "BBCode"}, "unsupported parse_mode"),
        ("sendMessage", {"chat_id": 1001, "text": "<b>x", "parse_mode": "HTML"}, "Can't find end tag"),
        ("sendMessage", {"chat_id": 1001, "text": "<b>x</i>", "parse_mode": "HTML"}, "Unmatched end tag"),
        ("sendMessage", {"chat_id": 1001, "text": "a < b", "parse_mode": "HTML"}, "Unsupported start tag"),
        ("sendMessage", {"chat_id": 1001, "text": "<h1>x</h1>", "parse_mode": "HTML"}, "Unsupported start tag"),
        ("sendMessage", {"chat_id": 1001, "text": "x", "disable_notification": "perhaps"}, "can't parse disable_not"),
        ("sendMessage", {"chat_id": 1001, "text": "x", "reply_markup": "{"}, "can't parse reply_markup JSON object"),
        (
            "sendMessage",
            {"chat_id": 1001, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": "Да"}]]}},
            "Text buttons are unallowed",
        ),
        (
            "sendMessage",
            {
                "chat_id": 1001,
                "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "Да", "callback_data": "я" * 33}]]},
            },
            "BUTTON_DATA_INVALID",
        ),
        ("sendMessage", {"chat_id": 1001, "text": "x", "reply_parameters": {"message_id": 9}}, "replied not found"),
        ("sendMessage", {"chat_id": 1001, "text": "x", "business_connection_id": "no"}, "business connection not"),
        ("editMessageText", {"chat_id": 1001, "message_id": 99, "text": "x"}, "message to edit not found"),
        ("answerCallbackQuery", {"callback_query_id": "1"}, "query is too old"),
        ("getFile", {"file_id": "nothing"}, "invalid file_id"),
        ("sendPhoto", {"chat_id": 1001, "photo": "nothing"}, "wrong file identifier"),
        ("sendPhoto", {"chat_id": 1001, "photo": "attach://x"}, "attachment name x not found"),
        ("setWebhook", {"url": "ftp://x"}, "bad webhook"),
        ("setWebhook", {"url": "https://x.example", "secret_token": "б"}, "unallowed characters"),
    ],
)
async def test_what_telegram_refuses_is_refused(
    server: BotApiServer, bot: Bot, anna: Person, method: str, values: dict[str, Any], words: str
) -> None:
    await anna.start()
    status, body = await raw(server, method, json=values)
    assert (status, body["ok"], body["error_code"]) == (400, False, 400)
    assert body["description"].startswith("Bad Request: ")
    assert words in body["description"]
    assert not bot.sent


async def test_unknown_method_and_broken_body(server: BotApiServer, bot: Bot) -> None:
    assert (await raw(server, "sendSmoke"))[0] == 404
    for body in (b"{", b"[1]", b"\xff"):
        status, _ = await raw(server, "sendMessage", data=body, headers={"Content-Type": "application/json"})
        assert status == 400


async def test_restart_keeps_port_and_state(server: BotApiServer, client: Client, bot: Bot, anna: Person) -> None:
    url = server.url
    await anna.say("раз")
    await server.stop()
    with pytest.raises(TelegramNetworkError):
        await client.get_me()
    await server.start()
    assert server.url == url
    assert texts(await client.get_updates()) == ["раз"]


async def test_waiting_says_what_is_there(bot: Bot) -> None:
    with pytest.raises(TimeoutError, match="there is"):
        await bot.sent.wait_for(lambda _: True, patience=0.01)
