"""Accounts with channels: those of the record, which are kept here, and those of hub.toml, which are only shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import AfterValidator, Field, ValidationError

from crm_core.errors import Conflict, Outdated
from crm_core.model.definitions import DefinitionRecord, Section
from crm_core.model.definitions.accounts import AccountBody, AccountKind
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.storage.queries import definitions as queries
from crm_core.storage.queries.pages import Reading
from crm_core.wording import Sentence
from hub.accounts.advice import advice
from hub.accounts.changing import add_account, change_account, name_of, remove_account
from hub.accounts.findings import Findings
from hub.accounts.keeping import BadAccount, words_of
from hub.accounts.keeping import Given as GivenAccount
from hub.accounts.kinds import key_of, keys_of
from hub.accounts.trying import try_account
from hub.bootstrap import Hub
from hub.http.acting import json_response, to_json
from hub.http.bodies import MAX_JSON, parse_json, read_body
from hub.http.operations import Call, Operation, act, own, read
from hub.http.problems import Flaw, Problem, of_validation
from hub.http.rights import Right
from hub.http.types import Given, Id, Named, NoBody, Query, Taken
from hub.tongues import aloud
from hub.tongues import language as spoken

_TAG = "accounts"
_RIGHT = Right.CONFIGURE_CHANNELS


def _storable(table: dict[str, Any]) -> dict[str, Any]:
    if b"\\u0000" in orjson.dumps(table):
        raise ValueError(Sentence("a NUL character can't be stored"))
    return table


Table = Annotated[dict[Named, Any], Field(max_length=100), AfterValidator(_storable)]


class AccountHealth(Given):
    """How an account stands on the node that answers: `state` as in `/readyz`, why, and what to do about it.

    `trouble`: it is connected, but a part of its work does not go on. `since`: how long it stands so, at the earliest
    since that node began; `again_at`: when it is started again, where it did not start; `heard_at`: when anything last
    came in through it, null where nothing did since the node began.
    """

    state: str
    detail: str
    trouble: bool
    advice: str
    since: datetime | None
    again_at: datetime | None
    heard_at: datetime | None


class Account(Given):
    """An account that is kept in the record. `settings` are the keys of the channel's table in hub.toml; of those named
    in `secrets` they say «set», or the address without its password. `problems` say why it can't be used;
    `overridden`: hub.toml has an account of this name, which is in force instead."""

    id: int
    channel: AccountKind
    name: str
    settings: dict[str, Any]
    secrets: list[str]
    version: int
    archived: bool
    updated_at: datetime
    updated_by: str
    overridden: bool
    problems: list[str]
    health: AccountHealth | None


class ConfiguredAccount(Given):
    """An account of hub.toml, where alone it is changed."""

    channel: str
    name: str
    health: AccountHealth


class AccountList(Given):
    """All accounts: `items` of the record, `configured` of hub.toml."""

    items: list[Account]
    configured: list[ConfiguredAccount]


class AccountQuery(Query):
    """`archived` shows also what was taken out of use."""

    archived: bool = False


class NewAccount(Taken):
    """An account: `settings` by the keys of the channel's table in hub.toml, without `name`. What is written in a field
    is taken as it is: `${…}` is no variable here."""

    channel: AccountKind
    name: Named
    settings: Table


class AccountChange(Taken):
    """What is to be changed: what is not named stays, null is the usual value, a secret that is sent as it is shown
    stays. `version`, where given, is the one that was seen: 409 where it changed meanwhile."""

    settings: Table
    version: Id | None = None


class AccountTrial(Taken):
    """An account to be tried without being kept; with `id` a change of that one: what is not named is as kept."""

    channel: AccountKind
    name: Named
    settings: Table = Field(default_factory=dict)
    id: Id | None = None


class TriedStep(Given):
    """One step: what was tried, whether it works, what was proved or is wrong, what to do; `field` is a setting."""

    step: str
    title: str
    ok: bool
    detail: str
    advice: str
    field: str


class Tried(Given):
    """What trying an account came to."""

    ok: bool
    steps: list[TriedStep]


def _list(conn: Reading, call: Call[AccountQuery, NoBody]) -> AccountList:
    found = queries.list_definitions(conn, call.access, Section.ACCOUNT, archived=call.query.archived)
    hub = call.hub
    own_keys = [key for key in hub.channels if key in keys_of(hub.settings) or key not in hub.configured.accounts]
    configured = []
    for key in sorted(own_keys, key=str):
        health = _health(hub, key.channel, key.account)
        if health is not None:
            configured.append(ConfiguredAccount(channel=key.channel, name=key.account, health=health))
    return AccountList(items=[_shown(hub, each) for each in found], configured=configured)


def _one(conn: Reading, call: Call[Query, NoBody]) -> Account:
    return _shown(call.hub, queries.definition(conn, call.access, Section.ACCOUNT, call.number()))


def _add(desk: Desk, call: Call[Any, NewAccount]) -> Account:
    given = call.body
    with _told():
        record = add_account(desk, call.hub.settings, given.channel, given.name, given.settings, call.user.login)
    return _shown(call.hub, record)


def _change(desk: Desk, call: Call[Any, AccountChange]) -> Account:
    given, hub = call.body, call.hub
    before = defining.one(desk, Section.ACCOUNT, call.number())
    try:
        with _told():
            record = change_account(desk, hub.settings, before.id, given.settings, call.user.login, given.version)
    except Conflict as err:
        raise Outdated(str(err), _shown(hub, before)) from err
    return _shown(hub, record)


def _remove(desk: Desk, call: Call[Any, NoBody]) -> None:
    remove_account(desk, call.number(), call.user.login)


async def _try(request: web.Request, call: Call[Query, NoBody]) -> web.Response:
    content = await read_body(request, MAX_JSON)
    try:
        given = AccountTrial.model_validate(parse_json(content) if content.strip() else {})
    except ValidationError as err:
        raise of_validation(err) from err
    before = await _body_of(call, given.id) if given.id is not None else None
    if before is not None and before[1].channel is not given.channel:
        raise Problem(422, Sentence("channel: the account has another one"), kind="invalid-input")
    trial = GivenAccount(given.channel, given.name, given.settings, before[1] if before is not None else None)
    return await _tried(call.hub, trial)


async def _try_kept(_request: web.Request, call: Call[Query, NoBody]) -> web.Response:
    name, body = await _body_of(call, call.number())
    return await _tried(call.hub, GivenAccount(body.channel, name, {}, body))


async def _tried(hub: Hub, given: GivenAccount) -> web.Response:
    with _told():
        found = await try_account(hub, given)
    return json_response(to_json(_told_of(found)), 200)


def _told_of(found: Findings) -> Tried:
    language = spoken()
    steps = [
        TriedStep(
            step=each.step.value,
            title=each.step.title(language),
            ok=each.ok,
            detail=aloud(each.detail),
            advice=each.mend,
            field=each.field,
        )
        for each in found.steps
    ]
    return Tried(ok=found.ok, steps=steps)


async def _body_of(call: Call[Any, Any], account_id: int) -> tuple[str, AccountBody]:
    record = await call.hub.store.read(lambda conn: queries.definition(conn, call.access, Section.ACCOUNT, account_id))
    return name_of(record), AccountBody.model_validate(record.body)


def _shown(hub: Hub, record: DefinitionRecord) -> Account:
    body = AccountBody.model_validate(record.body)
    name = name_of(record)
    known = hub.configured.accounts.get(key_of(body.channel, name))
    overridden = key_of(body.channel, name) in keys_of(hub.settings)
    return Account(
        id=record.id,
        channel=body.channel,
        name=name,
        settings=body.settings,
        secrets=sorted(body.sealed),
        version=record.version,
        archived=record.archived,
        updated_at=record.updated_at,
        updated_by=record.updated_by,
        overridden=overridden,
        problems=[words_of(each) for each in known.problems] if known is not None else [],
        health=None if record.archived or overridden else _health(hub, body.channel.value, name),
    )


def _health(hub: Hub, channel: str, name: str) -> AccountHealth | None:
    """How it stands here; None where this node has not heard of it yet."""
    found = next((each for each in hub.channels.items() if (each[0].channel, each[0].account) == (channel, name)), None)
    if found is None:
        return None
    key, health = found[0], found[1].health
    stands = hub.starts.stands(key)
    return AccountHealth(
        state=health.state.value,
        detail=aloud(health.detail),
        trouble=health.trouble,
        advice=advice(channel, health, spoken()),
        since=stands.since if stands is not None else None,
        again_at=stands.again_at if stands is not None else None,
        heard_at=hub.intake.heard.get(key),
    )


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with an account, field by field."""
    try:
        yield
    except BadAccount as err:
        flaws = [Flaw(f"/settings/{each.key.partition('.')[0]}", words_of(each)) for each in err.problems]
        raise Problem(422, str(err), kind="invalid-input", errors=flaws) from err
    except OSError as err:
        detail = Sentence(
            "the key that secrets are sealed with can't be kept ({why}): set secret_key in hub.toml", why=err
        )
        raise Problem(500, detail, kind="internal") from err


