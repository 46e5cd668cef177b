"""Messages out, over real sockets, against a server that is as strict as VK."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from channels.vk import VkChannel
from channels.vk.download import LIMIT
from channels.vk.plan import random_id
from channels.vk.split import size
from crm_core.errors import ChannelAuthError, DeliveryError, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import Button, ChannelKey, OutboundFile, OutboundMessage, StoredFile
from crm_core.ports import ChannelState
from hub.demo.peers.vk import Fault, Person, When, faults
from tests.integration.vk.conftest import GROUP, TOKEN, Rig

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
KEY = ChannelKey("vk", "community")
WALL = f"wall:-{GROUP}_45"


def message(text: str = "Добрый день", *, key: str = "k-1", to: str = "1001", **more: Any) -> OutboundMessage:
    return replace(OutboundMessage(KEY, to, text, key, number=4242), **more)


def menu(*items: str) -> tuple[tuple[Button, ...], ...]:
    return tuple((Button(item, f"menu:{item}"),) for item in items)


@pytest.fixture
async def channel(rig: Rig, anna: Person) -> VkChannel:
    """Not started: sending needs no intake. Anna has written."""
    await anna.say("Здравствуйте")
    return rig.channel()


async def upload(rig: Rig, name: str, content_type: str, content: bytes) -> OutboundFile:
    return OutboundFile(name, content_type, await rig.world.files.put_bytes(content))


def _state(channel: VkChannel) -> ChannelState:
    return channel.health.state


# ---------------------------------------------------------------- what arrives


async def test_a_text_arrives_as_it_is_and_is_known_by_its_number_in_the_dialogue(rig: Rig, channel: VkChannel) -> None:
    text = "<b>5 > 3</b> & *звёздочки* [id1|скобки] 😀"
    receipt = await channel.send(message(text))
    (sent,) = rig.community.sent
    assert (sent.text, sent.random_id, sent.peer_id) == (text, 4242, 1001)
    assert receipt.refs == (str(sent.cmid),)


async def test_the_number_in_the_dialogue_is_a_nicety(rig: Rig, channel: VkChannel) -> None:
    rig.community.next_responses(faults.error(100, method="messages.getById"))
    receipt = await channel.send(message())
    assert receipt.refs == (f"m{rig.community.sent[0].message_id}",)


@pytest.mark.parametrize("text", ["слово😀 " * 1200, "😀" * 4096, "я" * 20_000, "а\n\nб " * 3000])
async def test_a_long_text_arrives_in_order(rig: Rig, channel: VkChannel, text: str) -> None:
    receipt = await channel.send(message(text))
    pieces = [sent.text for sent in rig.community.sent]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < size(piece) <= 4096 for piece in pieces)
    assert len(pieces) > 1
    assert receipt.refs == tuple(str(sent.cmid) for sent in rig.community.sent)
    assert len({sent.random_id for sent in rig.community.sent}) == len(pieces)


async def test_a_retry_repeats_no_part(rig: Rig, channel: VkChannel) -> None:
    long = message("слово " * 2000)
    rig.community.next_responses(
        Fault(faults.Act.ANSWER, status=200, body=b'{"response": 1}', method="none"),
    )
    rig.community.next_responses(faults.drop(When.AFTER, "messages.send"))
    with pytest.raises(TransientDeliveryError) as caught:
        await channel.send(long)
    assert not caught.value.uncertain
    first = len(rig.community.sent)
    receipt = await channel.send(replace(long, attempt=2))
    again = await channel.send(replace(long, attempt=3))
    assert receipt == again
    assert (first, len(rig.community.sent)) == (1, len(receipt.refs))


async def test_buttons_stand_under_the_last_part(rig: Rig, channel: VkChannel) -> None:
    items = [f"пункт {number}" for number in range(13)]
    await channel.send(message("я" * 5000, buttons=menu(*items)))
    said = [[json.loads(each)["hub"] for each in sent.buttons()] for sent in rig.community.sent]
    assert said[0] == []
    assert [each for part in said for each in part] == [f"menu:{item}" for item in items]


async def test_files_of_every_kind(rig: Rig, channel: VkChannel) -> None:
    files = (
        await upload(rig, "счёт.pdf", "application/pdf", b"%PDF"),
        await upload(rig, "диван.jpg", "image/jpeg", JPEG),
        await upload(rig, "нет картинки.jpg", "image/jpeg", b"text"),
        await upload(rig, "голос.ogg", "audio/ogg", b"OggS"),
    )
    await channel.send(message("вот", files=files))
    (sent,) = rig.community.sent
    kinds = [each.partition("-")[0] for each in sent.attachment.split(",")]
    assert kinds == ["doc", "photo", "doc", "audio_message"]
    assert {content for _, content in rig.community.saved.values()} == {b"%PDF", JPEG, b"text", b"OggS"}


async def test_more_files_than_a_message_carries(rig: Rig, channel: VkChannel) -> None:
    files = tuple([await upload(rig, f"{n}.txt", "text/plain", str(n).encode()) for n in range(12)])
    await channel.send(message("", files=files))
    assert [len(sent.attachment.split(",")) for sent in rig.community.sent] == [10, 2]


async def test_a_file_that_vk_does_not_want(rig: Rig, channel: VkChannel) -> None:
    with pytest.raises(PermanentDeliveryError, match=r"вирус\.exe"):
        await channel.send(message(files=(await upload(rig, "вирус.exe", "application/x-dosexec", b"MZ"),)))
    with pytest.raises(PermanentDeliveryError, match="file store"):
        await channel.send(message(files=(OutboundFile("x", "text/plain", StoredFile("0" * 64, 1)),)))
    with pytest.raises(PermanentDeliveryError, match="200 MB"):
        await channel.send(message(files=(OutboundFile("x", "text/plain", StoredFile("0" * 64, 2**30)),)))


async def test_into_a_chat(rig: Rig, channel: VkChannel, anna: Person) -> None:
    await anna.say("Когда?", peer_id=2_000_000_005)
    receipt = await channel.send(message("Завтра", to="2000000005"))
    assert receipt.refs == (str(rig.community.sent[0].cmid),)


@pytest.mark.parametrize("kind", ["wall", "photo", "video", "market", "board"])
async def test_comments_go_back_as_comments(rig: Rig, channel: VkChannel, kind: str) -> None:
    where = f"{kind}:-{GROUP}_45"
    receipt = await channel.send(message("Сто рублей", to=where, reply_to="12"))
    again = await channel.send(message("Сто рублей", to=where, reply_to="12", attempt=2))
    (comment,) = rig.community.comments
    assert (comment.where, comment.text, comment.answers) == (where, "Сто рублей", None if kind == "board" else 12)
    assert receipt == again
    assert receipt.refs == (str(comment.number),)


async def test_a_comment_to_a_post_carries_files(rig: Rig, channel: VkChannel) -> None:
    files = (await upload(rig, "диван.jpg", "image/jpeg", JPEG),)
    await channel.send(message("вот", to=WALL, reply_to="post", files=files))
    assert rig.community.comments[0].attachments.startswith("doc-")
    assert rig.community.comments[0].answers is None


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("to", ["anna", "", "wall:1", "1001; DROP", "wall:-1_-5"])
async def test_no_conversation_of_vk(channel: VkChannel, to: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        await channel.send(message(to=to))


async def test_an_empty_message(channel: VkChannel) -> None:
    with pytest.raises(PermanentDeliveryError, match="empty"):
        await channel.send(message(" \n"))


async def test_who_has_not_written_can_not_be_written_to(rig: Rig, channel: VkChannel, boris: Person) -> None:
    with pytest.raises(PermanentDeliveryError, match="901"):
        await channel.send(message(to="1002"))
    with pytest.raises(PermanentDeliveryError, match="100"):
        await channel.send(message(to="5"))


@pytest.mark.parametrize("code", [7, 15, 100, 113, 900, 901, 902, 911, 914, 917, 12345])
async def test_errors_that_stay(rig: Rig, channel: VkChannel, code: int) -> None:
    rig.community.next_responses(faults.error(code, "so it is", "messages.send"))
    with pytest.raises(PermanentDeliveryError, match=f"{code}: so it is"):
        await channel.send(message())
    assert not rig.community.sent


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        (faults.error(9, method="messages.send"), 20.0),
        (faults.error(1, method="messages.send"), None),
        (faults.error(10, method="messages.send"), None),
        (faults.status(502, "messages.send"), None),
        (faults.status(404, "messages.send"), None),
        (faults.garbage(method="messages.send"), None),
        (faults.garbage(b"[]", "messages.send"), None),
        (faults.garbage(b"{}", "messages.send"), None),
        (faults.garbage(b'{"error": 5}', "messages.send"), None),
        (faults.garbage(b'{"response": {}}', "messages.send"), None),
        (faults.garbage(b'{"response": []}', "messages.send"), None),
        (faults.drop(When.BEFORE, "messages.send"), None),
        (faults.drop(When.AFTER, "messages.send"), None),
    ],
)
async def test_errors_that_pass(rig: Rig, channel: VkChannel, fault: Fault, retry_after: float | None) -> None:
    rig.community.next_responses(fault)
    with pytest.raises(TransientDeliveryError) as caught:
        await channel.send(message())
    assert (caught.value.retry_after, caught.value.uncertain) == (retry_after, False)
    await channel.send(message(attempt=2))
    assert len(rig.community.sent) == 1


async def test_too_many_calls_are_waited_out_once(rig: Rig, channel: VkChannel) -> None:
    rig.community.next_responses(faults.error(6, method="messages.send"))
    await channel.send(message())
    assert rig.pauses == [1.0]
    rig.community.next_responses(*[faults.error(6, method="messages.send")] * 2)
    with pytest.raises(TransientDeliveryError) as caught:
        await channel.send(message(key="k-2", number=7))
    assert caught.value.retry_after == 1.0
    assert channel.measurements()["calls_too_many"] == 3


async def test_flood_in_one_dialogue_does_not_stop_the_others(rig: Rig, channel: VkChannel, boris: Person) -> None:
    await boris.say("и я")
    rig.community.next_responses(faults.error(9, method="messages.send"))
    with pytest.raises(TransientDeliveryError):
        await channel.send(message())
    await channel.send(message(to="1002", number=8))
    assert [sent.peer_id for sent in rig.community.sent] == [1002]
    assert not rig.pauses


async def test_twenty_calls_a_second_and_no_more(rig: Rig, channel: VkChannel) -> None:
    for number in range(40):
        await channel.send(message(str(number), key=f"k-{number}", number=number + 1))
    assert channel.measurements().get("calls_too_many", 0) == 0
    assert len(rig.community.sent) == 40


async def test_a_refused_token_keeps_the_message_and_says_so(
    rig: Rig, channel: VkChannel, caplog: pytest.LogCaptureFixture
) -> None:
    await channel.start(rig.sink)
    rig.community.next_responses(faults.error(5, "invalid access_token (4)", "messages.send"))
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelAuthError, match="new one"):
        await channel.send(message())
    assert _state(channel) is ChannelState.BAD_CREDENTIALS
    await channel.send(message())
    assert _state(channel) is not ChannelState.BAD_CREDENTIALS
    assert TOKEN not in caplog.text


def test_every_part_has_an_id_of_its_own_that_stays() -> None:
    ids = [random_id(message(), part) for part in range(200)]
    assert ids == [random_id(message(attempt=3), part) for part in range(200)]
    assert len(set(ids)) == 200
    assert ids[0] == 4242
    assert all(-(2**31) <= each < 0 for each in ids[1:])
    assert 0 < random_id(message(number=0), 0) < 2**31


# ---------------------------------------------------------------- files in


async def fetched(channel: VkChannel, url: str) -> bytes:
    return b"".join([piece async for piece in channel.fetch(url)])


async def test_files_are_fetched(rig: Rig, channel: VkChannel) -> None:
    path = rig.community.put_file(b"content")
    assert await fetched(channel, f"{rig.server.base}{path}") == b"content"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/secret",
        "https://example.org/x",
        "https://vk.com.example.org/x",
        "http://vk.com/plain",
        "file:///etc/passwd",
        "https://user@[::1",
        "https://evilvk.com/x",
    ],
)
async def test_other_hosts_are_not_asked(channel: VkChannel, url: str) -> None:
    with pytest.raises(PermanentDeliveryError):
        await fetched(channel, url)


async def test_files_that_are_gone_late_or_endless(rig: Rig, channel: VkChannel) -> None:
    with pytest.raises(PermanentDeliveryError, match="404"):
        await fetched(channel, f"{rig.server.base}/file/{GROUP}/none")
    rig.community.next_responses(faults.status(503, "file"))
    with pytest.raises(TransientDeliveryError):
        await fetched(channel, f"{rig.server.base}{rig.community.put_file(b'x')}")
    with pytest.raises(PermanentDeliveryError, match="longer"):
        await fetched(channel, f"{rig.server.base}{rig.community.put_file(bytes(LIMIT + 1))}")


# ---------------------------------------------------------------- proof


async def test_the_check_says_who_and_how(rig: Rig) -> None:
    await rig.running()
    assert "«Окна», callback" in await rig.started[0].check()


async def test_the_check_says_how_to_mend_it(rig: Rig) -> None:
    channel = rig.channel()
    with pytest.raises(DeliveryError, match=r"posts to .*add it"):
        await channel.check()
    rig.community.hook(f"{rig.url}/in/vk/community", "another", "other")
    rig.community.events_on -= {"message_reply"}
    rig.community.api_version = "5.80"
    rig.community.rights -= {"photos"}
    with pytest.raises(DeliveryError) as caught:
        await channel.check()
    for word in ("photos", "confirmation", "secret is not", "message_reply", "5.80"):
        assert word in str(caught.value)
    rig.community.rights -= {"manage"}
    with pytest.raises(DeliveryError, match="manage"):
        await channel.check()
    rig.community.revoked = True
    with pytest.raises(ChannelAuthError):
        await channel.check()
