"""What every page says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crm_core.model.user import Role


@dataclass(frozen=True)
class CommonTexts:
    """Its texts in one language."""

    code: str
    product: str
    log_out: str
    login: str
    name: str
    form_stale: str
    nav_cases: str
    nav_clients: str
    nav_journal: str
    manager: str
    no_manager: str
    search: str
    search_hint: str
    more: str
    older: str
    back: str
    error_title: str
    not_found: str
    forbidden: str
    unavailable: str
    failed: str
    live: str
    you: str
    client_number: str
    seconds: str
    minutes: str
    hours: str
    days: str
    bytes: tuple[str, str, str]
    channels: Mapping[str, str]
    identity_kinds: Mapping[str, str]
    states: Mapping[str, str]
    roles: Mapping[Role, str]


RU = CommonTexts(
    code="ru",
    product="Хаб",
    log_out="Выйти",
    login="Логин",
    name="Имя и фамилия",
    form_stale="Страница устарела. Попробуйте ещё раз.",
    nav_cases="Обращения",
    nav_clients="Клиенты",
    nav_journal="Журнал",
    manager="Менеджер",
    no_manager="не назначен",
    search="Найти",
    search_hint="Имя, телефон, почта",
    more="Дальше",
    older="Раньше",
    back="Назад",
    error_title="Не получилось",
    not_found="Такой страницы нет.",
    forbidden="Для этого нужна другая роль.",
    unavailable="База данных не отвечает. Попробуйте через минуту.",
    failed="Что-то сломалось. Подробности в журнале хаба под номером {number}.",
    live="обновляется само",
    you="вы",
    client_number="Клиент № {number}",
    seconds="{n} с",
    minutes="{n} мин",
    hours="{n} ч",
    days="{n} д",
    bytes=("Б", "КБ", "МБ"),
    channels={
        "telegram": "Telegram",
        "vk": "ВКонтакте",
        "email": "Почта",
        "pbx": "Телефон",
        "web": "Сайт",
        "cti": "Другая АТС",
        "gateway": "Шлюз",
    },
    identity_kinds={"tg": "Telegram", "vk": "ВКонтакте", "web": "Сайт", "gw": "Шлюз", "claimed": "Назвался так"},
    states={
        "connecting": "подключается",
        "connected": "на связи",
        "reconnecting": "связь потеряна, подключается",
        "bad_credentials": "неверный ключ или пароль",
        "stopped": "остановлен",
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


EN = CommonTexts(
    code="en",
    product="Hub",
    log_out="Log out",
    login="Login",
    name="Name",
    form_stale="The page was out of date. Please try again.",
    nav_cases="Cases",
    nav_clients="Clients",
    nav_journal="Journal",
    manager="Manager",
    no_manager="none",
    search="Search",
    search_hint="Name, number, mail",
    more="Next",
    older="Earlier",
    back="Back",
    error_title="That did not work",
    not_found="There is no such page.",
    forbidden="This needs another role.",
    unavailable="The database does not answer. Try again in a minute.",
    failed="Something broke. The hub's log tells more under {number}.",
    live="updates by itself",
    you="you",
    client_number="Client no. {number}",
    seconds="{n} s",
    minutes="{n} min",
    hours="{n} h",
    days="{n} d",
    bytes=("B", "KB", "MB"),
    channels={
        "telegram": "Telegram",
        "vk": "VK",
        "email": "Mail",
        "pbx": "Telephone",
        "web": "Website",
        "cti": "Other PBX",
        "gateway": "Gateway",
    },
    identity_kinds={"tg": "Telegram", "vk": "VK", "web": "Website", "gw": "Gateway", "claimed": "Claims to be"},
    states={
        "connecting": "connecting",
        "connected": "connected",
        "reconnecting": "link lost, reconnecting",
        "bad_credentials": "wrong key or password",
        "stopped": "stopped",
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
