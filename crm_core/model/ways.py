"""What a person types of how a client is reached: a number, an address, a name in a messenger or a link to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crm_core.errors import InvalidIdentity
from crm_core.model.identity import IdentityKind, parse_identity

_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?P<site>t\.me|telegram\.me|vk\.com|vk\.ru)/(?P<name>[^/?#]+)/?\Z", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{2,63}\Z")
_VK_ID = re.compile(r"id(\d{1,18})\Z")
_KINDS = frozenset({IdentityKind.TEL, IdentityKind.MAILTO, IdentityKind.TG, IdentityKind.VK})


@dataclass(frozen=True, slots=True)
class Way:
    """`key` is the identity, `kind:value`; `handle` the name in a messenger where that is all that is known.

    A name is no id: nobody can be written to by it, and whoever writes under it later is another identity.
    """

    key: str
    handle: str = ""


def way_typed(text: str, region: str) -> Way:
    """What was typed, `@name` being one of Telegram; raises InvalidIdentity for what is none of these."""
    plain = text.strip()
    link = _LINK.match(plain)
    if link is not None:
        return _named(IdentityKind.VK if link["site"].lower().startswith("vk") else IdentityKind.TG, link["name"])
    kind, colon, value = plain.partition(":")
    if colon and kind.lower() in _KINDS:
        named = kind.lower() in {IdentityKind.TG, IdentityKind.VK} and not value.strip().isdecimal()
        return _named(IdentityKind(kind.lower()), value.strip()) if named else Way(str(parse_identity(plain, region)))
    if plain.startswith("@"):
        return _named(IdentityKind.TG, plain)
    return Way(str(parse_identity(f"{'mailto' if '@' in plain else 'tel'}:{plain}", region)))


def is_name(key: str) -> bool:
    """Whether an identity is a name alone, by which a bot can't write to anybody."""
    return key.partition(":")[2].startswith("@")


def _named(kind: IdentityKind, text: str) -> Way:
    name = text.removeprefix("@")
    number = _VK_ID.match(name) if kind is IdentityKind.VK else None
    if number is not None:
        return Way(f"{kind.value}:{number[1]}")
    if not _NAME.match(name):
        raise InvalidIdentity("«{text}» is no name in a messenger", text=text[:80])
    return Way(f"{kind.value}:@{name.lower()}", name.lower())
