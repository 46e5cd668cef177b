"""A mail is the same mail by whichever way it comes, and another one where its sender wrote another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.email.sameness import fingerprint

HEAD = b"From: a@client.example\r\nTo: sales@example.org\r\nSubject: a\r\n b\r\nMessage-ID: <1@c>\r\n"
MAIL = HEAD + b"\r\nhello\r\nworld\r\n"


def test_what_servers_add_and_how_lines_end_changes_nothing() -> None:
    on_top = b"Return-Path: <a@client.example>\r\nReceived: from x\r\n\tby y; today\r\nX-Spam: no\r\n"
    variants = [on_top + MAIL, MAIL.replace(b"\r\n", b"\n"), MAIL + b"\r\n", MAIL.replace(b"\r\n b", b"\r\n\t b")]
    assert {fingerprint(each) for each in variants} == {fingerprint(MAIL)}


def test_what_the_sender_wrote_counts() -> None:
    others = [
        MAIL.replace(b"hello", b"hallo"),
        MAIL.replace(b"Subject: a", b"Subject: c"),
        MAIL.replace(b"<1@c>", b"<2@c>"),
    ]
    assert len({fingerprint(each) for each in (*others, MAIL)}) == 4


@given(st.binary(max_size=2000))
def test_nothing_raises(raw: bytes) -> None:
    assert len(fingerprint(raw)) == 64
