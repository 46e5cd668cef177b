"""The first page: who waits, what happens, how the channels stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CaseTexts:
    """Its texts in one language."""

    cases_title: str
    cases_none: str
    events_title: str
    events_none: str
    channels_title: str
    channels_none: str
    waits: str
    since: str
    facts: tuple[str, str, str]
    told: str
    told_nobody: str
    next_at: str
    promised: str
    take: str
    promise: str
    close: str
    close_reason: str
    close_done: str
    close_spam: str
    closed_by_hand: str
    taken_notice: str
    promised_notice: str
    closed_notice: str
    alarms_title: str
    alarm_kinds: Mapping[str, str]
    case_kinds: Mapping[str, str]
    tells: Mapping[str, str]


RU = CaseTexts(
    cases_title="Ждут ответа",
    cases_none="Всем ответили.",
    events_title="Что происходит",
    events_none="Пока ничего не пришло.",
    channels_title="Каналы",
    channels_none="Каналы не подключены: добавьте их в hub.toml.",
    waits="ждёт {time}",
    since="с {time}",
    facts=("раз", "раза", "раз"),
    told="сообщено: {names}",
    told_nobody="пока никому не сообщено",
    next_at="дальше {names}",
    promised="обещано ответить до",
    take="Беру",
    promise="Отвечу через {minutes} мин",
    close="Закрыть",
    close_reason="Причина",
    close_done="решено",
    close_spam="спам",
    closed_by_hand="Закрыть обращение",
    taken_notice="Обращение за вами.",
    promised_notice="Обещание записано.",
    closed_notice="Обращение закрыто.",
    alarms_title="Неисправности",
    alarm_kinds={
        "silent_line": "Линия молчит",
        "link_down": "Нет связи",
        "calls_missing": "Сверка звонков не сошлась",
        "rule": "Правило не срабатывает",
        "webhook": "Программа не принимает события",
        "recordings": "Записи разговоров не сохраняются",
    },
    case_kinds={"call": "Звонок", "message": "Сообщение"},
    tells={
        "manager": "менеджер",
        "deputy": "заместитель",
        "controller": "контролёр",
        "head": "руководитель",
        "director": "директор",
        "admin": "администратор",
    },
)


EN = CaseTexts(
    cases_title="Waiting for an answer",
    cases_none="Everybody has been answered.",
    events_title="What happens",
    events_none="Nothing has come in yet.",
    channels_title="Channels",
    channels_none="No channels are connected: add them to hub.toml.",
    waits="waiting {time}",
    since="since {time}",
    facts=("time", "times", "times"),
    told="told: {names}",
    told_nobody="nobody told yet",
    next_at="next {names}",
    promised="answer promised by",
    take="Mine",
    promise="Will answer in {minutes} min",
    close="Close",
    close_reason="Reason",
    close_done="settled",
    close_spam="spam",
    closed_by_hand="Close the case",
    taken_notice="The case is yours.",
    promised_notice="The promise is noted.",
    closed_notice="The case is closed.",
    alarms_title="Troubles",
    alarm_kinds={
        "silent_line": "The line is silent",
        "link_down": "No link",
        "calls_missing": "Calls are missing from the record",
        "rule": "A rule fails",
        "webhook": "A program takes no events",
        "recordings": "Recordings are not kept",
    },
    case_kinds={"call": "Call", "message": "Message"},
    tells={
        "manager": "manager",
        "deputy": "deputy",
        "controller": "controller",
        "head": "head",
        "director": "director",
        "admin": "administrator",
    },
)
