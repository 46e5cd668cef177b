"""What the accounts of each channel are made of: the table of hub.toml that reads them, and which of its keys are
secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm_core.messages import ChannelKey
from crm_core.model.definitions.accounts import AccountKind
from hub.connectors import AccountSettings
from hub.settings import Settings, sections
from hub.settings.reader import Section

Account = AccountSettings


@dataclass(frozen=True, slots=True)
class Kind:
    """`table` is the key of hub.toml, `field` that of `Settings`; `read` gives the reader of a table.

    Whatever stands under a key of `secrets` is sealed whole, addresses with a password in them too.
    """

    table: str
    field: str
    read: Callable[[Settings], Callable[[Section], Account]]
    secrets: frozenset[str]


KINDS: Mapping[AccountKind, Kind] = {
    AccountKind.TELEGRAM: Kind("telegram", "telegram", lambda _: sections.telegram, frozenset({"token", "secret"})),
    AccountKind.VK: Kind("vk", "vk", lambda _: sections.vk, frozenset({"token", "secret", "confirmation"})),
    AccountKind.EMAIL: Kind(
        "email",
        "email",
        lambda settings: sections.email(settings.folder),
        frozenset({"imap", "smtp", "listen_password"}),
    ),
    AccountKind.PBX: Kind("pbx", "pbx", lambda settings: sections.pbx(settings.folder), frozenset({"ami", "cdr_sql"})),
    AccountKind.WEB: Kind("web", "web", lambda _: sections.web, frozenset({"key"})),
    AccountKind.GATEWAY: Kind("gateway", "gateways", lambda _: sections.gateway, frozenset({"secret"})),
}


def key_of(kind: AccountKind, name: str) -> ChannelKey:
    """Channel and account."""
    return ChannelKey(kind.value, name)


def accounts_of(settings: Settings, kind: AccountKind) -> tuple[Account, ...]:
    """The accounts of a channel that these settings have."""
    found: tuple[Account, ...] = getattr(settings, KINDS[kind].field)
    return found


def keys_of(settings: Settings) -> frozenset[ChannelKey]:
    """All accounts of these settings, of the channels that may be configured in the record."""
    return frozenset(key_of(kind, each.name) for kind in KINDS for each in accounts_of(settings, kind))


def with_account(settings: Settings, kind: AccountKind, account: Account) -> Settings:
    """The settings with one account more."""
    changed: dict[str, Any] = {KINDS[kind].field: (*accounts_of(settings, kind), account)}
    return replace(settings, **changed)


def alone(settings: Settings, kind: AccountKind, account: Account) -> Settings:
    """The settings with this account as the only one of its channel, and none of the others."""
    nobody: dict[str, Any] = {each.field: () for each in KINDS.values()}
    return replace(settings, **(nobody | {"cti": (), KINDS[kind].field: (account,)}))


def alone_by_key(settings: Settings, key: ChannelKey) -> Settings:
    """The same by channel and account; all of the settings where it is none of these accounts."""
    kind = next((each for each in KINDS if each.value == key.channel), None)
    found = accounts_of(settings, kind) if kind is not None else ()
    account = next((each for each in found if each.name == key.account), None)
    return alone(settings, kind, account) if kind is not None and account is not None else settings
