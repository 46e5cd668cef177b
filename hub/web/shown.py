"""How values are shown: times in the office's zone, durations, sizes, identities, who a client is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from crm_core.errors import InvalidIdentity
from crm_core.model import amounts, cause, written
from crm_core.model.call import SOMEBODY
from crm_core.model.file_warning import read_warnings
from crm_core.model.identity import parse_identity, readable, telephone
from crm_core.model.records import CallRecord, EntryRecord, IdentityRecord
from crm_core.model.user import Staff
from crm_core.services.clients.contacts import BY_HAND
from crm_core.services.letters.scheduling import is_scheduled
from crm_core.services.wording import dial_failure_in
from crm_core.storage.queries.contacts import ContactCard
from crm_core.storage.queries.workspace.clients import Client, client_of
from crm_core.storage.queries.workspace.inbox import MOST_COUNTED
from hub.web.browsers import browser_word
from hub.web.tongues import _, language, ngettext, told
from hub.web.words import CHANNELS, channel_word, identity_word, nameless_word, warning_word

_KILO = 1024
_TELLING = 7  # so many last digits tell a number, however it was dialled
_MINUTE = 60
_PLAIN = frozenset({"tel", "mailto"})
_FIRST_LINE = 160
_MOMENTS = 10_000  # kept as they are shown: a part that is drawn anew has mostly the same
_BY_ITSELF = "hub"  # the author of what the hub did without anybody,
_BY_ROBOT = "robot"  # of what the robot dialled,
_BY_RULE = "rule:"  # and of what a rule or a chain did, with its name


class Shown:
    """The filters of the templates, for one office."""

    def __init__(self, zone: ZoneInfo, now: Callable[[], datetime]) -> None:
        self._zone = zone
        self._now = now

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By the names that templates use."""
        return {
            "moment": self.moment,
            "day": self.day,
            "local_field": self.local_field,
            "ago": self.ago,
            "scheduled": self.scheduled,
            "duration": duration,
            "size": self.size,
            "fraction": fraction,
            "identity": self.identity,
            "number": number,
            "numbers": numbers,
            "dialable": dialable,
            "client": self.client,
            "known_by": self.known_by,
            "evidence": self.evidence,
            "warnings": self.warnings,
            "line": first_line,
            "counted": counted,
            "times": self.times,
            "rung": self.rung,
            "browser": browser_word,
            "cause": cause_in_words,
        }

    def moment(self, at: datetime | None) -> Markup:
        """A moment as people read it, the whole of it on hover."""
        if at is None:
            return Markup("")
        return _moment(at, self._zone, self._now().astimezone(self._zone).date())

    def scheduled(self, entry: EntryRecord) -> bool:
        """Whether a message of ours waits for its hour."""
        return is_scheduled(entry, self._now())

    def local_field(self, at: datetime) -> str:
        """A moment as a browser's field for date and time wants it."""
        return at.astimezone(self._zone).strftime("%Y-%m-%dT%H:%M")

    def day(self, at: datetime) -> str:
        """The day of a moment."""
        return at.astimezone(self._zone).strftime("%d.%m.%Y")

    def ago(self, at: datetime, most: int = 2) -> str:
        """How long ago that was, in so many units; seconds only within the first minute."""
        seconds = (self._now() - at).total_seconds()
        return duration(seconds if seconds < _MINUTE else seconds // _MINUTE * _MINUTE, most)

    def size(self, count: int | None) -> str:
        """A number of bytes."""
        if count is None:
            return ""
        if count < _KILO:
            return _("{count} B").format(count=count)
        if count < _KILO * _KILO:
            return _("{count} KB").format(count=f"{count / _KILO:.0f}")
        return _("{count} MB").format(count=fraction(count / _KILO / _KILO))

    def identity(self, key: str) -> str:
        """An identity as people say it: a number in groups, an address; ids of messengers with their messenger."""
        kind, _colon, value = key.partition(":")
        with suppress(InvalidIdentity):  # a caller number that no numbering plan knows is shown as it is
            value = readable(parse_identity(key))
        return value if kind in _PLAIN else f"{identity_word(kind)} {value}"

    def evidence(self, record: IdentityRecord) -> str:
        """How it is known that an identity is the client's, and since when; what nobody has words for, as it is."""
        text = record.evidence
        if record.key.startswith("claimed:"):
            said = _("claimed by the sender, not proven")
        elif text == "call":
            said = _("called from this number")
        elif text == BY_HAND:
            said = _("entered by staff")
        elif text.startswith("form "):
            said = _("from the form «{account}», not verified").format(account=text.removeprefix("form "))
        elif text.startswith("own contact card in "):
            said = _("showed their own contact card: {account}").format(
                account=text.removeprefix("own contact card in ")
            )
        elif text in CHANNELS:
            said = _("wrote from here: {channel}").format(channel=channel_word(text))
        else:
            said = text
        since = _("since {day}").format(day=self.day(record.created_at))
        return f"{said}, {since}"

    def warnings(self, text: str) -> list[str]:
        """Why to be careful with a file."""
        return [warning_word(each) for each in read_warnings(text)]

    def client(self, who: ContactCard | Client) -> str:
        """What a client is called; see `called`."""
        return called(_in_a_line(who))

    def known_by(self, who: ContactCard | Client) -> str:
        """What stands quietly beside a client: the number, address or @name of who has a name, the id of who has none.

        Empty where the client is called that already.
        """
        found = _in_a_line(who)
        if found.bare is not None:
            return identity_word(found.bare) if found.name else found.handle
        return number(found.handle) if found.name else ""

    def rung(self, leg: Mapping[str, Any], call: CallRecord, staff: Staff, card: ContactCard | None) -> str:
        """Whom a ringing was for: a person of the office, else the client behind a trunk, else the telephone."""
        person, endpoint = staff.get(leg.get("user")), leg.get("endpoint")
        if person is not None:
            return person.name
        if endpoint in {None, "", SOMEBODY}:
            return _("somebody")
        digits = _digits(call.number)[-_TELLING:]
        if len(digits) == _TELLING and digits in _digits(str(endpoint)):
            return self.client(card) if card is not None else number(call.number)
        return str(endpoint)

    def times(self, count: int) -> str:
        """How many times: «3 раза»."""
        return ngettext("{count} time", "{count} times", count).format(count=count)


@lru_cache(maxsize=_MOMENTS)
def _moment(at: datetime, zone: ZoneInfo, today: date) -> Markup:
    local = at.astimezone(zone)
    if local.date() == today:
        text = local.strftime("%H:%M")
    elif local.year == today.year:
        text = local.strftime("%d.%m %H:%M")
    else:
        text = local.strftime("%d.%m.%Y %H:%M")
    full = local.strftime("%d.%m.%Y %H:%M:%S")
    return Markup(f'<time datetime="{at.isoformat()}" title="{full}">{text}</time>')  # noqa: S704 — figures alone


def fraction(value: float) -> str:
    """A number with one place behind the mark that the reader's language puts there: «12,5»."""
    return f"{value:.1f}".replace(".", "," if language() == "ru" else ".")


def counted(count: int, less: int = 0) -> str:
    """A number that was not counted any further than `MOST_COUNTED`, or how many more than `less` these are."""
    return f"{count - less}{'+' if count >= MOST_COUNTED else ''}"


def duration(seconds: float, most: int = 2) -> str:
    """A duration in its largest units, `most` of them."""
    whole = max(int(seconds), 0)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(days, _("{n} d")), (hours, _("{n} h")), (minutes, _("{n} min")), (left, _("{n} s"))]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    shown = [pattern.format(n=count) for count, pattern in parts[:most] if count]
    return " ".join(shown) or _("{n} s").format(n=0)


