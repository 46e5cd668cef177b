"""Patience with whoever guesses: on one node, on several that share a Redis, and while it is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hub.access.throttle import Guessed, Patience, Throttle
from tests.fakes.clock import DrivenClock
from tests.peers.redis import RedisServer

_FEW = Patience(per_person=3, per_place=10, window=timedelta(minutes=5))


async def guess(throttle: Throttle, login: str = "ivan", place: str = "10.0.0.1", times: int = 1) -> float:
    """Fail so many times; how long is to be waited at the last."""
    wait = 0.0
    for _ in range(times):
        wait = (await throttle.attempt(Guessed.PASSWORD, login, place)).wait_s
    return wait


@pytest.fixture(params=["alone", "shared"])
async def throttle(request: pytest.FixtureRequest, clock: DrivenClock) -> AsyncIterator[Throttle]:
    server: RedisServer | None = request.getfixturevalue("own_redis") if request.param == "shared" else None
    found = Throttle(clock, server.url if server is not None else None, _FEW)
    yield found
    await found.close()


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


async def test_too_many_failures_of_a_person_wait_out_the_window(throttle: Throttle, clock: DrivenClock) -> None:
    for _ in range(3):
        assert await guess(throttle) == 0
        clock.advance(10)
    assert await guess(throttle) == 300 - 30
    assert await guess(throttle, place="10.0.0.2") == 0, "the real Ivan elsewhere is not locked out"
    assert await guess(throttle, "olga") == 0
    clock.advance(270)
    assert await guess(throttle) == 0


async def test_success_forgets_the_persons_failures_and_not_the_places(clock: DrivenClock) -> None:
    throttle = Throttle(clock, patience=Patience(per_person=2, per_place=3))
    await guess(throttle)
    attempt = await throttle.attempt(Guessed.PASSWORD, "ivan", "10.0.0.1")
    await throttle.succeeded(attempt)
    assert await guess(throttle) == 0
    assert await guess(throttle, "olga") == 0, "the attempt that turned out well does not count"
    assert await guess(throttle, "petr") > 0, "somebody tries all names in turn"


async def test_codes_count_wherever_they_are_tried_and_apart_from_passwords(throttle: Throttle) -> None:
    waits = [(await throttle.attempt(Guessed.CODE, "ivan", f"10.0.0.{number}")).wait_s for number in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] > 0
    assert await guess(throttle) == 0


async def test_the_many_addresses_of_one_network_of_ipv6_are_one_place(throttle: Throttle) -> None:
    waits = [await guess(throttle, place=f"2001:db8:1:2::{number:x}") for number in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] > 0, "whoever has one such address has all of its network"
    assert await guess(throttle, place="2001:db8:1:3::1") == 0
    assert await guess(throttle, place="::ffff:10.0.0.1", times=3) == 0
    assert await guess(throttle, place="10.0.0.1") > 0, "the same machine, whichever way it is written"
    assert await guess(throttle, place="") == 0


async def test_nodes_count_together_and_each_for_itself_while_redis_is_away(
    own_redis: RedisServer, clock: DrivenClock
) -> None:
    here, there = Throttle(clock, own_redis.url, _FEW), Throttle(clock, own_redis.url, _FEW)
    await guess(here, times=2)
    assert await guess(there) == 0
    assert await guess(there) > 0
    assert await guess(here) > 0
    attempt = await here.attempt(Guessed.PASSWORD, "olga", "10.0.0.1")
    await here.succeeded(attempt)
    own_redis.freeze()
    assert await guess(here, "petr", "10.0.0.9") == 0
    assert await guess(here, "petr", "10.0.0.9", times=3) > 0, "alone it counts too"
    own_redis.thaw()
    clock.advance(timedelta(seconds=10))
    assert await guess(there, "petr", "10.0.0.9") == 0, "what was guessed meanwhile this one did not hear"
    await here.close()
    await there.close()


async def test_old_failures_take_no_memory(clock: DrivenClock) -> None:
    throttle = Throttle(clock)
    for number in range(300):
        await guess(throttle, f"guess{number}", f"10.0.{number // 256}.{number % 256}")
    clock.advance(timedelta(hours=1))
    await guess(throttle, "last", "x")
    assert throttle.known == 2


async def test_neither_logins_nor_addresses_stand_in_redis(own_redis: RedisServer, clock: DrivenClock) -> None:
    throttle = Throttle(clock, own_redis.url)
    attempt = await throttle.attempt(Guessed.PASSWORD, "ivan", "10.0.0.1")
    assert "ivan" not in attempt.person
    assert "10.0.0.1" not in attempt.place
    await throttle.close()
