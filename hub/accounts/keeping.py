"""From what people give to what is kept: secrets are sealed before they reach the record, and stay where nobody gave
them anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Catalogue
from crm_core.model.definitions.accounts import AccountBody, AccountKind, account_name
from crm_core.wording import Joined, Sentence
from hub.accounts.in_force import InForce, judged, opened, with_accounts
from hub.accounts.kinds import KINDS, Account, key_of, keys_of
from hub.accounts.sealing import Seal, UnsealableError
from hub.settings import DatabaseUrl, Problem, ServerUrl, Settings
from hub.settings.kept import with_kept

SET = "set"
"""What is shown instead of a secret."""

_GIVEN = "the account"


class BadAccount(InvalidInput):
    """The account can't be used; `problems` name each field and how to mend it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(Joined(words_of(each) for each in problems))


@dataclass(frozen=True, slots=True)
class Given:
    """An account as somebody gives it: its settings by the keys of the channel's table in hub.toml.

    A secret that is given as it is shown stays what it was; a setting that is None has its usual value.
    """

    kind: AccountKind
    name: str
    settings: Mapping[str, Any]
    before: AccountBody | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """An account that can be used, the settings it stands among (without it), and what is written down of it."""

    account: Account
    among: Settings
    body: AccountBody


def kept(given: Given, settings: Settings, catalogue: Catalogue, seal: Seal, today: date) -> Kept:
    """What becomes of an account. `settings` are those of hub.toml, the catalogue is the record's; holidays start
    `today`.

    Raises BadAccount; InvalidInput where hub.toml has an account of that name.
    """
    if key_of(given.kind, given.name) in keys_of(settings):
        raise InvalidInput(
            "name: hub.toml has the account {account_name}, there alone it is changed",
            account_name=account_name(given.kind, given.name),
        )
    table = _table(given, seal)
    among = beside(settings, catalogue, seal, today, without=account_name(given.kind, given.name)).settings
    account, problems = judged(among, given.kind, given.name, table, _GIVEN)
    if account is None:
        raise BadAccount(problems)
    return Kept(account, among, _body(given, table, account, seal))


def beside(settings: Settings, catalogue: Catalogue, seal: Seal, today: date, *, without: str = "") -> InForce:
    """The settings of hub.toml and of the record, but for the account whose definition is named `without`."""
    together, _ = with_kept(settings, catalogue, today)
    return with_accounts(together, catalogue, seal, without=without)


def words_of(problem: Problem) -> str:
    """Field, what is wrong, how to mend it."""
    what = Sentence("{key}: {why}", key=problem.key, why=problem.what) if problem.key else problem.what
    return Sentence("{why}. {mend}", why=what, mend=problem.mend) if problem.mend else what


def _table(given: Given, seal: Seal) -> dict[str, Any]:
    """The whole table: what was kept before, and over it what is given."""
    before = given.before or AccountBody(channel=given.kind)
    try:
        table = opened(before, seal)
    except (UnsealableError, OSError):
        # They are lost, and have to be given anew: whatever is missing is told by name.
        table = {key: value for key, value in before.settings.items() if key not in before.sealed}
    for key, value in given.settings.items():
        if key in before.sealed and value == before.settings.get(key):
            continue
        table.pop(key, None)
        if value is not None:
            table[key] = value
    table.pop("name", None)  # the definition's
    return table


def _body(given: Given, table: Mapping[str, Any], account: Account, seal: Seal) -> AccountBody:
    secret = KINDS[given.kind].secrets & table.keys()
    before = given.before.sealed if given.before is not None else {}
    shown = {key: instead(getattr(account, key)) if key in secret else value for key, value in table.items()}
    sealed = {key: _sealed(str(table[key]), before.get(key), seal) for key in sorted(secret)}
    return AccountBody(channel=given.kind, settings=shown, sealed=sealed)


def _sealed(text: str, before: str | None, seal: Seal) -> str:
    """Sealed anew only where it is another one, so that nothing changes where nothing was changed."""
    if before is not None:
        try:
            if seal.open(before) == text:
                return before
        except UnsealableError:
            pass  # written anew, with the key of now
    return seal.close(text)


def instead(value: object) -> str:
    """What is shown of a secret: of an address what is no password in it."""
    return str(value) if isinstance(value, ServerUrl | DatabaseUrl) else SET
