"""Wake-ups between nodes through a real Redis, and life without it."""

from __future__ import annotations

import asyncio

from hub.nodes.wake import RedisWake
from tests.integration.hub.test_live_and_directory import until
from tests.patience import PATIENCE_S
from tests.peers.redis import RedisServer


class Node:
    """One node's end."""

    def __init__(self, url: str, name: str) -> None:
        self.heard = 0
        self.woken = asyncio.Event()
        self.wake = RedisWake(url, name, self._hear)

    def _hear(self) -> None:
        self.heard += 1
        self.woken.set()


async def test_a_commit_here_wakes_the_others_and_not_itself(redis_server: RedisServer) -> None:
    nodes = [Node(redis_server.url, f"node{number}") for number in range(3)]
    for node in nodes:
        await node.wake.start()
    await until(lambda: all(node.wake.connected for node in nodes))
    for node in nodes:
        node.woken.clear()
    before = nodes[0].heard
    nodes[0].wake.committed(7)
    async with asyncio.timeout(PATIENCE_S):
        await nodes[1].woken.wait()
        await nodes[2].woken.wait()
    assert nodes[0].heard == before
    for node in nodes:
        await node.wake.stop()


async def test_redis_may_die_and_come_back(own_redis: RedisServer) -> None:
    here, there = Node(own_redis.url, "here"), Node(own_redis.url, "there")
    await here.wake.start()
    await there.wake.start()
    await until(lambda: here.wake.connected and there.wake.connected)
    own_redis.kill()
    here.wake.committed(1)
    await until(lambda: not there.wake.connected and not here.wake.connected)
    own_redis.start()
    await until(lambda: there.wake.connected and here.wake.connected)
    there.woken.clear()
    here.wake.committed(2)
    async with asyncio.timeout(PATIENCE_S):
        await there.woken.wait()
    await here.wake.stop()
    await there.wake.stop()
