"""What is used once is used once, whoever comes at the same time; on both engines."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from crm_core.errors import Conflict, NotFound
from crm_core.model.office import Office
from crm_core.model.user import Language, Role, Tastes, Theme
from crm_core.ports import Policies
from crm_core.storage import entering
from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user, credentials, disable_user, find_user
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.fakes.clock import DrivenClock


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    database = Database(database_url)
    await migrate(database)
    found = Store(database, DrivenClock(), Office(), Policies(LeastLoaded(), TellByRole()))
    for login in ("ivan", "olga"):
        new = NewUser(login, login.title(), Role.MANAGER, email=f"{login}@example.org", password_hash="x")
        await found.run(partial(add_user, new=new))
    yield found
    await database.stop()


async def test_of_many_with_one_code_one_gets_in(store: Store) -> None:
    await store.run(lambda desk: entering.set_factor(desk, "ivan", "sealed", 100, ["a", "b"]))
    steps = await asyncio.gather(*(store.run(lambda desk: entering.use_step(desk, "ivan", 101)) for _ in range(6)))
    assert steps.count(True) == 1
    codes = await asyncio.gather(*(store.run(lambda desk: entering.use_code(desk, "ivan", "a")) for _ in range(6)))
    assert codes.count(True) == 1
    both = await asyncio.gather(*(store.run(partial(entering.use_code, login="ivan", digest=code)) for code in "bc"))
    assert both == [True, False]
    factor = await store.read(lambda conn: entering.factor_of(conn, None, "ivan"))
    assert factor == entering.Factor("sealed", 0)
    for step in (100, 101):
        assert not await store.run(partial(entering.use_step, login="ivan", step=step))
    assert not await store.run(lambda desk: entering.use_step(desk, "olga", 500)), "nobody without a factor"


async def test_of_many_set_up_at_once_one_is_kept_and_sessions_before_it_end(store: Store) -> None:
    async def begin(number: int) -> bool:
        try:
            await store.run(lambda desk: entering.set_factor(desk, "ivan", f"sealed{number}", 1, []))
        except Conflict:
            return False
        return True

    assert (await asyncio.gather(*map(begin, range(6)))).count(True) == 1
    kept = await store.read(lambda conn: credentials(conn, "ivan"))
    assert kept is not None
    assert (kept.epoch, kept.factor) == (1, True)
    assert await store.run(lambda desk: entering.take_factor(desk, "ivan"))
    assert not await store.run(lambda desk: entering.take_factor(desk, "ivan"))
    assert await store.read(lambda conn: entering.factor_of(conn, None, "ivan")) is None
    for act in (entering.take_factor, entering.sign_out_everywhere):
        with pytest.raises(NotFound):
            await store.run(partial(act, login="nobody"))
    with pytest.raises(NotFound):
        await store.run(lambda desk: entering.renew_codes(desk, "olga", ["a"]))


async def test_an_account_is_linked_to_the_one_person_with_the_address(store: Store) -> None:
    linked = await asyncio.gather(
        *(store.run(partial(entering.link_by_email, subject=each, email="ivan@example.org")) for each in "abc")
    )
    assert [user is not None for user in linked].count(True) == 1
    subject = "abc"[[user is not None for user in linked].index(True)]
    found = await store.read(lambda conn: entering.find_by_subject(conn, subject))
    assert found is not None
    assert found.login == "ivan"
    await store.run(lambda desk: disable_user(desk, "ivan"))
    assert await store.read(lambda conn: entering.find_by_subject(conn, subject)) is None
    await store.run(lambda desk: disable_user(desk, "olga"))
    assert await store.run(lambda desk: entering.link_by_email(desk, "z", "olga@example.org")) is None


async def test_tastes_are_kept_and_what_is_not_understood_is_as_usual(store: Store) -> None:
    tastes = Tastes(Language.EN, Theme.DARK, sound=False, notifications=True)
    assert (await store.run(lambda desk: entering.set_tastes(desk, "ivan", tastes))).tastes == tastes
    found = await store.read(lambda conn: find_user(conn, None, "ivan"))
    assert found is not None
    assert found.tastes == tastes
    strange: tuple[object, ...] = (
        None,
        [],
        "x",
        {"language": "xx", "theme": 5, "sound": "yes", "notifications": None},
        {"theme": []},
    )
    for kept in strange:
        assert Tastes.of(kept) == Tastes()
