"""Answers as mail programs write them: the client's words apart from the quotation, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.email import EmailConfig
from channels.email.inbound import read
from crm_core.messages import MessageReceived

FOLDER = Path(__file__).parents[2] / "fixtures" / "email" / "clients"
CONFIG = EmailConfig("sales", "sales@example.org")
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OWN = "Да, устраивает.\nКогда замер?"
# What stands beside the answer itself: a greeting, or the client's signature.
BESIDE = {
    "outlook_html_ru": ("Да, устраивает.\n\nКогда замер?", ""),
    "outlook_ru": (OWN, "\n\n \n\nС уважением,\nИван"),
    "the_bat": ("Здравствуйте, Отдел.\n\n" + OWN, ""),
}
CLIENTS = sorted(path.stem for path in FOLDER.glob("*.eml"))


def test_every_program_is_there() -> None:
    families = {name.partition("_")[0] for name in CLIENTS}
    assert families >= {"outlook", "gmail", "yandex", "mailru", "thunderbird", "ios", "apple", "the", "samsung"}


@pytest.mark.parametrize("name", CLIENTS)
def test_the_answer_stands_apart_from_the_quotation(name: str) -> None:
    event = read(CONFIG, (FOLDER / f"{name}.eml").read_bytes(), NOW).event
    mail = event.payload
    assert isinstance(mail, MessageReceived)
    own, beside = BESIDE.get(name, (OWN, ""))
    assert mail.text == own + beside
    assert "90 000 рублей" in mail.quoted
    assert "Вас устраивает?" in mail.quoted
    assert "sales@example.org" in mail.quoted or "Отдел продаж" in mail.quoted or "Вы писали" in mail.quoted
    assert (mail.subject, event.sender.name) == ("Re: Цена окон", "Иван Петров")
    assert mail.thread is not None
    assert (mail.thread.subject, mail.thread.answers) == ("Цена окон", ("<offer@example.org>",))
    assert not mail.automatic
