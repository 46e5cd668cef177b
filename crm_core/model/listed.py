"""What can stand on a special list: any identity, and the whole domain of mail addresses, `mailto:@spam.example`."""

from __future__ import annotations

import re

from crm_core.errors import InvalidIdentity
from crm_core.model.identity import Identity, IdentityKind, caller, parse_identity

_MAIL = frozenset({IdentityKind.MAILTO.value, IdentityKind.CLAIMED.value})
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(rf"@((?:{_LABEL}\.)+{_LABEL})\Z")
_LONGEST_DOMAIN = 253
_MOST_LABELS = 6
_KINDS = tuple(f"{each.value}:" for each in IdentityKind)


def listed_key(text: str, region: str) -> str:
    """The key under which something is listed: a number as it was typed, an identity, `@domain`; InvalidIdentity.

    >>> listed_key("8 (916) 123-45-67", "RU"), listed_key("@Spam.Example", "RU"), listed_key("tg:1001", "RU")
    ('tel:+79161234567', 'mailto:@spam.example', 'tg:1001')
    """
    plain = text.strip()
    kind, value = plain.partition(":")[0].strip().lower(), plain.partition(":")[2].strip()
    domain = _domain(value if kind == IdentityKind.MAILTO else plain)
    if domain is not None:
        return f"{IdentityKind.MAILTO}:@{domain}"
    if plain.lower().startswith(_KINDS) and kind != IdentityKind.TEL:
        return str(parse_identity(plain, region))
    if "@" in plain and kind != IdentityKind.TEL:
        return str(parse_identity(f"{IdentityKind.MAILTO}:{plain}", region))
    number = caller(value if kind == IdentityKind.TEL else plain, region)
    if number is None:
        raise InvalidIdentity("«{text}» is no telephone number, no identity and no mail domain", text=text[:80])
    return str(number)


def listed_by(key: str) -> tuple[str, ...]:
    """Every key by which an identity stands on a list, the most particular first: itself, its mail domain, the domain
    above. A forged address is listed by what it claims."""
    kind, _, value = key.partition(":")
    if kind not in _MAIL:
        return (key,)
    address = f"{IdentityKind.MAILTO}:{value}"
    labels = value.rpartition("@")[2].split(".")[-_MOST_LABELS:]
    domains = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return tuple(dict.fromkeys([key, address, *(f"{IdentityKind.MAILTO}:@{each}" for each in domains)]))


def is_domain(key: str) -> bool:
    """Whether a key means a whole mail domain."""
    return key.startswith(f"{IdentityKind.MAILTO}:@")


def held_as(key: str) -> Identity | None:
    """The identity of a key; None of a domain, which nobody holds."""
    if is_domain(key):
        return None
    kind, _, value = key.partition(":")
    return Identity(IdentityKind(kind), value)


def _domain(text: str) -> str | None:
    value = text.strip().lower().rstrip(".")
    found = _DOMAIN.match(value) if len(value) <= _LONGEST_DOMAIN else None
    return found[1] if found is not None else None
