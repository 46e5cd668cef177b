"""The channel on which nodes hear each other, through a real Redis that is lost and found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from hub.nodes import node_channel
from hub.nodes.node_channel import NodeChannel
from tests.integration.hub.test_live_and_directory import until
from tests.patience import PATIENCE_S
from tests.peers.redis import RedisServer

_QUIET_S = 0.2


class Heard:
    """What a node heard on its channel, and how often it joined it."""

    def __init__(self, url: str) -> None:
        self.said: list[bytes] = []
        self.joined = 0
        self.channel = NodeChannel(url, "hub:test", self.said.append, self._join, _QUIET_S)

    def _join(self) -> None:
        self.joined += 1


@pytest.fixture
async def node(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Heard]:
    monkeypatch.setattr(node_channel, "_AGAIN_S", 0.05)
    heard = Heard(own_redis.url)
    await heard.channel.start()
    await until(lambda: heard.channel.connected)
    yield heard
    await heard.channel.stop()


async def test_what_is_said_is_heard(node: Heard) -> None:
    assert await node.channel.say("one", "two")
    await until(lambda: node.said == [b"one", b"two"])
    assert node.joined == 1


async def test_a_link_that_is_taken_up_again_in_silence_is_joined_anew(node: Heard, own_redis: RedisServer) -> None:
    async with Redis.from_url(own_redis.url) as admin:
        assert await admin.client_kill_filter(_type="pubsub") == 1
        await until(lambda: node.joined == 2)
    assert await node.channel.say("again")
    await until(lambda: node.said == [b"again"])


async def test_a_quiet_channel_stays_joined(node: Heard, own_redis: RedisServer) -> None:
    async with Redis.from_url(own_redis.url) as admin, asyncio.timeout(PATIENCE_S):
        while (await admin.info("commandstats")).get("cmdstat_ping", {"calls": 0})["calls"] < 5:  # noqa: ASYNC110 - a number of another process
            await asyncio.sleep(0.02)
    assert (node.channel.connected, node.joined) == (True, 1)


async def test_a_link_on_which_nothing_is_answered_is_lost(node: Heard, own_redis: RedisServer) -> None:
    own_redis.freeze()
    try:
        await until(lambda: not node.channel.connected)
    finally:
        own_redis.thaw()
    await until(lambda: node.channel.connected)
    assert await node.channel.say("back")
    await until(lambda: node.said == [b"back"])
