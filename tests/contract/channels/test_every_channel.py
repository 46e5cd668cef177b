"""What every channel promises, asked of a whole hub over real sockets, whoever the provider is."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientSession

from crm_core.errors import TransientDeliveryError
from crm_core.messages import OutboundMessage
from crm_core.model.records import EntryRecord
from crm_core.ports import ChannelState, ProvesItself
from tests.contract.channels.chat import Chat
from tests.contract.channels.gateway import Gateway
from tests.contract.channels.mail import FetchedMail, Mail
from tests.contract.channels.office import Office, an_office
from tests.contract.channels.provider import Heard, Provider, Refusal, Trait
from tests.contract.channels.sms import Sms
from tests.contract.channels.telegram import Telegram
from tests.contract.channels.vk import Vk

PROVIDERS: dict[str, Callable[[], Provider]] = {
    "gateway": Gateway,
    "mail": Mail,
    "mail fetched": FetchedMail,
    "the example of CONTRIBUTING": Sms,
    "chat": Chat,
    "telegram polled": partial(Telegram, "polling"),
    "telegram pushed": partial(Telegram, "webhook"),
    "vk polled": partial(Vk, "longpoll"),
    "vk pushed": partial(Vk, "callback"),
}
TAKEN = ("sent", "delivered", "read")
PDF = b"%PDF-1.4\n% a price list\n"


@pytest.fixture(params=PROVIDERS)
async def office(request: pytest.FixtureRequest, short_dir: Path, migrated_sqlite: Path) -> AsyncIterator[Office]:
    shutil.copyfile(migrated_sqlite, short_dir / "hub.sqlite3")
    async with an_office(PROVIDERS[cast("str", request.param)](), short_dir) as office:
        yield office


def has(office: Office, trait: Trait) -> bool:
    """Whether the provider can do this; what it can't do is not promised of its channel."""
    return trait in office.provider.traits


async def test_the_account_proves_itself(office: Office) -> None:
    channel = office.hub.channels[office.provider.key]
    assert isinstance(channel, ProvesItself)
    assert await channel.check()


async def test_what_is_brought_twice_is_there_once(office: Office) -> None:
    first = await office.provider.say("Здравствуйте")
    await first.again()
    await office.provider.say("Есть кто?")
    await first.again()
    entries = await office.until(lambda found: len(found) >= 2)
    assert [each["text"] for each in await office.settled()] == ["Здравствуйте", "Есть кто?"]
    assert {(each["channel"], each["account"], each["direction"]) for each in entries} == {
        (office.provider.key.channel, office.provider.key.account, "in")
    }


async def test_messages_stand_in_the_order_they_were_said(office: Office) -> None:
    words = [f"слово {number}" for number in range(12)]
    for word in words:
        await office.provider.say(word)
    entries = await office.until(lambda found: len(found) >= len(words))
    assert [each["text"] for each in entries] == words


async def test_an_edit_and_a_deletion_keep_the_original(office: Office) -> None:
    wrote = await office.provider.say("Хочу стол")
    if has(office, Trait.EDITS):
        await office.provider.edit(wrote, "Хочу стул")
        (entry,) = await office.until(lambda found: bool(found) and found[0]["text"] == "Хочу стул")
        assert [each["text"] for each in entry["history"]] == ["Хочу стол"]
    if has(office, Trait.DELETES):
        await office.provider.delete(wrote)
        (entry,) = await office.until(lambda found: bool(found) and found[0]["deleted_at"] is not None)
        assert entry["text"] in {"Хочу стол", "Хочу стул"}


async def test_files_are_kept_once_and_served_without_danger(office: Office) -> None:
    if not has(office, Trait.FILES):
        return
    for _ in range(2):
        await office.provider.say("Чертёж", file=("чертёж.pdf", PDF))
    entries = await office.until(
        lambda found: (
            len(found) >= 2 and all(file["state"] == "stored" for each in found for file in each["attachments"])
        )
    )
    for entry in entries:
        (file,) = entry["attachments"]
        async with office.api.get(file["url"]) as response:
            assert await response.read() == PDF
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    stored = [each for each in office.hub.settings.files.rglob("*") if each.is_file() and each.read_bytes() == PDF]
    assert len(stored) == 1


async def test_an_answer_goes_back_by_the_account_it_came_from(office: Office) -> None:
    await office.provider.say("Сколько стоит?")
    await office.until(lambda found: len(found) == 1)
    queued = await office.reply("12 500 ₽")
    assert queued["delivery"] == "queued"
    assert [each.text for each in await office.provider.heard(1)] == ["12 500 ₽"]
    entries = await office.until(lambda found: found[-1]["delivery"] not in {None, "queued"})
    assert (entries[-1]["text"], entries[-1]["account"]) == ("12 500 ₽", office.provider.key.account)
    assert await office.open_case() is None
    if has(office, Trait.TELLS_READ):
        await office.provider.read()
        await office.until(lambda found: found[-1]["delivery"] == "read")


