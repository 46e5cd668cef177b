"""The local Bot API server against aiogram's own client: it has to be as strict as Telegram where we rely on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiogram import Bot as Client
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
    ReplyParameters,
    Update,
    User,
)
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from hub.demo.peers.bot_api import (
    SECRET_HEADER,
    Bot,
    BotApiServer,
    Limits,
    Person,
    When,
    faults,
)
from tests.fakes.clock import DrivenClock

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


# ---------------------------------------------------------------- who and how


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


# ---------------------------------------------------------------- getUpdates


async def test_offset_confirms_and_forgets(client: Client, anna: Person) -> None:
    for text in ("раз", "два", "три"):
        await anna.say(text)
    first = await client.get_updates(limit=2)
    assert texts(first) == ["раз", "два"]
    assert texts(await client.get_updates()) == ["раз", "два", "три"]
    assert texts(await client.get_updates(offset=first[1].update_id)) == ["два", "три"]
    assert texts(await client.get_updates(offset=first[1].update_id + 1)) == ["три"]
    assert texts(await client.get_updates(offset=0)) == ["три"]


async def test_negative_offset_leaves_the_last(client: Client, anna: Person) -> None:
    for text in ("раз", "два", "три"):
        await anna.say(text)
    assert texts(await client.get_updates(offset=-1)) == ["три"]
    assert texts(await client.get_updates()) == ["три"]


async def test_long_poll_wakes_on_arrival(client: Client, bot: Bot, anna: Person) -> None:
    poll = asyncio.create_task(client.get_updates(timeout=30))
    await until(lambda: bot.updates.polled)
    await anna.say("алло")
    assert texts(await poll) == ["алло"]


async def test_second_poller_ends_the_first_with_409(server: BotApiServer, client: Client, bot: Bot) -> None:
    first = asyncio.create_task(client.get_updates(timeout=30))
    await until(lambda: bot.updates.polled)
    async with client_of(server) as rival:
        assert await rival.get_updates() == []
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            await first


async def test_poll_is_409_while_a_webhook_is_set(client: Client, bot: Bot) -> None:
    poll = asyncio.create_task(client.get_updates(timeout=30))
    await until(lambda: bot.updates.polled)
    await client.set_webhook("http://127.0.0.1:9/in")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook"):
        await poll
    with pytest.raises(TelegramConflictError, match="while webhook is active"):
        await client.get_updates()
    await client.delete_webhook()
    assert await client.get_updates() == []


async def test_a_client_that_goes_away_polls_no_longer(server: BotApiServer, bot: Bot) -> None:
    async with client_of(server) as leaving:
        poll = asyncio.create_task(leaving.get_updates(timeout=30))
        await until(lambda: bot.updates.polled)
        poll.cancel()
    await until(lambda: not bot.updates.polled)


async def test_allowed_updates_are_kept_until_changed(client: Client, anna: Person) -> None:
    await client.get_updates(allowed_updates=["callback_query"])
    await anna.say("не придёт")
    assert await client.get_updates() == []
    await client.get_updates(allowed_updates=[])
    await anna.say("придёт")
    assert texts(await client.get_updates()) == ["придёт"]


async def test_updates_are_what_aiogram_knows(client: Client, bot: Bot, anna: Person) -> None:
    group = bot.group("Отдел продаж")
    friend = User(id=5, is_bot=False, first_name="Пётр")
    said = await anna.say("привет")
    await anna.edit(said.message_id, "привет!")
    await anna.say("в группе", group=group)
    await anna.say("ответ", reply_to=said.message_id)
    await anna.forward("чужое", friend)
    await anna.share_contact("+79161234567")
    await anna.send_photo(JPEG, "вот")
    await anna.send_document(b"%PDF", "договор.pdf")
    await anna.send_voice(OGG)
    await anna.send_video(b"....ftyp")
    await anna.send_audio(b"ID3")
    await anna.send_sticker("👍")
    await anna.send_location(55.75, 37.62)
    await anna.block()
    await anna.unblock()
    connection = anna.connect_business()
    business = await anna.say_business(connection, "вам лично")
    await anna.edit_business(business, "вам лично!")
    await anna.delete_business(connection, business.message_id)
    updates = await client.get_updates()
    assert len(updates) == 19
    assert [update.update_id for update in updates] == list(range(updates[0].update_id, updates[0].update_id + 19))
    photo = updates[6].message
    assert photo is not None
    assert photo.photo is not None
    assert photo.photo[-1].file_size == len(JPEG)


async def test_what_is_no_update_is_not_sent_unless_injected(server: BotApiServer, bot: Bot, anna: Person) -> None:
    with pytest.raises(ValidationError):
        bot.push("message", {"text": "без отправителя"})
    with pytest.raises(ValueError, match="not in the Bot API"):
        bot.push("brand_new", {"a": 1})
    bot.inject({"update_id": True, "brand_new": {"a": 1}})
    bot.inject({"message": "no id"})
    bot.inject(17)
    _, body = await raw(server, "getUpdates")
    assert [*body["result"][0]] == ["update_id", "brand_new"]
    assert body["result"][1:] == [{"message": "no id"}, 17]


# ---------------------------------------------------------------- sending


async def test_html_becomes_text_and_entities(client: Client, bot: Bot, anna: Person) -> None:
    await anna.start()
    message = await client.send_message(
        1001, '😀 <b>Иван &amp; <i>Ко</i></b> <a href="https://e.example/?a=1&amp;b=2">тут</a>', parse_mode="HTML"
    )
    assert message.text == "😀 Иван & Ко тут"
    kinds = [(entity.type, entity.extract_from(message.text), entity.url) for entity in message.entities or []]
    assert kinds == [
        ("bold", "Иван & Ко", None),
        ("italic", "Ко", None),
        ("text_link", "тут", "https://e.example/?a=1&b=2"),
    ]


async def test_entities_must_lie_in_the_text(client: Client, anna: Person) -> None:
    await anna.start()
    with pytest.raises(TelegramBadRequest, match="ends after the end of the text"):
        await client.send_message(1001, "да", entities=[MessageEntity(type="bold", offset=1, length=2)])


async def test_blocked_not_started_and_gone(client: Client, anna: Person) -> None:
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await client.send_message(1001, "да")
    await anna.block()
    with pytest.raises(TelegramForbiddenError, match="Forbidden: bot was blocked by the user"):
        await client.send_message(1001, "да")
    await anna.unblock()
    assert (await client.send_message(1001, "да")).text == "да"
    anna.deactivate()
    with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
        await client.send_message(1001, "да")


async def test_files_go_out_and_come_back(client: Client, bot: Bot, anna: Person, clock: DrivenClock) -> None:
    await anna.start()
    sent = await client.send_document(1001, BufferedInputFile(b"%PDF-1.7", "счёт.pdf"), caption="Счёт")
    assert sent.document is not None
    assert sent.document.file_name == "счёт.pdf"
    assert (bot.sent[0].content, bot.sent[0].file_name, bot.sent[0].text) == (b"%PDF-1.7", "счёт.pdf", "Счёт")
    clock.advance(2)
    again = await client.send_document(1001, sent.document.file_id)
    assert bot.sent[1].content == b"%PDF-1.7"
    assert again.document is not None
    clock.advance(2)
    photo = await client.send_photo(1001, BufferedInputFile(JPEG, "a.jpg"))
    assert photo.photo is not None
    content = await client.download(photo.photo[-1].file_id)
    assert content is not None
    assert content.read() == JPEG
    clock.advance(2)
    voice = await client.send_voice(1001, BufferedInputFile(OGG, "v.oga"), duration=4)
    assert voice.voice is not None
    assert voice.voice.duration == 4


async def test_bad_files_are_refused(client: Client, bot: Bot, anna: Person) -> None:
    await anna.start()
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await client.send_photo(1001, BufferedInputFile(b"no picture", "a.jpg"))
    with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
        await client.send_document(1001, BufferedInputFile(b"", "a.pdf"))
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await client.send_photo(1001, BufferedInputFile(JPEG, "a.jpg"), caption="я" * 1025)
    big = await anna.send_document(b"1", "big.bin", claimed_size=21 * 1024 * 1024)
    assert big.document is not None
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await client.get_file(big.document.file_id)


async def test_edit_reply_and_buttons(client: Client, bot: Bot, anna: Person) -> None:
    asked = await anna.say("где заказ?")
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Взял", callback_data="taken:1:")]])
    message = await client.send_message(
        1001, "едет", reply_parameters=ReplyParameters(message_id=asked.message_id), reply_markup=keyboard
    )
    assert message.reply_to_message is not None
    assert bot.sent[0].reply_to == asked.message_id
    press = await anna.press(bot.sent[0], "taken:1:")
    with pytest.raises(KeyError):
        await anna.press(bot.sent[0], "other")
    updates = await client.get_updates()
    assert updates[-1].callback_query is not None
    await client.answer_callback_query(updates[-1].callback_query.id, text="Хорошо")
    assert (await press.answer()).text == "Хорошо"
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await client.answer_callback_query(press.query_id)
    edited = await client.edit_message_text("едет, взял Иван", chat_id=1001, message_id=message.message_id)
    assert not isinstance(edited, bool)
    assert edited.reply_markup is None
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await client.edit_message_text("едет, взял Иван", chat_id=1001, message_id=message.message_id)
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await client.edit_message_text("чужое", chat_id=1001, message_id=asked.message_id)
    await client.edit_message_reply_markup(chat_id=1001, message_id=message.message_id, reply_markup=keyboard)
    assert [edit.method for edit in bot.edits] == ["editMessageText", "editMessageReplyMarkup"]


async def test_groups_count_their_own_messages(client: Client, bot: Bot, anna: Person) -> None:
    group = bot.group("Отдел")
    first = await anna.say("раз", group=group)
    private = await anna.say("лично")
    answer = await client.send_message(group.chat_id, "да")
    assert (first.message_id, answer.message_id) == (1, 2)
    assert private.message_id > 2
    group.kick(anna.user)
    with pytest.raises(TelegramForbiddenError, match="kicked"):
        await client.send_message(group.chat_id, "да")


async def test_business_reply_needs_the_connection(client: Client, bot: Bot, anna: Person) -> None:
    connection = anna.connect_business()
    await anna.say_business(connection, "привет")
    await client.send_message(1001, "и вам", business_connection_id=connection)
    assert bot.sent[0].business_connection_id == connection


# ---------------------------------------------------------------- limits and faults


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


# ---------------------------------------------------------------- webhook


@dataclass
class Receiver:
    """Somebody's webhook: notes what comes and answers as told (200 when nothing is planned)."""

    plan: list[int] = field(default_factory=list)
    seen: list[tuple[str | None, Any]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append((request.headers.get(SECRET_HEADER), json.loads(await request.read())))
        return web.Response(status=self.plan.pop(0) if self.plan else 200)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/in", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
    yield made
    await runner.cleanup()


async def test_webhook_in_order_until_accepted(client: Client, bot: Bot, anna: Person, receiver: Receiver) -> None:
    receiver.plan = [500, 503, 302]
    await anna.say("раз")
    await client.set_webhook(receiver.url, secret_token="s3cret")
    await anna.say("два")
    deliveries = await bot.webhook.deliveries.wait_count(5)
    assert [delivery.status for delivery in deliveries] == [500, 503, 302, 200, 200]
    assert {secret for secret, _ in receiver.seen} == {"s3cret"}
    assert [body["message"]["text"] for _, body in receiver.seen] == ["раз"] * 4 + ["два"]
    info = await client.get_webhook_info()
    assert (info.url, info.pending_update_count) == (receiver.url, 0)
    assert info.last_error_message == "Wrong response from the webhook: 302 Found"


async def test_webhook_that_is_not_there_keeps_the_updates(client: Client, bot: Bot, anna: Person) -> None:
    await client.set_webhook("http://127.0.0.1:1/in")
    await anna.say("раз")
    await bot.webhook.deliveries.wait_for(lambda delivery: delivery.status is None)
    info = await client.get_webhook_info()
    assert info.pending_update_count == 1
    assert "Connection failed" in (info.last_error_message or "")
    await client.delete_webhook()
    assert texts(await client.get_updates()) == ["раз"]
    await client.set_webhook("http://127.0.0.1:1/in")
    await client.delete_webhook(drop_pending_updates=True)
    assert await client.get_updates() == []


# ---------------------------------------------------------------- the server itself


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


def texts(updates: list[Update]) -> list[str]:
    return [update.message.text or "" for update in updates if update.message]


async def until(condition: Any) -> None:
    """Let the other tasks run until `condition()` holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)
