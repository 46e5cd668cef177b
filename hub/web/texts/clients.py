"""Clients: the search, the card, the timeline, the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ClientTexts:
    """Its texts in one language."""

    reply_queued: str
    lead_taken_notice: str
    clients_title: str
    clients_none: str
    identities: str
    company: str
    city: str
    tags: str
    list_name: str
    to_list: str
    off_list: str
    listed_notice: str
    unlisted_notice: str
    fields: str
    since_day: str
    leads: str
    leads_none: str
    take_lead: str
    source: str
    campaign: str
    timeline: str
    timeline_none: str
    reply: str
    reply_hint: str
    reply_to: str
    subject: str
    send: str
    no_channel: str
    edited: str
    deleted: str
    quoted: str
    attachment_pending: str
    attachment_failed: str
    kinds: Mapping[str, str]
    delivery: Mapping[str, str]
    lead_states: Mapping[str, str]


RU = ClientTexts(
    reply_queued="Ответ отправляется.",
    lead_taken_notice="Лид за вами.",
    clients_title="Клиенты",
    clients_none="Никого не нашлось.",
    identities="Как связаться",
    company="Компания",
    city="Город",
    tags="Метки",
    list_name="Список",
    to_list="В список",
    off_list="Убрать из списка",
    listed_notice="Внесено в список «{name}».",
    unlisted_notice="Убрано из списка.",
    fields="Поля",
    since_day="Клиент с",
    leads="Лиды",
    leads_none="Лидов нет.",
    take_lead="Взять лид",
    source="Источник",
    campaign="Кампания",
    timeline="Лента",
    timeline_none="Здесь пока пусто.",
    reply="Ответить",
    reply_hint="Текст ответа",
    reply_to="Куда",
    subject="Тема",
    send="Отправить",
    no_channel="Написать некуда: у клиента нет ни мессенджера, ни почты, которые подключены к хабу.",
    edited="изменено",
    deleted="удалено клиентом",
    quoted="Цитата",
    attachment_pending="загружается",
    attachment_failed="не загрузилось",
    kinds={
        "message": "Чат",
        "call": "Звонок",
        "email": "Письмо",
        "form": "Форма",
        "note": "Заметка",
        "task": "Задача",
        "stage": "Этап",
        "system": "Хаб",
    },
    delivery={
        "queued": "отправляется",
        "sent": "отправлено",
        "delivered": "доставлено",
        "read": "прочитано",
        "failed": "не отправлено",
    },
    lead_states={"new": "новый", "taken": "в работе", "converted": "сделка", "rejected": "отклонён"},
)


EN = ClientTexts(
    reply_queued="The answer is on its way.",
    lead_taken_notice="The lead is yours.",
    clients_title="Clients",
    clients_none="Nobody was found.",
    identities="How to reach",
    company="Company",
    city="City",
    tags="Tags",
    list_name="List",
    to_list="To a list",
    off_list="Take off the list",
    listed_notice="Put on the list «{name}».",
    unlisted_notice="Taken off the list.",
    fields="Fields",
    since_day="Client since",
    leads="Leads",
    leads_none="No leads.",
    take_lead="Take the lead",
    source="Source",
    campaign="Campaign",
    timeline="Timeline",
    timeline_none="Nothing here yet.",
    reply="Answer",
    reply_hint="Text of the answer",
    reply_to="Where",
    subject="Subject",
    send="Send",
    no_channel="Nowhere to write: the client has no messenger or mail that is connected to the hub.",
    edited="edited",
    deleted="deleted by the client",
    quoted="Quotation",
    attachment_pending="loading",
    attachment_failed="could not be loaded",
    kinds={
        "message": "Chat",
        "call": "Call",
        "email": "Mail",
        "form": "Form",
        "note": "Note",
        "task": "Task",
        "stage": "Stage",
        "system": "Hub",
    },
    delivery={
        "queued": "sending",
        "sent": "sent",
        "delivered": "delivered",
        "read": "read",
        "failed": "not sent",
    },
    lead_states={"new": "new", "taken": "taken", "converted": "deal", "rejected": "rejected"},
)
