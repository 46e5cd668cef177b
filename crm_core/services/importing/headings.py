"""What a column means by its heading: names used here, in exports of amoCRM and Bitrix24, in people's own tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from crm_core.model.importing import ImportKind

HUB, AMO, BITRIX, FILE = "hub", "amocrm", "bitrix24", "file"

_NOT_A_WORD = re.compile(r"[^\w@]+")
_COUNTED = re.compile(r"(.*\D)\s?\d{1,2}\Z")


def plain(heading: str) -> str:
    """A heading as headings are compared: no case, no signs, «ё» is «е».

    >>> plain(" Рабочий  E-mail (контакт)")
    'рабочий e mail контакт'
    """
    return " ".join(_NOT_A_WORD.sub(" ", heading.casefold().replace("ё", "е").replace("_", " ")).split())


def _names(**targets: str) -> dict[str, str]:
    return {plain(each): target for target, listed in targets.items() for each in listed.split("|")}


_PEOPLE = _names(
    name="name|имя|фио|ф и о|имя фамилия|фамилия имя|фамилия имя отчество|полное имя|клиент|контакт|контактное лицо"
    "|full name|contact|contact name|client|наименование|имя контакта|main contact|основной контакт|полное имя контакта"
    "|имя клиента|название контакта",
    first_name="first name|имя в отчестве|имя сотрудника",
    last_name="last name|surname|фамилия",
    middle_name="second name|middle name|patronymic|отчество",
    phone="phone|телефон|тел|номер|номер телефона|телефоны|phones|phone number|mobile|mobile phone|work phone"
    "|home phone|мобильный|мобильный телефон|сотовый|сотовый телефон|рабочий телефон|рабочий прямой телефон"
    "|домашний телефон"
    "|другой телефон|телефон раб|телефон моб|телефон дом|work direct phone|other phone|contact phone|whatsapp|вацап"
    "|телефон контакта|телефон клиента|work direct|номер для sms|домашний|другой|рабочий|phone numbers",
    email="email|e mail|mail|почта|эл почта|электронная почта|адрес электронной почты|emails|work email|work e mail"
    "|рабочий email|рабочий e mail|личный email|личный e mail|частный e mail|другой email|другой e mail|private email"
    "|home e mail|other email|other e mail|personal email|email рабочий|email личный|почта контакта|email контакта"
    "|private e mail",
    identifier="identifier|identity|идентификатор|identities",
    telegram="telegram|телеграм|telegram id",
    vk="vk|вк|vk id|вконтакте",
    city="city|город|населенный пункт",
    company="company|компания|организация|фирма|company name|название компании|компания контакта",
)
_COMMON = _names(
    hub_id="hub id",
    external_id="external id|id|ид|код|внешний id|внешний код|id контакта|id сделки|id компании|id лида|contact id"
    "|deal id|lead id|company id|код клиента|код контрагента|guid|уникальный идентификатор",
    manager="manager|менеджер|ответственный|responsible|responsible user|responsible person|owner|персональный менеджер"
    "|ответственный менеджер|lead owner|ответственный за контакт|ответственный сотрудник",
    tags="tags|теги|тэги|метки|lead tags|contact tags|теги сделки|теги контакта|tag",
    created_at="created|created at|date created|дата создания|создан|создана|создано|date of creation|created on"
    "|дата создания сделки|дата создания контакта",
    fields="fields",
)
_SELLING = _names(
    source="source|источник|источник сделки|lead source|источник лида|рекламный источник",
    amount="amount|сумма|бюджет|budget|sale|total|income|стоимость|бюджет сделки|сумма сделки|цена сделки|price"
    "|возможная сумма|opportunity|opportunity amount|sale usd|sale rub",
    currency="currency|валюта",
    closed_at="closed|closed at|date closed|дата закрытия|закрыта|close date",
    reason="reason|причина|причина отказа|loss reason|причина проигрыша",
    utm_source="utm source",
    utm_medium="utm medium",
    utm_campaign="utm campaign",
    utm_content="utm content",
    utm_term="utm term",
)
_SKIPPED = _names(
    skip="почему|why|кем создана|кем создан|создал|кем изменен|кем изменена|created by|modified by|дата редактирования"
    "|кем редактирована|кем редактирован|last modified|modified|modified by|дата изменения|изменен|last modified at"
    "|last modified by|фото|photo|доступен для всех|доступна для всех|доступно для всех|available to everyone"
    "|ближайшая задача|closest task|полное имя контакта основной|обращение|salutation|статус синхронизации",
)
_OF: dict[ImportKind, dict[str, str]] = {
    ImportKind.CONTACTS: {
        **_PEOPLE,
        **_names(
            list="list|список|особый список",
            status="status|статус клиента",
            record_type="тип|type|contact type of amo",
            company_id="id компании|company id",
            tax_id="инн|tax id|инн компании|инн организации",
        ),
    },
    ImportKind.COMPANIES: _names(
        name="name|название|компания|организация|наименование|название компании|company|company name|контрагент|client",
        tax_id="tax id|инн|inn|tin|vat|vat id|инн компании",
        city="city|город|населенный пункт",
        record_type="тип|type",
    ),
    ImportKind.LEADS: {
        **_PEOPLE,
        **_SELLING,
        **_names(
            title="title|название|название лида|lead title|lead name|тема|заголовок",
            status="status|статус|стадия|статус лида|lead status|этап",
            contact_id="contact id|id контакта",
            stage_reason="причина отказа",
        ),
    },
    ImportKind.DEALS: {
        **_PEOPLE,
        **_SELLING,
        **_names(
            title="title|название|название сделки|сделка|deal|deal name|deal title|lead title|lead name|name|тема",
            pipeline="pipeline|воронка|направление|направление сделки|deal pipeline|воронка продаж|название воронки",
            stage="stage|этап|этап сделки|стадия|стадия сделки|deal stage|lead status|статус|статус сделки|status",
            due_at="due|due at|срок|предполагаемая дата закрытия|expected close date|дата завершения|deadline",
            contact_id="contact id|id контакта",
            company_id="company id|id компании",
            tax_id="инн|tax id|инн компании",
            name="контакт|клиент|фио|имя контакта|основной контакт|main contact|contact|contact name|client"
            "|имя клиента",
        ),
    },
    ImportKind.PRODUCTS: _names(
        name="name|название|наименование|товар|product|номенклатура|product name|название товара",
        sku="sku|артикул|article|vendor code|код товара",
        unit="unit|единица|ед изм|единица измерения|ед|measure",
        price="price|цена|стоимость|розничная цена",
        currency="currency|валюта",
        archived="archived|в архиве|архивный|снят с продажи",
    ),
    ImportKind.SALES: {
        **_PEOPLE,
        **_names(
            at="at|date|дата|дата продажи|дата отгрузки|дата документа|shipment date|sale date|period",
            product="product|товар|наименование товара|номенклатура|product name|услуга|наименование",
            sku="sku|артикул|код товара",
            quantity="quantity|количество|кол во|qty|count",
            amount="amount|сумма|сумма продажи|сумма отгрузки|total|выручка|стоимость|sum",
            currency="currency|валюта",
            tax_id="инн|tax id|инн покупателя",
            contact_id="contact id|id контакта|код клиента|код контрагента",
            deal_id="deal id|id сделки",
            external_id="external id|id|номер документа|номер отгрузки|ref|документ|код|номер",
            phone="phone|телефон|номер телефона|телефон клиента",
            name="клиент|контакт|покупатель|контрагент|client|contact|customer|name|фио",
        ),
    },
    ImportKind.PAYMENTS: _names(
        at="at|date|дата|дата платежа|дата оплаты|дата поступления|payment date|paid at",
        amount="amount|сумма|сумма платежа|сумма оплаты|оплата|платеж|sum|total|payment|поступило|приход",
        currency="currency|валюта",
        note="note|комментарий|назначение|назначение платежа|примечание|comment|purpose",
        deal_id="deal id|id сделки|сделка|номер сделки|заказ|номер заказа|deal|order",
        contact_id="contact id|id контакта|код клиента|код контрагента|client id",
        phone="phone|телефон|номер телефона|телефон клиента",
        email="email|e mail|почта|email клиента",
        external_id="external id|id|номер платежа|номер документа|номер|документ|код|payment id|ref",
        skip="клиент|контакт|плательщик|покупатель|контрагент|client|payer|name|фио|инн|инн плательщика",
    ),
    ImportKind.TASKS: {
        **_PEOPLE,
        **_names(
            title="title|название|задача|task|тема|subject|что сделать",
            text="text|описание|текст|description|комментарий|текст задачи",
            manager="assignee|исполнитель|ответственный|responsible|manager|менеджер|responsible person",
            due_at="due|due at|срок|дедлайн|deadline|крайний срок|дата выполнения|выполнить до|до",
            state="state|статус|состояние|status|выполнена|completed",
            result="result|результат|итог",
            kind="kind|тип|тип задачи|type|task type",
            deal_id="deal id|id сделки",
            contact_id="contact id|id контакта",
            name="контакт|клиент|contact|client|имя контакта|фио",
        ),
    },
}
# Headings that only one program writes; two of them are telling.
_SIGNS: dict[str, frozenset[str]] = {
    AMO: frozenset(
        plain(each)
        for each in [
            "Этап сделки",
            "Бюджет",
            "Кем создана",
            "Кем создан",
            "Дата редактирования",
            "Кем редактирована",
            "Кем редактирован",
            "Ближайшая задача",
            "Рабочий прямой телефон",
            "Основной контакт",
            "Примечание 1",
            "Примечание 2",
            "Теги сделки",
            "Work direct phone",
            "Closest task",
            "Main contact",
            "Lead tags",
            "Lead title",
            "Lead status",
            "Last modified at",
            "Last modified by",
            "Note 1",
            "Название сделки",
            "Рабочий email",
            "Личный email",
            "Другой email",
        ]
    ),
    BITRIX: frozenset(
        plain(each)
        for each in [
            "Стадия сделки",
            "Доступен для всех",
            "Доступна для всех",
            "Обращение",
            "Дополнительно об источнике",
            "Рабочий e-mail",
            "Частный e-mail",
            "Предполагаемая дата закрытия",
            "Тип контакта",
            "Тип компании",
            "Сфера деятельности",
            "Кем изменен",
            "Available to everyone",
            "Salutation",
            "Source information",
            "Work E-mail",
            "Home e-mail",
            "Responsible person",
            "Second name",
            "Название лида",
            "Контакт: ID",
            "Дата изменения",
            "Сделка закрыта",
            "Кем изменена",
            "Номер для SMS",
            "Expected close date",
            "Mobile",
        ]
    ),
}
_TELLING = 2
# Of these one is enough: nobody else writes them.
_SURE = {AMO: frozenset({plain("Этап сделки")}), BITRIX: frozenset(map(plain, ["Название лида", "Контакт: ID"]))}


def recognised(headings: Iterable[str]) -> str:
    """Whose export has these headings: `hub`, `amocrm`, `bitrix24`, else `file`."""
    found = {plain(each) for each in headings}
    if "hub id" in found:
        return HUB
    counts = {system: len(found & signs) + len(found & _SURE[system]) for system, signs in _SIGNS.items()}
    best = max(counts, key=lambda each: counts[each])
    return best if counts[best] >= _TELLING else FILE


def meaningful(headings: Iterable[str]) -> int:
    """How many of these cells are headings of some table or other."""
    return sum(plain(each) in _every_name() for each in headings if each.strip())


@cache
def _every_name() -> frozenset[str]:
    return frozenset(name for kind in ImportKind for name in _table(kind))


def targets(kind: ImportKind) -> frozenset[str]:
    """Everything that a column of such a file may mean, custom fields apart."""
    return frozenset({*_table(kind).values(), "skip", "note"})


def target_of(kind: ImportKind, heading: str) -> str:
    """What a column means; empty where only the office's own fields can tell."""
    table, text = _table(kind), plain(heading)
    found = table.get(text)
    if found is None and (counted := _COUNTED.match(text)) is not None:  # «Телефон 2»
        found = table.get(counted[1].strip())
        found = found if found in {"phone", "email", "identifier"} else None
    if found is None:
        stripped = next((text.removesuffix(f" {each}") for each in _OF_WHOM if text.endswith(f" {each}")), None)
        found = table.get(stripped) if stripped else None
        found = found if found in {"phone", "email", "city", "company", "first_name", "last_name"} else None
    if found is None and ":" in heading:
        found = _of_another(kind, *heading.split(":", 1))
    if found is None and text.startswith(("примечание", "note ")) and text != "примечание":
        found = "note"
    return found or ""


