"""Forms of sites that arrive as mail, as site builders send them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import EmailConfig
from channels.email.inbound import read
from crm_core.messages import FormSubmitted, InboundEvent, MessageReceived, Trust, Utm

SITE = "noreply@site.example"
CONFIG = EmailConfig("sales", "sales@example.org", form_senders=(SITE,))
LABELS = replace(
    CONFIG, form_senders=(), form_fields=(("Ваше имя", "name"), ("Как связаться", "phone"), ("Город объекта", "city"))
)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

PLAIN = """Имя: Анна Смирнова
Телефон: +7 (916) 123-45-67
E-mail: Anna@Client.example
Город объекта: Тверь
Сообщение: Нужны три окна.

Этаж: второй, лифт есть.
Позвоните вечером: после 18:00
Страница: https://site.example/okna?utm_source=yandex&utm_medium=cpc&utm_campaign=%D0%BE%D0%BA%D0%BD%D0%B0
utm_term: окна пвх

--
Это письмо отправлено с сайта site.example
Телефон: 8 800 000-00-00
"""
TILDA = """Request details:
Name: Анна Смирнова
Phone: +7 (916) 123-45-67
Textarea: Нужны три окна.
Этаж второй.
Размер: 120x140

Additional information:
Transaction ID: 1234:5678
Block ID: rec12345
Form Name: Cart
https://site.example/page
-----
"""
BITRIX = """Информационное сообщение сайта site.example
------------------------------------------

Вам было отправлено сообщение через форму обратной связи

Автор: Анна Смирнова
E-mail автора: anna@client.example
Ваше имя: Анна
Телефон: 8 916 123-45-67

Текст сообщения:
Нужны три окна.

