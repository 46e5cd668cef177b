"""What the hub itself says to staff and on the timeline, in Russian and English."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from crm_core.model.case import CaseKind


class Phrase(StrEnum):
    """The texts; the fields in braces are filled by `say`."""

    LEAD_ASSIGNED = "lead_assigned"
    LEAD_UNTOUCHED = "lead_untouched"
    CALL_MISSED = "call_missed"
    CALL_STILL_MISSED = "call_still_missed"
    MESSAGE_WAITING = "message_waiting"
    MESSAGE_STILL_WAITING = "message_still_waiting"
    PROMISE_BROKEN = "promise_broken"
    OFTEN = "often"
    NO_MANAGER = "no_manager"
    BUTTON_TAKEN = "button_taken"
    BUTTON_PROMISE = "button_promise"
    BUTTON_CLOSE_SPAM = "button_close_spam"
    BUTTON_CLOSE_DONE = "button_close_done"
    TAKEN_BY = "taken_by"
    PROMISED_BY = "promised_by"
    CLOSED_BY = "closed_by"
    ALREADY_CLOSED = "already_closed"
    NOT_STAFF = "not_staff"
    RUNG_TOLD = "rung_told"
    TITLE_CALL = "title_call"
    TITLE_FORM = "title_form"
    TITLE_EMAIL = "title_email"
    TITLE_MESSAGE = "title_message"
    LEAD_TAKEN = "lead_taken"
    LEAD_REJECTED = "lead_rejected"
    LEAD_CONVERTED = "lead_converted"
    STAGE_MOVED = "stage_moved"
    MERGED = "merged"
    UNMERGED = "unmerged"
    SUGGEST_FORM = "suggest_form"
    SUGGEST_CARD = "suggest_card"
    SUGGEST_CLAIMED = "suggest_claimed"
    SUGGEST_HANDLE = "suggest_handle"
    SUGGEST_NAME = "suggest_name"
    HINT_COMPANY = "hint_company"
    HINT_CITY = "hint_city"
    HINT_DOMAIN = "hint_domain"
    HINT_MAILBOX = "hint_mailbox"
    CALLBACK_WISHED = "callback_wished"
    FORM_NAME = "form_name"
    FORM_PHONE = "form_phone"
    FORM_EMAIL = "form_email"
    FORM_PAGE = "form_page"
    DEAL_OVERDUE = "deal_overdue"
    CALLBACK_ORDERED = "callback_ordered"
    CALLBACK_GIVEN_UP = "callback_given_up"
    CALLBACK_CANCELLED = "callback_cancelled"
    CALLBACK_REACHED = "callback_reached"
    CALLBACK_UNWANTED = "callback_unwanted"
    CALLBACK_LISTED = "callback_listed"
    DIAL_NOT_SENT = "dial_not_sent"
    DIAL_UNHEARD = "dial_unheard"
    WAITS_HOURS = "waits_hours"
    WAITS_PERSON = "waits_person"
    WAITS_NOBODY = "waits_nobody"
    WAITS_TALKING = "waits_talking"
    NO_TELEPHONE = "no_telephone"
    NOT_PERMITTED = "not_permitted"
    DIALLING_ALREADY = "dialling_already"
    PERSON_DIALLING = "person_dialling"
    CLIENT_TALKS = "client_talks"
    LISTED_BY = "listed_by"
    UNLISTED_BY = "unlisted_by"
    LISTED_REASON = "listed_reason"
    NOT_LISTABLE = "not_listable"
    ALARM_SILENT_LINE = "alarm_silent_line"
    ALARM_SILENT_LINE_OVER = "alarm_silent_line_over"
    ALARM_SILENCE_DETAIL = "alarm_silence_detail"
    ALARM_LINK_DOWN = "alarm_link_down"
    ALARM_LINK_DOWN_OVER = "alarm_link_down_over"
    ALARM_CALLS_MISSING = "alarm_calls_missing"
    ALARM_CALLS_MISSING_OVER = "alarm_calls_missing_over"
    RECORDS_UNREADABLE = "records_unreadable"
    ALARM_RECORDINGS = "alarm_recordings"
    ALARM_RECORDINGS_OVER = "alarm_recordings_over"


_TEXTS: dict[str, dict[Phrase, str]] = {
    "ru": {
        Phrase.LEAD_ASSIGNED: "Новый лид: {client}. {title}",
        Phrase.LEAD_UNTOUCHED: "С лидом никто не связался: {client}. {title}. Менеджер: {manager}",
        Phrase.CALL_MISSED: "Пропущенный звонок: {client}. Время: {time}. Менеджер: {manager}",
        Phrase.CALL_STILL_MISSED: "Клиент звонил, никто не ответил и никто не перезвонил: {client}."
        " Ждёт с {time}, обращений: {count}. Менеджер: {manager}",
        Phrase.MESSAGE_WAITING: "Клиент ждёт ответа: {client}. Время: {time}. Менеджер: {manager}",
        Phrase.MESSAGE_STILL_WAITING: "Клиенту так и не ответили: {client}. Ждёт с {time}, обращений: {count}."
        " Менеджер: {manager}",
        Phrase.PROMISE_BROKEN: "Обещание не выполнено.",
        Phrase.OFTEN: "Звонит снова и снова.",
        Phrase.NO_MANAGER: "не назначен",
        Phrase.BUTTON_TAKEN: "Беру",
        Phrase.BUTTON_PROMISE: "Отвечу через {minutes} мин",
        Phrase.BUTTON_CLOSE_SPAM: "Закрыть: спам",
        Phrase.BUTTON_CLOSE_DONE: "Закрыть: решено",
        Phrase.TAKEN_BY: "{name} занимается обращением",
        Phrase.PROMISED_BY: "{name} обещает ответить до {time}",
        Phrase.CLOSED_BY: "{name} закрывает обращение: {reason}",
        Phrase.ALREADY_CLOSED: "Обращение уже закрыто",
        Phrase.NOT_STAFF: "Эти кнопки — для сотрудников",
        Phrase.RUNG_TOLD: "Ступень {rung}: сообщено — {names}",
        Phrase.TITLE_CALL: "Звонок",
        Phrase.TITLE_FORM: "Заявка с сайта",
        Phrase.TITLE_EMAIL: "Письмо",
        Phrase.TITLE_MESSAGE: "Сообщение",
        Phrase.LEAD_TAKEN: "{name} берёт лид в работу",
        Phrase.LEAD_REJECTED: "{name} отклоняет лид: {reason}",
        Phrase.LEAD_CONVERTED: "{name} превращает лид в сделку",
        Phrase.STAGE_MOVED: "Этап: {stage}",
        Phrase.MERGED: "Объединено с карточкой «{name}»",
        Phrase.UNMERGED: "Объединение с карточкой «{name}» отменено",
        Phrase.SUGGEST_FORM: "В форме «{form}» названы вместе {one} и {other}, а это две карточки",
        Phrase.SUGGEST_CARD: "Прислана карточка контакта {value}; что она своя, не доказано",
        Phrase.SUGGEST_CLAIMED: "Осторожно: отправитель письма назвался {value}, подлинность не подтверждена ({detail})."
        " Возможна подделка",
        Phrase.SUGGEST_HANDLE: "Одно имя пользователя: @{handle} ({value})",
        Phrase.SUGGEST_NAME: "Одинаковые имя и фамилия «{name}», и ещё: {hint}",
        Phrase.HINT_COMPANY: "компания «{value}»",
        Phrase.HINT_CITY: "город {value}",
        Phrase.HINT_DOMAIN: "почта на {value}",
        Phrase.HINT_MAILBOX: "адрес почты похож на имя пользователя {value}",
        Phrase.CALLBACK_WISHED: "Просит перезвонить",
        Phrase.FORM_NAME: "Имя",
        Phrase.FORM_PHONE: "Телефон",
        Phrase.FORM_EMAIL: "Почта",
        Phrase.FORM_PAGE: "Страница",
        Phrase.CALLBACK_ORDERED: "Заказан обратный звонок: {time}",
        Phrase.CALLBACK_GIVEN_UP: "Робот не дозвонился до клиента, попыток: {attempts}",
        Phrase.CALLBACK_CANCELLED: "{name} отменяет обратный звонок: {reason}",
        Phrase.CALLBACK_REACHED: "С клиентом уже поговорили",
        Phrase.CALLBACK_UNWANTED: "Робот для таких звонков выключен",
        Phrase.CALLBACK_LISTED: "Клиент в особом списке: ему не перезванивают",
        Phrase.DIAL_NOT_SENT: "Звонок не состоялся: АТС недоступна",
        Phrase.DIAL_UNHEARD: "Звонок не состоялся: АТС ничего о нём не сообщила",
        Phrase.WAITS_HOURS: "Клиенту можно звонить с {time}",
        Phrase.WAITS_PERSON: "Ждёт, пока освободится {name}",
        Phrase.WAITS_NOBODY: "Некому позвонить клиенту: никого нет на месте",
        Phrase.WAITS_TALKING: "Клиент сейчас разговаривает",
        Phrase.NO_TELEPHONE: "У клиента нет телефона",
        Phrase.NOT_PERMITTED: "У клиента сейчас {time} ({zone}), звонить можно {hours}",
        Phrase.DIALLING_ALREADY: "Этому клиенту уже звонят: {name}",
        Phrase.PERSON_DIALLING: "{name} уже соединяют с клиентом",
        Phrase.CLIENT_TALKS: "Клиент сейчас разговаривает с офисом",
        Phrase.DEAL_OVERDUE: "Сделка просрочена: {client}. {title}. Менеджер: {manager}",
        Phrase.LISTED_BY: "{name} вносит в список «{list}»: {reason}",
        Phrase.UNLISTED_BY: "{name} убирает из списка «{list}»",
        Phrase.LISTED_REASON: "в списке «{list}»: {reason}",
        Phrase.NOT_LISTABLE: "Номер скрыт или внутренний: в список его не внести. Как принимать скрытые номера,"
        " решает anonymous у [[line]].",
        Phrase.ALARM_SILENT_LINE: "Линия {subject} молчит с {time}. {detail}",
        Phrase.ALARM_SILENT_LINE_OVER: "На линию {subject} снова звонят. Молчала с {time}",
        Phrase.ALARM_SILENCE_DETAIL: "Обычно за это время звонков: {count}. Если номер больше не нужен, поставьте его"
        " [[line]] silence = false.",
        Phrase.ALARM_LINK_DOWN: "Нет связи: {subject}, с {time}. {detail}",
        Phrase.ALARM_LINK_DOWN_OVER: "Связь восстановлена: {subject}. Не было с {time}",
        Phrase.ALARM_CALLS_MISSING: "Сверка звонков, {subject}: найдены не все. {detail}",
        Phrase.RECORDS_UNREADABLE: "не прочитано строк журнала: {count}",
        Phrase.ALARM_CALLS_MISSING_OVER: "Сверка звонков, {subject}: теперь сходится. Не сходилась с {time}",
        Phrase.ALARM_RECORDINGS: "Записи разговоров не сохраняются: {subject}, с {time}. {detail}",
        Phrase.ALARM_RECORDINGS_OVER: "Записи разговоров снова сохраняются: {subject}. Не сохранялись с {time}",
    },
    "en": {
        Phrase.LEAD_ASSIGNED: "New lead: {client}. {title}",
        Phrase.LEAD_UNTOUCHED: "Nobody has contacted this lead: {client}. {title}. Manager: {manager}",
        Phrase.CALL_MISSED: "Missed call: {client}. Time: {time}. Manager: {manager}",
        Phrase.CALL_STILL_MISSED: "A client called, nobody answered and nobody called back: {client}."
        " Waiting since {time}, attempts: {count}. Manager: {manager}",
        Phrase.MESSAGE_WAITING: "A client waits for an answer: {client}. Time: {time}. Manager: {manager}",
        Phrase.MESSAGE_STILL_WAITING: "A client is still not answered: {client}. Waiting since {time},"
        " attempts: {count}. Manager: {manager}",
        Phrase.PROMISE_BROKEN: "A promise was broken.",
        Phrase.OFTEN: "Calls again and again.",
        Phrase.NO_MANAGER: "none",
        Phrase.BUTTON_TAKEN: "Mine",
        Phrase.BUTTON_PROMISE: "Will answer in {minutes} min",
        Phrase.BUTTON_CLOSE_SPAM: "Close: spam",
        Phrase.BUTTON_CLOSE_DONE: "Close: settled",
        Phrase.TAKEN_BY: "{name} looks after this",
        Phrase.PROMISED_BY: "{name} promises to answer by {time}",
        Phrase.CLOSED_BY: "{name} closes the case: {reason}",
        Phrase.ALREADY_CLOSED: "The case is closed already",
        Phrase.NOT_STAFF: "These buttons are for staff",
        Phrase.RUNG_TOLD: "Rung {rung}: told {names}",
        Phrase.TITLE_CALL: "Call",
        Phrase.TITLE_FORM: "Website form",
        Phrase.TITLE_EMAIL: "Mail",
        Phrase.TITLE_MESSAGE: "Message",
        Phrase.LEAD_TAKEN: "{name} takes the lead",
        Phrase.LEAD_REJECTED: "{name} rejects the lead: {reason}",
        Phrase.LEAD_CONVERTED: "{name} converts the lead into a deal",
        Phrase.STAGE_MOVED: "Stage: {stage}",
        Phrase.MERGED: "Merged with «{name}»",
        Phrase.UNMERGED: "Merge with «{name}» undone",
        Phrase.SUGGEST_FORM: "The form «{form}» names {one} and {other} together, which are two cards",
        Phrase.SUGGEST_CARD: "A contact card of {value} was sent; that it is their own is not proven",
        Phrase.SUGGEST_CLAIMED: "Careful: the sender of a mail claims to be {value} without proof ({detail})."
        " It may be forged",
        Phrase.SUGGEST_HANDLE: "The same user name: @{handle} ({value})",
        Phrase.SUGGEST_NAME: "The same whole name «{name}», and also: {hint}",
        Phrase.HINT_COMPANY: "company «{value}»",
        Phrase.HINT_CITY: "city {value}",
        Phrase.HINT_DOMAIN: "mail at {value}",
        Phrase.HINT_MAILBOX: "the address is like the user name {value}",
        Phrase.CALLBACK_WISHED: "Asks to be called back",
        Phrase.FORM_NAME: "Name",
        Phrase.FORM_PHONE: "Telephone",
        Phrase.FORM_EMAIL: "Mail",
        Phrase.FORM_PAGE: "Page",
        Phrase.CALLBACK_ORDERED: "Callback ordered: {time}",
        Phrase.CALLBACK_GIVEN_UP: "The robot did not reach the client, attempts: {attempts}",
        Phrase.CALLBACK_CANCELLED: "{name} cancels the callback: {reason}",
        Phrase.CALLBACK_REACHED: "The client has been spoken to",
        Phrase.CALLBACK_UNWANTED: "The robot for such calls is switched off",
        Phrase.CALLBACK_LISTED: "The client is on a special list and is not rung back",
        Phrase.DIAL_NOT_SENT: "The call was not placed: the PBX is out of reach",
        Phrase.DIAL_UNHEARD: "The call was not placed: the PBX told nothing of it",
        Phrase.WAITS_HOURS: "The client may be rung from {time}",
        Phrase.WAITS_PERSON: "Waits until {name} is free",
        Phrase.WAITS_NOBODY: "Nobody is there to ring the client",
        Phrase.WAITS_TALKING: "The client is on the telephone",
        Phrase.NO_TELEPHONE: "The client has no telephone",
        Phrase.NOT_PERMITTED: "For the client it is {time} ({zone}); calls are permitted {hours}",
        Phrase.DIALLING_ALREADY: "This client is being rung already: {name}",
        Phrase.PERSON_DIALLING: "{name} is being connected already",
        Phrase.CLIENT_TALKS: "The client is talking with the office now",
        Phrase.DEAL_OVERDUE: "Deal overdue: {client}. {title}. Manager: {manager}",
        Phrase.LISTED_BY: "{name} puts this client on the list «{list}»: {reason}",
        Phrase.UNLISTED_BY: "{name} takes this client off the list «{list}»",
        Phrase.LISTED_REASON: "on the list «{list}»: {reason}",
        Phrase.NOT_LISTABLE: "The number is hidden or internal: it can't be put on a list. What becomes of hidden"
        " numbers is decided by anonymous of the [[line]].",
        Phrase.ALARM_SILENT_LINE: "Line {subject} has been silent since {time}. {detail}",
        Phrase.ALARM_SILENT_LINE_OVER: "Line {subject} rings again. It was silent since {time}",
        Phrase.ALARM_SILENCE_DETAIL: "Usually so many calls come in that time: {count}. If the number is not used any"
        " more, give its [[line]] silence = false.",
        Phrase.ALARM_LINK_DOWN: "No link: {subject}, since {time}. {detail}",
        Phrase.ALARM_LINK_DOWN_OVER: "The link is back: {subject}. It was away since {time}",
        Phrase.ALARM_CALLS_MISSING: "Reconciliation of calls, {subject}: not all were found. {detail}",
        Phrase.RECORDS_UNREADABLE: "unreadable records: {count}",
        Phrase.ALARM_CALLS_MISSING_OVER: "Reconciliation of calls, {subject}: equal again. It was not since {time}",
        Phrase.ALARM_RECORDINGS: "Recordings are not kept: {subject}, since {time}. {detail}",
        Phrase.ALARM_RECORDINGS_OVER: "Recordings are kept again: {subject}. They were not since {time}",
    },
}


def say(language: str, phrase: Phrase, **fields: object) -> str:
    """A text in the office's language; field values are taken as they are, never as a format."""
    return _TEXTS.get(language, _TEXTS["ru"])[phrase].format(**fields)


def case_phrase(kind: CaseKind, rung: int) -> Phrase:
    """What a rung says of a case."""
    if kind is CaseKind.CALL:
        return Phrase.CALL_MISSED if rung == 0 else Phrase.CALL_STILL_MISSED
    return Phrase.MESSAGE_WAITING if rung == 0 else Phrase.MESSAGE_STILL_WAITING


def local_time(at: datetime, zone: str) -> str:
    """A moment as people of the office read it."""
    return at.astimezone(ZoneInfo(zone)).strftime("%d.%m %H:%M")
