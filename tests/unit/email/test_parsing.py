"""The structure of mails: parts, encodings, names, lengths; the cost stays bounded whatever comes."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import EmailConfig
from channels.email.bodies import unflowed
from channels.email.inbound import Arrival, read
from channels.email.invitation import described
from channels.email.names import person_name, safe_name
from crm_core.messages import InboundEvent, MessageReceived

CONFIG = EmailConfig("sales", "sales@example.org")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FROM = b"From: anna@client.example\r\n"


def arrival(raw: bytes | str) -> Arrival:
    content = raw.encode() if isinstance(raw, str) else raw
    return read(CONFIG, content if content.lower().startswith(b"from:") else FROM + content, NOW)


def message(raw: bytes | str) -> MessageReceived:
    payload = arrival(raw).event.payload
    assert isinstance(payload, MessageReceived)
    return payload


def deep(levels: int, inside: bytes = b"Content-Type: text/plain\r\n\r\nfound") -> bytes:
    heads = (
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level) for level in range(levels)
    )
    return FROM + b"".join(heads) + inside


# Encodings and charsets


@pytest.mark.parametrize(
    "charset", ["windows-1251", "koi8-r", "cp866", "iso-8859-5", "x-mac-cyrillic", "utf-8", "utf-16"]
)
@pytest.mark.parametrize("declared", [True, False])
def test_russian_is_read_in_every_charset(charset: str, declared: bool) -> None:
    text = "Добрый день! Пришлите, пожалуйста, расчёт стоимости трёх окон."
    python = {"x-mac-cyrillic": "mac-cyrillic"}.get(charset, charset)
    encoded = base64.encodebytes(text.encode(python))
    stated = f"; charset={charset}".encode() if declared else b""
    raw = b"Content-Type: text/plain" + stated + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded
    assert message(raw).text == text


@pytest.mark.parametrize("real", ["cp1251", "koi8-r", "cp866", "utf-8"])
@pytest.mark.parametrize(
    "declared", ["koi8-r", "windows-1251", "us-ascii", "iso-8859-1", "utf-8", "x-unknown", "rot13", "utf-7"]
)
def test_a_wrong_declaration_misleads_nobody(real: str, declared: str) -> None:
    text = "Когда можно приехать на замер? Ответьте, пожалуйста."
    head = f"Content-Type: text/plain; charset={declared}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    if declared == "utf-7" and real != "utf-8":
        return
    assert message(head.encode() + text.encode(real)).text == text


def test_what_is_declared_rightly_stays() -> None:
    for charset, text in (
        ("iso-8859-1", "Größe: naïve café"),
        ("koi8-r", "СРОЧНО"),
        ("windows-1251", "ВСЕМ ПРИВЕТ"),
        ("iso-8859-8", "שלום"),
    ):
        head = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
        assert message(head + text.encode(charset)).text == text


def test_html_may_tell_its_charset_itself() -> None:
    meta = '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">'
    html = f"<html><head>{meta}</head><p>Привет, мир</p></html>"
    assert message(b"Content-Type: text/html\r\n\r\n" + html.encode("koi8-r")).text == "Привет, мир"


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("quoted-printable", "=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82 =ZZ =", "Привет =ZZ"),
        ("Quoted_Printable;", "a=3Db=\r\nc", "a=bc"),
        ("base64", "0J/RgNC4\r\n!0LLQtdGC", "Привет"),
        ("BASE64 ", "0J/RgNC40LLQtdG", "Приве\ufffd"),
        ("base64", "aGVsbG8=\r\nd29ybGQ=", "helloworld"),
        ("8bit", "Привет", "Привет"),
        ("binary", "Привет", "Привет"),
        ("x-nobody-knows", "Привет", "Привет"),
    ],
)
def test_broken_encodings_are_read_as_far_as_they_go(encoding: str, body: str, text: str) -> None:
    head = f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    assert message(head + body).text == text


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?utf-8?B?0J/RgNC40LLQtdGC?= =?utf-8?Q?_=D0=BC=D0=B8=D1=80?=", "Привет мир"),
        ("=?utf-8?Q?=D0=9F=D1?=\r\n =?utf-8?Q?=80?=", "Пр"),
        ("=?utf-8?B?0J/RgNC40LLQtdG?=", "Приве\ufffd"),
        ("=?x-unknown?Q?hi?= there", "hi there"),
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8?X?zz?=", "=?utf-8?X?zz?="),
        ("=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=(x)", "Привет(x)"),
        ("a\u0000b\u0007c", "abc"),
        ("Счёт\u202e fdp\u200b.exe", "Счёт fdp.exe"),
        ("=?utf-8*ru?Q?=D0=94=D0=B0?=", "Да"),
    ],
)
def test_subjects_are_read(subject: str, expected: str) -> None:
    assert message(f"Subject: {subject}\r\n\r\nhi").subject == expected


def test_raw_eight_bit_headers_are_read() -> None:
    for charset in ("utf-8", "cp1251", "koi8-r"):
        raw = "Subject: Заявка на расчёт стоимости\r\n\r\nhi".encode(charset)
        assert message(raw).subject == "Заявка на расчёт стоимости"


# Lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_anyhow(end: str) -> None:
    raw = end.join(["From: a@b.example", "Subject: x", "Content-Type: text/plain", "", "one", "two"])
    mail = message(raw)
    assert (mail.subject, mail.text) == ("x", "one\ntwo")


def test_long_lines_stay_whole() -> None:
    line = "слово " * 2_000
    assert message(f"Content-Type: text/plain; charset=utf-8\r\n\r\n{line}x").text == f"{line}x"


def test_flowed_text_gets_its_paragraphs_back() -> None:
    text = "Добрый день, \nпришлите расчёт \nна три окна.\n\n> старое \n> письмо\n>> ещё\n-- \nИван\n From"
    assert unflowed(text) == "Добрый день, пришлите расчёт на три окна.\n\n> старое письмо\n>> ещё\n-- \nИван\nFrom"
    assert unflowed("сло \nво", joined=True) == "слово"
    raw = "Content-Type: text/plain; charset=utf-8; format=Flowed; delsp=yes\r\n\r\nсло \r\nво"
    assert message(raw).text == "слово"


# Parts


def test_html_stands_for_the_text_that_is_missing() -> None:
    raw = """Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain


