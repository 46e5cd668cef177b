"""Who a client is on the wire: telephone numbers, addresses and messenger ids in one normal form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers

from crm_core.errors import InvalidIdentity

# How a messenger or a site names its user: letters, digits and the few marks that ids and handles use.
_OPAQUE = re.compile(r"[\w.@+\-/]{1,128}\Z")
_ADDRESS = re.compile(r"[^\s@<>\"(),:;]+@[^\s@<>\"(),:;]+\Z")
_MAX_FREE_TEXT = 300
_VISITOR_DIGITS = 32
_EXTERNAL_DIGITS = 7  # shorter ones are extensions and services
_MOST_DIGITS = 15  # no number of E.164 is longer


class IdentityKind(StrEnum):
    """The namespaces of identities, as they stand before the colon.

    `gw` is whom a gateway knows, `account/id`; `claimed` a mail address that a forged mail gave itself.
    """

    TEL = "tel"
    MAILTO = "mailto"
    TG = "tg"
    VK = "vk"
    WEB = "web"
    GATEWAY = "gw"
    CLAIMED = "claimed"


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """One way to reach or recognise a client; `value` is normalised (E.164 for `tel`, lower case for `mailto`)."""

    kind: IdentityKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.value}"


def parse_identity(text: str, region: str = "RU") -> Identity:
    """Read `tel:+79161234567`, `mailto:a@b.ru`, `tg:1001`, `vk:5`, `web:…`; raises InvalidIdentity.

    In a query string a `+` may have arrived as a space; both mean the same.
    """
    kind_text, separator, value = text.partition(":")
    try:
        kind = IdentityKind(kind_text.strip().lower())
    except ValueError:
        kind = None
    if not separator or kind is None:
        names = ", ".join(f"{each.value}:" for each in IdentityKind)
        raise InvalidIdentity("«{text}»: an identity begins with one of {names}", text=text[:80], names=names)
    match kind:
        case IdentityKind.TEL:
            return telephone(value, region)
        case IdentityKind.MAILTO:
            return address(value)
        case IdentityKind.CLAIMED:
            return claimed(value)
        case _:
            return opaque(kind, value)


def stored_identity(key: str) -> Identity:
    """The identity behind a stored key `kind:value`, as it is: it may be a number that no numbering plan knows."""
    kind, _, value = key.partition(":")
    return Identity(IdentityKind(kind), value)


def telephone(raw: str, region: str = "RU") -> Identity:
    """The identity of one telephone number, however it was written; raises InvalidIdentity."""
    found = find_telephones(raw, region)
    if not found:
        raise InvalidIdentity("«{raw}» is not a valid telephone number", raw=raw[:80])
    return found[0]


def caller(raw: str, region: str = "RU") -> Identity | None:
    """Who calls, from a caller number as a PBX gives it; None for hidden and for internal (short) numbers, and for what
    is too long to be a number.

    A long number that no numbering plan knows is kept as its digits: a real caller is never dropped for it.
    """
    found = find_telephones(raw, region)
    if found:
        return found[0]
    digits = "".join(char for char in raw if char in "0123456789")
    letters = any(char.isalpha() for char in raw)
    known = _EXTERNAL_DIGITS <= len(digits) <= _MOST_DIGITS and not letters
    return Identity(IdentityKind.TEL, f"+{digits}") if known else None


def internal(raw: str) -> bool:
    """Whether a number that is no caller's (`caller` is None) is one of the office's own: not hidden, nor nonsense."""
    return 0 < sum(char.isdigit() for char in raw) <= _MOST_DIGITS


def readable(identity: Identity) -> str:
    """An identity as people read it: a number in groups, an address or an id as it is; see `brief` for visitors."""
    if identity.kind is not IdentityKind.TEL:
        return brief(identity)
    try:
        number = phonenumbers.parse(identity.value)
    except phonenumbers.NumberParseException:
        return identity.value
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def brief(identity: Identity) -> str:
    """An identity in a line of text: as it is, but of a site's visitor, whose id nobody reads, the beginning."""
    visitor = identity.kind is IdentityKind.WEB and len(identity.value) == _VISITOR_DIGITS
    return f"web-{identity.value[:6]}" if visitor else identity.value


def address(raw: str) -> Identity:
    """The identity of one mail address; raises InvalidIdentity."""
    value = raw.strip().lower()
    if len(value) > 254 or not _ADDRESS.match(value):
        raise InvalidIdentity("«{raw}» is not a mail address", raw=raw[:80])
    return Identity(IdentityKind.MAILTO, value)


def claimed(raw: str) -> Identity:
    """Whoever writes under an address that is not proven to be theirs; raises InvalidIdentity."""
    return Identity(IdentityKind.CLAIMED, address(raw).value)


def opaque(kind: IdentityKind, raw: str) -> Identity:
    """The identity that a messenger or a site gave its user; raises InvalidIdentity."""
    value = raw.strip()
    if not _OPAQUE.match(value):
        raise InvalidIdentity("«{raw}» is not an id of «{kind}»", raw=raw[:80], kind=kind.value)
    return Identity(kind, value)


@lru_cache(maxsize=16384)
def find_telephones(raw: str, region: str = "RU") -> tuple[Identity, ...]:
    """Every valid number in free text, in order, without repeats; short internal numbers are not clients.

    Source of the rules: numbering plans as kept by `phonenumbers`.
    """
    text = raw[:_MAX_FREE_TEXT]
    whole = _one_telephone(text, region)
    if whole is not None:
        return (whole,)
    matches = phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID)
    found = [_identity(match.number) for match in matches]
    return tuple(dict.fromkeys(found))


def find_addresses(raw: str) -> tuple[Identity, ...]:
    """Every mail address in a free text field, in order, without repeats."""
    found: list[Identity] = []
    for part in re.split(r"[\s,;<>]+", raw[:_MAX_FREE_TEXT]):
        try:
            found.append(address(part))
        except InvalidIdentity:
            continue  # a word between addresses
    return tuple(dict.fromkeys(found))


def _one_telephone(text: str, region: str) -> Identity | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return _identity(number) if phonenumbers.is_valid_number(number) else None


def _identity(number: phonenumbers.PhoneNumber) -> Identity:
    return Identity(IdentityKind.TEL, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
