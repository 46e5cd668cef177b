"""The accounts of the record beside those of hub.toml, which win: all that is in force now, and what of it can't be
used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from crm_core.messages import ChannelKey
from crm_core.model.definitions import Catalogue, DefinitionRecord, Section
from crm_core.model.definitions.accounts import AccountBody, AccountKind, account_name
from crm_core.wording import Sentence
from hub.accounts.kinds import KINDS, Account, accounts_of, key_of, keys_of, with_account
from hub.accounts.sealing import Seal, UnsealableError
from hub.settings import Problem, Settings
from hub.settings.checks import check
from hub.settings.load import with_staff_bot
from hub.settings.reader import Section as Table
from hub.settings.reader import Source

_ANEW = Sentence("Give the secrets anew; nodes of one office need the same secret_key in hub.toml")


@dataclass(frozen=True, slots=True)
class Found:
    """An account of the record. `account` is None where it can't be used: `problems` say why, or `overridden` that
    hub.toml has an account of this name."""

    record: DefinitionRecord
    kind: AccountKind
    account: Account | None
    problems: tuple[Problem, ...] = ()
    overridden: bool = False

    @property
    def name(self) -> str:
        """The account's own name."""
        return self.record.name.partition(":")[2]


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings with the record's accounts, and each of those."""

    settings: Settings
    found: Mapping[ChannelKey, Found]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that keeps an account from being used."""
        return tuple(problem for each in self.found.values() for problem in each.problems)


class NowInForce(Protocol):
    """Where what is in force is heard of."""

    @property
    def settings(self) -> Settings:
        """Those of hub.toml and of the record together."""

    @property
    def accounts(self) -> Mapping[ChannelKey, Found]:
        """Those of the record."""

    def listen(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Call `listener` after every change."""


def with_accounts(settings: Settings, catalogue: Catalogue, seal: Seal, *, without: str = "") -> InForce:
    """The settings with the accounts of the record, but for the one whose definition is named `without`."""
    configured = keys_of(settings)
    found: dict[ChannelKey, Found] = {}
    for defined, body in catalogue.bodies(Section.ACCOUNT, AccountBody):
        name = defined.name.removeprefix(account_name(body.channel, ""))
        key = key_of(body.channel, name)
        if defined.name == without:
            continue
        if key in configured:
            found[key] = Found(defined.record, body.channel, None, overridden=True)
            continue
        where = f"the record: account «{defined.name}»"
        try:
            table = opened(body, seal)
        except (UnsealableError, OSError) as err:
            what = (
                Sentence("its secrets were sealed with another key") if isinstance(err, UnsealableError) else str(err)
            )
            problem = Problem(where, None, "", what, _ANEW)
            found[key] = Found(defined.record, body.channel, None, (problem,))
            continue
        account, problems = judged(settings, body.channel, name, table, where)
        if account is not None:
            settings = with_account(settings, body.channel, account)
        found[key] = Found(defined.record, body.channel, account, problems)
    return InForce(with_staff_bot(settings), found)


def judged(
    settings: Settings, kind: AccountKind, name: str, table: Mapping[str, Any], where: str
) -> tuple[Account | None, tuple[Problem, ...]]:
    """The account that a table says, as hub.toml would have it, and everything that is wrong with it, alone or beside
    the others of `settings`; None where anything is."""
    source = Source(where)
    section = Table({"name": name, **{key: value for key, value in table.items() if key != "name"}}, (), source)
    account = KINDS[kind].read(settings)(section)
    section.finish()
    if source.problems:
        return None, tuple(source.problems)
    before, after = Source(where), Source(where)
    check(settings, before)
    check(with_account(settings, kind, account), after)
    known = set(before.problems)
    place = f"{KINDS[kind].table}[{len(accounts_of(settings, kind)) + 1}]."
    problems = tuple(
        Problem(where, None, each.key.removeprefix(place), each.what, each.mend)
        for each in after.problems
        if each not in known
    )
    return (account if not problems else None), problems


def opened(body: AccountBody, seal: Seal) -> dict[str, Any]:
    """The table of an account as hub.toml would have it. Raises UnsealableError, OSError."""
    return {**body.settings, **{key: seal.open(text) for key, text in body.sealed.items()}}
