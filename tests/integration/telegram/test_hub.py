"""A whole hub beside the strict Bot API server: clients, managers' own accounts and the office in one bot."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.storage.users import NewUser, add_user
from hub.demo.peers.bot_api import SECRET_HEADER, Bot, Person, Sent
from hub.demo.peers.bot_api.wire import dump
from tests.contract.channels.office import Office, an_office
from tests.contract.channels.telegram import SECRET, Telegram
from tests.patience import PATIENCE_S

PETR_TG = 77
JPEG = b"\xff\xd8\xff\xe0" + bytes(200)


class Shop(Telegram):
    """The provider of the contract; its account greets, has a menu and asks for numbers."""

    async def open(self, folder: Path, hub_port: int) -> str:
        """The same account with a menu."""
        table = await super().open(folder, hub_port)
        menu = 'menu = [ { text = "Цены", answer = "Прайс: https://example.org/prices" } ]'
        return f'{table}group = "sales"\ngreeting = "Здравствуйте!"\nask_contact = true\n{menu}\n'

    @property
    def bot(self) -> Bot:
        """The bot."""
        return self._bot

    @property
    def anna(self) -> Person:
        """The client."""
        return self._anna


@pytest.fixture(params=["polling"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(request.param)


@pytest.fixture
async def office(shop: Shop, short_dir: Path, migrated_sqlite: str) -> AsyncIterator[Office]:
    shutil.copyfile(migrated_sqlite, short_dir / "hub.sqlite3")
    async with an_office(shop, short_dir) as office:

        def hire(desk: Desk) -> None:
            petr = NewUser("petr", "Пётр Лебедев", Role.MANAGER, telegram_id=PETR_TG, group="sales")
            add_user(desk, petr)

        _, position = await office.hub.store.run_at(hire)
        assert await office.hub.live.reached(position, PATIENCE_S)
        yield office


@pytest.fixture
async def petr(shop: Shop, office: Office) -> Person:
    made = shop.bot.user(id=PETR_TG, first_name="Пётр")
    await made.start()
    return made


async def until(office: Office, ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """What `ask` tells, as soon as `holds` is true of it; asked again after every commit."""
    last: Any = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for _ in office.hub.live.follow(0):
                last = await ask()
                if holds(last):
                    return last
    except TimeoutError as err:
        raise AssertionError(f"it is {last}") from err
    raise AssertionError("the hub ended")


def incoming(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in entries if each["direction"] == "in"]


async def told(person: Person, button: str) -> Sent:
    """The first notification with such a button."""
    return await person.bot.sent.wait_for(
        lambda sent: sent.chat_id == person.user.id and any(each.startswith(button) for each in sent.buttons())
    )


# ---------------------------------------------------------------- the office in the bot


async def test_a_client_is_answered_from_telegram(office: Office, shop: Shop, petr: Person) -> None:
    await shop.anna.say("Сколько стоит окно?")
    notice = await told(petr, "write:")
    assert await office.open_case()
    press = await petr.press(notice, next(each for each in notice.buttons() if each.startswith("write:")))
    assert (await press.answer()).text
    await petr.say("24 900 рублей", reply_to=notice.message_id)
    await shop.anna.hears("24 900 рублей")
    entries = await office.until(lambda found: found[-1]["text"] == "24 900 рублей" and found[-1]["delivery"] == "sent")
    assert entries[-1]["author"] == "petr"
    assert await office.open_case() is None
    assert not (await office.get("/contacts", identity=f"tg:{PETR_TG}"))["items"]


async def test_a_stranger_who_types_what_staff_would_is_a_client(office: Office, shop: Shop, petr: Person) -> None:
    await shop.anna.say("/today")
    entries = await office.until(lambda found: bool(incoming(found)))
    assert incoming(entries)[0]["text"] == "/today"
    await petr.say("/today")
    await petr.hears("")
    assert not (await office.get("/contacts", identity=f"tg:{PETR_TG}"))["items"]


# ---------------------------------------------------------------- a manager's own account


async def test_a_managers_own_chat_stands_on_the_timeline(office: Office, shop: Shop, petr: Person) -> None:
    connection = petr.connect_business()
    asked = await shop.anna.say_business(connection, "Пётр, где счёт?")
    await office.until(lambda found: len(incoming(found)) == 1)
    assert await office.open_case()
    await petr.write_business(connection, shop.anna, "Сейчас пришлю")
    entries = await office.until(lambda found: any(each["text"] == "Сейчас пришлю" for each in found))
    sent = next(each for each in entries if each["text"] == "Сейчас пришлю")
    assert (sent["direction"], sent["author"], sent["delivery"]) == ("out", "petr", "sent")
    assert await office.open_case() is None
    await shop.anna.edit_business(asked, "Пётр, где же счёт?")
    await office.until(lambda found: incoming(found)[0]["text"] == "Пётр, где же счёт?")
    await office.reply("Счёт во вложении")
    await shop.anna.hears("Счёт во вложении")
    heard = [sent for sent in shop.bot.sent if sent.text == "Счёт во вложении"]
    assert [each.business_connection_id for each in heard] == [connection]
    await shop.anna.delete_business(connection, asked.message_id)
    await office.until(lambda found: incoming(found)[0]["deleted_at"] is not None)
    texts = [each["text"] for each in await office.settled()]
    assert texts.count("Счёт во вложении") == 1


async def test_an_away_message_of_telegram_answers_nobody(office: Office, shop: Shop, petr: Person) -> None:
    connection = petr.connect_business()
    await shop.anna.say_business(connection, "Вы работаете?")
    await petr.write_business(connection, shop.anna, "Сейчас меня нет", is_from_offline=True)
    await office.until(lambda found: any(each["text"] == "Сейчас меня нет" for each in found))
    assert await office.open_case()


async def test_a_disconnected_account_says_what_to_do(office: Office, shop: Shop, petr: Person) -> None:
    connection = petr.connect_business()
    await shop.anna.say_business(connection, "Здравствуйте")
    petr.disconnect_business(connection)
    await office.until(lambda found: len(incoming(found)) == 1)
    entry = await office.reply("Добрый день")
    entries = await office.until(lambda found: found[-1]["delivery"] == "failed")
    assert [each["text"] for each in entries] == ["Здравствуйте", "Добрый день"]
    assert (entries[-1]["id"], entries[-1]["direction"]) == (entry["id"], "out")
    assert "больше не подключает бота" in entries[-1]["delivery_error"]


# ---------------------------------------------------------------- clients


async def test_a_link_says_where_the_client_comes_from(office: Office, shop: Shop) -> None:
    await shop.anna.start("source-Flyer__utm_source-print__utm_campaign-spring")
    leads = await until(office, lambda: office.get("/leads"), lambda found: bool(found["items"]))
    lead = leads["items"][0]
    assert (lead["source"], lead["utm"]["source"], lead["utm"]["campaign"]) == ("Flyer", "print", "spring")
    assert await office.open_case() is None


async def test_the_menu_answers_and_a_number_is_asked_for_once(office: Office, shop: Shop) -> None:
    await shop.anna.say("Здравствуйте")
    greeting = await shop.anna.hears("Здравствуйте!")
    await shop.bot.sent.wait_for(lambda sent: sent.markup is not None)
    assert any(each.startswith("menu:") for each in greeting.buttons())
    press = await shop.anna.press(greeting, greeting.buttons()[0])
    await press.answer()
    await shop.anna.hears("Прайс")
    await shop.anna.share_number("+79161234567")
    await shop.anna.hears("Спасибо")
    contact = await until(office, office.contact, lambda found: "tel:+79161234567" in found.get("identities", []))
    assert contact["name"] == "Анна"


async def test_formatting_albums_and_reactions_are_kept(office: Office, shop: Shop) -> None:
    said = await shop.anna.say("жирно")
    bold = [{"type": "bold", "offset": 0, "length": 5}]
    await shop.anna.send_album(JPEG, JPEG + b"2", caption="два")
    await shop.anna.react(said, "👍")
    update = dump(said)
    shop.bot.inject(
        {
            "update_id": True,
            "edited_message": {**update, "text": "смело", "entities": bold, "edit_date": update["date"]},
        }
    )
    entries = await office.until(
        lambda found: (
            len(incoming(found)) == 3 and bool(incoming(found)[0]["reactions"]) and bool(incoming(found)[0]["history"])
        )
    )
    first, *album = incoming(entries)
    assert (first["text"], first["html"]) == ("смело", "<b>смело</b>")
    assert len({each["album"] for each in album}) == 1


# ---------------------------------------------------------------- what is not quite right


async def test_a_file_over_the_limit_says_so(office: Office, shop: Shop) -> None:
    await shop.anna.send_document(b"1", "проект.zip", claimed_size=21 * 1024 * 1024)
    entries = await office.until(lambda found: bool(found) and bool(found[0]["attachments"][0].get("error")))
    assert "20 МБ" in entries[0]["attachments"][0]["error"]


async def test_news_in_the_wrong_order_come_to_the_same(office: Office, shop: Shop) -> None:
    said = dump(await shop.anna.say("раз"))
    for number, (kind, text) in enumerate([("edited_message", "два, исправлено"), ("message", "два")]):
        more = {"edit_date": said["date"] + 5} if kind == "edited_message" else {}
        content = {**said, "message_id": 90_001, "text": text, **more}
        shop.bot.inject({"update_id": shop.bot.updates.new_id() + number, kind: content})
    entries = await office.until(lambda found: len(incoming(found)) == 2 and bool(incoming(found)[1]["history"]))
    late = incoming(entries)[1]
    assert late["text"] == "два, исправлено"
    assert [each["text"] for each in late["history"]] == ["два"]


async def test_a_name_that_can_not_be_seen_is_none(office: Office, shop: Shop) -> None:
    said = dump(await shop.anna.say("раз"))
    stranger = {"id": 1001, "is_bot": False, "first_name": "\u202e\u3164\u200b", "username": "quiet"}
    shop.bot.inject(
        {"update_id": True, "message": {**said, "message_id": 90_002, "from": stranger, "text": "\u202eда"}}
    )
    await office.until(lambda found: len(incoming(found)) == 2)
    assert (await office.contact())["name"] == "Анна"


@pytest.mark.parametrize("shop", ["webhook"], indirect=True)
async def test_a_webhook_replayed_or_forged_changes_nothing(office: Office, shop: Shop) -> None:
    message = await shop.anna.say("раз")
    await office.until(lambda found: len(incoming(found)) == 1)
    assert shop.bot.webhook.hook is not None
    body = json.dumps({"update_id": shop.bot.updates.new_id() - 1, "message": dump(message)}).encode()
    forged = json.dumps({"update_id": 1, "message": {**dump(message), "message_id": 5, "text": "два"}}).encode()
    statuses = []
    async with aiohttp.ClientSession() as session:
        for content, secret in ((body, SECRET), (body, SECRET), (forged, SECRET + "x"), (forged, "")):
            async with session.post(shop.bot.webhook.hook.url, data=content, headers={SECRET_HEADER: secret}) as answer:
                statuses.append(answer.status)
    assert statuses == [200, 200, 401, 401]
    assert [each["text"] for each in incoming(await office.settled())] == ["раз"]
