"""What the redactor hides, and what it leaves readable."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.redaction import LONGEST_TEXT, Redactor, one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("POST /bot12345:AbC/sendMessage", "POST /bot***/sendMessage"),
        ("token 1234567890:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw used", "token 1234567890:*** used"),
        ("postgresql+asyncpg://hub:p@ss:w@db/x", "postgresql+asyncpg://hub:***@db/x"),
        ("redis://:secret@h:6379", "redis://:***@h:6379"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic ***"),
        ("GET /in/web/site?key=abc&page=1", "GET /in/web/site?key=***&page=1"),
        ("access_token=abc&v=5.199", "access_token=***&v=5.199"),
        ('{"secret": "abc", "group_id": 1}', '{"secret": "***", "group_id": 1}'),
        ("{'key': 'abc'}", "{'key': '***'}"),
        ("Action: Login\r\nUsername: hub\r\nSecret: abc\r\n", "Action: Login\r\nUsername: hub\r\nSecret: ***\n"),
        ("POST /api/v1/cti/abc?x=1", "POST /api/v1/cti/***?x=1"),
    ],
)
def test_hidden(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "telegram[1].token: the key is missing. Add it",
        "https://example.org:8080/path@x",
        "call from +74951234567 at 12:30:45",
        "update 123456789: message from tg:1001",
        "wrong secret",
        "sqlite+aiosqlite:////data/hub.sqlite3",
        "key 5 of bearers",
        "mail from user@example.org",
    ],
)
def test_left_readable(text: str) -> None:
    assert Redactor().text(text) == text


def test_known_secrets_longest_first_and_short_ones_not_at_all() -> None:
    redactor = Redactor(["secret", "secret-and-more", "hub", "a&b c d"])
    assert redactor.text("secret-and-more secret hub a%26b%20c%20d") == "*** *** hub ***"


def test_long_values_are_cut() -> None:
    redactor = Redactor()
    assert redactor.text("x" * (LONGEST_TEXT + 5)).endswith(f"x… ({LONGEST_TEXT + 5} characters)")
    assert "tail" not in Redactor(["tail-of-secret"]).text("x" * (LONGEST_TEXT - 5) + "tail-of-secret")
    shown = redactor.value({"bytes": b"x" * 10**6, "list": list(range(10**4))})
    assert len(str(shown)) < 2 * LONGEST_TEXT


def test_control_characters_are_written_out() -> None:
    assert one_line("a\nb\tc\x1b[0m\u2028") == "a\\nb\\tc\\x1b[0m\\u2028"


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.datetimes()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.tuples(st.text())), inner),
    ),
)


@given(JUNK)
def test_anything_becomes_plain_data(value: object) -> None:
    redacted = Redactor(["abcdef"]).value(value)
    json.dumps(redacted, allow_nan=False).encode("utf-8")
