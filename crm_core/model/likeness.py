"""How alike two clients look: whole names in one form, and what else they may have in common.

Likeness proves nothing: it only makes a suggestion for a person to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

_WORDS = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_FEWEST_WORDS = 2
_MOST_WORDS = 4
_SHORTEST_WORD = 2
_LONGEST = 120
_MAILTO = "mailto:"
# Mailboxes that anybody may have: an equal domain tells nothing.
_PUBLIC_DOMAINS = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "yandex.ru",
        "ya.ru",
        "yandex.com",
        "yandex.by",
        "yandex.kz",
        "mail.ru",
        "bk.ru",
        "inbox.ru",
        "list.ru",
        "internet.ru",
        "rambler.ru",
        "lenta.ru",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "yahoo.com",
        "proton.me",
        "protonmail.com",
        "tutanota.com",
        "gmx.com",
        "gmx.de",
        "aol.com",
        "ukr.net",
        "tut.by",
        "vk.com",
    }
)


class Hint(StrEnum):
    """What two clients of one name have in common besides."""

    COMPANY = "company"
    CITY = "city"
    DOMAIN = "domain"
    MAILBOX = "mailbox"


@dataclass(frozen=True, slots=True)
class Look:
    """What of a client is compared: `keys` are their identities `kind:value`, `handles` their `@names`."""

    company: str | None = None
    city: str | None = None
    keys: frozenset[str] = frozenset()
    handles: frozenset[str] = frozenset()


def full_name(name: str) -> str:
    """A whole name in one form, whatever the case and the order of its words; empty where it is not a whole one.

    >>> full_name("Пётр Иванов") == full_name("иванов  ПЕТР")
    True
    """
    words = _WORDS.findall(name[: _LONGEST + 1].casefold().replace("ё", "е"))
    telling = _FEWEST_WORDS <= len(words) <= _MOST_WORDS and len(name) <= _LONGEST
    if not telling or min(map(len, words)) < _SHORTEST_WORD:
        return ""
    return " ".join(sorted(words))


def hints(one: Look, other: Look) -> Iterator[tuple[Hint, str]]:
    """What two clients have in common, the most telling first, with the value they share."""
    boxes, others = dict(_mailboxes(one.keys)), dict(_mailboxes(other.keys))
    domains = {each for each in boxes.values() if each not in _PUBLIC_DOMAINS}
    for domain in sorted(domains & set(others.values())):
        yield Hint.DOMAIN, domain
    for name in sorted((set(boxes) & other.handles) | (set(others) & one.handles)):
        yield Hint.MAILBOX, name
    for hint, mine, theirs in (
        (Hint.COMPANY, one.company, other.company),
        (Hint.CITY, one.city, other.city),
    ):
        if mine and theirs and mine.casefold().split() == theirs.casefold().split():
            yield hint, mine


def _mailboxes(keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The part before the `@` and the domain of each address."""
    for key in sorted(keys):
        if key.startswith(_MAILTO):
            box, _, domain = key.removeprefix(_MAILTO).rpartition("@")
            yield box, domain
