"""winmail.dat: what Outlook hides in it comes out, whatever is broken."""

from __future__ import annotations

import base64
import struct
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import EmailConfig
from channels.email.inbound import Arrival, read
from channels.email.rtf import rtf_text, unpacked_rtf
from channels.email.tnef import MAX_FILES, TnefFile, read_tnef
from crm_core.messages import MessageReceived
from tests.unit.email.tnef_writing import BINARY, OBJECT, STRING, UNICODE, attribute, envelope, wide

CONFIG = EmailConfig("sales", "sales@example.org")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RTF = rb"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}\pard \'cf\'f0\'e8\'e2\'e5\'f2\par \u1084?\u1080?\u1088?}"
PACKED = struct.pack("<IIII", len(RTF) + 12, len(RTF), 0x414C454D, 0) + RTF
FULL = envelope(
    [(0x1000, UNICODE, wide("Слова из конверта"))],
    [
        (
            "DOGOVO~1.DOC",
            b"contract",
            [(0x3707, UNICODE, wide("Договор № 5.doc")), (0x370E, STRING, b"application/msword\0")],
        ),
        ("план.pdf", b"plan", []),
        ("pic.png", b"picture", [(0x3712, UNICODE, wide("<img1@x>")), (0x370E, UNICODE, wide("image/png"))]),
    ],
)


def mail(content: bytes, text: str = "", name: str = "winmail.dat") -> Arrival:
    packed = base64.encodebytes(content).decode()
    raw = f"""From: anna@client.example
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

{text}
--b
Content-Type: application/ms-tnef; name="{name}"
Content-Transfer-Encoding: base64

{packed}
--b--
"""
    return read(CONFIG, raw.encode(), NOW)


def message(arrival: Arrival) -> MessageReceived:
    assert isinstance(arrival.event.payload, MessageReceived)
    return arrival.event.payload


def test_files_come_out_with_their_names() -> None:
    arrival = mail(FULL, "Смотрите вложения.")
    assert message(arrival).text == "Смотрите вложения."
    assert [(file.name, file.content_type, file.content, file.cid) for file in arrival.files] == [
        ("Договор № 5.doc", "application/msword", b"contract", ""),
        ("план.pdf", "application/octet-stream", b"plan", ""),
        ("pic.png", "image/png", b"picture", "img1@x"),
    ]
    assert [each.cid for each in message(arrival).attachments] == ["", "", "img1@x"]


def test_words_come_out_where_the_mail_has_none() -> None:
    assert message(mail(FULL)).text == "Слова из конверта"
    html = envelope([(0x1013, BINARY, "<p>Привет<script>x</script></p>".encode("cp1251"))])
    assert (message(mail(html)).text, message(mail(html)).html) == ("Привет", "<p>Привет</p>")
    assert message(mail(envelope([(0x1009, BINARY, PACKED)]))).text == "Привет\nмир"


def test_names_are_made_safe() -> None:
    evil = envelope([], [("..\\..\\evil.exe", b"x", [(0x3707, UNICODE, wide("../../etc/pass\u202ewd"))])])
    assert [file.name for file in mail(evil).files] == ["passwd"]


def test_a_mail_packed_in_the_mail_becomes_its_words() -> None:
    inner = b"\0" * 16 + FULL
    outer = envelope([], [("x", b"", [(0x3001, UNICODE, wide("Старое письмо")), (0x3701, OBJECT, inner)])])
    (file,) = mail(outer).files
    assert (file.name, file.content_type, file.content.decode()) == (
        "Старое письмо.txt",
        "text/plain",
        "Слова из конверта",
    )


def test_what_is_no_envelope_stays_a_file() -> None:
    (file,) = mail(b"not at all").files
    assert (file.name, file.content) == ("winmail.dat", b"not at all")
    assert read_tnef(b"") is None
    assert read_tnef(FULL[:6]) is not None


def test_a_torn_envelope_gives_what_is_whole() -> None:
    torn = read_tnef(FULL[: FULL.index(b"plan") + 2])
    assert torn is not None
    assert torn.text == "Слова из конверта"
    assert torn.files[0] == TnefFile("Договор № 5.doc", "application/msword", b"contract")
    broken = envelope([], []) + attribute(1, 0x00069003, b"\xff\xff\xff\xff" * 3) + envelope([], [("a", b"b", [])])[6:]
    found = read_tnef(broken)
    assert found is not None
    assert [file.name for file in found.files] == ["a"]


def test_monsters_are_bounded() -> None:
    started = time.process_time()
    many = read_tnef(envelope([], [("a", b"b", [])] * 4_000))
    assert many is not None
    assert len(many.files) <= MAX_FILES
    inner = FULL
    for _ in range(50):
        inner = envelope([], [("x", b"", [(0x3701, OBJECT, b"\0" * 16 + inner)])])
    assert read_tnef(inner) is not None
    assert read_tnef(envelope([(0x1000, STRING, b"a" * 20_000_000)])) is not None
    claims = struct.pack("<IIII", 0xFFFFFFFF, 0xFFFFFFFF, 0x75465A4C, 0)
    assert len(unpacked_rtf(claims + b"\xff\x00\x0f\x00\x1f" * 500_000)) <= 2_000_000
    rtf_text(b"{" * 1_000_000 + b"\\'" * 1_000_000)
    assert time.process_time() - started < 20


def test_rich_text_is_unpacked() -> None:
    # MS-OXRTFCP 3.1.1: the example of the specification, of a compressed text.
    example = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert unpacked_rtf(example) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert rtf_text(unpacked_rtf(example)) == "hello world"


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"{\rtf1 a\{b\}\\c\~d}", "a{b}\\c d"),
        (rb"{\rtf1{\*\generator X;}{\fonttbl x}a\tab b\line c}", "a\tb\nc"),
        (rb"{\rtf1\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\b \htmlrtf0 words}", "words"),
        (rb"}}}} loose", "loose"),
        (b"", ""),
    ],
)
def test_rich_text_is_read(rtf: bytes, text: str) -> None:
    assert rtf_text(rtf) == text


@given(st.binary(max_size=300))
def test_any_bytes_may_come(content: bytes) -> None:
    read_tnef(content)
    read_tnef(FULL[:6] + content)
    unpacked_rtf(content)
    unpacked_rtf(struct.pack("<IIII", 100, 5000, 0x75465A4C, 0) + content)
    rtf_text(content)


@given(st.integers(0, len(FULL) - 1), st.binary(max_size=8))
def test_any_place_may_be_broken(at: int, content: bytes) -> None:
    assert read_tnef(FULL[:at] + content + FULL[at + len(content) :]) is not None or at < 4
