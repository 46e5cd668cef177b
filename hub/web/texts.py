"""Every text of the pages, in Russian and in English; a text that one language lacks does not compile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crm_core.model.user import Role


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language. Braces are filled with `format`; forms are for 1, 2 and 5 of something."""

    code: str
    product: str
    log_out: str
    log_in: str
    login: str
    label_pw: str
    label_pw_again: str
    name: str
    setup_title: str
    setup_lead: str
    setup_button: str
    setup_mismatch: str
    setup_short: str
    setup_taken: str
    login_title: str
    login_wrong: str
    login_wait: str
    form_stale: str
    nav_cases: str
    nav_clients: str
    nav_journal: str
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
    manager: str
    no_manager: str
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
    reply_queued: str
    replayed_notice: str
    lead_taken_notice: str
    search: str
    search_hint: str
    clients_title: str
    clients_none: str
    more: str
    older: str
    back: str
    identities: str
    company: str
    city: str
    tags: str
    list_name: str
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
    waited: str
    talked: str
    answered_by: str
    rang: str
    recording: str
    line: str
    error_title: str
    not_found: str
    forbidden: str
    unavailable: str
    failed: str
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
    live: str
    you: str
    client_number: str
    seconds: str
    minutes: str
    hours: str
    days: str
    bytes: tuple[str, str, str]
    kinds: Mapping[str, str]
    case_kinds: Mapping[str, str]
    call_in: Mapping[str, str]
    call_out: Mapping[str, str]
    delivery: Mapping[str, str]
    channels: Mapping[str, str]
    identity_kinds: Mapping[str, str]
    states: Mapping[str, str]
    lead_states: Mapping[str, str]
    journal_states: Mapping[str, str]
    tells: Mapping[str, str]
    roles: Mapping[Role, str]


RU = Texts(
    code="ru",
    product="Хаб",
    log_out="Выйти",
    log_in="Войти",
    login="Логин",
    label_pw="Пароль",
    label_pw_again="Пароль ещё раз",
    name="Имя и фамилия",
    setup_title="Первый вход",
    setup_lead="Хаб только что запущен. Заведите администратора: он добавит остальных.",
    setup_button="Завести администратора",
    setup_mismatch="Пароли не совпали.",
    setup_short="Пароль короче {count} знаков.",
    setup_taken="Администратор уже есть. Войдите под своим логином.",
    login_title="Вход",
    login_wrong="Неверный логин или пароль.",
    login_wait="Слишком много попыток. Подождите {minutes} мин.",
    form_stale="Страница устарела. Попробуйте ещё раз.",
    nav_cases="Обращения",
    nav_clients="Клиенты",
    nav_journal="Журнал",
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
    manager="Менеджер",
    no_manager="не назначен",
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
    reply_queued="Ответ отправляется.",
    replayed_notice="Строка журнала прочитана заново.",
    lead_taken_notice="Лид за вами.",
    search="Найти",
    search_hint="Имя, телефон, почта",
    clients_title="Клиенты",
    clients_none="Никого не нашлось.",
    more="Дальше",
    older="Раньше",
    back="Назад",
    identities="Как связаться",
    company="Компания",
    city="Город",
    tags="Метки",
    list_name="Список",
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
    waited="ждал {time}",
    talked="говорили {time}",
    answered_by="ответил",
    rang="звонили",
    recording="Запись",
    line="на",
    error_title="Не получилось",
    not_found="Такой страницы нет.",
    forbidden="Для этого нужна другая роль.",
    unavailable="База данных не отвечает. Попробуйте через минуту.",
    failed="Что-то сломалось. Подробности в журнале хаба под номером {number}.",
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
    live="обновляется само",
    you="вы",
    client_number="Клиент № {number}",
    seconds="{n} с",
    minutes="{n} мин",
    hours="{n} ч",
    days="{n} д",
    bytes=("Б", "КБ", "МБ"),
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
    case_kinds={"call": "Звонок", "message": "Сообщение"},
    call_in={
        "ringing": "звонит",
        "answered": "отвечен",
        "missed": "пропущен",
        "abandoned": "не дождался",
        "busy": "занято",
        "rejected": "отклонён",
        "no_answer": "не ответили",
        "failed": "не прошёл",
    },
    call_out={
        "ringing": "звоним",
        "answered": "дозвонились",
        "missed": "не дозвонились",
        "abandoned": "положили трубку",
        "busy": "занято",
        "rejected": "отклонил",
        "no_answer": "не ответил",
        "failed": "не прошёл",
    },
    delivery={
        "queued": "отправляется",
        "sent": "отправлено",
        "delivered": "доставлено",
        "read": "прочитано",
        "failed": "не отправлено",
    },
    channels={
        "telegram": "Telegram",
        "vk": "ВКонтакте",
        "email": "Почта",
        "pbx": "Телефон",
        "web": "Сайт",
        "cti": "Другая АТС",
    },
    identity_kinds={"tg": "Telegram", "vk": "ВКонтакте", "web": "Сайт"},
    states={
        "connecting": "подключается",
        "connected": "на связи",
        "reconnecting": "связь потеряна, подключается",
        "bad_credentials": "неверный ключ или пароль",
        "stopped": "остановлен",
    },
    lead_states={"new": "новый", "taken": "в работе", "converted": "сделка", "rejected": "отклонён"},
    journal_states={"done": "принято", "failed": "не понято", "ignored": "не нужно"},
    tells={
        "manager": "менеджер",
        "deputy": "заместитель",
        "controller": "контролёр",
        "head": "руководитель",
        "director": "директор",
        "admin": "администратор",
    },
    roles={
        Role.ADMIN: "администратор",
        Role.DIRECTOR: "директор",
        Role.HEAD: "руководитель",
        Role.CONTROLLER: "контролёр",
        Role.MANAGER: "менеджер",
        Role.MARKETER: "маркетолог",
    },
)

