"""What the bot itself says to people, and how it puts into words what has none; Russian first, English second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Texts in one language; fields in braces are filled in with `str.format`."""

    language: str
    forwarded_from_person: str
    forwarded_from_chat: str
    story: str
    share_contact: str
    please_share: str
    thanks: str
    today: str
    help: str


RUSSIAN = Words(
    language="ru",
    forwarded_from_person="Переслано от {name}:",
    forwarded_from_chat="Переслано из {name}:",
    story="[история]",
    share_contact="Поделиться номером",
    please_share="Чтобы мы могли вам позвонить, нажмите «Поделиться номером» внизу.",
    thanks="Спасибо, номер записан.",
    today="Что сегодня",
    help="Что умеет бот",
)

ENGLISH = Words(
    language="en",
    forwarded_from_person="Forwarded from {name}:",
    forwarded_from_chat="Forwarded from {name}:",
    story="[story]",
    share_contact="Share my number",
    please_share="So that we can call you, press «Share my number» below.",
    thanks="Thank you, we have your number.",
    today="Today",
    help="What the bot can do",
)


def words_of(language: str) -> Words:
    """The texts of a language, Russian where it is not known."""
    return ENGLISH if language == "en" else RUSSIAN