Сообщение сгенерировано автоматически.
"""
TABLE = """<html><body><h3>Новая заявка</h3><table border=1>
<tr><th>Поле</th><th>Значение</th></tr>
<tr><td><b>Имя</b></td><td>Анна <i>Смирнова</i></td></tr>
<tr><td>Телефон:</td><td><a href="tel:+79161234567">+7 916 123-45-67</a></td></tr>
<tr><td>Комментарий</td><td>Нужны три окна.<br>Этаж: второй</td></tr>
<tr><td>Площадь, м²</td><td>12</td></tr>
<tr><td>utm_source</td><td>direct</td></tr>
</table></body></html>"""
BOLD = """<p><b>Имя:</b> Анна Смирнова</p><p><strong>Телефон</strong><br>+7 916 123-45-67</p>
<div>Сообщение: Нужны три окна.</div>"""


def event(
    body: str, *, kind: str = "text/plain", sender: str = SITE, headers: str = "", config: EmailConfig = CONFIG
) -> InboundEvent:
    head = f"From: Сайт <{sender}>\r\nTo: sales@example.org\r\nSubject: Заявка\r\n{headers}"
    raw = f"{head}Content-Type: {kind}; charset=utf-8\r\n\r\n{body}"
    return read(config, raw.encode(), NOW).event


def form(body: str, **more: str) -> FormSubmitted:
    payload = event(body, kind=more.get("kind", "text/plain"), headers=more.get("headers", "")).payload
    assert isinstance(payload, FormSubmitted)
    return payload


def test_lines_become_a_form() -> None:
    assert form(PLAIN) == FormSubmitted(
        name="Анна Смирнова",
        phone="+7 (916) 123-45-67",
        email="Anna@Client.example",
        message="Нужны три окна.\n\nЭтаж: второй, лифт есть.\nПозвоните вечером: после 18:00",
        page="https://site.example/okna?utm_source=yandex&utm_medium=cpc&utm_campaign=%D0%BE%D0%BA%D0%BD%D0%B0",
        utm=Utm(source="yandex", medium="cpc", campaign="окна", term="окна пвх"),
        fields=(("Город объекта", "Тверь"),),
        subject="Заявка",
    )
    found = event(PLAIN)
    assert found.sender.identities == ()
    assert found.sender.name == "Анна Смирнова"
    assert found.conversation == "anna@client.example"


def test_the_mail_of_a_site_builder() -> None:
    found = form(TILDA)
    assert (found.name, found.phone) == ("Анна Смирнова", "+7 (916) 123-45-67")
    assert found.message == "Нужны три окна.\nЭтаж второй.\nРазмер: 120x140"
    assert dict(found.fields)["Form Name"] == "Cart"
    found = form(BITRIX)
    assert (found.name, found.phone, found.email) == ("Анна Смирнова", "8 916 123-45-67", "anna@client.example")
    assert found.message.startswith("Нужны три окна.")


@pytest.mark.parametrize("markup", [TABLE, BOLD])
def test_html_becomes_a_form(markup: str) -> None:
    found = form(markup, kind="text/html")
    assert (found.name, found.phone.replace("-", "")) == ("Анна Смирнова", "+7 916 1234567")
    assert found.message.startswith("Нужны три окна.")
    if markup is TABLE:
        assert found.message == "Нужны три окна.\nЭтаж: второй"
        assert found.utm.source == "direct"
        assert ("Площадь, м²", "12") in found.fields


def test_the_visitor_stands_in_reply_to() -> None:
    found = form("Телефон: 8 916 123-45-67", headers="Reply-To: anna@client.example\r\n")
    assert found.email == "anna@client.example"
    assert form("Телефон: 8 916 123-45-67", headers=f"Reply-To: {SITE}\r\n").email == ""


def test_a_second_of_a_kind_is_a_field() -> None:
    found = form("Телефон: 8 916 123-45-67\nТелефон: 8 916 000-00-00\nEmail: нет\nИмя: А\nИмя: Б")
    assert (found.phone, found.email, found.name) == ("8 916 123-45-67", "", "А")
    assert found.fields == (("Email", "нет"), ("name", "Б"), ("phone", "8 916 000-00-00"))


def test_files_come_with_the_form() -> None:
    fields = "--b\r\n\r\nИмя: Анна\r\nТелефон: 8 916 123-45-67\r\n"
    body = f"{fields}--b\r\nContent-Disposition: attachment; filename=план.pdf\r\n\r\nx\r\n--b--"
    raw = f"From: {SITE}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{body}".encode()
    arrival = read(CONFIG, raw, NOW)
    assert isinstance(arrival.event.payload, FormSubmitted)
    assert [each.name for each in arrival.event.payload.attachments] == ["план.pdf"]
    assert [file.content for file in arrival.files] == [b"x"]


@pytest.mark.parametrize(
    "body", ["", "Добрый день!\nВаш хостинг оплачен.", "Этаж: второй\nРазмер: 12", "Телефон: нет\n"]
)
def test_what_is_not_recognised_stays_a_mail(body: str) -> None:
    assert isinstance(event(body).payload, MessageReceived)


def test_other_senders_write_mails() -> None:
    assert isinstance(event(PLAIN, sender="anna@client.example").payload, MessageReceived)
    assert isinstance(event(PLAIN, config=replace(CONFIG, form_senders=())).payload, MessageReceived)


def test_labels_of_the_office_make_forms_of_anybodys_mail() -> None:
    body = "Ваше имя - Анна\nКак связаться: 8 916 123-45-67\nГород объекта: Тверь\n"
    found = event(body, sender="sales@example.org", config=LABELS).payload
    assert isinstance(found, FormSubmitted)
    assert (found.name, found.phone, found.fields) == ("Анна", "8 916 123-45-67", (("city", "Тверь"),))
    # One label, or none that tells how to reach the client, is no form.
    assert isinstance(event("Как связаться: 8 916 123-45-67", config=LABELS).payload, MessageReceived)
    assert isinstance(event("Ваше имя: Анна\nГород объекта: Тверь", config=LABELS).payload, MessageReceived)
    assert isinstance(event(PLAIN.replace("Город объекта", "Город"), config=LABELS).payload, MessageReceived)


def test_a_form_that_is_marked_as_automatic_is_still_a_form() -> None:
    assert form(PLAIN, headers="Auto-Submitted: auto-generated\r\nPrecedence: bulk\r\n").name == "Анна Смирнова"


def test_a_forged_form_says_so() -> None:
    config = replace(CONFIG, authserv=("mx.example.org",))
    found = event(PLAIN, headers="Authentication-Results: mx.example.org; dmarc=fail\r\n", config=config).payload
    assert isinstance(found, FormSubmitted)
    assert found.authenticity is not None
    assert found.authenticity.trust is Trust.FORGED


@given(st.text(alphabet=st.sampled_from("Имя: Телефон8916\n\t-—*_:/@. utm_source&?=%<td>tr"), max_size=300))
def test_any_form_may_come(text: str) -> None:
    for kind in ("text/plain", "text/html"):
        for config in (CONFIG, LABELS):
            assert isinstance(
                event(f"Телефон: 8 916 123-45-67\n{text}", kind=kind, config=config).payload,
                FormSubmitted | MessageReceived,
            )
