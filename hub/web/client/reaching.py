"""How a client is reached: the accounts that can write to them, and what other programs open with one press."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from crm_core.messages import ChannelKey
from crm_core.model.records import EntryRecord, IdentityRecord
from crm_core.model.ways import is_name
from crm_core.storage.queries.contacts import ContactCard

_WRITTEN_TO = {"telegram": "tg:", "email": "mailto:", "vk": "vk:"}
"""Channels that can be written to, and the identity that is the address there."""

_ANSWERED_ON = frozenset({*_WRITTEN_TO, "gateway", "web"})
"""Channels where whoever wrote can be answered."""

_HANDLE = re.compile(r"[A-Za-z0-9_.]{3,64}\Z")


@dataclass(frozen=True, slots=True)
class Link:
    """What opens a conversation in another program; `name` is that program's own name, the same in every language."""

    name: str
    url: str


def targets_of(card: ContactCard, spoken: list[ChannelKey], accounts: tuple[ChannelKey, ...]) -> tuple[ChannelKey, ...]:
    """Where an answer can go: accounts the client wrote to, then those that know an identity of theirs."""
    kinds = {each.key.partition(":")[0] + ":" for each in card.identities if not is_name(each.key)}
    first = [key for key in spoken if key in accounts and key.channel in _ANSWERED_ON]
    known = (key for key in accounts if _WRITTEN_TO.get(key.channel) in kinds)
    return tuple(dict.fromkeys([*first, *known]))


def last_used(targets: Sequence[ChannelKey], entries: Sequence[EntryRecord]) -> ChannelKey | None:
    """Where the conversation stands: the account of the newest entry that can be answered on, else the likeliest."""
    for entry in reversed(entries):
        key = ChannelKey(entry.channel or "", entry.account or "")
        if key in targets:
            return key
    return targets[0] if targets else None


def links_of(identity: IdentityRecord) -> tuple[Link, ...]:
    """The programs in which an identity can be written to by a person themselves."""
    kind, _colon, value = identity.key.partition(":")
    match kind:
        case "tel" if value[1:].isascii() and value[1:].isdigit() and value.startswith("+"):
            return (Link("WhatsApp", f"https://wa.me/{value[1:]}"), Link("Telegram", f"https://t.me/{value}"))
        case "tg" if _HANDLE.match(identity.handle):
            return (Link("Telegram", f"https://t.me/{identity.handle}"),)
        case "vk" if value.isascii() and value.isdigit():
            return (Link("VK", f"https://vk.com/id{value}"),)
        case "vk" if is_name(identity.key) and _HANDLE.match(identity.handle):
            return (Link("VK", f"https://vk.com/{identity.handle}"),)
        case "mailto":
            return (Link("E-mail", f"mailto:{quote(value, safe='@.+-_')}"),)
    return ()
