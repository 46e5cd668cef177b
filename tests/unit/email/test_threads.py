"""Which conversation a mail belongs to: ids, our own ids, the signed reply address, subjects."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import EmailConfig
from channels.email.inbound import read
from channels.email.message_ids import MAX_ANSWERS, is_own, message_ids, own_id, own_key
from channels.email.token import plain_address, reply_address, thread_of
from crm_core.messages import MessageReceived, OutboundMessage, Thread
from crm_core.model.subject import bare_subject

CONFIG = EmailConfig("sales", "sales@example.org", token_key=b"key", reply_token=True)
OTHER = replace(CONFIG, token_key=b"another key")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def sent(key: str = "message:17") -> str:
    return own_id(CONFIG, OutboundMessage(CONFIG.key, "anna@client.example", "hi", key))


def thread(headers: str) -> Thread:
    payload = read(CONFIG, f"From: anna@client.example\r\n{headers}\r\n\r\nhi".encode(), NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert payload.thread is not None
    return payload.thread


@given(st.text(max_size=80))
def test_our_id_holds_the_key_of_the_message(key: str) -> None:
    found = sent(key)
    assert found == sent(key)
    assert found.isascii()
    assert len(found) < 250
    assert is_own(CONFIG, found)
    encoded = key.encode("utf-8", "replace")
    if 0 < len(encoded) <= 64:
        assert own_key(CONFIG, found) == encoded.decode()
    assert own_key(OTHER, found) is None


@given(st.text(max_size=120))
def test_what_is_none_of_our_ids_has_no_key(text: str) -> None:
    assert own_key(CONFIG, text) is None
    assert own_key(CONFIG, f"<hub.{text}@example.org>") is None


def test_an_id_that_was_changed_is_none_of_ours() -> None:
    found = sent()
    assert own_key(CONFIG, found) == "message:17"
    assert own_key(CONFIG, found.replace("example.org", "example.net")) is None
    assert own_key(replace(CONFIG, name="other"), found) is None
    key, mac = found[5:].split("@")[0].split(".")
    other = sent("message:18")[5:].split("@")[0].split(".")[0]
    assert own_key(CONFIG, f"<hub.{other}.{mac}@example.org>") is None
    assert key != other


@given(st.integers(0, 2**63 - 1))
def test_the_reply_address_names_its_thread(number: int) -> None:
    address = reply_address(CONFIG, number)
    assert address.endswith("@example.org")
    assert address.startswith("sales+t")
    assert len(address.partition("@")[0]) <= 64
    assert thread_of(CONFIG, address) == number
    assert thread_of(CONFIG, address.upper()) == number
    assert thread_of(OTHER, address) is None
    assert plain_address(address) == "sales@example.org"


def test_nobody_makes_a_reply_address_but_us() -> None:
    address = reply_address(CONFIG, 5)
    mark = address.partition("-")[2]
    for forged in (
        f"sales+tay-{mark}", "sales+tau-aaaaaaaaaaaaaaaa@example.org", "sales+t-@example.org", "sales@example.org",
        address.replace("sales", "office"), address.replace("example.org", "example.net"),
        "sales+t1!-aaaaaaaaaaaaaaaa@example.org", "x" * 100_000 + "@example.org", "",
    ):  # fmt: skip
        assert thread_of(CONFIG, forged) is None
    assert reply_address(replace(CONFIG, token_key=b""), 5) == "sales@example.org"
    assert reply_address(CONFIG, -1) == "sales@example.org"
    long = EmailConfig("long", f"{'a' * 50}@example.org", token_key=b"key")
    assert reply_address(long, 5) == long.mailbox


@given(st.text(max_size=80))
def test_any_address_may_come(text: str) -> None:
    thread_of(CONFIG, text)
    plain_address(text)


def test_the_nearest_reference_comes_first() -> None:
    found = thread(
        "Message-ID: <own@c>\r\nIn-Reply-To: <c@c>\r\nReferences: <a@c> <b@c>\r\n <c@c>\r\n"
        "Subject: RE[2]: Ответ: Цена  окон"
    )
    assert found == Thread("<own@c>", ("<c@c>", "<b@c>", "<a@c>"), None, "Цена окон")


def test_our_mail_is_known_by_its_key_and_its_id() -> None:
    ours = sent()
    assert thread(f"In-Reply-To: {ours}\r\nReferences: <a@c> {ours}").answers == ("message:17", ours, "<a@c>")
    unsigned = "<hub.nvsxg43bm5staojz.aaaaaaaaaaaaaaaa@example.org>"
    assert thread(f"In-Reply-To: {unsigned}").answers == (unsigned,)


def test_references_without_end_are_bounded_and_the_nearest_stay() -> None:
    many = " ".join(f"<{number}@client.example>" for number in range(100_000))
    found = thread(f"References: {many}")
    assert len(found.answers) == MAX_ANSWERS
    assert found.answers[0] == "<99999@client.example>"
    assert message_ids("<a b> <c> <> <<d>> <c>") == ("<c>", "<d>")


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered-To", "X-Original-To"])
def test_the_token_is_found_where_the_mail_was_addressed(header: str) -> None:
    address = reply_address(CONFIG, 4711)
    assert thread(f'{header}: "Sales" <{address}>, other@example.org').token == 4711
    assert thread(f"{header}: {address.replace('-', '-a')}").token is None


def test_a_mail_without_an_id_has_a_stable_one() -> None:
    assert thread("Subject: x").own.startswith("sha256:")
    assert thread("Subject: x") == thread("Subject: x")
    assert thread("Message-ID: <a@c>\r\nIn-Reply-To: <a@c>").answers == ()


def test_a_reply_never_goes_to_ourselves() -> None:
    raw = f"From: anna@client.example\r\nReply-To: {reply_address(CONFIG, 5)}\r\n\r\nhi".encode()
    assert read(CONFIG, raw, NOW).event.conversation == "anna@client.example"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Re: Цена", "Цена"),
        ("RE[2]: Fwd: Цена", "Цена"),
        ("Re(3): Цена", "Цена"),
        ("Re^2: Цена", "Цена"),
        ("Ответ: На: HA: Отв: Fw: Цена", "Цена"),
        ("НА: цена", "цена"),
        ("[External] Re: Цена", "Цена"),
        ("re :Цена", "Цена"),
        ("Пересл: Цена", "Цена"),
        ("Реклама: окна", "Реклама: окна"),
        ("Наши окна", "Наши окна"),
        ("Возврат", "Возврат"),
        ("Re:", ""),
        ("", ""),
        ("Re: " * 10_000 + "x", None),
    ],
)
def test_subjects_lose_their_marks(subject: str, expected: str | None) -> None:
    if expected is not None:
        assert bare_subject(subject) == expected
    assert bare_subject(bare_subject(subject)) == bare_subject(subject)


@given(st.text(max_size=100))
def test_any_subject_may_come(subject: str) -> None:
    assert bare_subject(bare_subject(subject)) == bare_subject(subject)