def _of_another(kind: ImportKind, whose: str, what: str) -> str | None:
    """What «Контакт: Рабочий телефон» or «Компания: ID» tells of the client of a deal or a lead."""
    if kind not in {ImportKind.DEALS, ImportKind.LEADS}:
        return None
    if plain(whose) in {"контакт", "contact"}:
        name = plain(what)
        found = {"id": "contact_id", "имя": "first_name"}.get(name) or _PEOPLE.get(name)
        return found if found != "company" else None
    if plain(whose) in {"компания", "company"}:
        of_company = {"id": "company_id", "название компании": "company", "company name": "company", "инн": "tax_id"}
        found = of_company.get(plain(what))
        return found if found in targets(kind) else None
    return None


_OF_WHOM = ("контакт", "контакта", "contact", "компания", "компании", "company", "клиента")


def _table(kind: ImportKind) -> dict[str, str]:
    return {**_SKIPPED, **_COMMON, **_OF[kind]}


def has_first_names(kind: ImportKind, headings: Sequence[str]) -> bool:
    """Whether «Имя» is the first name alone, because «Фамилия» stands beside."""
    found = {plain(each) for each in headings}
    people = kind in {ImportKind.CONTACTS, ImportKind.LEADS}
    return people and bool(found & {"фамилия", "last name", "surname", "отчество"}) and "first name" not in found