--a
Content-Type: text/html; charset=utf-8

<p>Нужны окна</p>
--a--
--m
Content-Type: text/plain; charset=utf-8

--\x20
Рассылка отдела
--m--
"""
    mail = message(raw)
    assert mail.text == "Нужны окна\n-- \nРассылка отдела"
    assert mail.html == "<p>Нужны окна</p>\n<pre>-- \nРассылка отдела</pre>"


def test_pictures_of_the_html_are_told_by_their_id() -> None:
    raw = """Content-Type: multipart/related; boundary=r

--r
Content-Type: text/html

<img src="cid:logo@client"><img src="https://spy.example/x.gif" width=1>
--r
Content-Type: image/png
Content-ID: <logo@client>
Content-Disposition: inline; filename=logo.png

png
--r--
"""
    mail = message(raw)
    assert mail.html == '<img src="cid:logo@client"><img data-src="https://spy.example/x.gif" width="1">'
    assert [(each.name, each.cid) for each in mail.attachments] == [("logo.png", "logo@client")]


def test_a_mail_within_is_kept_byte_for_byte() -> None:
    head = b"Subject: =?utf-8?B?0KHRgtCw0YDQvtC1?=\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
    inner = head + b"--i\r\n\r\n\xcf\xf0\r\n--i--"
    raw = (
        b"Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n"
        + inner
        + b"\r\n--m--"
    )
    (file,) = arrival(raw).files
    assert (file.name, file.content_type) == ("Старое.eml", "message/rfc822")
    assert file.content.replace(b"\r\n", b"\n") == inner.replace(b"\r\n", b"\n")
    encoded = raw.replace(inner, base64.encodebytes(inner)).replace(
        b"rfc822\r\n", b"rfc822\r\nContent-Transfer-Encoding: base64\r\n"
    )
    assert arrival(encoded).files[0].content == inner


def test_an_invitation_is_told_in_words() -> None:
    calendar = (
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Замер\\, три окна\r\n"
        "DTSTART;TZID=Europe/Moscow:20260305T100000\r\nDTEND;TZID=Europe/Moscow:20260305T110000\r\n"
        "LOCATION:Тверь\\, ул.\r\n  Мира\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    told = (
        "Приглашение: Замер, три окна\n"
        "Когда: 05.03.2026 10:00 (Europe/Moscow) – 05.03.2026 11:00 (Europe/Moscow)\n"
        "Где: Тверь, ул. Мира"
    )
    found = arrival(f"Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n{calendar}")
    assert isinstance(found.event.payload, MessageReceived)
    assert found.event.payload.text == told
    assert [(file.name, file.content_type) for file in found.files] == [("file-1.ics", "text/calendar")]
    assert described("no calendar") == ""
    assert described("BEGIN:VEVENT") == "Приглашение"
    assert described("METHOD:CANCEL\nBEGIN:VEVENT\nDTSTART:20260305").startswith("Встреча отменена\nКогда: 05.03.2026")


# Names


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("filename*=utf-8''%D0%A1%D1%87%D1%91%D1%82.pdf", "Счёт.pdf"),
        ("filename*=koi8-r'ru'%F3%DE%A3%D4.pdf", "Счёт.pdf"),
        ("filename*0*=utf-8''%D0%A1%D1%87; filename*1*=%D1%91%D1%82; filename*2=.pdf", "Счёт.pdf"),
        ('filename="=?windows-1251?B?0ffl8i5wZGY=?="', "Счет.pdf"),
        ('filename="%D0%A1%D1%87%D1%91%D1%82.pdf"', "Счёт.pdf"),
        ('filename="Счёт.pdf"', "Счёт.pdf"),
        ('filename="../../../etc/passwd"', "passwd"),
        ('filename="C:\\\\Users\\\\x\\\\doc.txt"', "doc.txt"),
        ('filename="a\x00b.txt"', "ab.txt"),
        ('filename="invoice\u202efdp.exe"', "invoicefdp.exe"),
        ('filename="\u200b\u2066п\u00adлан\ufeff.pdf"', "план.pdf"),
        ('filename="con.txt"', "_con.txt"),
        ('filename=".."', "file-1.pdf"),
        ('filename="   "', "file-1.pdf"),
        ("", "file-1.pdf"),
        ('filename="' + "я" * 300 + '.pdf"', "я" * 146 + ".pdf"),
        ('filename="a?b*c|d<e>:f.txt"', "abcdef.txt"),
    ],
)
def test_names_of_files_are_read_and_made_safe(header: str, name: str) -> None:
    raw = f"Content-Type: application/pdf\r\nContent-Disposition: attachment; {header}\r\n\r\nx"
    assert [file.name for file in arrival(raw).files] == [name]


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Анна\u202e Смирнова\u200b", "Анна Смирнова"),
        ("'Анна'", "Анна"),
        ("\u3164\u2800", ""),
        ("anna@client.example", ""),
        ("А" * 500, "А" * 200),
        ("  Анна \n Смирнова ", "Анна Смирнова"),
        ("👩‍💻 Анна", "👩💻 Анна"),
    ],
)
def test_names_of_people_hide_nothing(shown: str, name: str) -> None:
    assert person_name(shown) == name


@given(st.text(max_size=300))
def test_any_name_may_come(text: str) -> None:
    name = safe_name(text)
    assert len(name) <= 151
    assert not set(name) & set('\x00/\\<>:"|?*\n\r\u202e\u2066\u200b')
    assert name not in {".", ".."}
    assert safe_name(name) == name or name.startswith("_")


# Monsters


def quick(raw: bytes, seconds: float = 10) -> InboundEvent:
    started = time.process_time()
    event = arrival(raw).event
    assert time.process_time() - started < seconds
    assert event.raw == (raw if raw.startswith(b"From:") else FROM + raw)
    assert isinstance(event.payload, MessageReceived)
    return event


def test_a_depth_of_two_hundred_is_read() -> None:
    payload = quick(deep(200)).payload
    assert isinstance(payload, MessageReceived)
    assert payload.text == "found"


@pytest.mark.parametrize("levels", [1_000, 20_000])
def test_a_depth_without_end_is_still_a_message(levels: int) -> None:
    payload = quick(b"Subject: deep\r\n" + deep(levels)[len(FROM) :]).payload
    assert isinstance(payload, MessageReceived)
    assert payload.subject == "deep"


def test_mails_within_mails_without_end() -> None:
    quick(b"Content-Type: message/rfc822\r\n\r\n" * 10_000)


def test_a_header_of_a_megabyte() -> None:
    payload = quick(b"X-Long: " + b"a" * 1_000_000 + b"\r\nSubject: x\r\n\r\nhi").payload
    assert isinstance(payload, MessageReceived)
    assert (payload.subject, payload.text) == ("x", "hi")
    quick(b"Subject: " + b"=?utf-8?Q?=D0?= " * 60_000 + b"\r\n\r\nhi")
    quick(b"From: a@b.example\r\nReferences: " + b"<a@b>\r\n " * 100_000 + b"\r\n\r\nhi")
    quick(b"Content-Type: text/plain; " + b"a*0=b;" * 100_000 + b"\r\n\r\nhi")


def test_headers_without_end() -> None:
    payload = quick(b"Subject: x\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\nhi there").payload
    assert isinstance(payload, MessageReceived)
    assert (payload.subject, payload.text) == ("x", "hi there")


def test_thousands_of_parts() -> None:
    part = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n"
    found = arrival(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 5_000 + b"--b--")
    assert len(found.files) == 100
    quick(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n\r\n" * 20_000)


def test_ten_thousand_recipients() -> None:
    quick(b"To: " + b", ".join(b"u%d@x.example" % number for number in range(10_000)) + b"\r\n\r\nhi")


@pytest.mark.parametrize(
    "body",
    [
        b"\n" * 250_000,
        b"a\n" * 200_000,
        b"> " * 500_000,
        b"<" * 300_000,
        b"&#" * 200_000,
        b"=" * 1_000_000,
        b"\xff" * 1_000_000,
    ],
    ids=["blank", "short", "quotes", "brackets", "entities", "equals", "bytes"],
)
@pytest.mark.parametrize("kind", ["text/plain", "text/html", "text/plain; format=flowed", "text/calendar"])
def test_bodies_of_megabytes(kind: str, body: bytes) -> None:
    quick(f"Content-Type: {kind}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n".encode() + body, 20)


def test_short_lines_in_the_depth() -> None:
    quick(deep(200, b"\r\n" + b"a\n" * 500_000), 20)


def test_empty_mails() -> None:
    for raw in (
        b"\r\n",
        b"",
        b"Content-Type: multipart/mixed\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n",
    ):
        assert message(raw).text == ""
