"""Adding, changing and removing accounts of the record, in one transaction of whoever does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_core.errors import Conflict
from crm_core.model.definitions import DefinitionRecord, Section
from crm_core.model.definitions.accounts import AccountBody, AccountKind, account_name
from crm_core.services import defining
from crm_core.services.desk import Desk
from hub.accounts.keeping import Given, Kept, kept
from hub.accounts.sealing import Seal
from hub.settings import Settings


def add_account(
    desk: Desk, settings: Settings, kind: AccountKind, name: str, given: Mapping[str, Any], login: str
) -> DefinitionRecord:
    """Add an account; `settings` are those of hub.toml, `given` its table there. Raises InvalidInput (`BadAccount` with
    every field), Duplicate, OSError where the hub's key can't be kept."""
    found = _kept(desk, settings, Given(kind, name, given))
    return defining.add(desk, Section.ACCOUNT, account_name(kind, name), found.body, login)


def change_account(
    desk: Desk, settings: Settings, account_id: int, given: Mapping[str, Any], login: str, version: int | None = None
) -> DefinitionRecord:
    """Change settings of an account: what is not given stays, None is the usual value, a secret given as it is shown
    stays too. Raises NotFound, Conflict where it changed since `version`, and what `add_account` raises."""
    before = defining.one(desk, Section.ACCOUNT, account_id)
    if before.archived:
        raise Conflict("the account was taken out of use")
    body = AccountBody.model_validate(before.body)
    found = _kept(desk, settings, Given(body.channel, name_of(before), given, body))
    return defining.change(desk, Section.ACCOUNT, account_id, login, body=found.body, version=version)


def remove_account(desk: Desk, account_id: int, login: str) -> None:
    """Take an account out of use; what came through it stays. One added again under its name goes on where it was.
    Raises NotFound."""
    defining.put_away(desk, Section.ACCOUNT, account_id, login)


def name_of(record: DefinitionRecord) -> str:
    """An account's own name."""
    return record.name.partition(":")[2]


def _kept(desk: Desk, settings: Settings, given: Given) -> Kept:
    today = desk.now.astimezone(settings.time_zone).date()
    return kept(given, settings, desk.catalogue, Seal(settings), today)