async def test_files_go_back_too(office: Office) -> None:
    if not has(office, Trait.FILES):
        return
    await office.provider.say("Пришлите прайс")
    await office.until(lambda found: len(found) == 1)
    await office.reply("Вот", file=("прайс.pdf", PDF))
    heard = await office.provider.heard(1)
    files = [file for each in heard for file in each.files]
    assert [content for _, content in files] == [PDF]


async def test_a_provider_that_is_busy_is_asked_again(office: Office) -> None:
    if not has(office, Trait.REFUSES):
        return
    await office.provider.say("Сколько стоит?")
    await office.until(lambda found: len(found) == 1)
    office.provider.refuse_next(Refusal.LATER)
    await office.reply("Сейчас посчитаю")
    assert await office.provider.heard(1) == [Heard("Сейчас посчитаю")]
    await office.until(lambda found: found[-1]["delivery"] in TAKEN)


async def test_a_refused_answer_says_so_and_the_client_still_waits(office: Office) -> None:
    if not has(office, Trait.REFUSES):
        return
    await office.provider.say("Сколько стоит?")
    await office.until(lambda found: len(found) == 1)
    office.provider.refuse_next(Refusal.FOR_GOOD)
    await office.reply("12 500 ₽")
    entries = await office.until(lambda found: found[-1]["delivery"] == "failed")
    assert entries[-1]["delivery_error"]
    assert await office.open_case() is not None


async def test_refused_credentials_are_told_and_lose_nothing(office: Office) -> None:
    if not has(office, Trait.AUTHENTICATES):
        return
    await office.provider.say("Сколько стоит?")
    await office.until(lambda found: len(found) == 1)
    office.provider.refuse_next(Refusal.CREDENTIALS)
    await office.reply("12 500 ₽")
    await office.became(ChannelState.BAD_CREDENTIALS)
    assert office.hub.channels[office.provider.key].health.detail
    (entry,) = [each for each in await office.settled() if each["direction"] == "out"]
    assert entry["delivery"] == "queued"


async def test_a_lost_answer_is_not_told_twice_where_the_provider_knows_repeats(office: Office) -> None:
    if not has(office, Trait.KNOWS_REPEATS):
        return
    await office.provider.say("Сколько стоит?")
    await office.until(lambda found: len(found) == 1)
    office.provider.refuse_next(Refusal.LOST_ANSWER)
    await office.reply("12 500 ₽")
    await office.until(lambda found: found[-1]["delivery"] in TAKEN)
    assert await office.provider.heard(1) == [Heard("12 500 ₽")]


async def test_what_the_office_writes_at_the_provider_is_an_answer(office: Office) -> None:
    if not has(office, Trait.WRITES_ITSELF):
        return
    await office.provider.say("Сколько стоит?")
    await office.until(lambda found: len(found) == 1)
    assert await office.open_case() is not None
    await office.provider.write_itself("12 500 ₽")
    entries = await office.until(lambda found: len(found) == 2)
    assert (entries[-1]["direction"], entries[-1]["text"]) == ("out", "12 500 ₽")
    assert await office.open_case() is None


async def test_our_own_answer_does_not_come_back(office: Office) -> None:
    await office.provider.say("Сколько стоит?")
    await office.until(lambda found: len(found) == 1)
    await office.reply("12 500 ₽")
    await office.provider.heard(1)
    await office.until(lambda found: found[-1]["delivery"] in TAKEN)
    await office.provider.say("Спасибо")
    entries = await office.until(lambda found: len(found) >= 3)
    # Some providers tell whole seconds only, so that the order within one says nothing.
    assert sorted((each["direction"], each["text"]) for each in entries) == [
        ("in", "Сколько стоит?"),
        ("in", "Спасибо"),
        ("out", "12 500 ₽"),
    ]


async def test_after_the_end_nothing_is_sent_and_nothing_opened(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stopped has closed its connections; one opened later would be closed by nobody."""
    channel = office.hub.channels[office.provider.key]
    await office.provider.say("Сколько стоит?")
    (asked,) = await office.until(lambda found: len(found) == 1)
    (entry,) = await office.hub.store.run(lambda desk: desk.work.related(EntryRecord, "id", [asked["id"]]))
    await office.hub.stop()
    opened: list[str] = []

    def noted(cls: type, name: str) -> None:
        real = getattr(cls, name)

        def note(*given: Any, **named: Any) -> Any:
            opened.append(f"{cls.__name__}.{name}")
            return real(*given, **named)

        monkeypatch.setattr(cls, name, note)

    noted(ClientSession, "__init__")
    noted(asyncio.BaseEventLoop, "create_connection")
    message = OutboundMessage(
        office.provider.key, entry.conversation or "", "12 500 ₽", idempotency_key="late", number=1
    )
    with pytest.raises(TransientDeliveryError) as caught:
        await channel.send(message)
    assert not caught.value.uncertain
    assert opened == []