EN = Texts(
    code="en",
    product="Hub",
    log_out="Log out",
    log_in="Log in",
    login="Login",
    label_pw="Password",
    label_pw_again="Password again",
    name="Name",
    setup_title="First visit",
    setup_lead="The hub has just been started. Create the administrator, who will add everybody else.",
    setup_button="Create the administrator",
    setup_mismatch="The passwords differ.",
    setup_short="The password is shorter than {count} characters.",
    setup_taken="There is an administrator already. Log in with your own login.",
    login_title="Log in",
    login_wrong="Wrong login or password.",
    login_wait="Too many attempts. Wait {minutes} min.",
    form_stale="The page was out of date. Please try again.",
    nav_cases="Cases",
    nav_clients="Clients",
    nav_journal="Journal",
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
    manager="Manager",
    no_manager="none",
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
    reply_queued="The answer is on its way.",
    replayed_notice="The journal row was read again.",
    lead_taken_notice="The lead is yours.",
    search="Search",
    search_hint="Name, number, mail",
    clients_title="Clients",
    clients_none="Nobody was found.",
    more="Next",
    older="Earlier",
    back="Back",
    identities="How to reach",
    company="Company",
    city="City",
    tags="Tags",
    list_name="List",
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
    waited="waited {time}",
    talked="talked {time}",
    answered_by="answered by",
    rang="rang",
    recording="Recording",
    line="to",
    error_title="That did not work",
    not_found="There is no such page.",
    forbidden="This needs another role.",
    unavailable="The database does not answer. Try again in a minute.",
    failed="Something broke. The hub's log tells more under {number}.",
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
    live="updates by itself",
    you="you",
    client_number="Client no. {number}",
    seconds="{n} s",
    minutes="{n} min",
    hours="{n} h",
    days="{n} d",
    bytes=("B", "KB", "MB"),
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
    case_kinds={"call": "Call", "message": "Message"},
    call_in={
        "ringing": "ringing",
        "answered": "answered",
        "missed": "missed",
        "abandoned": "gave up",
        "busy": "busy",
        "rejected": "rejected",
        "no_answer": "no answer",
        "failed": "failed",
    },
    call_out={
        "ringing": "ringing",
        "answered": "answered",
        "missed": "not reached",
        "abandoned": "hung up",
        "busy": "busy",
        "rejected": "rejected",
        "no_answer": "no answer",
        "failed": "failed",
    },
    delivery={
        "queued": "sending",
        "sent": "sent",
        "delivered": "delivered",
        "read": "read",
        "failed": "not sent",
    },
    channels={
        "telegram": "Telegram",
        "vk": "VK",
        "email": "Mail",
        "pbx": "Telephone",
        "web": "Website",
        "cti": "Other PBX",
    },
    identity_kinds={"tg": "Telegram", "vk": "VK", "web": "Website"},
    states={
        "connecting": "connecting",
        "connected": "connected",
        "reconnecting": "link lost, reconnecting",
        "bad_credentials": "wrong key or password",
        "stopped": "stopped",
    },
    lead_states={"new": "new", "taken": "taken", "converted": "deal", "rejected": "rejected"},
    journal_states={"done": "taken in", "failed": "not understood", "ignored": "not needed"},
    tells={
        "manager": "manager",
        "deputy": "deputy",
        "controller": "controller",
        "head": "head",
        "director": "director",
        "admin": "administrator",
    },
    roles={
        Role.ADMIN: "administrator",
        Role.DIRECTOR: "director",
        Role.HEAD: "head",
        Role.CONTROLLER: "controller",
        Role.MANAGER: "manager",
        Role.MARKETER: "marketer",
    },
)


def texts_of(language: str) -> Texts:
    """The texts of a language, Russian where there are none of its own."""
    return EN if language == "en" else RU


def plural(count: int, forms: tuple[str, str, str]) -> str:
    """The form of a word that goes with a number, by the Russian rule (English uses the second form twice)."""
    tens, ones = count % 100, count % 10
    if ones == 1 and tens != 11 and (count == 1 or forms[1] != forms[2]):
        return forms[0]
    return forms[1] if 2 <= ones <= 4 and not 12 <= tens <= 14 else forms[2]
