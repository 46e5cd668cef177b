"""Texts in pieces, messages in parts, places in time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.config import Mode, TelegramConfig
from channels.telegram.conversation import Conversation, parse_conversation
from channels.telegram.pacing import Pacer
from channels.telegram.parts import MAX_PHOTO, Part, Shape, planned, shape_of
from channels.telegram.split import split_text, units
from channels.telegram.waiting import Backoff
from crm_core.errors import InvalidInput, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import Button, ChannelKey, OutboundFile, OutboundMessage, StoredFile
from tests.fakes.clock import DrivenClock

PHOTO = OutboundFile("a.jpg", "image/jpeg", StoredFile("ab", 3))
PDF = OutboundFile("счёт.pdf", "application/pdf", StoredFile("cd", 4))


def big(megabytes: int) -> OutboundFile:
    return OutboundFile("a.zip", "application/zip", StoredFile("bb", megabytes * 1024 * 1024))


def message(text: str, *files: OutboundFile) -> OutboundMessage:
    return OutboundMessage(ChannelKey("telegram", "shop"), "1001", text, "key-1", files=files)


# ---------------------------------------------------------------- pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        (" \n ", []),
        ("привет", ["привет"]),
        ("раз два три", ["раз два", "три"]),
        ("разы\nдва три", ["разы", "два три"]),
        ("абвгдежзий", ["абвгдежз", "ий"]),
        ("😀😀😀😀😀", ["😀😀😀😀", "😀"]),
        ("я 😀😀😀😀", ["я", "😀😀😀😀"]),
    ],
)
def test_cut_at_eight_units(text: str, pieces: list[str]) -> None:
    assert split_text(text, 8) == pieces


@given(st.text(alphabet=st.sampled_from("аб😀 \n"), max_size=200), st.integers(2, 20))
def test_pieces_fit_and_lose_only_white_space(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert all(0 < units(piece) <= limit and piece == piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_units_are_utf16() -> None:
    assert units("я😀") == len("я😀".encode("utf-16-le")) // 2


# ---------------------------------------------------------------- parts


def test_a_short_text_is_the_first_files_caption() -> None:
    assert planned(message("Счёт", PDF, PHOTO)) == [
        Part("Счёт", (PDF,), first=True),
        Part("", (PHOTO,), Shape.PHOTO),
    ]


def test_a_long_text_goes_before_the_files() -> None:
    parts = planned(message("слово " * 800, PDF))
    assert [part.files for part in parts] == [(), (), (PDF,)]
    assert [part.first for part in parts] == [True, False, False]


def test_a_single_text_is_first() -> None:
    assert planned(message("да")) == [Part("да", first=True)]


VOICE = OutboundFile("голос.ogg", "audio/ogg", StoredFile("ef", 5))
HUGE = OutboundFile("плакат.png", "image/png", StoredFile("aa", MAX_PHOTO + 1))
BUTTON = ((Button("Цены", "menu:prices"),),)
ASK = "нажмите кнопку"


def shape(parts: list[Part]) -> list[tuple[str, int, Shape]]:
    return [(part.text, len(part.files), part.shape) for part in parts]


@pytest.mark.parametrize(
    ("files", "albums"),
    [
        ((PHOTO, PHOTO), [("да", 2, Shape.PHOTO)]),
        ((PDF, PDF, PHOTO), [("да", 2, Shape.DOCUMENT), ("", 1, Shape.PHOTO)]),
        ((PHOTO, PDF, PHOTO), [("да", 1, Shape.PHOTO), ("", 1, Shape.DOCUMENT), ("", 1, Shape.PHOTO)]),
        ((VOICE, VOICE), [("да", 1, Shape.VOICE), ("", 1, Shape.VOICE)]),
        ((PHOTO,) * 11, [("да", 10, Shape.PHOTO), ("", 1, Shape.PHOTO)]),
        ((HUGE, PHOTO), [("да", 1, Shape.DOCUMENT), ("", 1, Shape.PHOTO)]),
        ((big(30), big(30)), [("да", 1, Shape.DOCUMENT), ("", 1, Shape.DOCUMENT)]),
    ],
)
def test_files_of_one_shape_go_as_albums(files: tuple[OutboundFile, ...], albums: list[tuple[str, int, Shape]]) -> None:
    assert shape(planned(message("да", *files))) == albums


def test_no_keyboard_stands_under_an_album() -> None:
    with_text = planned(replace(message("да", PHOTO, PHOTO), buttons=BUTTON))
    assert shape(with_text) == [("", 2, Shape.PHOTO), ("да", 0, Shape.DOCUMENT)]
    assert [part.buttons for part in with_text] == [False, True]
    without = planned(replace(message("", PHOTO, PHOTO, PHOTO), buttons=BUTTON))
    assert shape(without) == [("", 2, Shape.PHOTO), ("", 1, Shape.PHOTO)]
    assert [part.buttons for part in without] == [False, True]


def test_a_number_is_asked_for_under_the_text_or_beside_its_menu() -> None:
    asking = replace(message("да"), ask_contact=True)
    assert planned(asking, ask=ASK) == [Part("да", first=True, ask=True)]
    assert planned(asking) == [Part("да", first=True)]
    both = planned(replace(asking, buttons=BUTTON), ask=ASK)
    assert both == [Part("да", first=True, buttons=True), Part(ASK, ask=True)]
    long = planned(replace(asking, text="слово " * 800, buttons=BUTTON), ask=ASK)
    assert [(part.buttons, part.ask) for part in long] == [(False, True), (True, False)]


@given(
    st.sampled_from(["", "да", "слово " * 300, "😀" * 3000]),
    st.lists(st.sampled_from([PHOTO, PDF, VOICE, HUGE, big(30)]), max_size=14),
    st.booleans(),
    st.booleans(),
)
def test_any_message_goes_whole_in_calls_that_telegram_takes(
    text: str, files: list[OutboundFile], with_buttons: bool, asks: bool
) -> None:
    given_ = replace(message(text, *files), buttons=BUTTON if with_buttons else (), ask_contact=asks)
    if not text and not files:
        return
    parts = planned(given_, ask=ASK)
    assert [file for part in parts for file in part.files] == files
    said = " ".join(part.text for part in parts if part.text and part.text != ASK)
    assert "".join(said.split()) == "".join(text.split())
    assert [part.first for part in parts] == [True] + [False] * (len(parts) - 1)
    assert sum(part.buttons for part in parts) == with_buttons
    assert sum(part.ask for part in parts) == asks
    for part in parts:
        assert len(part.files) <= 10
        assert units(part.text) <= (1024 if part.files else 4096)
        assert not (part.buttons and part.ask)
        assert len(part.files) < 2 or not (part.buttons or part.ask)
        assert len({shape_of(file) for file in part.files}) <= 1


def test_nothing_can_not_be_sent() -> None:
    with pytest.raises(PermanentDeliveryError, match="empty"):
        planned(message(" "))


@pytest.mark.parametrize(
    ("text", "conversation"),
    [
        ("1001", Conversation(1001)),
        ("-1001712345678", Conversation(-1001712345678)),
        ("business:Xk2m_A-:1001", Conversation(1001, "Xk2m_A-")),
    ],
)
def test_conversation_and_back(text: str, conversation: Conversation) -> None:
    assert parse_conversation(text) == conversation
    assert str(conversation) == text


@pytest.mark.parametrize("text", ["", "anna", "tg:1", "1 or 2", "business::1", "٤"])
def test_no_conversation(text: str) -> None:
    with pytest.raises(PermanentDeliveryError, match="not a Telegram chat"):
        parse_conversation(text)


# ---------------------------------------------------------------- places in time


class World:
    """A pacer whose sleeping lets the clock move on."""

    def __init__(self) -> None:
        self.clock = DrivenClock()
        self.slept: list[float] = []
        self.pacer = Pacer(self.clock, self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.clock.advance(seconds)


async def test_one_message_a_second_to_a_chat() -> None:
    world = World()
    begun = world.clock.monotonic()
    await world.pacer.admit(1, "a")
    await world.pacer.admit(1, "b")
    await world.pacer.admit(2, "c")
    assert world.slept == [1.0]
    assert world.clock.monotonic() == begun + 1


async def test_who_waits_long_comes_back_to_the_same_place() -> None:
    world = World()
    world.pacer.hold(1, 10)
    with pytest.raises(TransientDeliveryError) as first:
        await world.pacer.admit(1, "first")
    with pytest.raises(TransientDeliveryError) as second:
        await world.pacer.admit(1, "second")
    assert (first.value.retry_after, second.value.retry_after) == (10.0, 11.0)
    await world.pacer.admit(2, "another chat is not held up")
    assert world.slept == []
    world.clock.advance(11)
    await world.pacer.admit(1, "second")
    await world.pacer.admit(1, "first")
    assert world.slept == [1.0]


async def test_thirty_a_second_in_all() -> None:
    world = World()
    for chat in range(31):
        await world.pacer.admit(chat, str(chat))
    assert world.slept == [1.0]


async def test_twenty_a_minute_to_a_group() -> None:
    world = World()
    for number in range(20):
        await world.pacer.admit(-5, str(number))
    with pytest.raises(TransientDeliveryError) as caught:
        await world.pacer.admit(-5, "one more")
    assert caught.value.retry_after == pytest.approx(41)


async def test_an_album_counts_as_so_many_messages() -> None:
    world = World()
    for number in range(2):
        await world.pacer.admit(-5, str(number), 9)
    with pytest.raises(TransientDeliveryError) as caught:
        await world.pacer.admit(-5, "album", 3)
    assert caught.value.retry_after == pytest.approx(59)
    assert world.slept == [1.0]


async def test_an_album_longer_than_the_bots_second_waits_for_all_of_it() -> None:
    world = World()
    for chat in range(3):
        await world.pacer.admit(chat, str(chat), 10)
    await world.pacer.admit(9, "one more", 10)
    assert world.slept == [1.0]


def test_pauses_grow_and_respect_what_was_asked() -> None:
    backoff = Backoff()
    pauses = [backoff.next() for _ in range(10)]
    assert 0.25 <= pauses[0] <= 0.5
    assert 15 <= pauses[-1] <= 30
    assert backoff.next(at_least=90) == 90
    backoff.reset()
    assert backoff.next() <= 0.5


# ---------------------------------------------------------------- configuration


@pytest.mark.parametrize("token", ["", "987", "abc:def", "987:", "987:a b"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(InvalidInput, match="BotFather") as caught:
        TelegramConfig("shop", token)
    assert not token or token not in str(caught.value)


def test_webhook_wants_a_secret_telegram_takes() -> None:
    with pytest.raises(InvalidInput, match="needs a secret"):
        TelegramConfig("shop", "1:abc", Mode.WEBHOOK)
    with pytest.raises(InvalidInput, match="A-Z"):
        TelegramConfig("shop", "1:abc", Mode.WEBHOOK, "секрет")


def test_secrets_stay_out_of_sight() -> None:
    shown = repr(TelegramConfig("shop", "1:abcdef", Mode.WEBHOOK, "s3cret"))
    assert "abcdef" not in shown
    assert "s3cret" not in shown
