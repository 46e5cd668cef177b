"""The form of accounts with channels: a bot, a mailbox, a telephone exchange that the office connected by itself.

Which settings an account has and what they may be is said where hub.toml is read: they are the keys of its tables.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from crm_core.model.definitions.base import Body, Json
from crm_core.wording import Sentence

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class AccountKind(StrEnum):
    """The channels whose accounts may be kept in the record; the name of their tables in hub.toml."""

    TELEGRAM = "telegram"
    VK = "vk"
    EMAIL = "email"
    PBX = "pbx"
    WEB = "web"
    GATEWAY = "gateway"


class AccountBody(Body):
    """An account; its definition is named `channel:name`. `settings` are those of the channel's table in hub.toml, and
    may be shown: of a secret they say what is shown instead. The secrets themselves are in `sealed`, by the same keys,
    as only the hub can read them."""

    channel: AccountKind
    settings: Annotated[dict[Key, Json], Field(max_length=100)] = Field(default_factory=dict)
    sealed: Annotated[dict[Key, str], Field(max_length=20)] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _shown(self) -> Self:
        missing = sorted(set(self.sealed) - set(self.settings))
        if missing:
            raise ValueError(Sentence("sealed: nothing is shown of {missing}", missing=", ".join(missing)))
        return self


def account_name(kind: AccountKind, name: str) -> str:
    """The name of the definition of an account."""
    return f"{kind.value}:{name}"
