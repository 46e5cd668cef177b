"""Robots are told from people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from channels.email import EmailConfig
from channels.email.inbound import read
from crm_core.messages import MessageReceived

CONFIG = EmailConfig("sales", "sales@example.org")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def automatic(headers: str, sender: str = "anna@client.example") -> bool:
    payload = read(CONFIG, f"From: {sender}\r\n{headers}\r\n\r\nТекст письма".encode(), NOW).event.payload
    assert isinstance(payload, MessageReceived)
    return payload.automatic


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (vacation)",
        "Auto-Submitted: auto-notified; owner-email=x",
        "X-Autoreply: yes",
        "X-Autorespond: Re: x",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "Precedence: List",
        "List-Id: News <news.shop.example>",
        "List-Unsubscribe: <https://shop.example/u>",
        "X-Mailing-List: x",
        "X-Failed-Recipients: x@y.example",
        "Return-Path: <>",
        "Subject: Автоответ: Цена",
        "Subject: Автоматический ответ: Цена",
        "Subject: =?utf-8?B?0JDQstGC0L7QvtGC0LLQtdGC?=",
        "Subject: Я в отпуске до 10 марта",
        "Subject: Вне офиса: Цена",
        "Subject: Отсутствие на рабочем месте",
        "Subject: Automatic reply: Price",
        "Subject: Auto-Reply: Price",
        "Subject: Out of Office Re: Price",
        "Subject: Out of the office",
        "Subject: Undeliverable: Price",
        "Subject: Delivery Status Notification (Failure)",
        "Subject: Недоставленное сообщение",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
    ],
)
def test_robots(headers: str) -> None:
    assert automatic(headers)


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@mx.example.org", "postmaster@client.example", "mailer-daemon@yandex.example"]
)
def test_mail_servers(sender: str) -> None:
    assert automatic("Subject: x", sender)


@pytest.mark.parametrize(
    "headers",
    [
        "Subject: Цена",
        "Auto-Submitted: no",
        "Precedence: first-class",
        "Precedence: normal",
        "Return-Path: <anna@client.example>",
        "Subject: Re: Автоответ: Цена",
        "Subject: Re: Automatic reply: Price",
        "Subject: Почему не доставлено окно",
        "Subject: Автоматика для ворот",
        "Subject: Автоответчик не работает, помогите",
        "Subject: Нет на месте мастера",
        "Subject: Автомойка, установка окон",
        "Subject: Отпускные цены",
        "Subject: Autoglas price",
        "X-Mailer: Microsoft Outlook 16.0",
        "Importance: high",
        "X-Auto-Response-Suppress: DR, RN, NRN",
    ],
)
def test_people(headers: str) -> None:
    assert not automatic(headers)
