"""Limits and ordered faults."""

from __future__ import annotations

import aiohttp
import pytest
from aiogram import Bot as Client
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)

from hub.demo.peers.bot_api import (
    Bot,
    BotApiServer,
    Person,
    When,
    faults,
)
from tests.contract.bot_api.conftest import client_of, raw
from tests.fakes.clock import DrivenClock


async def test_flood_limits_per_chat_and_per_bot(client: Client, bot: Bot, clock: DrivenClock) -> None:
    people = [bot.user(id=2000 + number, first_name="А") for number in range(31)]
    for person in people:
        await person.start()
    await client.send_message(2000, "раз")
    with pytest.raises(TelegramRetryAfter) as caught:
        await client.send_message(2000, "два")
    assert caught.value.retry_after == 1
    for person in people[1:30]:
        await client.send_message(person.user.id, "раз")
    with pytest.raises(TelegramRetryAfter):
        await client.send_message(2030, "тридцать первое")
    clock.advance(1)
    await client.send_message(2030, "теперь")
    await client.send_message(2000, "два")
    assert len(bot.sent) == 32


async def test_flood_limit_of_a_group_is_per_minute(client: Client, bot: Bot, clock: DrivenClock) -> None:
    group = bot.group("Отдел")
    for _ in range(20):
        await client.send_message(group.chat_id, "раз")
        clock.advance(1)
    with pytest.raises(TelegramRetryAfter) as caught:
        await client.send_message(group.chat_id, "лишнее")
    assert caught.value.retry_after == 40


async def test_ordered_answers(server: BotApiServer, client: Client, bot: Bot, anna: Person) -> None:
    await anna.start()
    bot.next_responses(faults.too_many(7), faults.status(500), faults.bad_gateway(), faults.garbage(b"{"))
    status, body = await raw(server, "getMe")
    assert (status, body) == (
        429,
        {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        },
    )
    with pytest.raises(TelegramServerError):
        await client.get_me()
    for _ in range(2):
        with pytest.raises(ClientDecodeError):
            await client.get_me()
    assert (await client.get_me()).is_bot


@pytest.mark.parametrize(("when", "arrived"), [(When.BEFORE, 0), (When.AFTER, 1)])
async def test_dropped_connection(client: Client, bot: Bot, anna: Person, when: When, arrived: int) -> None:
    await anna.start()
    bot.next_responses(faults.drop(when, method="sendMessage"))
    await client.get_me()
    with pytest.raises(TelegramNetworkError):
        await client.send_message(1001, "да")
    assert len(bot.sent) == arrived


@pytest.mark.parametrize(("when", "arrived"), [(When.BEFORE, 0), (When.AFTER, 1)])
async def test_no_answer(server: BotApiServer, bot: Bot, anna: Person, when: When, arrived: int) -> None:
    await anna.start()
    bot.next_responses(faults.hang(when))
    async with client_of(server, timeout=0.2) as hasty:
        with pytest.raises(TelegramNetworkError, match="timeout"):
            await hasty.send_message(1001, "да")
    assert len(bot.sent) == arrived


async def test_download_that_breaks_off(client: Client, bot: Bot, anna: Person) -> None:
    message = await anna.send_document(bytes(100_000), "a.bin")
    assert message.document is not None
    bot.next_responses(faults.drop(When.AFTER, method="file"))
    with pytest.raises(aiohttp.ClientError):
        await client.download(message.document.file_id)
    content = await client.download(message.document.file_id)
    assert content is not None
    assert len(content.read()) == 100_000
