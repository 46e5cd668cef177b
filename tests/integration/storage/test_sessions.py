"""Sessions have rows: found with their person by one statement, ended one by one or together, bounded, swept; what was
sent too late is taken once. On both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest

from crm_core.errors import NotFound
from crm_core.model.office import Office
from crm_core.model.user import Role
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage import entering, feed, sessions, unsent
from crm_core.storage.database import Database
from crm_core.storage.sessions import LIFE, MOST, SEEN_KEPT_EVERY, SESSION_ENDED, Place, Visit
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, UserChange, add_user, disable_user, update_user
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.fakes.clock import DrivenClock
from tests.integration.storage.plans import seen
from tests.integration.storage.world import World
from tests.looking import somebody

HERE = Place("198.51.100.7", "Mozilla/5.0 Firefox/140.0")


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[Store]:
    database = Database(migrated_url)
    found = Store(database, DrivenClock(), Office(), Policies(LeastLoaded(), TellByRole()))
    for login in ("ivan", "olga"):
        await found.run(partial(add_user, new=NewUser(login, login.title(), Role.MANAGER, password_hash="x")))
    yield found
    await database.stop()


async def opened(store: Store, login: str, digest: str) -> int:
    return await store.run(lambda desk: sessions.open_session(desk, login, digest, HERE))


async def visit(store: Store, login: str, digest: str) -> Visit | None:
    return await store.read(lambda conn: sessions.find_visit(conn, login, digest, store.clock.now()))


async def ended(store: Store) -> list[object]:
    """Which sessions the change feed says have ended."""
    rows = await store.read(lambda conn: feed.after(conn, 0, 1000))
    return [key for row in rows for table, key, _ in row.changes if table == SESSION_ENDED]


async def test_a_session_is_found_with_its_person_by_one_statement(store: Store) -> None:
    ident = await opened(store, "ivan", "a")
    now = store.clock.now()
    found = await visit(store, "ivan", "a")
    assert found is not None
    assert (found.id, found.kept.user.login, found.kept.password_hash, found.due) == (ident, "ivan", "x", False)
    world = cast("World", SimpleNamespace(store=store))
    asked = await seen(world, lambda conn: sessions.find_visit(conn, "ivan", "a", now))
    assert len(asked.statements) == 1
    assert asked.scans("user_session", "app_user") == [], asked.plans
    assert await visit(store, "ivan", "b") is None
    assert await visit(store, "olga", "a") is None, "a key opens nothing for another login"


async def test_one_ends_alone_and_every_node_hears_which(store: Store) -> None:
    first, second, hers = [
        await opened(store, login, key) for login, key in (("ivan", "a"), ("ivan", "b"), ("olga", "c"))
    ]
    assert not await store.run(lambda desk: sessions.end_session(desk, "olga", first)), "nobody ends another's"
    assert await store.run(lambda desk: sessions.end_session(desk, "ivan", first))
    assert not await store.run(lambda desk: sessions.end_session(desk, "ivan", first))
    assert await visit(store, "ivan", "a") is None
    assert await visit(store, "ivan", "b") is not None
    assert await ended(store) == [first]
    third = await opened(store, "ivan", "d")
    assert await store.run(lambda desk: sessions.end_sessions(desk, "ivan", but=third)) == 1
    assert await ended(store) == [first, second]
    at = store.clock.now()
    assert await store.read(lambda conn: sessions.standing(conn, {first, second, third, hers}, at)) == {third, hers}


async def test_of_many_who_end_one_one_does(store: Store) -> None:
    ident = await opened(store, "ivan", "a")
    done = await asyncio.gather(
        *(store.run(partial(sessions.end_session, login="ivan", ident=ident)) for _ in range(5))
    )
    assert done.count(True) == 1


def dismissed(desk: Desk) -> None:
    disable_user(desk, "ivan")


def another_password(desk: Desk) -> None:
    update_user(desk, "ivan", UserChange(password_hash="y"))


def left_everywhere(desk: Desk) -> None:
    entering.sign_out_everywhere(desk, "ivan")


def secured(desk: Desk) -> None:
    entering.set_factor(desk, "ivan", "sealed", 1, [])


@pytest.mark.parametrize("act", [dismissed, another_password, left_everywhere, secured])
async def test_what_shuts_a_person_out_leaves_no_row(store: Store, act: object) -> None:
    for login, key in (("ivan", "a"), ("ivan", "b"), ("olga", "c")):
        await opened(store, login, key)
    assert callable(act)
    await store.run(act)
    rows = await store.read(lambda conn: conn.exec_driver_sql("SELECT login FROM user_session").all())
    assert [row[0] for row in rows] == ["olga"]
    await store.run(lambda desk: update_user(desk, "ivan", UserChange(active=True)))
    assert await visit(store, "ivan", "a") is None, "nor does it come back with them"


async def test_a_change_that_shuts_nobody_out_ends_nothing(store: Store) -> None:
    await opened(store, "ivan", "a")
    await store.run(lambda desk: update_user(desk, "ivan", UserChange(role=Role.HEAD, name="Иван")))
    found = await visit(store, "ivan", "a")
    assert found is not None
    assert found.kept.user.role is Role.HEAD


async def test_a_person_has_only_so_many_and_the_least_seen_goes(store: Store) -> None:
    clock = store.clock
    assert isinstance(clock, DrivenClock)
    idents = []
    for number in range(MOST):
        idents.append(await opened(store, "ivan", f"key {number}"))
        clock.advance(timedelta(minutes=1))
    await store.database.write(lambda conn: sessions.keep_seen(conn, idents[0], HERE, clock.now()))
    await opened(store, "ivan", "one more")
    kept = await store.read(lambda conn: sessions.list_sessions(conn, somebody(store, conn), "ivan", clock.now()))
    assert len(kept) == MOST
    assert idents[0] in {each.id for each in kept}
    assert await ended(store) == [idents[1]]


async def test_time_ends_what_is_not_seen_and_the_sweep_takes_it_away(store: Store) -> None:
    clock = store.clock
    assert isinstance(clock, DrivenClock)
    ident = await opened(store, "ivan", "a")
    await opened(store, "ivan", "b")
    clock.advance(SEEN_KEPT_EVERY)
    found = await visit(store, "ivan", "a")
    assert found is not None
    assert found.due
    elsewhere = Place("203.0.113.9", "Safari/605")
    await store.database.write(lambda conn: sessions.keep_seen(conn, ident, elsewhere, clock.now()))
    clock.advance(LIFE - SEEN_KEPT_EVERY)
    assert await visit(store, "ivan", "b") is None
    (left,) = await store.read(lambda conn: sessions.list_sessions(conn, somebody(store, conn), "ivan", clock.now()))
    assert (left.id, left.place) == (ident, elsewhere)
    assert await store.database.write(lambda conn: sessions.sweep(conn, clock.now())) == 1
    clock.advance(SEEN_KEPT_EVERY)
    assert await store.database.write(lambda conn: sessions.sweep(conn, clock.now())) == 1
    await store.database.write(lambda conn: sessions.keep_seen(conn, ident, HERE, clock.now()))
    assert await visit(store, "ivan", "a") is None, "what has ended does not come back"


# ---------------------------------------------------------------- what was sent too late


async def test_what_is_kept_is_for_its_person_and_browser_and_taken_once(store: Store) -> None:
    clock = store.clock
    assert isinstance(clock, DrivenClock)
    await store.run(lambda desk: unsent.keep_unsent(desk, "ivan", "k", "sealed"))
    for login, digest, count in (("ivan", "k", 1), ("ivan", "other", 0), ("olga", "k", 0)):
        listed = await store.read(partial(unsent.list_unsent, login=login, digest=digest, at=clock.now()))
        assert len(listed) == count, (login, digest)
    (kept,) = await store.read(lambda conn: unsent.list_unsent(conn, "ivan", "k", clock.now()))
    for login, digest in (("olga", "k"), ("ivan", "other")):
        take = partial(unsent.take_unsent, login=login, digest=digest, ident=kept.id)
        assert await store.run(take) is None
    taken = await asyncio.gather(
        *(store.run(lambda desk: unsent.take_unsent(desk, "ivan", "k", kept.id)) for _ in range(5))
    )
    assert [each.sealed for each in taken if each is not None] == ["sealed"]
    with pytest.raises(NotFound):
        await store.run(lambda desk: unsent.keep_unsent(desk, "nobody", "k", "sealed"))


async def test_only_so_much_is_kept_and_only_so_long(store: Store) -> None:
    clock = store.clock
    assert isinstance(clock, DrivenClock)
    for number in range(unsent.MOST + 3):
        await store.run(partial(unsent.keep_unsent, login="ivan", digest="k", sealed=str(number)))
    listed = await store.read(lambda conn: unsent.list_unsent(conn, "ivan", "k", clock.now()))
    assert [each.sealed for each in listed] == ["3", "4", "5", "6", "7"]
    clock.advance(unsent.KEPT)
    assert await store.read(lambda conn: unsent.list_unsent(conn, "ivan", "k", clock.now())) == ()
    taken = await store.run(lambda desk: unsent.take_unsent(desk, "ivan", "k", listed[0].id))
    assert taken is None
    assert await store.database.write(lambda conn: unsent.sweep(conn, clock.now())) == unsent.MOST
