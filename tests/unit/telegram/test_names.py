"""Names from strangers: what can't be seen is no name, and nothing turns the words beside it around."""

from __future__ import annotations

import pytest
from aiogram.types import Chat, User
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.names import MAX_NAME, chat_name, full_name, handle, safe_file_name, visible


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Анна", "Анна"),
        ("  Анна \n Петрова ", "Анна Петрова"),
        ("\u202eаннА", "аннА"),
        ("\u2067Анна\u2069 \u200f", "Анна"),
        ("", ""),
        (" \t", ""),
        ("\u200b\u200d\u2060", ""),
        ("\u3164\u2800\u115f", ""),
        ("\u0301\u0301", ""),
        ("\U000e0061\ufe0f", ""),
        ("👩‍💻", "👩‍💻"),
        ("آرش\u200cپور", "آرش\u200cپور"),
        ("А\x00\ud800б", "А\ufffd\ufffdб"),
        ("я" * 500, "я" * MAX_NAME),
        ("Z̸̢͝", "Z̸̢͝"),
    ],
)
def test_visible(name: str, seen: str) -> None:
    assert visible(name) == seen


@pytest.mark.parametrize(
    ("first", "last", "username", "name"),
    [
        ("Анна", "Петрова", "anna", "Анна Петрова"),
        ("\u3164", "Петрова", None, "Петрова"),
        ("\u200b", None, "anna", "@anna"),
        ("\u200b", "\u202e", None, ""),
    ],
)
def test_whoever_hides_their_name_has_their_handle(
    first: str, last: str | None, username: str | None, name: str
) -> None:
    user = User(id=1, is_bot=False, first_name=first, last_name=last, username=username)
    assert full_name(user) == name
    assert handle(user) == (f"@{username}" if username else "")


def test_a_chat_is_called_by_something() -> None:
    assert chat_name(Chat(id=-5, type="group", title="Заказы")) == "Заказы"
    assert chat_name(Chat(id=-5, type="group", title="\u200b")) == "-5"
    assert chat_name(Chat(id=5, type="private", first_name="\u3164", username="anna")) == "@anna"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("счёт.pdf", "счёт.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\r\n.txt", "a_b__.txt"),
        ("...", "file"),
        ("\u200f", "file"),
        ("я" * 300 + ".pdf", "я" * 196 + ".pdf"),
    ],
)
def test_file_names(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_name_is_storable_and_short(name: str) -> None:
    for made in (visible(name), safe_file_name(name)):
        made.encode()
        assert len(made) <= MAX_NAME
        assert "\x00" not in made
        assert not set(made) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
