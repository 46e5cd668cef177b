"""A day compared with the PBX's records: what is missing comes in, what can't is told; each night by itself, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm_core.errors import StorageUnavailable
from crm_core.messages import (
    CallChanged,
    ChannelKey,
    DeliveryReceipt,
    InboundEvent,
    OutboundMessage,
    Receipt,
    Sender,
)
from crm_core.model.alarm import AlarmKind
from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction
from crm_core.model.identity import Identity, IdentityKind
from crm_core.ports import ChannelHealth, ChannelState, InboundSink, RecordedCalls
from crm_core.services.intake.receive import receive
from crm_core.storage.queries import reconciliation
from crm_core.storage.queries.pages import Slice
from crm_core.storage.store import Store
from hub.nodes.leases import DatabaseLease
from hub.telephony.reconciling import Reconciler
from hub.workers.reconciling import ReconcilingWorker
from tests.integration.hub.world import World
from tests.looking import somebody

KEY = ChannelKey("pbx", "office")
MOSCOW = ZoneInfo("Europe/Moscow")


class Sink:
    """Takes facts into a store, unless it is told to lose them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lost = False
        self.taken: list[str] = []

    async def receive(self, event: InboundEvent) -> Receipt:
        return (await self.receive_many([event]))[0]

    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        self.taken += [event.external_id for event in events]
        if self.lost:
            return []
        return await self._store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies))


class Exchange:
    """A PBX with call records."""

    key = KEY
    health = ChannelHealth(ChannelState.CONNECTED)
    keeps_records = True

    def __init__(self) -> None:
        self.events: list[InboundEvent] = []
        self.internal = 0
        self.unreadable: tuple[str, ...] = ()
        self.asked: list[tuple[datetime, datetime]] = []
        self.away = False

    async def recorded(self, since: datetime, until: datetime) -> AsyncIterator[RecordedCalls]:
        self.asked.append((since, until))
        if self.away:
            raise StorageUnavailable("the records are away")
        found = [event for event in self.events if since <= _call(event).started_at < until]
        yield RecordedCalls(tuple(found[:2]), self.internal)
        yield RecordedCalls(tuple(found[2:]), unreadable=self.unreadable)

    async def start(self, sink: InboundSink) -> None:
        raise AssertionError("not asked for")

    async def stop(self) -> None:
        raise AssertionError("not asked for")

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        raise AssertionError("not asked for")


def _call(event: InboundEvent) -> CallSnapshot:
    assert isinstance(event.payload, CallChanged)
    return event.payload.call


def call(number: int, at: datetime, *, by: str | None = None, over: bool = True, settled: bool = True) -> InboundEvent:
    linkedid, phone = f"{int(at.timestamp())}.{number}", f"7916{number:07}"
    answered = at + timedelta(seconds=5) if by is not None else None
    state = CallState.ANSWERED if by is not None else CallState.MISSED if over else CallState.RINGING
    ended = at + timedelta(seconds=30) if over else None
    snapshot = CallSnapshot(
        *(linkedid, Direction.IN, phone, "+74951234567", state, at),
        answered_at=answered,
        finished_at=ended,
        answered_by=by,
        legs=(CallLeg(by or "PJSIP/101", at, answered, ended),),
        settled=settled,
    )
    name = "reconciled-1" if settled else "finished" if over else "started"
    return InboundEvent(
        *(
            KEY,
            f"{linkedid}:{name}",
            phone,
            at,
            Sender((Identity(IdentityKind.TEL, f"+{phone}"),)),
            CallChanged(snapshot),
        ),
        raw=b"x",
        correlation_id=linkedid,
    )


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def sink(world: World) -> Sink:
    return Sink(world.stores[0])


def _noon(world: World, days_ago: int = 0) -> datetime:
    now = world.clock.now().astimezone(MOSCOW)
    return (now - timedelta(days=days_ago)).replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)


async def _alarms(world: World) -> list[tuple[object, ...]]:
    return await world.rows("SELECT kind, subject, detail, ended_at IS NULL FROM alarm ORDER BY id")


