"""The staff as it is kept, on both engines, under concurrency."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from crm_core.errors import Conflict, CoreError, Duplicate
from crm_core.model.office import Office
from crm_core.model.user import Role, User
from crm_core.ports import Policies
from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from crm_core.storage.store import Store
from crm_core.storage.tokens import add_token, find_bearer
from crm_core.storage.users import (
    NewUser,
    UserChange,
    add_first_administrator,
    add_user,
    credentials,
    disable_user,
    list_users,
    update_user,
)
from hub.access.security import new_token, token_digest
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.fakes.clock import DrivenClock


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    database = Database(database_url)
    await migrate(database)
    yield Store(database, DrivenClock(), Office(), Policies(LeastLoaded(), TellByRole()))
    await database.stop()


def _new(login: str, role: Role = Role.MANAGER, **more: object) -> NewUser:
    return NewUser(login=login, name=login.title(), role=role, **more)  # type: ignore[arg-type]  # a test's shorthand


async def _add(store: Store, new: NewUser) -> User:
    return await store.run(lambda desk: add_user(desk, new))


async def test_of_many_first_administrators_one_wins(store: Store) -> None:
    async def try_it(number: int) -> bool:
        try:
            await store.run(lambda desk: add_first_administrator(desk, _new(f"admin{number}", Role.ADMIN)))
        except Conflict:
            return False
        return True

    won = await asyncio.gather(*(try_it(number) for number in range(8)))
    assert won.count(True) == 1
    assert len(await store.read(lambda conn: list_users(conn, None))) == 1


async def test_the_same_login_at_the_same_instant_makes_one_user(store: Store) -> None:
    async def try_it() -> str:
        try:
            await _add(store, _new("ivan", group="sales"))
        except Duplicate as err:
            return str(err)
        return "added"

    told = await asyncio.gather(*(try_it() for _ in range(6)))
    assert sorted(told) == ["added", *["there is a user «ivan» already"] * 5]


async def test_a_new_group_named_by_two_at_once_is_one(store: Store) -> None:
    await asyncio.gather(*(_add(store, _new(f"user{number}", group="sales")) for number in range(6)))
    assert {user.group for user in await store.read(lambda conn: list_users(conn, None))} == {"sales"}


async def test_the_staff_of_services_is_as_fresh_as_the_change(store: Store) -> None:
    await _add(store, _new("ivan"))
    assert await store.run(lambda desk: sorted(desk.work.staff.by_login)) == ["ivan"]
    _, position = await store.run_at(lambda desk: add_user(desk, _new("olga", telegram_id=7)))
    assert position is not None
    assert await store.run(lambda desk: sorted(desk.work.staff.by_login)) == ["ivan", "olga"]
    with pytest.raises(Duplicate, match="belongs to user «olga»"):
        await store.run(lambda desk: update_user(desk, "ivan", UserChange(telegram_id=7)))


async def test_tokens_open_for_the_active_only(store: Store) -> None:
    await _add(store, _new("ivan"))
    digest, now = token_digest(new_token()), DrivenClock().now()
    await store.run(lambda desk: add_token(desk, "ivan", digest))
    found = await store.read(lambda conn: find_bearer(conn, digest, now))
    assert found is not None
    assert found.user.login == "ivan"
    assert await store.read(lambda conn: find_bearer(conn, token_digest("other"), now)) is None
    await store.run(lambda desk: disable_user(desk, "ivan"))
    assert await store.read(lambda conn: find_bearer(conn, digest, now)) is None
    assert await store.read(lambda conn: credentials(conn, "ivan")) is None


async def test_half_of_a_change_is_not_written(store: Store) -> None:
    with pytest.raises(CoreError):
        await _add(store, _new("ivan", group="new group", deputy="nobody"))
    assert await store.read(lambda conn: list_users(conn, None)) == ()
    await _add(store, _new("ivan"))
    with pytest.raises(CoreError):
        await store.run(lambda desk: update_user(desk, "ivan", UserChange(name="Other", controller="nobody")))
    (ivan,) = await store.read(lambda conn: list_users(conn, None))
    assert ivan.name == "Ivan"
