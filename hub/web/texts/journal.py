"""The journal for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class JournalTexts:
    """Its texts in one language."""

    replayed_notice: str
    journal_title: str
    journal_failed: str
    journal_all: str
    journal_none: str
    replay: str
    received: str
    account: str
    what: str
    error: str
    attempts: str
    journal_states: Mapping[str, str]


RU = JournalTexts(
    replayed_notice="Строка журнала прочитана заново.",
    journal_title="Журнал",
    journal_failed="Не понято",
    journal_all="Всё",
    journal_none="Строк нет.",
    replay="Прочитать заново",
    received="Получено",
    account="Откуда",
    what="Что",
    error="Ошибка",
    attempts="попыток",
    journal_states={"done": "принято", "failed": "не понято", "ignored": "не нужно"},
)


EN = JournalTexts(
    replayed_notice="The journal row was read again.",
    journal_title="Journal",
    journal_failed="Not understood",
    journal_all="All",
    journal_none="No rows.",
    replay="Read again",
    received="Received",
    account="From",
    what="What",
    error="Error",
    attempts="attempts",
    journal_states={"done": "taken in", "failed": "not understood", "ignored": "not needed"},
)