async def test_every_call_is_equal_settled_or_missing(world: World, exchange: Exchange, sink: Sink) -> None:
    at = _noon(world, 1)
    seen = [
        call(1, at, by="PJSIP/101", settled=False),
        call(2, at, settled=False),
        call(3, at, over=False, settled=False),
        call(4, at, settled=False),
        call(5, at, by="PJSIP/101", settled=False),
        call(6, at, by="PJSIP/101", settled=False),
    ]
    await sink.receive_many(seen)
    sink.taken.clear()
    exchange.internal = 7
    exchange.events = [
        call(1, at, by="PJSIP/101"),
        call(2, at),
        call(3, at),  # its end was not seen
        call(4, at, by="PJSIP/102"),  # nor this one's answer
        call(5, at, by="PJSIP/103"),  # the hub saw for itself who talked
        call(6, at),  # and that somebody did
        call(7, at, by="PJSIP/101"),  # not seen at all
    ]
    reconciler = Reconciler(world.stores[0], sink, world.clock, MOSCOW)
    day = at.astimezone(MOSCOW).date()
    tally = await reconciler.day(exchange, day)
    assert (tally.calls, tally.equal, tally.settled, tally.missing, tally.internal) == (7, 4, 3, 0, 7)
    assert [(each["linkedid"].rpartition(".")[2], each["outcome"], each["why"]) for each in tally.details] == [
        *(("3", "settled", "unfinished"), ("4", "settled", "answered"), ("5", "equal", "differs")),
        *(("6", "equal", "differs"), ("7", "settled", "unknown")),
    ]
    assert await world.count("call", "finished_at IS NULL") == 0
    assert await world.count("call", "endpoint = 'PJSIP/102'") == 1

    sink.taken.clear()
    again = await reconciler.day(exchange, day)
    assert (again.calls, again.equal, again.settled, again.missing) == (7, 7, 0, 0)
    assert sink.taken == []
    assert await _alarms(world) == []
    store = world.stores[0]
    page = await store.read(lambda conn: reconciliation.list_reconciliations(conn, somebody(store, conn), Slice()))
    assert [(record.day, record.settled) for record in page.items] == [(day.isoformat(), 0), (day.isoformat(), 3)]


async def test_a_call_that_can_not_be_brought_in_raises_an_alarm_until_it_is(
    world: World, exchange: Exchange, sink: Sink
) -> None:
    at = _noon(world, 1)
    exchange.events = [call(1, at), call(2, at)]
    reconciler = Reconciler(world.stores[0], sink, world.clock, MOSCOW)
    day = at.astimezone(MOSCOW).date()
    sink.lost = True
    tally = await reconciler.day(exchange, day)
    assert (tally.settled, tally.missing) == (0, 2)
    ((kind, subject, detail, lasts),) = await _alarms(world)
    assert (kind, subject, detail, bool(lasts)) == (AlarmKind.CALLS_MISSING, f"pbx:office {day}", "2 / 2", True)
    sink.lost = False
    assert (await reconciler.day(exchange, day)).missing == 0
    assert not (await _alarms(world))[0][3]


async def test_a_record_that_can_not_be_read_is_no_proof(world: World, exchange: Exchange, sink: Sink) -> None:
    at = _noon(world, 1)
    exchange.events = [call(1, at)]
    exchange.unreadable = ('"","7916',)
    day = at.astimezone(MOSCOW).date()
    reconciler = Reconciler(world.stores[0], sink, world.clock, MOSCOW)
    tally = await reconciler.day(exchange, day)
    assert (tally.calls, tally.missing, tally.unreadable, tally.proved) == (1, 0, 1, False)
    assert {"outcome": "unreadable", "why": "unreadable", "record": '"","7916'} in tally.details
    ((kind, _, detail, lasts),) = await _alarms(world)
    assert (kind, detail, bool(lasts)) == (AlarmKind.CALLS_MISSING, "0 / 1; не прочитано строк журнала: 1", True)
    store = world.stores[0]
    page = await store.read(lambda conn: reconciliation.list_reconciliations(conn, somebody(store, conn), Slice()))
    assert "unreadable" in [each["outcome"] for each in page.items[0].details]
    exchange.unreadable = ()
    assert (await reconciler.day(exchange, day)).proved
    assert not (await _alarms(world))[0][3]


async def test_a_trunk_is_equal_to_the_number_dialled_through_it(world: World, exchange: Exchange, sink: Sink) -> None:
    at = _noon(world, 1)
    await sink.receive_many(
        [call(1, at, by="PJSIP/89031112233@trunk", settled=False), call(2, at, by="PJSIP/101", settled=False)]
    )
    exchange.events = [call(1, at, by="PJSIP/trunk"), call(2, at, by="PJSIP/102")]
    tally = await Reconciler(world.stores[0], sink, world.clock, MOSCOW).day(exchange, at.astimezone(MOSCOW).date())
    assert [(each["linkedid"].rpartition(".")[2], each["why"]) for each in tally.details] == [("2", "differs")]