OPERATIONS: tuple[Operation, ...] = (
    read(
        "/accounts",
        _list,
        tag=_TAG,
        summary="Accounts with channels",
        right=_RIGHT,
        query=AccountQuery,
        response=AccountList,
    ),
    act(
        "POST",
        "/accounts",
        _add,
        tag=_TAG,
        summary="Connect an account; it starts at once, on every node",
        right=_RIGHT,
        body=NewAccount,
        response=Account,
        status=201,
    ),
    own(
        "POST",
        "/accounts/try",
        _try,
        tag=_TAG,
        summary="Try an account out without keeping it",
        right=_RIGHT,
        body=AccountTrial,
        response=Tried,
    ),
    read("/accounts/{id}", _one, tag=_TAG, summary="One of the accounts", right=_RIGHT, response=Account),
    act(
        "PATCH",
        "/accounts/{id}",
        _change,
        tag=_TAG,
        summary="Change an account: its connector is replaced where that needs be",
        right=_RIGHT,
        body=AccountChange,
        response=Account,
    ),
    act(
        "DELETE",
        "/accounts/{id}",
        _remove,
        tag=_TAG,
        summary="Take an account out of use; what came through it stays",
        right=_RIGHT,
        response=None,
    ),
    own(
        "POST",
        "/accounts/{id}/try",
        _try_kept,
        tag=_TAG,
        summary="Try an account out as it is kept",
        right=_RIGHT,
        response=Tried,
    ),
)
