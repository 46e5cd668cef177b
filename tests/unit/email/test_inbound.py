"""Mails as they really come: charsets, forms, files, robots, dates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels.email import EmailConfig
from channels.email.inbound import Arrival, read, with_return_path
from channels.email.message_ids import own_id
from channels.email.sameness import fingerprint
from crm_core.messages import EntryKind, Ignored, MessageReceived, OutboundMessage, Unparsable
from crm_core.model.identity import Identity, IdentityKind

MAILS = Path(__file__).parents[2] / "fixtures" / "email"
CONFIG = EmailConfig("sales", "sales@example.org")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def arrival(name: str) -> Arrival:
    return read(CONFIG, (MAILS / f"{name}.eml").read_bytes(), NOW)


def message(name: str) -> MessageReceived:
    payload = arrival(name).event.payload
    assert isinstance(payload, MessageReceived)
    return payload


@pytest.mark.parametrize(
    ("name", "text", "subject", "sender"),
    [
        ("koi8r_base64", "Добрый день!\nНужны три окна.", "Заявка на окна", "Пётр Ильин"),
        ("cp1251_8bit", "Здравствуйте, сколько стоит доставка в Тверь?", "Цена", "Анна"),
        ("undeclared_cp1251", "Пришлите, пожалуйста, счёт на оплату по договору.", "Счёт на оплату", "Ольга Смирнова"),
        ("undeclared_koi8r", "Когда будет готов заказ номер семнадцать?", "hello", "Сергей"),
        ("wrong_declaration", "Перезвоните мне завтра утром, пожалуйста", "test", ""),
        ("utf8_declared_cp1251", "Жду ответа по смете", "test", ""),
        ("unknown_charset", "Есть ли скидка постоянным клиентам?", "hello", ""),
        ("broken_multipart", "No boundary is ever here.", "broken", "Ivan"),
        ("comma_in_name", "hi", "x", "Петров, Иван (ООО Окна)"),
        ("empty", "", "", ""),
    ],
)
def test_every_charset_is_read(name: str, text: str, subject: str, sender: str) -> None:
    read_mail = message(name)
    assert read_mail.text == text
    assert read_mail.subject == subject
    assert read_mail.kind is EntryKind.EMAIL
    assert arrival(name).event.sender.name == sender
    assert not read_mail.automatic


def test_the_sender_is_who_it_is_from_and_the_answer_goes_where_they_want_it() -> None:
    event = arrival("cp1251_8bit").event
    assert event.sender.identities == (Identity(IdentityKind.MAILTO, "anna@client.example"),)
    assert event.conversation == "anna@client.example"
    event = arrival("comma_in_name").event
    assert event.sender.identities == (Identity(IdentityKind.MAILTO, "petrov@client.example"),)
    assert event.conversation == "office@client.example"


def test_html_is_read_as_text_and_made_harmless() -> None:
    mail = message("quoted_printable_html_only")
    assert mail.text == "Добрый день,\nнужен расчёт.\n\n- окна\n- двери\nжми"
    assert mail.quoted == "> Чем помочь?"
    assert mail.html is not None
    for evil in ("script", "onload", "javascript", "steal", "style", ' src="http'):
        assert evil not in mail.html
    assert '<img data-src="http://spy.example/p.gif">' in mail.html


def test_files_have_safe_names_and_are_known_by_their_content() -> None:
    found = arrival("alternative_attachments")
    mail = message("alternative_attachments")
    assert mail.text == "Чертёж во вложении."
    assert mail.html == "<p>Чертёж <b>во вложении</b>.</p>"
    assert [(file.name, file.content_type) for file in mail.attachments] == [
        ("Чертёж окна.pdf", "application/pdf"),
        ("фото.jpg", "image/jpeg"),
        ("passwd", "text/plain"),
    ]
    for attachment, file in zip(mail.attachments, found.files, strict=True):
        assert attachment.stored is not None
        assert attachment.stored.sha256 == hashlib.sha256(file.content).hexdigest()
        assert attachment.stored.size == len(file.content) == attachment.size
    assert found.files[0].content == b"%PDF-1.4 drawing"


def test_a_mail_in_the_mail_is_a_file_of_it() -> None:
    found = arrival("nested_forward")
    assert message("nested_forward").text == "See the mail below."
    assert [file.name for file in found.files] == ["Old offer.eml"]
    assert b"The old text" in found.files[0].content


def test_the_quotation_stands_apart() -> None:
    mail = message("reply_russian")
    assert mail.text == "Да, согласен."
    assert mail.quoted.startswith("22 нояб. 2026 г., в 10:15, Отдел продаж")
    assert mail.quoted.endswith("> Ждём ответа.")


@pytest.mark.parametrize("name", ["auto_reply", "newsletter", "bounce"])
def test_robots_are_known(name: str) -> None:
    assert message(name).automatic


def test_an_empty_return_path_marks_a_robot_and_is_kept_for_replay() -> None:
    raw = (MAILS / "cp1251_8bit.eml").read_bytes()
    kept = with_return_path(raw, "")
    assert kept.endswith(raw)
    payload = read(CONFIG, kept, NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert payload.automatic
    assert with_return_path(raw, "anna@client.example") == raw


def test_a_mail_without_from_is_its_smtp_senders() -> None:
    raw = (MAILS / "no_sender.eml").read_bytes()
    assert isinstance(read(CONFIG, raw, NOW).event.payload, Unparsable)
    event = read(CONFIG, with_return_path(raw, "who@client.example"), NOW).event
    assert isinstance(event.payload, MessageReceived)
    assert event.conversation == "who@client.example"
    assert not event.payload.automatic


def test_times_that_can_not_be_true_become_the_arrival() -> None:
    assert arrival("koi8r_base64").event.occurred_at == datetime(2026, 3, 2, 8, 40, tzinfo=UTC)
    assert arrival("future_date").event.occurred_at == NOW
    for wrong in ("yesterday", "Mon, 02 Mar 1996 11:40:00 +0300", "Mon, 99 Mar 2026 99:00:00 +9999", ""):
        raw = f"From: a@b.example\r\nDate: {wrong}\r\n\r\nhi".encode()
        assert read(CONFIG, raw, NOW).event.occurred_at == NOW
    raw = f"From: a@b.example\r\nDate: {NOW - timedelta(days=3):%a, %d %b %Y %H:%M:%S} -0000\r\n\r\nhi".encode()
    assert read(CONFIG, raw, NOW).event.occurred_at == NOW - timedelta(days=3)


def test_the_id_is_the_mails_own_and_its_content() -> None:
    raw = (MAILS / "koi8r_base64.eml").read_bytes()
    event = read(CONFIG, raw, NOW).event
    assert event.external_id == f"<koi8@client.example> sha256:{fingerprint(raw)}"
    assert isinstance(event.payload, MessageReceived)
    assert event.payload.ref == "<koi8@client.example>"
    assert event.raw == raw
    assert read(CONFIG, raw, NOW + timedelta(hours=1)).event.external_id == event.external_id
    assert read(CONFIG, raw + b"more\r\n", NOW).event.external_id != event.external_id


def test_our_own_mail_that_comes_back_is_nothing_new() -> None:
    sent = OutboundMessage(CONFIG.key, "anna@client.example", "hi", "message:7")
    raw = f"From: sales@example.org\r\nMessage-ID: {own_id(CONFIG, sent)}\r\n\r\nhi".encode()
    assert isinstance(read(CONFIG, raw, NOW).event.payload, Ignored)
    # Without our id it may be anybody's; it asks for no answer.
    payload = read(CONFIG, b"From: sales@example.org\r\n\r\nhi", NOW).event.payload
    assert isinstance(payload, MessageReceived)
    assert payload.automatic


def test_monsters_are_kept_and_quick() -> None:
    deep = b"From: a@b.example\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(2000)
    )
    crowd = b"From: a@b.example\r\nTo: " + b", ".join(b"u%d@x.example" % n for n in range(10_000)) + b"\r\n\r\nhi"
    header = b"From: a@b.example\r\nSubject: " + b"=?utf-8?Q?=D0?=" * 70_000 + b"\r\n\r\nhi"
    nested = b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + b"<div><blockquote>" * 20_000 + b"x"
    markup = b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + b"<p>hello <b>x</b></p>" * 200_000
    parameters = b"From: a@b.example\r\nContent-Type: text/plain; " + b"a=b;" * 100_000 + b"\r\n\r\nhi"
    for raw in (deep, crowd, header, nested, markup, parameters):
        event = read(CONFIG, raw, NOW).event
        assert event.raw == raw
        assert isinstance(event.payload, MessageReceived | Unparsable)
