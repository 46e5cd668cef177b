"""Whatever arrives: the parser never raises and never loses the raw mail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from channels.email import EmailConfig
from channels.email.charsets import decoded, header_text
from channels.email.html import sanitised, text_of
from channels.email.inbound import read, with_return_path
from channels.email.message_ids import message_id
from channels.email.names import safe_name
from channels.email.quotation import split_quotation
from crm_core.messages import Unparsable
from crm_core.services.recognising.cleaning import clean

CONFIG = EmailConfig("sales", "sales@example.org")
FULL = EmailConfig(
    "sales",
    "sales@example.org",
    token_key=b"key",
    reply_token=True,
    authserv=("mx.example.org",),
    form_senders=("a@b.example",),
    form_fields=(("Имя", "name"), ("x", "phone")),
)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAILS = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "fixtures" / "email").rglob("*.eml"))]

_names = st.sampled_from(
    [
        b"From",
        b"Subject",
        b"Content-Type",
        b"Content-Transfer-Encoding",
        b"Content-Disposition",
        b"Date",
        b"Message-ID",
        b"References",
        b"In-Reply-To",
        b"Received",
        b"Authentication-Results",
        b"To",
        b"Reply-To",
        b"Content-ID",
    ]
)
_values = st.one_of(
    st.binary(max_size=80),
    st.sampled_from(
        [
            b"multipart/mixed; boundary=b", b"text/html; charset=rot13", b"text/plain; charset=idna", b"message/rfc822",
            b"base64", b"x-uuencode", b"quoted-printable", b"=?utf-7?B?+AG4?=", b"a@b.example",
            b"text/plain; charset*=x''%",
            b"text/plain; format=flowed; delsp=yes", b"text/calendar", b"application/ms-tnef; name=winmail.dat",
            b"message/delivery-status", b"multipart/report; report-type=delivery-status; boundary=b",
            b"mx.example.org; dmarc=pass; spf=fail", b"from x by mx.example.org; x", b"MAILER-DAEMON@x.example",
            b"<hub.nvsxg43bm5stuny.aaaaaaaaaaaaaaaa@example.org>", b"sales+tay-aaaaaaaaaaaaaaaa@example.org",
            b"attachment; filename*0*=koi8-r''%C1; filename*2=x", b'attachment; filename="=?cp1251?B?4+E=?="',
        ]
    ),
)  # fmt: skip
_mails = st.builds(
    lambda headers, body: b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n" + body,
    st.lists(st.tuples(_names, _values), max_size=8),
    st.one_of(st.binary(max_size=300), st.sampled_from([b"--b\r\n\r\nx\r\n--b--", b"--b\r\nFrom: x\r\n\r\n--b"])),
)


@st.composite
def _mutilated(draw: st.DrawFn) -> bytes:
    mail = bytearray(draw(st.sampled_from(MAILS)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(mail)))
        mail[at : at + draw(st.integers(0, 30))] = draw(st.binary(max_size=10))
    return bytes(mail)


@given(st.one_of(st.binary(max_size=400), _mails, _mutilated()))
def test_nothing_raises_and_nothing_is_lost(raw: bytes) -> None:
    event = read(CONFIG, raw, NOW).event
    assert event.raw == raw
    assert event.occurred_at.tzinfo is not None
    again = read(CONFIG, raw, NOW, event.external_id).event
    assert again == event
    clean(event).external_id.encode()


@given(st.one_of(_mails, _mutilated(), st.binary(max_size=200)))
def test_whatever_has_a_sender_is_read(raw: bytes) -> None:
    mail = b"From: Anna <a@b.example>\r\nX-First: x\r\n" + raw
    event = read(FULL, mail, NOW).event
    assert not isinstance(event.payload, Unparsable), event.payload
    assert event.raw == mail
    assert read(FULL, mail, NOW, event.external_id).event == event
    clean(event)


@given(st.binary(max_size=200), st.text(max_size=50))
def test_the_raw_mail_stays_whole_under_its_return_path(raw: bytes, sender: str) -> None:
    assert with_return_path(raw, sender).endswith(raw)


@given(st.binary(max_size=100), st.text(max_size=20))
def test_bytes_are_text_whatever_is_declared(content: bytes, declared: str) -> None:
    assert isinstance(decoded(content, declared), str)


@given(st.text(max_size=200))
def test_headers_names_and_ids_are_one_safe_line(value: str) -> None:
    assert "\n" not in header_text(value)
    assert "\r" not in header_text(value)
    assert not {"/", "\\", "\x00", "\n"} & set(safe_name(value))
    assert " " not in message_id(value)


@given(st.text(alphabet=st.sampled_from("<>/ =\"'adivbrp blockquote&;#x:\n-!"), max_size=300))
def test_html_becomes_text(html: str) -> None:
    text_of(sanitised(html))


@given(st.text(alphabet=st.sampled_from("> \nпишет:On wrote@10:15-_*Отй"), max_size=300))
def test_nothing_of_the_text_is_lost_in_splitting(text: str) -> None:
    own, quoted = split_quotation(text)
    # Where the words stand below what they answer to, the quotation is the beginning.
    assert "".join(text.split()) in {"".join((own + quoted).split()), "".join((quoted + own).split())}
