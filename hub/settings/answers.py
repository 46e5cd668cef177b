"""What an account says to clients by itself: `greeting`, `off_hours` with `hours`, `menu`, `ask_contact`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crm_core.model.answers import MOST_ITEMS, Answers, MenuItem, item_key
from crm_core.model.calendar import ANY_HOURS
from hub.settings import values
from hub.settings.errors import BadValueError
from hub.settings.model import (
    EmailSettings,
    GatewaySettings,
    Settings,
    TelegramSettings,
    VkSettings,
    WebSettings,
)
from hub.settings.nearest import nearest
from hub.settings.reader import Section, Source
from hub.settings.telephony import group_names
from hub.settings.values import shown, wrong_type

_Account = TelegramSettings | VkSettings | EmailSettings | WebSettings | GatewaySettings

LONGEST_TEXT = 2000
LONGEST_LABEL = 40
_KEY = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def answers(section: Section, *, menu: bool = True, contact: bool = True, hours_alone: bool = False) -> Answers:
    """The keys of an account.

    `menu` and `contact` say whether its channel has buttons and can share numbers, `hours_alone` that its hours mean
    something without a text too.
    """
    greeting = section.take("greeting", words, "")
    off_hours = section.take("off_hours", words, "")
    hours = section.take("hours", _calendar, None)
    if section.has("off_hours") and not section.has("hours"):
        section.wrong("hours", "off_hours needs to know when the office is closed", "Name one of the [[hours]]")
    if section.has("hours") and not section.has("off_hours") and not hours_alone:
        section.wrong("hours", "means nothing without off_hours", 'Add off_hours = "…"')
    items = _menu(section) if menu else ()
    asks = section.take("ask_contact", values.flag, False) if contact else False
    for key, known in (("menu", menu), ("ask_contact", contact)):
        if known and section.has(key) and not section.has("greeting"):
            section.wrong(key, "stands under the greeting, and there is none", 'Add greeting = "…"')
    return Answers(greeting, off_hours, hours, items, asks)


def words(value: object) -> str:
    """A text for clients: several lines, at most 2,000 characters."""
    if not isinstance(value, str):
        raise wrong_type("a text", value, 'Write it in quotes: "…", several lines in three of them')
    found = str(value).replace("\r\n", "\n").strip()
    if not found:
        raise BadValueError("the text is empty", "Give it a value or remove the key")
    if _CONTROL.search(found):
        raise BadValueError("the text holds a control character", "Leave letters, blanks and line breaks alone")
    if len(found) > LONGEST_TEXT:
        raise BadValueError(f"the text has {len(found)} characters", f"Leave at most {LONGEST_TEXT}")
    return found


def check_answers(settings: Settings, source: Source) -> None:
    """Report calendars and groups that accounts' answers name and nobody configured."""
    accounts: tuple[tuple[str, Sequence[_Account]], ...] = (
        ("telegram", settings.telegram),
        ("vk", settings.vk),
        ("email", settings.email),
        ("web", settings.web),
        ("gateway", settings.gateways),
    )
    calendars = [each.name for each in settings.hours]
    groups = group_names(settings)
    for table, found in accounts:
        for position, account in enumerate(found):
            configured = account.answers
            if configured.hours is not None and configured.hours not in calendars:
                close = nearest(configured.hours, calendars)
                guess = f'Did you mean "{close}"?' if close else "Add it"
                what = f"there is no [[hours]] named {shown(configured.hours)}"
                source.report((table, position, "hours"), what, guess)
            for number, item in enumerate(configured.menu):
                if item.group is not None and item.group not in groups:
                    close = nearest(item.group, groups)
                    add = f'add [[group]] name = "{item.group}"'
                    guess = f'Did you mean "{close}"? Else {add}' if close else f"{add[0].upper()}{add[1:]}"
                    what = f"there is no group named {shown(item.group)}"
                    source.report((table, position, "menu", number, "group"), what, guess)


def _calendar(value: object) -> str:
    name = values.text(value)
    if name == ANY_HOURS:
        raise BadValueError(f'"{ANY_HOURS}" is never closed', "Name one of the [[hours]]")
    return name


def _menu(section: Section) -> tuple[MenuItem, ...]:
    items = section.tables("menu", _item)
    if len(items) > MOST_ITEMS:
        section.wrong("menu", f"the menu has {len(items)} items", f"Leave at most {MOST_ITEMS}")
    seen: dict[str, int] = {}
    for position, item in enumerate(items):
        first = seen.setdefault(item.key, position)
        if item.key and first != position:
            what = f"item {position + 1} is the same as item {first + 1}"
            section.wrong("menu", what, "Give it another text, or a key of its own")
    return items


def _item(section: Section) -> MenuItem:
    text = section.need("text", _label, "")
    answer = section.take("answer", words, "")
    group = section.take("group", values.text, None)
    if not section.has("answer") and not section.has("group"):
        section.wrong("answer", "the item leads nowhere", "Add answer or group, or both")
    key = section.take("key", _key, None)
    return MenuItem(key or (item_key(text) if text else ""), text, answer, group)


def _label(value: object) -> str:
    found = " ".join(values.text(value).split())
    if len(found) > LONGEST_LABEL:
        raise BadValueError(f"{shown(value)} is too long for a button", f"Leave at most {LONGEST_LABEL} characters")
    return found


def _key(value: object) -> str:
    found = values.text(value)
    if not _KEY.match(found):
        raise BadValueError(f"{shown(value)} is not usable as a key", "Use up to 32 letters, digits and the marks _ -")
    return found
