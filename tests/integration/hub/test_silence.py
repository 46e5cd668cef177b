"""A line that usually rings and does not is told once; nights, days off, outages and new lines tell nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, text

from crm_core.messages import ChannelKey
from crm_core.model.calendar import WorkingHours
from crm_core.model.call import CallState, Direction
from crm_core.model.line import Line
from crm_core.model.policy import AccountPolicy
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.storage import tables
from crm_core.storage.queries.alarms import calls_by_slot, slots_statement
from hub.workers import SilenceWatch
from tests.integration.http.world import PlayedChannel
from tests.integration.hub.world import World

PBX = ChannelKey("pbx", "office")
LINE = "+74951234567"
MOSCOW = ZoneInfo("Europe/Moscow")
DOWN = ChannelHealth(ChannelState.RECONNECTING, "refused")
UP = ChannelHealth(ChannelState.CONNECTED)
MONDAY = datetime(2026, 3, 30, tzinfo=MOSCOW)
DIALLED = ("4951234567", "84951234567", LINE)


class Line8:
    """A line with eight weeks behind it, dialled in several ways: four calls an hour, workdays from nine to six."""

    def __init__(self, world: World, *, weeks: int = 8, node: str = "one") -> None:
        self.world = world
        self.weeks = weeks
        self.channel = PlayedChannel(PBX)
        self.watch = self.again(node)
        self._next = 1

    def again(self, node: str = "one", *, wanted: bool = True) -> SilenceWatch:
        """A worker of this or of another node, or of the same after a restart."""
        store, clock, metrics = self.world.stores[0], self.world.clock, self.world.metrics
        return SilenceWatch(store, clock, metrics, {PBX: self.channel}, node, wanted=wanted)

    async def past(self) -> None:
        """Write the weeks down, until Monday midnight."""
        moments = []
        for quarter in range(self.weeks * 7 * 24 * 4, 0, -1):
            at = MONDAY - quarter * timedelta(minutes=15)
            if at.weekday() < 5 and 9 <= at.hour < 18:
                moments.append(at)
        await self.world.stores[0].database.write(lambda conn: self._write(conn, moments))

    async def ring(self) -> None:
        """Somebody calls now."""
        now = self.world.clock.now()
        await self.world.stores[0].database.write(lambda conn: self._write(conn, [now]))

    def _write(self, conn: Connection, moments: list[datetime]) -> None:
        rows = []
        for at in moments:
            self._next += 1
            rows.append(
                {
                    "id": self._next,
                    "pbx": "office",
                    "linkedid": f"c{self._next}",
                    "direction": Direction.IN,
                    "number": "+79161234567",
                    "line": DIALLED[self._next % 3],
                    "state": CallState.ANSWERED,
                    "progress": 6,
                    "started_at": at,
                    "wait_s": 1.0,
                    "talk_s": 1.0,
                    "cause": 16,
                    "cause_text": "",
                    "hung_up_by": "",
                    "wish_callback": False,
                    "rung": [],
                }
            )
        conn.execute(insert(tables.call), rows)

    async def until(self, when: datetime, *, calls_every: timedelta | None = None) -> None:
        """Let time pass with or without calls, in steps just small enough that the PBX counts as heard."""
        clock, last = self.world.clock, self.world.clock.now()
        while clock.now() < when:
            clock.advance(timedelta(seconds=175))
            if calls_every is not None and clock.now() - last >= calls_every:
                last = clock.now()
                await self.ring()
            await self.watch.turn()

    async def told(self) -> list[str]:
        sql = "SELECT payload ->> 'text' FROM outbox WHERE kind = 'notification' ORDER BY id"
        return [str(row[0]) for row in await self.world.rows(sql)]


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=MOSCOW)


def office_of(world: World, *, silence: bool = True, calendars: dict[str, WorkingHours] | None = None) -> None:
    store = world.stores[0]
    line = Line(LINE, "office", AccountPolicy(), silence=silence)
    store.office = replace(store.office, lines=(line,), calendars=calendars or {})


async def begun(world: World, *, weeks: int = 8) -> Line8:
    """Monday at nine, the first call has just come; the PBX has been heard for an hour."""
    line = Line8(world, weeks=weeks)
    await line.past()
    world.clock.set(moscow(30, 8))
    await line.until(moscow(30, 8, 58))
    world.clock.set(moscow(30, 9))
    await line.ring()
    await line.watch.turn()
    return line


async def test_an_unusual_silence_is_told_once_and_ended_by_the_next_call(world: World) -> None:
    office_of(world)
    line = await begun(world)
    await line.until(moscow(30, 11, 30))
    assert await line.told() == []
    await line.until(moscow(30, 13))
    (said,) = await line.told()
    assert said.startswith("Линия +74951234567 молчит с 30.03 09:00. Обычно за это время звонков: 1")
    await line.ring()
    await line.until(moscow(30, 13, 10))
    assert (await line.told())[1:] == ["На линию +74951234567 снова звонят. Молчала с 30.03 09:00"]
    assert await world.count("alarm", "ended_at IS NULL") == 0


async def test_usual_days_and_nights_tell_nothing(world: World) -> None:
    office_of(world)
    line = await begun(world)
    await line.until(moscow(30, 12), calls_every=timedelta(minutes=40))
    world.clock.set(moscow(31, 0))
    await line.watch.turn()
    await line.until(moscow(31, 1, 30))
    world.clock.set(moscow(31, 8, 58))
    await line.until(moscow(31, 9, 30))
    assert await line.told() == []


async def test_a_day_off_tells_nothing(world: World) -> None:
    off = WorkingHours("office", MOSCOW, {}, frozenset({date(2026, 3, 30)}))
    office_of(world, calendars={"office": off})
    line = await begun(world)
    await line.until(moscow(30, 14))
    assert await line.told() == []


async def test_a_new_line_tells_nothing(world: World) -> None:
    office_of(world)
    line = await begun(world, weeks=2)
    await line.until(moscow(30, 14))
    assert await line.told() == []


async def test_a_line_that_was_switched_off_or_a_hub_that_does_not_watch_tells_nothing(world: World) -> None:
    office_of(world, silence=False)
    line = await begun(world)
    await line.until(moscow(30, 13))
    assert await line.told() == []
    office_of(world)
    line.watch = line.again(wanted=False)
    await line.until(moscow(30, 14))
    assert await line.told() == []


async def test_switching_off_ends_an_alarm_without_a_word(world: World) -> None:
    office_of(world)
    line = await begun(world)
    await line.until(moscow(30, 14))
    assert len(await line.told()) == 1
    office_of(world, silence=False)
    line.watch = line.again()
    await line.until(moscow(30, 14, 10))
    assert len(await line.told()) == 1
    assert await world.count("alarm", "ended_at IS NULL") == 0


async def test_while_the_link_is_down_nobody_is_silent_and_the_outage_is_not_counted_afterwards(world: World) -> None:
    office_of(world)
    line = await begun(world)
    line.channel.health = DOWN
    await line.until(moscow(30, 13))
    assert await line.told() == []
    line.channel.health = UP
    await line.until(moscow(30, 15, 30))
    assert await line.told() == []
    await line.until(moscow(30, 16, 30))
    assert len(await line.told()) == 1


async def test_no_storm_after_the_hub_was_away(world: World) -> None:
    office_of(world)
    line = await begun(world)
    world.clock.set(moscow(31, 15))
    line.watch = line.again()
    await line.until(moscow(31, 16))
    assert await line.told() == []
    heard = await world.rows("SELECT value FROM channel_cursor WHERE name = 'heard'")
    assert "2026-03-31T12:02:55" in str(heard[0][0])


async def test_two_nodes_tell_it_once_and_only_what_one_of_them_hears(world: World) -> None:
    office_of(world)
    line = await begun(world)
    other = line.again("two")
    while world.clock.now() < moscow(30, 13, 30):
        world.clock.advance(timedelta(seconds=175))
        await line.watch.turn()
        await other.turn()
    assert len(await line.told()) == 1


async def test_a_pbx_that_is_not_configured_any_more_is_not_missed(world: World) -> None:
    office_of(world)
    line = await begun(world)
    store, clock, metrics = world.stores[0], world.clock, world.metrics
    line.watch = SilenceWatch(store, clock, metrics, {ChannelKey("pbx", "new"): PlayedChannel(PBX)}, "one")
    await line.until(moscow(30, 13))
    assert await line.told() == []


async def test_the_history_is_grouped_by_the_database_over_an_index(world: World) -> None:
    line = Line8(world, weeks=4)
    await line.past()
    store = world.stores[0]
    since = MONDAY - timedelta(weeks=1)
    found = await store.read(lambda conn: calls_by_slot(conn, None, since))
    assert set(found) == {("office", number) for number in DIALLED}
    assert sum(sum(each.slots.values()) for each in found.values()) == 5 * 9 * 4
    assert max(each.last for each in found.values()) == MONDAY - timedelta(days=2, hours=6, minutes=15)

    def plan(conn: Connection) -> str:
        engine = conn.dialect.name
        if engine == "postgresql":
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        statement = slots_statement(engine, since).compile(conn, compile_kwargs={"literal_binds": engine != "sqlite"})
        explain = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN "
        parameters = tuple(statement.construct_params().values()) if engine == "sqlite" else ()
        if engine == "sqlite":
            # The moment as the type keeps it.
            parameters = tuple(
                int(each.timestamp() * 1_000_000) if isinstance(each, datetime) else each for each in parameters
            )
        return "\n".join(str(row) for row in conn.exec_driver_sql(explain + str(statement), parameters))

    assert "ix_call_started_at" in await store.database.read(plan, at_length=True)
