"""Alarms: one open for each trouble, told when they begin, daily while they last, and when they are over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from crm_core.model.alarm import AlarmKind
from crm_core.model.records import AlarmRecord
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import end_alarm, raise_alarm
from tests.fakes.clock import START
from tests.integration.storage.world import World

DOWN = AlarmKind.LINK_DOWN


async def texts(world: World) -> list[str]:
    return [row.payload["text"] for row in await world.rows("outbox", kind="notification")]


async def test_a_trouble_is_told_once_however_often_it_is_raised(world: World) -> None:
    first = await world.store.run(lambda desk: raise_alarm(desk, DOWN, "pbx:office", "refused"))
    world.clock.advance(timedelta(hours=1))
    again = await world.store.run(lambda desk: raise_alarm(desk, DOWN, "pbx:office", "no answer"))
    assert (again.id, again.since, again.detail) == (first.id, START, "no answer")
    (row,) = await world.rows("alarm")
    assert (row.detail, row.told_at, row.ended_at) == ("no answer", START, None)
    assert await texts(world) == ["Нет связи: pbx:office, с 02.03 12:00. refused"]
    # The office of this test has no administrator: the director stands in.
    assert {row.payload["login"] for row in await world.rows("outbox", kind="notification")} == {"dir"}


async def test_after_a_day_it_is_told_again_and_once(world: World) -> None:
    for _ in range(49):
        await world.store.run(lambda desk: raise_alarm(desk, DOWN, "pbx:office", "refused"))
        world.clock.advance(timedelta(hours=1))
    assert len(await texts(world)) == 3


async def test_the_end_is_told_and_the_next_trouble_is_a_new_one(world: World) -> None:
    first = await world.store.run(lambda desk: raise_alarm(desk, DOWN, "pbx:office", "refused"))
    world.clock.advance(60)
    ended = await world.store.run(lambda desk: end_alarm(desk, DOWN, "pbx:office"))
    assert ended is not None
    assert ended.ended_at == START + timedelta(seconds=60)
    assert await world.store.run(lambda desk: end_alarm(desk, DOWN, "pbx:office")) is None
    second = await world.store.run(lambda desk: raise_alarm(desk, DOWN, "pbx:office", "refused"))
    assert second.id != first.id
    assert await texts(world) == [
        "Нет связи: pbx:office, с 02.03 12:00. refused",
        "Связь восстановлена: pbx:office. Не было с 02.03 12:00",
        "Нет связи: pbx:office, с 02.03 12:01. refused",
    ]


async def test_troubles_of_different_kinds_and_subjects_stand_side_by_side(world: World) -> None:
    def service(desk: Desk) -> list[AlarmRecord]:
        raise_alarm(desk, DOWN, "pbx:office", "refused")
        raise_alarm(desk, DOWN, "pbx:branch", "refused")
        raise_alarm(desk, AlarmKind.RECORDINGS, "pbx:office", "the disk is full")
        end_alarm(desk, DOWN, "pbx:branch")
        return desk.work.open_alarms(DOWN)

    assert [each.subject for each in await world.store.run(service)] == ["pbx:office"]
    open_now = await world.rows("alarm", ended_at=None)
    assert {(row.kind, row.subject) for row in open_now} == {
        (DOWN, "pbx:office"),
        (AlarmKind.RECORDINGS, "pbx:office"),
    }


@pytest.mark.parametrize("act", ["begins", "ends"])
async def test_two_nodes_that_see_the_same_tell_it_once(world: World, second: World, act: str) -> None:
    def begins(desk: Desk) -> object:
        return raise_alarm(desk, DOWN, "pbx:office", "refused")

    def ends(desk: Desk) -> object:
        return end_alarm(desk, DOWN, "pbx:office")

    if act == "ends":
        await world.store.run(begins)
    service = begins if act == "begins" else ends
    await asyncio.gather(*(each.store.run(service) for each in (world, second, world, second)))
    assert len(await texts(world)) == (1 if act == "begins" else 2)
    assert len(await world.rows("alarm")) == 1