async def test_a_call_that_goes_on_is_left_alone(world: World, exchange: Exchange, sink: Sink) -> None:
    at = world.clock.now() - timedelta(seconds=40)
    await sink.receive_many([call(1, at, over=False, settled=False)])
    sink.taken.clear()
    exchange.events = [call(1, at)]
    tally = await Reconciler(world.stores[0], sink, world.clock, MOSCOW).day(exchange, at.astimezone(MOSCOW).date())
    assert (tally.calls, sink.taken) == (0, [])


async def test_records_that_can_not_be_read_prove_nothing(world: World, exchange: Exchange, sink: Sink) -> None:
    exchange.away = True
    with pytest.raises(StorageUnavailable):
        await Reconciler(world.stores[0], sink, world.clock, MOSCOW).day(exchange, date(2026, 11, 21))
    assert await world.count("reconciliation") == 0


def _worker(world: World, exchange: Exchange, sink: Sink, node: str = "a") -> ReconcilingWorker:
    store = world.stores[0]
    return ReconcilingWorker(
        store,
        world.clock,
        world.metrics,
        {KEY: exchange},
        sink,
        lambda name: DatabaseLease(store.database, world.clock, name, node),
        MOSCOW,
    )


async def _days(world: World) -> list[tuple[object, ...]]:
    return await world.rows("SELECT day, calls, missing FROM reconciliation ORDER BY id")


async def test_every_night_the_day_before_is_compared_once(world: World, exchange: Exchange, sink: Sink) -> None:
    start = world.clock.now().astimezone(MOSCOW).replace(hour=12, minute=0)
    world.clock.set(start.astimezone(UTC))
    worker = _worker(world, exchange, sink)
    await worker.turn()
    assert await _days(world) == [], "the hub knows nothing of this PBX yet"
    await sink.receive_many([call(1, world.clock.now(), by="PJSIP/101", settled=False)])
    exchange.events = [call(1, world.clock.now(), by="PJSIP/101"), call(2, world.clock.now() + timedelta(hours=1))]
    world.clock.set((start + timedelta(hours=15)).astimezone(UTC))  # three at night
    await worker.turn()
    assert await _days(world) == []
    world.clock.advance(3600)
    await worker.turn()
    await worker.turn()
    await _worker(world, exchange, sink, "b").turn()
    assert await _days(world) == [(start.date().isoformat(), 2, 0)]
    assert exchange.asked[0][0] >= start, "nothing from before the hub came"
    # the machine is off for two nights: each day is made up for
    world.clock.advance(timedelta(days=2))
    await _worker(world, exchange, sink).turn()
    days = [(start + timedelta(days=after)).date().isoformat() for after in range(3)]
    assert [day for day, *_ in await _days(world)] == days


async def test_a_day_with_missing_calls_is_tried_again(world: World, exchange: Exchange, sink: Sink) -> None:
    at = _noon(world, 1)
    await sink.receive_many([call(1, at, settled=False)])
    exchange.events = [call(1, at), call(2, at)]
    day = at.astimezone(MOSCOW).date()
    world.clock.set(datetime.combine(day + timedelta(days=1), datetime.min.time(), MOSCOW).astimezone(UTC))
    world.clock.advance(5 * 3600)
    sink.lost = True
    worker = _worker(world, exchange, sink)
    await worker.turn()
    await worker.turn()
    assert await _days(world) == [(day.isoformat(), 2, 1)]
    sink.lost = False
    world.clock.advance(7 * 3600)
    await worker.turn()
    assert await _days(world) == [(day.isoformat(), 2, 1), (day.isoformat(), 2, 0)]


async def test_two_nodes_compare_a_day_once(world: World, exchange: Exchange, sink: Sink) -> None:
    at = _noon(world, 1)
    await sink.receive_many([call(1, at, settled=False)])
    exchange.events = [call(1, at)]
    world.clock.set(at + timedelta(days=1))
    workers = [_worker(world, exchange, sink, node) for node in ("a", "b")]
    await asyncio.gather(*(worker.turn() for worker in workers))
    assert len(await _days(world)) == 1
