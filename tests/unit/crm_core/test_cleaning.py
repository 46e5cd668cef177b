"""What comes from outside is made storable, and left alone where it is already."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.messages import (
    Attachment,
    ContactShared,
    FormSubmitted,
    InboundEvent,
    MessageReceived,
    MessageSent,
    ProfileLearned,
    Sender,
    Utm,
)
from crm_core.model.channel import ChannelKey
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.timeline import EntryKind
from crm_core.services.recognising.cleaning import clean, clean_file_name, clean_name, clean_text
from tests.fakes.clock import START

EVENT = InboundEvent(
    ChannelKey("telegram", "shop"),
    "1",
    "7",
    START,
    Sender((), "Анна"),
    MessageReceived(EntryKind.MESSAGE, "Здравствуйте 👋", "1", utm=Utm("яндекс")),
    b"{\x00}",
)


def test_a_sound_fact_is_the_very_same() -> None:
    assert clean(EVENT) is EVENT


@pytest.mark.parametrize(
    ("dirty", "expected"), [("a\x00b", "ab"), ("x\ud83dy", "x?y"), ("я" * 1_000_001, "я" * 1_000_000)]
)
def test_what_a_database_refuses_goes(dirty: str, expected: str) -> None:
    assert clean_text(dirty) == expected


def test_however_deep_it_lies_and_the_raw_fact_keeps_it() -> None:
    form = FormSubmitted(name="A\x00", utm=Utm(term="t\x00"), fields=(("k\x00", "v\ud800"),))
    cleaned = clean(replace(EVENT, payload=form, sender=Sender((), "x\x00"), external_id="\x001"))
    assert cleaned.payload == FormSubmitted(name="A", utm=Utm(term="t"), fields=(("k", "v?"),))
    assert (cleaned.sender.name, cleaned.external_id, cleaned.raw) == ("x", "1", EVENT.raw)


@given(st.text(alphabet=st.characters(categories=None, exclude_categories=()), max_size=50))
def test_every_text_can_be_stored_afterwards(text: str) -> None:
    stored = clean_text(text)
    assert "\x00" not in stored
    stored.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Анна\u202eавонавИ", "АннаавонавИ"),
        ("Ан\u200bна\u00ad", "Анна"),
        ("\u3164\u2800\u115f", ""),
        ("Анна\u2028\r\nИванова\t ", "Анна Иванова"),
        ("A\U000e0041\U000e0042", "A"),
        ("Z\u0351\u0352\u0353\u0354\u0355\u0356a", "Z\u0351\u0352\u0353a"),
        ("Аня 👩\u200d👧\u200d👦 ❤\ufe0f", "Аня 👩\u200d👧\u200d👦 ❤\ufe0f"),
        ("Ан\u200dна", "Анна"),
        ("مريم", "مريم"),
        ("x" * 400, "x" * 300),
    ],
)
def test_a_name_is_what_is_seen_of_it(name: str, seen: str) -> None:
    assert clean_name(name) == seen


def test_names_of_every_kind_of_fact_are_cleaned() -> None:
    bad, good = "Ан\u202eна\u200b", "Анна"
    file = Attachment("../../a\u202egpj.exe", "image/png", remote_id="1")
    for payload, cleaned in (
        (FormSubmitted(name=bad, subject=bad), FormSubmitted(name=good, subject=good)),
        (ContactShared("1", "t", False, (), bad), ContactShared("1", "t", False, (), good)),
        (MessageSent(EntryKind.MESSAGE, "t", "1", author_name=bad), None),
        (ProfileLearned(((Identity(IdentityKind.VK, "5"), bad),)), None),
        (MessageReceived(EntryKind.EMAIL, bad, "1", (file,), subject=bad), None),
    ):
        found = clean(replace(EVENT, payload=payload, sender=Sender((), bad, "@Anna_I")))
        assert (found.sender.name, found.sender.handle) == (good, "anna_i")
        match found.payload:
            case MessageSent(author_name=name) | ProfileLearned(names=((_, name),)):
                assert name == good
            case MessageReceived(text=text, subject=subject, attachments=(attached,)):
                assert (text, subject, attached.name) == (bad, good, "agpj.exe"), (
                    "what is written stays as it was written"
                )
            case other:
                assert other == cleaned


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\x00b.pdf", "ab.pdf"),
        ("счёт\u202efdp.exe", "счётfdp.exe"),
        ("NUL", "_NUL"),
        ("com1.txt", "_com1.txt"),
        ("a" * 300 + ".pdf", "a" * 146 + ".pdf"),
        ("я" * 300, "я" * 150),
        ("evil.exe. . .", "evil.exe"),
        ("a:b|c?.txt", "a_b_c_.txt"),
        ("line\r\nbreak.txt", "line break.txt"),
        ("..", "file"),
        ("", ""),
    ],
)
def test_the_name_of_a_file_is_safe(name: str, safe: str) -> None:
    assert clean_file_name(name) == safe


@given(st.text(max_size=2000))
def test_no_name_of_a_file_leaves_its_folder(name: str) -> None:
    safe = clean_file_name(name)
    assert not set(safe) & set('/\\\x00<>:"|?*\u202e\u200b')
    assert len(safe) <= 151
    assert not safe.startswith(".")
    assert clean_file_name(safe) == safe
    assert clean_name(clean_name(name)) == clean_name(name)
