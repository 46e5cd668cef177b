"""What the directory keeps count of: whose turn it is, who talked last and most; explaining counts nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from crm_core.messages import DeviceState, RouteAction, RouteDecision, RouteQuery
from crm_core.model.call import CallState, Direction
from crm_core.model.line import Anonymous, Goal, Group, Line, Menu, RingStrategy, Target
from crm_core.model.office import Office
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import CallRecord
from crm_core.model.user import Role
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user
from hub.nodes.live import Live
from hub.telephony.directory import Directory
from routing.assign import LeastLoaded
from routing.dispatch import DispatchRules
from routing.escalation import TellByRole
from routing.presence import Presence
from tests.integration.hub.world import World
from tests.patience import PATIENCE_S

NUMBER, LINE = "+79161234567", "+74951234567"
SALES = (("anna", "111"), ("boris", "112"), ("vera", "113"))


class Room:
    """A directory over an office with one group."""

    def __init__(self, store: Store, directory: Directory, presence: Presence, live: Live) -> None:
        self.store, self.directory, self.presence, self.live = store, directory, presence, live
        self._calls = 0

    def ring(self, call_id: str, attempt: int = 0, key: str = "") -> RouteDecision:
        """What a call gets."""
        return self.directory.route(RouteQuery("office", NUMBER, LINE, attempt, call_id, key))

    def explained(self, key: str = "") -> list[RouteDecision]:
        """What a call would get."""
        return self.directory.explain(NUMBER, LINE, key=key)

    async def talked(self, login: str, at: datetime, *, direction: Direction = Direction.IN) -> None:
        """Somebody talked with a client for a minute; returns when the directory knows."""
        self._calls += 1

        def service(desk: Desk) -> None:
            desk.work.put(
                CallRecord(
                    id=desk.work.next_id(),
                    pbx="office",
                    linkedid=f"call-{self._calls}",
                    contact_id=None,
                    entry_id=None,
                    direction=direction,
                    number=NUMBER,
                    line=LINE,
                    state=CallState.ANSWERED,
                    progress=6,
                    started_at=at,
                    answered_at=at,
                    finished_at=at + timedelta(minutes=1),
                    answered_by=login,
                )
            )

        _, position = await self.store.run_at(service)
        await self.live.reached(position, PATIENCE_S)


Open = Callable[..., Awaitable[Room]]


@pytest.fixture
async def room(world: World) -> AsyncIterator[Open]:
    stack = AsyncExitStack()

    async def opened(
        strategy: RingStrategy, menu: Menu | None = None, before: tuple[tuple[str, datetime], ...] = ()
    ) -> Room:
        office = Office(
            lines=(Line(LINE, "office", AccountPolicy(group="sales"), menu=menu),),
            groups={"sales": Group("sales", strategy)},
            dial={"office": "PJSIP/{extension}"},
        )
        store = Store(Database(world.url), world.clock, office, Policies(LeastLoaded(), TellByRole()))
        world.stores.append(store)

        def furnish(desk: Desk) -> None:
            for login, extension in SALES:
                add_user(desk, NewUser(login, login.title(), Role.MANAGER, extension=extension, group="sales"))

        await store.run(furnish)
        live = Live(store, poll_s=0.05)
        presence = Presence(world.clock)
        directory = Directory(store, live, world.clock, presence, DispatchRules())
        await live.start()
        stack.push_async_callback(live.stop)
        found = Room(store, directory, presence, live)
        for login, at in before:
            await found.talked(login, at)
        await directory.start()
        return found

    yield opened
    await stack.aclose()


def rung(decision: RouteDecision) -> str:
    (endpoint,) = decision.endpoints
    return endpoint.removeprefix("PJSIP/")


async def test_in_turn_each_call_begins_behind_the_last(room: Open) -> None:
    office = await room(RingStrategy.IN_TURN)
    assert [rung(office.ring(f"call-{number}")) for number in range(4)] == ["111", "112", "113", "111"]
    assert rung(office.ring("call-3", 1)) == "112"
    assert rung(office.ring("call-4")) == "113"
    assert rung(office.ring("call-0")) == "111", "the same question gets the same answer, and moves nobody's turn"
    assert rung(office.ring("call-5")) == "111"


async def test_explaining_moves_nobodys_turn_and_says_what_comes(room: Open) -> None:
    office = await room(RingStrategy.IN_TURN)
    office.ring("call-0")
    first = office.explained()
    assert office.explained() == first
    assert [office.ring("call-1", attempt) for attempt in range(len(first))] == first


@pytest.mark.parametrize("strategy", RingStrategy)
@pytest.mark.parametrize("key", ["", "-", "1", "2"])
async def test_what_is_explained_is_what_happens(room: Open, strategy: RingStrategy, key: str) -> None:
    keys = (("1", Target(Goal.USER, "vera")), ("2", Target(Goal.CALLBACK)))
    office = await room(strategy, Menu(keys, "custom/menu"))
    office.presence.device("office", "PJSIP/112", DeviceState.BUSY)
    explained = office.explained(key)
    assert explained[0].action is RouteAction.MENU
    pressed = key or "-"
    real, attempt = [office.ring("call-1")], 0
    while len(real) < len(explained):
        real.append(office.ring("call-1", attempt, pressed))
        attempt += 1
    assert real == explained


async def test_longest_idle_by_the_record_and_by_the_telephone(world: World, room: Open) -> None:
    now = world.clock.now()
    office = await room(
        RingStrategy.LONGEST_IDLE, before=(("anna", now - timedelta(hours=1)), ("boris", now - timedelta(days=2)))
    )
    assert rung(office.ring("call-1")) == "113", "who never talked"
    await office.talked("vera", now - timedelta(minutes=30))
    world.clock.advance(10)
    assert rung(office.ring("call-2")) == "112"
    office.presence.device("office", "PJSIP/112", DeviceState.BUSY)
    office.presence.device("office", "PJSIP/112", DeviceState.IDLE)
    world.clock.advance(10)
    assert rung(office.ring("call-3")) == "111", "boris talked just now, as his telephone said before the record"


async def test_two_calls_at_once_do_not_go_to_one_person(room: Open) -> None:
    office = await room(RingStrategy.LONGEST_IDLE)
    assert [rung(office.ring(f"call-{number}")) for number in range(3)] == ["111", "112", "113"]


async def test_least_calls_counts_clients_calls_of_today(world: World, room: Open) -> None:
    now = world.clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    office = await room(
        RingStrategy.LEAST_CALLS,
        before=(
            ("anna", now - timedelta(hours=1)),
            ("anna", now - timedelta(days=1)),
            ("vera", now - timedelta(days=1)),
        ),
    )
    await office.talked("boris", now - timedelta(minutes=5), direction=Direction.OUT)
    assert rung(office.ring("call-1")) == "113", "vera answered none today, and talked longest ago"
    world.clock.advance(10)
    for minutes in (4, 3):
        await office.talked("vera", now - timedelta(minutes=minutes))
    await office.talked("boris", now - timedelta(minutes=2))
    assert rung(office.ring("call-2")) == "111", "one call each, and anna's was longer ago"
    world.clock.set(now + timedelta(days=1))
    assert {each.answered for each in office.directory._tallies.figures(world.clock.now()).values()} == {0}
    await office.talked("anna", now + timedelta(days=1))
    world.clock.advance(10)
    assert rung(office.ring("call-3")) == "113", "a new day: nobody but anna has answered"


async def test_a_call_told_twice_counts_once(world: World, room: Open) -> None:
    office = await room(RingStrategy.LEAST_CALLS)
    await office.talked("anna", world.clock.now())

    def again(desk: Desk) -> None:
        (record,) = desk.work.related(CallRecord, "linkedid", ["call-1"])
        desk.work.put(record._replace(cause_text="more"))

    _, position = await office.store.run_at(again)
    assert await office.live.reached(position, PATIENCE_S)
    assert office.directory._tallies.figures(world.clock.now())["anna"].answered == 1


async def test_a_line_is_explained_at_the_pbx_that_brings_it(world: World) -> None:
    office = Office(
        lines=(Line(LINE, "second", AccountPolicy(group="sales"), anonymous=Anonymous.REJECT),),
        dial={"first": "PJSIP/{extension}", "second": "SIP/{extension}"},
    )
    store = Store(Database(world.url), world.clock, office, Policies(LeastLoaded(), TellByRole()))
    world.stores.append(store)
    directory = Directory(store, Live(store), world.clock, Presence(world.clock), DispatchRules())
    assert directory.explain("anonymous", LINE)[0].action is RouteAction.REJECT
    assert directory.explain("anonymous", LINE, pbx="first")[0].action is RouteAction.CALLBACK