def money(amount: int, currency: str) -> str:
    """A sum for people: minor units as «1 234,50 ₽», whole ones as «1 234 ₽»."""
    return amounts.money(Decimal(amount).scaleb(-written.places_of(currency)), currency)


@lru_cache(maxsize=4096)
def number(text: str) -> str:
    """A telephone number in groups; what is none, as it is."""
    try:
        return readable(telephone(text)) if text.startswith("+") else text
    except InvalidIdentity:
        return text


def cause_in_words(text: str) -> str:
    """Why a call ended, in the language of who reads; it is kept in the office's."""
    return dial_failure_in(language(), cause.said_in(language(), text))


def called(who: Client) -> str:
    """Whom people see: the name, else the number, address or @name, else where they write from."""
    if who.name:
        return who.name
    if who.bare is not None:
        return nameless_word(who.bare)
    return number(who.handle) or _("Client no. {number}").format(number=who.id)


def _in_a_line(who: ContactCard | Client) -> Client:
    return who if isinstance(who, Client) else client_of(who)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def numbers(card: ContactCard) -> list[IdentityRecord]:
    """The client's numbers that can be rung."""
    return [each for each in card.identities if each.key.startswith("tel:+")]


def dialable(card: ContactCard) -> bool:
    """Whether a client has a number that can be rung."""
    return bool(numbers(card))


def first_line(text: str, most: int = _FIRST_LINE) -> str:
    """A text on one line, cut where it is long; a sentence as it is said to whoever reads."""
    flat = " ".join(told(text).split())
    return flat if len(flat) <= most else f"{flat[: most - 1].rstrip()}…"


def staff_name(staff: Staff, login: str | None, nobody: str) -> str:
    """A person's name, and what acted where nobody did: the hub, a rule; the login where nobody knows it."""
    user = staff.get(login)
    if user is not None:
        return user.name
    if login == _BY_ITSELF:
        return _("Hub")
    if login is not None and login.startswith(_BY_RULE):
        return _("Rule «{name}»").format(name=login.removeprefix(_BY_RULE))
    return _("Robot") if login == _BY_ROBOT else login or nobody


def author_word(staff: Staff, login: str | None) -> str:
    """Who did something, in words: the hub where nobody did."""
    return staff_name(staff, login, _("Hub"))
