"""Messages out, over real sockets, against a server that keeps Telegram's limits."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from channels.telegram import TelegramChannel
from channels.telegram.api import DOWNLOAD_LIMIT
from channels.telegram.split import units
from crm_core.errors import ChannelAuthError, DeliveryError, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import Button, ChannelKey, OutboundFile, OutboundMessage, StoredFile
from crm_core.ports import ChannelState
from hub.demo.peers.bot_api import Fault, Person, When, faults
from tests.integration.telegram.conftest import TOKEN, Rig

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
KEY = ChannelKey("telegram", "shop")


def message(text: str = "Добрый день", *, key: str = "k-1", to: str = "1001", **more: object) -> OutboundMessage:
    return replace(OutboundMessage(KEY, to, text, key), **more)  # type: ignore[arg-type] # fields by name


@pytest.fixture
def channel(rig: Rig) -> TelegramChannel:
    """Not started: sending needs no intake."""
    return rig.channel()


@pytest.fixture(autouse=True)
async def _started(anna: Person) -> None:
    await anna.start()


async def upload(rig: Rig, name: str, content_type: str, content: bytes) -> OutboundFile:
    return OutboundFile(name, content_type, await rig.world.files.put_bytes(content))


# ---------------------------------------------------------------- what arrives


async def test_a_text_arrives_as_it_is(rig: Rig, channel: TelegramChannel) -> None:
    text = "<b>5 > 3</b> & *звёздочки* _и_ [скобки]"
    receipt = await channel.send(message(text))
    assert [sent.text for sent in rig.bot.sent] == [text]
    assert not rig.bot.sent[0].entities
    assert receipt.refs == (str(rig.bot.sent[0].message_id),)


async def test_a_long_text_arrives_in_order_a_second_apart(rig: Rig, channel: TelegramChannel) -> None:
    text = " ".join(f"слово😀{number}" for number in range(1200))
    receipt = await channel.send(message(text))
    pieces = [sent.text for sent in rig.bot.sent]
    assert " ".join(pieces) == text
    assert all(units(piece) <= 4096 for piece in pieces)
    assert receipt.refs == tuple(str(sent.message_id) for sent in rig.bot.sent)
    assert rig.pauses == [1.0] * (len(pieces) - 1)


async def test_a_reply_and_a_reply_to_what_is_gone(rig: Rig, channel: TelegramChannel, anna: Person) -> None:
    asked = await anna.say("где заказ?")
    await channel.send(message(reply_to=str(asked.message_id)))
    await channel.send(message(reply_to="9999", key="k-2"))
    assert [sent.reply_to for sent in rig.bot.sent] == [asked.message_id, None]


async def test_buttons_stand_under_the_last_part(rig: Rig, channel: TelegramChannel) -> None:
    rows = ((Button("Взял", "taken:42:"), Button("Обещал", "promise:42:30")), (Button("Закрыть", "close:42:"),))
    await channel.send(message("я" * 5000, buttons=rows))
    assert [sent.buttons() for sent in rig.bot.sent] == [[], ["taken:42:", "promise:42:30", "close:42:"]]


async def test_files_of_every_kind(rig: Rig, channel: TelegramChannel) -> None:
    files = (
        await upload(rig, "счёт.pdf", "application/pdf", b"%PDF"),
        await upload(rig, "диван.jpg", "image/jpeg", JPEG),
        await upload(rig, "голос.ogg", "audio/ogg", b"OggS"),
    )
    receipt = await channel.send(message("Ваш счёт", files=files))
    assert [(sent.method, sent.file_name, sent.text) for sent in rig.bot.sent] == [
        ("sendDocument", "счёт.pdf", "Ваш счёт"),
        ("sendPhoto", "диван.jpg", ""),
        ("sendVoice", "голос.ogg", ""),
    ]
    assert [sent.content for sent in rig.bot.sent] == [b"%PDF", JPEG, b"OggS"]
    assert len(receipt.refs) == 3


async def test_a_picture_telegram_can_not_read_goes_as_a_file(rig: Rig, channel: TelegramChannel) -> None:
    await channel.send(message("", files=(await upload(rig, "x.png", "image/png", b"not really"),)))
    assert [sent.method for sent in rig.bot.sent] == ["sendDocument"]


async def test_a_group_is_answered_in_the_group(rig: Rig, channel: TelegramChannel, anna: Person) -> None:
    group = rig.bot.group("Заказы")
    await channel.send(message(to=str(group.chat_id)))
    assert rig.bot.sent[0].chat_id == group.chat_id


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("fault", "retry_after", "uncertain"),
    [
        (faults.too_many(17), 17.0, False),
        (faults.status(500), None, False),
        (faults.bad_gateway(), None, False),
        (faults.drop(When.BEFORE), None, True),
        (faults.drop(When.AFTER), None, True),
        (faults.garbage(b"{"), None, True),
        (faults.garbage(b"\xff"), None, True),
        (faults.garbage(b'{"ok": true, "result": true}'), None, True),
    ],
)
async def test_for_now(
    rig: Rig, channel: TelegramChannel, fault: Fault, retry_after: float | None, *, uncertain: bool
) -> None:
    rig.bot.next_responses(fault)
    with pytest.raises(TransientDeliveryError) as caught:
        await channel.send(message())
    assert (caught.value.retry_after, caught.value.uncertain) == (retry_after, uncertain)
    rig.clock.advance(20)
    await channel.send(message())
    assert len(rig.bot.sent) == (2 if fault.act is faults.Act.DROP and fault.when is When.AFTER else 1)


async def test_no_answer_in_time_is_uncertain(
    rig: Rig, channel: TelegramChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.telegram.outbound.CALL_S", 1)
    rig.bot.next_responses(faults.hang(When.AFTER))
    with pytest.raises(TransientDeliveryError, match="no answer in time") as caught:
        await channel.send(message())
    assert caught.value.uncertain
    assert len(rig.bot.sent) == 1


async def test_a_server_that_is_not_there_surely_got_nothing(rig: Rig, channel: TelegramChannel) -> None:
    await rig.server.stop()
    with pytest.raises(TransientDeliveryError) as caught:
        await channel.send(message())
    assert not caught.value.uncertain


@pytest.mark.parametrize("gone", ["block", "deactivate", "unknown"])
async def test_for_good_with_the_providers_words(rig: Rig, channel: TelegramChannel, anna: Person, gone: str) -> None:
    words = {"block": "bot was blocked by the user", "deactivate": "user is deactivated", "unknown": "chat not found"}
    if gone == "block":
        await anna.block()
    if gone == "deactivate":
        anna.deactivate()
    with pytest.raises(PermanentDeliveryError, match=words[gone]):
        await channel.send(message(to="1001" if gone != "unknown" else "555"))
    assert rig.pauses == []


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (OutboundFile("нет.pdf", "application/pdf", StoredFile("00", 5)), "not in the file store"),
        (OutboundFile("фильм.mp4", "video/mp4", StoredFile("00", 51 * 1024 * 1024)), "50 MB"),
    ],
)
async def test_files_that_can_not_go(channel: TelegramChannel, file: OutboundFile, words: str) -> None:
    with pytest.raises(PermanentDeliveryError, match=words):
        await channel.send(message(files=(file,)))


async def test_a_refused_token_keeps_the_message(rig: Rig, channel: TelegramChannel) -> None:
    rig.bot.revoke()
    with pytest.raises(ChannelAuthError, match="Unauthorized"):
        await channel.send(message())
    assert channel.health.state is ChannelState.BAD_CREDENTIALS
    rig.bot.restore()
    await channel.send(message())
    assert channel.health.state is not ChannelState.BAD_CREDENTIALS


async def test_a_retry_goes_on_where_the_last_try_stopped(rig: Rig, channel: TelegramChannel) -> None:
    long = "слово " * 1500
    sent_first = asyncio.create_task(rig.bot.sent.wait_for())
    sent_first.add_done_callback(lambda _: rig.bot.next_responses(faults.too_many(3)))
    with pytest.raises(TransientDeliveryError):
        await channel.send(message(long))
    assert len(rig.bot.sent) == 1
    rig.clock.advance(3)
    receipt = await channel.send(message(long))
    assert " ".join(sent.text for sent in rig.bot.sent) == long.strip()
    assert receipt.refs == tuple(str(sent.message_id) for sent in rig.bot.sent)


async def test_a_try_cut_short_from_outside_is_continued(rig: Rig, channel: TelegramChannel) -> None:
    long = "слово " * 1500
    rig.bot.next_responses(faults.hang(When.BEFORE, "sendPhoto"))
    photo = await upload(rig, "a.jpg", "image/jpeg", JPEG)
    sending = asyncio.create_task(channel.send(message(long, files=(photo,))))
    await rig.bot.calls.wait_for(lambda call: call.method == "sendPhoto")
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    rig.clock.advance(2)
    receipt = await channel.send(message(long, files=(photo,)))
    assert [sent.method for sent in rig.bot.sent] == ["sendMessage"] * 3 + ["sendPhoto"]
    assert len(receipt.refs) == 4


async def test_a_part_refused_for_good_says_which(rig: Rig, channel: TelegramChannel, anna: Person) -> None:
    sent_first = asyncio.create_task(rig.bot.sent.wait_for())
    sent_first.add_done_callback(lambda _: anna.deactivate())
    with pytest.raises(PermanentDeliveryError, match=r"deactivated\) \(part 2 of 3\)"):
        await channel.send(message("слово " * 1500))


# ---------------------------------------------------------------- limits


async def test_a_burst_keeps_the_limits_by_itself(rig: Rig, channel: TelegramChannel) -> None:
    people = [rig.bot.user(id=2000 + number, first_name="А") for number in range(60)]
    for person in people:
        await person.start()
    for number, person in enumerate(people):
        await channel.send(message(to=str(person.user.id), key=f"b-{number}"))
    assert len(rig.bot.sent) == 60
    assert {call.status for call in rig.bot.calls} == {200}
    assert sum(rig.pauses) == pytest.approx(1.0)


async def test_a_chat_that_must_rest_does_not_hold_up_others(rig: Rig, channel: TelegramChannel) -> None:
    pyotr = rig.bot.user(id=3003, first_name="Пётр")
    await pyotr.start()
    rig.bot.next_responses(faults.too_many(30))
    with pytest.raises(TransientDeliveryError):
        await channel.send(message())
    with pytest.raises(TransientDeliveryError) as waits:
        await channel.send(message("второе", key="k-2"))
    assert waits.value.retry_after == pytest.approx(30)
    assert not waits.value.uncertain
    await channel.send(message(to="3003", key="k-3"))
    assert [sent.chat_id for sent in rig.bot.sent] == [3003]
    rig.clock.advance(30)
    await channel.send(message("второе", key="k-2"))
    assert [sent.text for sent in rig.bot.sent] == ["Добрый день", "второе"]


# ---------------------------------------------------------------- files in


async def test_a_download_that_breaks_off_is_tried_again(rig: Rig, channel: TelegramChannel, anna: Person) -> None:
    sent = await anna.send_document(bytes(200_000), "a.bin")
    assert sent.document is not None
    rig.bot.next_responses(faults.drop(When.AFTER, "file"), faults.status(404, method="file"))
    for _ in range(2):
        with pytest.raises(TransientDeliveryError):
            await fetched(channel, sent.document.file_id)
    assert len(await fetched(channel, sent.document.file_id)) == 200_000


async def test_a_file_of_another_size_than_told_is_not_believed(
    rig: Rig, channel: TelegramChannel, anna: Person
) -> None:
    short = await anna.send_document(b"12345", "a.bin", claimed_size=9)
    huge = await anna.send_document(bytes(DOWNLOAD_LIMIT + 1), "b.bin", claimed_size=9)
    told = await anna.send_document(b"1", "c.bin", claimed_size=DOWNLOAD_LIMIT + 1)
    assert short.document is not None
    assert huge.document is not None
    assert told.document is not None
    with pytest.raises(TransientDeliveryError, match="5 of 9"):
        await fetched(channel, short.document.file_id)
    with pytest.raises(PermanentDeliveryError, match="20 MB"):
        await fetched(channel, huge.document.file_id)
    with pytest.raises(PermanentDeliveryError, match="file is too big"):
        await fetched(channel, told.document.file_id)
    with pytest.raises(PermanentDeliveryError, match="invalid file_id"):
        await fetched(channel, "nothing")


async def test_the_token_is_in_no_error_and_no_log(
    rig: Rig, channel: TelegramChannel, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sent = await anna.send_document(b"1", "a.bin")
    assert sent.document is not None
    rig.bot.next_responses(faults.status(404, method="file"), faults.drop(When.AFTER, "file"))
    seen: list[str] = []
    for _ in range(2):
        with pytest.raises(DeliveryError) as caught:
            await fetched(channel, sent.document.file_id)
        seen.append(f"{caught.value} {caught.value.__cause__}")
    rig.bot.revoke()
    for attempt in (fetched(channel, "x"), channel.send(message())):
        with pytest.raises(DeliveryError) as caught:
            await attempt
        seen.append(f"{caught.value} {caught.value.__cause__}")
    await rig.server.stop()
    with pytest.raises(DeliveryError) as caught:
        await channel.send(message())
    seen.append(f"{caught.value} {caught.value.__cause__}")
    secret = TOKEN.partition(":")[2]
    assert not [text for text in (*seen, caplog.text) if secret in text]


async def fetched(channel: TelegramChannel, file_id: str) -> bytes:
    return b"".join([piece async for piece in channel.fetch(file_id)])
