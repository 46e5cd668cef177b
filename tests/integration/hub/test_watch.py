"""Links that stay down are told to the administrators, once, also across restarts and among several nodes."""

from __future__ import annotations

from datetime import timedelta

from crm_core.messages import ChannelKey
from crm_core.model.alarm import AlarmKind
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.storage import leases
from hub.workers import Watch
from tests.integration.http.world import PlayedChannel
from tests.integration.hub.world import World

PBX = ChannelKey("pbx", "office")
AFTER = timedelta(minutes=2)
DOWN = ChannelHealth(ChannelState.RECONNECTING, "connection refused")
UP = ChannelHealth(ChannelState.CONNECTED)
NOT_MINE = ChannelHealth(ChannelState.CONNECTING, "another node owns the link")


def watch(world: World, channel: PlayedChannel, node: str = "one") -> Watch:
    return Watch(world.stores[0], world.clock, world.metrics, {channel.key: channel}, node, AFTER)


async def told(world: World) -> list[str]:
    rows = await world.rows("SELECT payload ->> 'text' FROM outbox WHERE kind = 'notification' ORDER BY id")
    return [str(row[0]) for row in rows]


async def own(world: World, node: str) -> None:
    await world.stores[0].database.write(lambda conn: leases.acquire(conn, str(PBX), node, timedelta(hours=1)))


async def test_a_link_that_stays_down_is_told_after_a_while_and_so_is_its_return(world: World) -> None:
    channel = PlayedChannel(PBX)
    watching = watch(world, channel)
    await watching.turn()
    channel.health = DOWN
    await watching.turn()
    world.clock.advance(AFTER - timedelta(seconds=1))
    await watching.turn()
    assert await told(world) == []
    for _ in range(3):
        world.clock.advance(1)
        await watching.turn()
    assert await told(world) == ["Нет связи: pbx:office, с 02.03 12:00. reconnecting: connection refused"]
    assert world.metrics.alarms.labels("link_down")._value.get() == 1
    channel.health = UP
    for _ in range(3):
        await watching.turn()
    assert (await told(world))[1:] == ["Связь восстановлена: pbx:office. Не было с 02.03 12:00"]
    assert world.metrics.alarms.labels("link_down")._value.get() == 0


async def test_a_short_interruption_is_nobodys_trouble(world: World) -> None:
    channel = PlayedChannel(PBX)
    watching = watch(world, channel)
    for _ in range(10):
        channel.health = DOWN
        await watching.turn()
        world.clock.advance(AFTER - timedelta(seconds=1))
        channel.health = UP
        await watching.turn()
        world.clock.advance(1)
    assert await told(world) == []
    assert await world.count("alarm") == 0


async def test_wrong_credentials_count_as_down(world: World) -> None:
    channel = PlayedChannel(PBX)
    channel.health = ChannelHealth(ChannelState.BAD_CREDENTIALS, "refused")
    watching = watch(world, channel)
    await watching.turn()
    world.clock.advance(AFTER)
    await watching.turn()
    assert await told(world) == ["Нет связи: pbx:office, с 02.03 12:00. bad_credentials: refused"]


async def test_a_link_with_a_lasting_trouble_is_told_and_so_is_its_end(world: World) -> None:
    channel = PlayedChannel(PBX)
    channel.health = ChannelHealth(ChannelState.CONNECTED, "DBPut: Permission denied", trouble=True)
    watching = watch(world, channel)
    await watching.turn()
    assert await told(world) == []
    world.clock.advance(AFTER)
    await watching.turn()
    assert await told(world) == ["Нет связи: pbx:office, с 02.03 12:00. it is there, but: DBPut: Permission denied"]
    channel.health = ChannelHealth(ChannelState.CONNECTED, "a hint that is no trouble")
    await watching.turn()
    assert len(await told(world)) == 2
    assert await world.count("alarm", "ended_at IS NULL") == 0


async def test_an_alarm_survives_a_restart(world: World) -> None:
    channel = PlayedChannel(PBX)
    channel.health = DOWN
    before = watch(world, channel)
    await before.turn()
    world.clock.advance(AFTER)
    await before.turn()
    after = watch(world, channel)
    await after.turn()
    world.clock.advance(AFTER)
    await after.turn()
    assert len(await told(world)) == 1
    again = watch(world, channel)
    channel.health = UP
    await again.turn()
    assert await world.count("alarm", "ended_at IS NULL") == 0
    assert len(await told(world)) == 2


async def test_the_owner_of_the_link_judges_it_and_nobody_else(world: World) -> None:
    await own(world, "one")
    mine, theirs = PlayedChannel(PBX), PlayedChannel(PBX)
    theirs.health = NOT_MINE
    owner, other = watch(world, mine, "one"), watch(world, theirs, "two")
    for _ in range(3):
        await owner.turn()
        await other.turn()
        world.clock.advance(AFTER)
    assert await told(world) == []
    mine.health = DOWN
    for _ in range(3):
        await owner.turn()
        await other.turn()
        world.clock.advance(AFTER)
    assert len(await told(world)) == 1
    # A node that can't own the link must not take what it does not see for an end.
    theirs.health = UP
    await other.turn()
    assert await world.count("alarm", "ended_at IS NULL") == 1
    await world.stores[0].database.write(lambda conn: leases.release(conn, str(PBX), "one"))
    await own(world, "two")
    await other.turn()
    assert await world.count("alarm", "ended_at IS NULL") == 0


async def test_an_account_that_is_being_stopped_is_no_trouble(world: World) -> None:
    channel = PlayedChannel(PBX)
    channel.health = ChannelHealth(ChannelState.STOPPED)
    watching = watch(world, channel)
    await watching.turn()
    world.clock.advance(AFTER * 2)
    await watching.turn()
    assert await world.count("alarm") == 0
    assert set(world.metrics.alarms._metrics) == {(kind.value,) for kind in AlarmKind}
