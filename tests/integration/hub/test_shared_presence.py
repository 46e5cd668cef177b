"""What telephones do, told from the node that owns the link to the others, through a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from crm_core.messages import DeviceState, Verdict
from hub.nodes.shared_presence import SharedPresence
from routing.presence import BELIEVED_S, Presence
from tests.fakes.clock import DrivenClock
from tests.integration.hub.test_live_and_directory import until
from tests.peers.redis import RedisServer

PBX, PHONE = "office", "PJSIP/101"


class Nodes:
    """Nodes of one hub, each with its own presence; the clock is one."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = DrivenClock()
        self._stack = AsyncExitStack()
        self._count = 0

    async def node(self, *, repeat_s: float = 60.0) -> tuple[Presence, SharedPresence]:
        """One more."""
        self._count += 1
        presence = Presence(self.clock, {PBX: timedelta(seconds=10)})
        shared = SharedPresence(self.url, f"node{self._count}", presence, repeat_s)
        await shared.start()
        self._stack.push_async_callback(shared.stop)
        await until(lambda: shared.connected)
        return presence, shared

    async def close(self) -> None:
        """Stop them."""
        await self._stack.aclose()


@pytest.fixture
async def nodes(own_redis: RedisServer) -> AsyncIterator[Nodes]:
    found = Nodes(own_redis.url)
    yield found
    await found.close()


async def test_changes_are_told_at_once(nodes: Nodes) -> None:
    (owner, _), (other, _) = await nodes.node(), await nodes.node()
    owner.device(PBX, PHONE, DeviceState.BUSY)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.BUSY)
    owner.paused(PBX, PHONE, "sales", paused=True)
    nodes.clock.advance(5)
    owner.device(PBX, PHONE, DeviceState.IDLE)
    await until(lambda: other.phone(PBX, PHONE) == owner.phone(PBX, PHONE))
    assert other.verdict(PBX, PHONE, nodes.clock.now()) is Verdict.PAUSED
    owner.paused(PBX, PHONE, "sales", paused=False)
    await until(lambda: other.verdict(PBX, PHONE, nodes.clock.now()) is Verdict.WRAP_UP)
    assert other.owned() == frozenset()


async def test_who_comes_later_asks(nodes: Nodes) -> None:
    owner, _ = await nodes.node()
    owner.device(PBX, PHONE, DeviceState.UNREACHABLE)
    other, _ = await nodes.node()
    await until(lambda: other.state(PBX, PHONE) is DeviceState.UNREACHABLE)


async def test_a_lost_link_is_told(nodes: Nodes) -> None:
    (owner, _), (other, _) = await nodes.node(), await nodes.node()
    owner.device(PBX, PHONE, DeviceState.BUSY)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.BUSY)
    owner.forget(PBX)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.UNKNOWN)


async def test_an_owner_that_is_gone_is_not_believed_for_long(nodes: Nodes) -> None:
    (owner, shared), (other, _) = await nodes.node(), await nodes.node()
    owner.device(PBX, PHONE, DeviceState.BUSY)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.BUSY)
    await shared.stop()
    nodes.clock.advance(BELIEVED_S)
    assert other.state(PBX, PHONE) is DeviceState.UNKNOWN
    assert other.free(PBX, PHONE)


async def test_a_living_owner_is_believed_on(nodes: Nodes) -> None:
    owner, _ = await nodes.node(repeat_s=0.05)
    other, _ = await nodes.node()
    owner.device(PBX, PHONE, DeviceState.BUSY)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.BUSY)
    nodes.clock.advance(BELIEVED_S * 2)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.BUSY)


async def test_redis_may_die_and_come_back(nodes: Nodes, own_redis: RedisServer) -> None:
    (owner, there), (other, here) = await nodes.node(), await nodes.node()
    owner.device(PBX, PHONE, DeviceState.BUSY)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.BUSY)
    own_redis.kill()
    owner.device(PBX, PHONE, DeviceState.UNREACHABLE)
    await until(lambda: not here.connected and not there.connected)
    own_redis.start()
    await until(lambda: other.state(PBX, PHONE) is DeviceState.UNREACHABLE)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"node": "x"}',
        b'{"node": "x", "pbx": "office", "whole": true, "phones": {"PJSIP/101": ["sleeping", null, [], null]}}',
        b'{"node": "x", "pbx": "office", "whole": true, "phones": {"PJSIP/101": []}}',
    ],
)
async def test_nonsense_is_passed_over(nodes: Nodes, own_redis: RedisServer, junk: bytes) -> None:
    (owner, _), (other, _) = await nodes.node(), await nodes.node()
    redis = Redis.from_url(own_redis.url)
    await redis.publish("hub:presence", junk)
    await redis.aclose()
    owner.device(PBX, PHONE, DeviceState.BUSY)
    await until(lambda: other.state(PBX, PHONE) is DeviceState.BUSY)
