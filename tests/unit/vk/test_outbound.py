"""How messages are cut and laid out for VK."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vkbottle_types.codegen.objects import MessagesKeyboard

from channels.vk.config import Mode, VkConfig
from channels.vk.conversation import Comments, Kind, Peer, parse_conversation
from channels.vk.pacing import PER_SECOND, Pacer
from channels.vk.plan import keyboards_of, planned
from channels.vk.split import TEXT_LIMIT, size, split_text
from crm_core.errors import InvalidInput, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import Button, ChannelKey, OutboundFile, OutboundMessage, StoredFile
from hub.demo.peers.vk.keyboards import checked_keyboard
from tests.fakes.clock import DrivenClock

MESSAGE = OutboundMessage(ChannelKey("vk", "community"), "1001", "Добрый день", "k-1", number=42)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        (" \n ", []),
        ("раз", ["раз"]),
        ("раз два три", ["раз", "два", "три"]),
        ("раз  \n\n два", ["раз", "два"]),
        ("длинноеслово", ["длинно", "еслово"]),
        ("😀😀😀😀", ["😀😀😀", "😀"]),
        ("раз 😀😀", ["раз", "😀😀"]),
    ],
)
def test_texts_are_cut_between_words(text: str, pieces: list[str]) -> None:
    assert split_text(text, 6) == pieces


@given(st.text(), st.integers(2, 40))
def test_no_text_loses_anything_but_white_space(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece.strip() and size(piece) <= limit for piece in pieces)


def test_files_go_with_the_last_piece_and_ten_at_a_time() -> None:
    files = tuple(OutboundFile(str(number), "text/plain", StoredFile("0" * 64, 1)) for number in range(12))
    parts = planned(replace(MESSAGE, text="я " * TEXT_LIMIT, files=files))
    assert [len(part.files) for part in parts] == [0, 10, 2]
    with pytest.raises(PermanentDeliveryError):
        planned(replace(MESSAGE, text="\n"))


@given(st.lists(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=7), max_size=15))
def test_every_choice_gets_a_button_that_vk_takes(rows: list[list[str]]) -> None:
    buttons = tuple(tuple(Button(text, f"menu:{index}") for index, text in enumerate(row)) for row in rows)
    keyboards = [checked_keyboard(each) for each in keyboards_of(buttons)]
    for keyboard in keyboards:
        assert MessagesKeyboard.model_validate(keyboard).inline
    found = [
        json.loads(button["action"]["payload"])["hub"]
        for each in keyboards
        for row in each["buttons"]
        for button in row
    ]
    assert found == [button.data for row in buttons for button in row]


def test_a_button_that_says_too_much() -> None:
    with pytest.raises(PermanentDeliveryError, match="more than VK carries"):
        keyboards_of(((Button("x", "menu:" + "я" * 300),),))


@pytest.mark.parametrize(
    ("text", "conversation"),
    [
        ("1001", Peer(1001)),
        ("2000000005", Peer(2_000_000_005)),
        ("wall:-1_45", Comments(Kind.WALL, -1, 45)),
        ("market:-1_7", Comments(Kind.MARKET, -1, 7)),
    ],
)
def test_conversations(text: str, conversation: Peer | Comments) -> None:
    assert parse_conversation(text) == conversation
    assert str(conversation) == text


@pytest.mark.parametrize(
    "wrong",
    [
        {"group_id": 0},
        {"group_id": -5},
        {"token": ""},
        {"secret": None},
        {"confirmation": ""},
        {"wait_s": 91},
        {"wait_s": 0},
    ],
)
def test_accounts_that_can_not_work(wrong: dict[str, object]) -> None:
    good = VkConfig("community", 5, "token", Mode.CALLBACK, "secret", "code")
    assert "token" not in repr(good).replace("token=", "")
    with pytest.raises(InvalidInput):
        replace(good, **wrong)  # type: ignore[arg-type]  # fields by name


async def test_the_pace_is_kept_and_nobody_waits_long() -> None:
    clock = DrivenClock()

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    pacer, began = Pacer(clock, sleep), clock.monotonic()
    for _ in range(PER_SECOND * 3):
        await pacer.admit()
    assert clock.monotonic() - began == pytest.approx(2.0)
    pacer.quiet(60)
    with pytest.raises(TransientDeliveryError) as caught:
        await pacer.admit()
    assert caught.value.retry_after == pytest.approx(60)
