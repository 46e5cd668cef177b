"""Tokens of visitors and links to files: what opens what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.web.tokens import LinkedFile, Seals, is_visitor

SEALS = Seals(b"k" * 32, "site")
FILE = LinkedFile("0" * 64, "план <1>.png", "image/png")


def test_a_token_proves_its_visitor_on_its_site_alone() -> None:
    token = SEALS.new_visitor()
    visitor = SEALS.visitor(token)
    assert visitor is not None
    assert is_visitor(visitor)
    assert visitor not in {SEALS.visitor(SEALS.new_visitor()) for _ in range(100)}
    assert Seals(b"k" * 32, "other").visitor(token) is None
    assert Seals(b"j" * 32, "site").visitor(token) is None
    assert SEALS.token(visitor) == token


@given(st.text(max_size=120))
def test_nothing_else_is_a_token(text: str) -> None:
    assert SEALS.visitor(text) is None
    assert SEALS.visitor(f"{'0' * 32}.{text}") is None
    assert SEALS.linked(text, text, 0) is None


def test_a_link_gives_one_file_for_its_time() -> None:
    query = dict(part.split("=", 1) for part in SEALS.link(FILE, 1000).split("&"))
    assert SEALS.linked(query["f"], query["s"], 1000) == FILE
    assert SEALS.linked(query["f"], query["s"], 1001) is None
    assert SEALS.linked(query["f"] + "A", query["s"], 1000) is None
    assert Seals(b"k" * 32, "other").linked(query["f"], query["s"], 1000) is None
    assert SEALS.visitor(f"{query['f']}.{query['s']}") is None
