"""The feed in commit order and what lives by it: followers that miss nothing, the directory that decides on calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from crm_core.errors import StorageUnavailable
from crm_core.messages import DeviceState, RouteAction, RouteQuery, Verdict
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.records import ContactRecord, IdentityRecord, ListedNumberRecord
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive
from crm_core.storage.feed import FeedRow
from crm_core.storage.store import Store
from crm_core.storage.users import UserChange, update_user
from hub.nodes.live import Live
from hub.telephony.directory import Directory
from routing.dispatch import DispatchRules
from routing.presence import Presence
from tests.integration.hub.world import World, message
from tests.patience import PATIENCE_S

NUMBER = "+79161234567"


async def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 — what is waited for happens in other tasks' memory
            await asyncio.sleep(0.01)


async def take(store: Store, *numbers: int) -> None:
    events = [message(f"u{number}", number) for number in numbers]
    await store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies))


@pytest.fixture
async def live(world: World) -> AsyncIterator[Live]:
    live = Live(world.stores[0], poll_s=0.05)
    await live.start()
    yield live
    await live.stop()


async def test_a_follower_that_comes_back_misses_nothing(world: World, live: Live) -> None:
    start = live.position
    for number in range(1, 21):
        await take(world.stores[0], number)
    seen: list[FeedRow] = []
    async with asyncio.timeout(PATIENCE_S):
        async for row in live.follow(start):
            seen.append(row)
            if len(seen) == 7:
                break
    async with asyncio.timeout(PATIENCE_S):
        async for row in live.follow(seen[-1].position):
            seen.append(row)
            if len(seen) == 20:
                break
    contacts = [key for row in seen for table, key, _ in row.changes if table == "contact"]
    assert len(contacts) == len(set(contacts)) == 20
    assert [row.position for row in seen] == sorted(row.position for row in seen)


async def test_what_another_process_commits_is_seen(world: World, live: Live) -> None:
    start = live.position
    await take(world.store(), 1)
    async with asyncio.timeout(PATIENCE_S):
        async for row in live.follow(start):
            assert "contact" in {table for table, _, _ in row.changes}
            break


async def test_a_listener_that_breaks_keeps_the_others_waiting_but_for_a_moment(world: World) -> None:
    live, heard, tries = Live(world.stores[0], poll_s=0.01), [], []

    async def breaks(rows: list[FeedRow]) -> None:
        tries.append(rows[-1].position)
        raise LookupError

    async def hears(rows: list[FeedRow]) -> None:
        heard.append(rows[-1].position)

    live.listen(breaks)
    live.listen(hears)
    await live.start()
    await take(world.stores[0], 1)
    await until(lambda: live.passed_over > 0)
    await until(lambda: live.position == heard[-1])
    assert len(tries) > 2, "it is told again: it may have been of the moment"
    assert set(heard) == set(tries)
    await live.stop()


async def test_a_listener_is_told_later_what_was_passed_over(world: World) -> None:
    live, heard, broken = Live(world.stores[0], poll_s=0.01, retry_s=0.01), set[int](), [True]
    poison: list[int] = []

    async def hears(rows: list[FeedRow]) -> None:
        if broken[0] or any(each.position in poison for each in rows):
            raise LookupError
        heard.update(each.position for each in rows)

    live.listen(hears)
    await live.start()
    await take(world.stores[0], 1)
    await until(lambda: live.passed_over > 0)
    first = live.position
    await take(world.stores[0], 2)
    await until(lambda: live.position > first and live.passed_over > 1)
    poison.append(live.position)
    broken[0] = False
    await until(lambda: live.passed_over == 1)  # one that breaks it whatever is done keeps no other from it
    assert first in heard
    await take(world.stores[0], 3)
    await until(lambda: live.position in heard)  # nor those that come
    poison.clear()
    await until(lambda: live.passed_over == 0)
    await live.stop()


async def test_what_was_of_the_moment_is_told_again(world: World) -> None:
    live, heard = Live(world.stores[0], poll_s=0.01), []
    troubles = [StorageUnavailable("away")] * 20 + [LookupError("once")]

    async def hears(rows: list[FeedRow]) -> None:
        if troubles:
            raise troubles.pop()
        heard.append(rows[-1].position)

    live.listen(hears)
    await live.start()
    await take(world.stores[0], 1)
    await until(lambda: bool(heard))
    assert (live.passed_over, troubles) == (0, [])
    await live.stop()


async def test_positions_never_appear_behind_one_already_read(world: World, live: Live) -> None:
    """Two writers at full speed: whoever reads by position sees every row, in order, none late."""
    start = live.position
    seen: list[int] = []

    async def follow() -> None:
        async for row in live.follow(start):
            seen.append(row.position)  # noqa: PERF401 — it never ends by itself

    follower = asyncio.create_task(follow())
    stores = [world.store() for _ in range(3)]

    async def write(store: Store, base: int) -> None:
        for number in range(base, base + 30):
            await take(store, number)

    await asyncio.gather(*(write(store, 1000 * index) for index, store in enumerate(stores, start=1)))
    await until(lambda: len(seen) >= 90)
    follower.cancel()
    await asyncio.gather(follower, return_exceptions=True)
    stored = [
        int(str(row[0])) for row in await world.rows(f"SELECT position FROM feed WHERE position > {start} ORDER BY 1")
    ]
    assert seen == stored
    assert await world.rows("SELECT count(*), count(DISTINCT seq) FROM timeline") == [(90, 90)]


@pytest.fixture
async def directory(world: World) -> AsyncIterator[tuple[Directory, Presence, Live]]:
    presence = Presence(world.clock)
    live = Live(world.stores[0], poll_s=0.05)
    directory = Directory(world.stores[0], live, world.clock, presence, DispatchRules())
    await live.start()
    await directory.start()
    yield directory, presence, live
    await live.stop()


async def client(world: World, number: str = NUMBER, manager: str | None = "ivan") -> int:
    identity = Identity(IdentityKind.TEL, number)

    def service(desk: Desk) -> int:
        contact = ContactRecord(desk.work.next_id(), "Анна", desk.now, desk.now, "анна", manager=manager)
        desk.work.put(contact)
        desk.work.put(IdentityRecord(str(identity), contact.id, "test", desk.now))
        return contact.id

    return await world.stores[0].run(service)


async def at(store: Store, service: Callable[[Desk], object]) -> int | None:
    _, position = await store.run_at(service)
    return position


Given = tuple[Directory, Presence, Live]
Act = Callable[[], Awaitable[object]]


async def test_the_directory_follows_every_change(world: World, directory: Given) -> None:
    router, presence, live = directory
    store = world.stores[0]
    await at(store, lambda desk: update_user(desk, "ivan", UserChange(extension="101")))
    contact = await client(world)
    await until(lambda: router.route(RouteQuery("office", NUMBER, "")).contact_id == contact)
    assert router.route(RouteQuery("office", "8 (916) 123-45-67", "")).endpoints == ("PJSIP/101",)

    presence.device("office", "PJSIP/101", DeviceState.BUSY)
    assert router.route(RouteQuery("office", NUMBER, "")).trace[0].verdict is Verdict.BUSY
    presence.forget("office")
    assert router.route(RouteQuery("office", NUMBER, "")).endpoints == ("PJSIP/101",)

    position = await at(store, lambda desk: update_user(desk, "ivan", UserChange(do_not_disturb=True)))
    assert await live.reached(position)
    assert router.route(RouteQuery("office", NUMBER, "")).trace[0].verdict is Verdict.DO_NOT_DISTURB

    moved = await at(
        store,
        lambda desk: desk.work.put(desk.work.contact(contact)._replace(list_name="чёрный список", manager=None)),
    )
    assert await router.caught_up(moved)
    assert router.route(RouteQuery("office", NUMBER, "")).contact_id == contact


async def test_bare_numbers_on_a_list_count(world: World, directory: Given) -> None:
    router, _, live = directory
    store = world.stores[0]
    row = ListedNumberRecord(f"tel:{NUMBER}", "соискатели", "резюме", "ivan", world.clock.now())
    assert await live.reached(await at(store, lambda desk: desk.work.put(row)))
    assert router._caller(NUMBER).list_name == "соискатели"
    assert await live.reached(await at(store, lambda desk: desk.work.remove(ListedNumberRecord, row.key)))
    assert router._caller(NUMBER).list_name is None


async def test_a_question_asked_again_gets_the_same_answer(world: World, directory: Given) -> None:
    router, presence, live = directory
    await at(world.stores[0], lambda desk: update_user(desk, "ivan", UserChange(extension="101")))
    assert await live.reached(
        await at(world.stores[0], lambda desk: update_user(desk, "kira", UserChange(extension="102")))
    )
    await client(world)
    await until(lambda: bool(router.route(RouteQuery("office", NUMBER, "")).contact_id))
    first = router.route(RouteQuery("office", NUMBER, "", 0, "call-1"))
    presence.device("office", "PJSIP/101", DeviceState.BUSY)
    assert router.route(RouteQuery("office", NUMBER, "", 0, "call-1")) == first
    second = router.route(RouteQuery("office", NUMBER, "", 1, "call-1"))
    assert second.endpoints == ("PJSIP/102",)
    # After a restart nothing is remembered: the second attempt still does not ring the first one's telephone.
    presence.forget("office")
    assert router.route(RouteQuery("office", NUMBER, "", 1, "call-2")).endpoints == ("PJSIP/102",)


async def test_explaining_has_no_effect(world: World, directory: Given) -> None:
    router, _, live = directory
    assert await live.reached(
        await at(world.stores[0], lambda desk: update_user(desk, "ivan", UserChange(extension="101")))
    )
    before = await world.count("route_decision")
    steps = router.explain("+79990000000", "")
    assert [step.action for step in steps] == [RouteAction.DIAL, RouteAction.CALLBACK]
    assert await world.count("route_decision") == before


async def test_a_removed_identity_is_forgotten(world: World, directory: Given) -> None:
    router, _, live = directory
    contact = await client(world)
    await until(lambda: router._caller(NUMBER).contact_id == contact)

    def service(desk: Desk) -> None:
        desk.work.identities([contact])
        desk.work.remove(IdentityRecord, f"tel:{NUMBER}")
        desk.work.changed("identity.removed", 0, contact)

    assert await live.reached(await at(world.stores[0], service))
    assert router._caller(NUMBER).contact_id is None
