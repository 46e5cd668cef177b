"""Lines and people on a real Asterisk: voice menu, greeting, night, strategies; and whom presence passes over."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crm_core.messages import DeviceState, RouteAction, RouteDecision, Verdict
from crm_core.model.calendar import WorkingHours
from crm_core.model.call import CallState
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.line import Goal, Group, Line, Menu, RingStrategy, Target
from crm_core.model.office import Office
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.model.user import Role
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from crm_core.storage.store import Store
from crm_core.storage.users import NewUser, add_user
from hub.clock import SystemClock
from hub.nodes.live import Live
from hub.telephony.directory import Directory
from routing.assign import LeastLoaded
from routing.dispatch import DispatchRules
from routing.escalation import TellByRole
from routing.presence import Presence
from tests.fakes.pbx import MemoryPresence
from tests.integration.pbx.conftest import CLIENT, FALLBACK, LINE, Exchange
from tests.integration.pbx.waiting import until

SOUNDS = "en_US_f_Allison"
GREETING = f"{SOUNDS}/vm-nobodyavail"
PLAIN = Line(LINE, "office", AccountPolicy(group="sales"))
NEVER = WorkingHours("never", ZoneInfo("Europe/Moscow"), {8: ()})  # a week without days


class Heard(MemoryPresence):
    """What telephones do: kept for the test, and told to the hub's own presence."""

    def __init__(self, presence: Presence) -> None:
        super().__init__()
        self.presence = presence

    def device(self, pbx: str, endpoint: str, state: DeviceState) -> None:
        """Note and pass on."""
        self.presence.device(pbx, endpoint, state)
        super().device(pbx, endpoint, state)

    def paused(self, pbx: str, endpoint: str, queue: str, *, paused: bool) -> None:
        """Note and pass on."""
        self.presence.paused(pbx, endpoint, queue, paused=paused)
        super().paused(pbx, endpoint, queue, paused=paused)

    def forget(self, pbx: str) -> None:
        """Note and pass on."""
        self.presence.forget(pbx)
        super().forget(pbx)


class Dispatch:
    """An office whose hub decides by its own directory."""

    def __init__(self, exchange: Exchange, database: Database) -> None:
        self.exchange = exchange
        self._database = database
        self._live: Live | None = None
        self.presence = Presence(SystemClock(), {"office": timedelta(seconds=30)})

    async def open(
        self, line: Line = PLAIN, *, groups: tuple[Group, ...] = (), manager: str | None = None, ring_s: int = 60
    ) -> None:
        """Begin to answer: ivan 101, petr 102 and olga 103 of the group sales; the client's manager is `manager`."""
        office = Office(
            lines=(line,),
            groups={each.name: each for each in groups},
            calendars={"never": NEVER},
            dial={"office": "PJSIP/{extension}"},
        )
        store = Store(self._database, SystemClock(), office, Policies(LeastLoaded(), TellByRole()))

        def furnish(desk: Desk) -> None:
            for login, extension in (("ivan", "101"), ("petr", "102"), ("olga", "103")):
                add_user(desk, NewUser(login, login.title(), Role.MANAGER, extension=extension, group="sales"))
            contact = ContactRecord(desk.work.next_id(), "Анна", desk.now, desk.now, "анна", manager=manager)
            desk.work.put(contact)
            key = str(Identity(IdentityKind.TEL, f"+{CLIENT}"))
            desk.work.put(IdentityRecord(key, contact.id, "test", desk.now))

        await store.run(furnish)
        self._live = Live(store, poll_s=0.1)
        directory = Directory(store, self._live, SystemClock(), self.presence, DispatchRules(ring_s=ring_s))
        await self._live.start()
        await directory.start()
        around = self.exchange.around
        around.presence = Heard(self.presence)
        around.context = replace(around.context, call_router=directory, presence=around.presence)
        await self.exchange.hub()

    @property
    def decisions(self) -> list[RouteDecision]:
        """Everything decided so far."""
        return [decision for _, decision, _ in self.exchange.around.journal.decisions]

    async def close(self) -> None:
        """Stop following changes."""
        if self._live is not None:
            await self._live.stop()


@pytest.fixture
async def dispatch(exchange: Exchange, tmp_path: Path) -> AsyncIterator[Dispatch]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/hub.sqlite3")
    await migrate(database)
    found = Dispatch(exchange, database)
    yield found
    await exchange.close()
    await found.close()
    await database.stop()


def menu(*keys: tuple[str, Target]) -> Line:
    return replace(PLAIN, menu=Menu(keys, sound=f"{SOUNDS}/beep"))


SALES, LATER = Target(Goal.GROUP, "sales"), Target(Goal.CALLBACK)


async def test_a_stranger_chooses_a_group_by_key(dispatch: Dispatch) -> None:
    people = dispatch.exchange.people
    await people.phone("102", hold_ms=500)
    await dispatch.open(menu(("1", Target(Goal.USER, "petr")), ("2", LATER)))
    await people.key_presser(CLIENT, LINE, key="1", after_ms=1200)
    finished = await dispatch.exchange.call("finished")
    assert (finished.state, finished.answered_by) == (CallState.ANSWERED, "PJSIP/102")
    first, second = dispatch.decisions
    assert (first.action, first.keys, first.sound) == (RouteAction.MENU, "12", f"{SOUNDS}/beep")
    assert (second.action, second.endpoints, second.reason) == (RouteAction.DIAL, ("PJSIP/102",), "menu")
    queries = [query for query, _, _ in dispatch.exchange.around.journal.decisions]
    assert [(query.attempt, query.key) for query in queries] == [(0, ""), (0, "1")]


async def test_another_key_orders_a_callback(dispatch: Dispatch) -> None:
    await dispatch.open(menu(("1", SALES), ("2", LATER)))
    await dispatch.exchange.people.key_presser(CLIENT, LINE, key="2", after_ms=1200)
    await until(lambda: len(dispatch.decisions) == 2)
    assert dispatch.decisions[1].action is RouteAction.CALLBACK


async def test_who_presses_nothing_or_what_is_not_on_offer_reaches_the_group(dispatch: Dispatch) -> None:
    people = dispatch.exchange.people
    await people.phone("101", hold_ms=300)
    await dispatch.open(menu(("1", LATER)))
    await people.key_presser(CLIENT, LINE, key="7", after_ms=1200)
    finished = await dispatch.exchange.call("finished")
    assert finished.answered_by == "PJSIP/101"
    queries = [query for query, _, _ in dispatch.exchange.around.journal.decisions]
    assert [query.key for query in queries] == ["", "-"]
    assert [step.verdict for step in dispatch.decisions[1].trace][:1] == [Verdict.NOBODY]


async def test_a_client_with_a_manager_hears_no_menu(dispatch: Dispatch) -> None:
    people = dispatch.exchange.people
    await people.phone("103")
    await dispatch.open(menu(("1", LATER)), manager="olga")
    await people.caller(CLIENT, LINE, hold_ms=300)
    finished = await dispatch.exchange.call("finished")
    assert finished.answered_by == "PJSIP/103"
    assert [decision.reason for decision in dispatch.decisions] == ["manager"]


async def test_a_menu_whose_sound_is_missing_leaves_time_to_press_a_key(dispatch: Dispatch) -> None:
    people = dispatch.exchange.people
    await people.phone("102", hold_ms=300)
    line = replace(PLAIN, menu=Menu((("1", Target(Goal.USER, "petr")),), sound="custom/not-there&custom/nor-there"))
    await dispatch.open(line)
    await people.key_presser(CLIENT, LINE, key="1", after_ms=2500)
    finished = await dispatch.exchange.call("finished")
    assert finished.answered_by == "PJSIP/102"
    assert [query.key for query, _, _ in dispatch.exchange.around.journal.decisions] == ["", "1"]


async def test_a_hub_that_dies_behind_the_menu_leaves_the_fallback(dispatch: Dispatch) -> None:
    exchange = dispatch.exchange
    await exchange.people.phone(FALLBACK, hold_ms=300)
    await dispatch.open(menu(("1", SALES)))
    await exchange.people.key_presser(CLIENT, LINE, key="1", after_ms=2500)
    await until(lambda: dispatch.decisions)
    await exchange.close()  # the AGI server is gone before the key is pressed
    log = exchange.office.cdr
    await until(lambda: log.exists() and f"PJSIP/{FALLBACK}" in log.read_text(encoding="utf-8"))


async def test_a_greeting_is_played_before_anybody_rings(dispatch: Dispatch) -> None:
    people = dispatch.exchange.people
    await people.phone("101", hold_ms=300)
    await dispatch.open(replace(PLAIN, greeting=GREETING))
    await people.caller(CLIENT, LINE, hold_ms=20_000)
    finished = await dispatch.exchange.call("finished")
    assert finished.answered_by == "PJSIP/101"
    assert (finished.legs[0].rang_at - finished.started_at).total_seconds() > 1
    assert dispatch.decisions[0].sound == GREETING


async def test_a_sound_that_is_missing_keeps_nobody_from_ringing(dispatch: Dispatch) -> None:
    people = dispatch.exchange.people
    await people.phone("101", hold_ms=300)
    await dispatch.open(replace(PLAIN, greeting="custom/not-there"))
    await people.caller(CLIENT, LINE, hold_ms=20_000)
    finished = await dispatch.exchange.call("finished")
    assert finished.answered_by == "PJSIP/101"


@pytest.mark.parametrize(
    ("night", "action"),
    [
        (Target(Goal.CALLBACK), RouteAction.CALLBACK),
        (Target(Goal.REJECT), RouteAction.REJECT),
        (Target(Goal.ENDPOINT, "PJSIP/102"), RouteAction.DIAL),
    ],
)
async def test_the_night_decides_when_the_line_is_closed(
    dispatch: Dispatch, night: Target, action: RouteAction
) -> None:
    people = dispatch.exchange.people
    await people.phone("102", hold_ms=300)
    closed = replace(PLAIN, hours="never", night=night, night_sound=f"{SOUNDS}/beep")
    await dispatch.open(closed)
    await people.caller(CLIENT, LINE, hold_ms=2500)
    finished = await dispatch.exchange.call("finished")
    assert [decision.action for decision in dispatch.decisions] == [action]
    assert dispatch.decisions[0].sound
    assert finished.answered_by == ("PJSIP/102" if action is RouteAction.DIAL else None)
    if action is RouteAction.REJECT:
        assert finished.legs == ()


async def test_a_group_in_turn_rings_one_after_another(dispatch: Dispatch) -> None:
    people = dispatch.exchange.people
    await people.busy_phone("101")
    await people.phone("102", hold_ms=300)
    await people.phone("103", hold_ms=300)
    group = Group("sales", RingStrategy.IN_TURN, ring_s=60)
    await dispatch.open(groups=(group,))
    for _ in range(2):
        dispatch.exchange.sink.events.clear()
        await people.caller(CLIENT, LINE, hold_ms=20_000)
        await dispatch.exchange.call("finished")
    rung = [decision.endpoints for decision in dispatch.decisions]
    # the first call: 101 is busy, 102 takes it; the second begins behind 102
    assert rung == [("PJSIP/101",), ("PJSIP/102",), ("PJSIP/103",)]
    assert {decision.ring_s for decision in dispatch.decisions} == {60}


async def test_somebody_paused_in_a_queue_is_passed_over(dispatch: Dispatch) -> None:
    exchange = dispatch.exchange
    (exchange.office.etc / "queues.conf").write_text(
        "[general]\n[desk]\nmember => PJSIP/101\nmember => PJSIP/102\n", encoding="utf-8"
    )
    await exchange.pbx.rx("queue reload all")
    await exchange.people.phone("102", hold_ms=300)
    await dispatch.open()
    await exchange.pbx.rx("queue pause member PJSIP/101 queue desk")
    await exchange.around.presence.until(lambda each: each.pauses.get(("office", "PJSIP/101", "desk"), False))
    await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
    finished = await exchange.call("finished")
    assert finished.answered_by == "PJSIP/102"
    assert ("ivan", Verdict.PAUSED) in [(step.login, step.verdict) for step in dispatch.decisions[0].trace]
    assert "PJSIP/101" not in dispatch.decisions[0].endpoints
    await exchange.pbx.rx("queue unpause member PJSIP/101 queue desk")
    await exchange.around.presence.until(lambda each: not each.pauses["office", "PJSIP/101", "desk"])
    assert dispatch.presence.free("office", "PJSIP/101")


async def test_whoever_just_talked_is_left_in_peace(dispatch: Dispatch) -> None:
    exchange = dispatch.exchange
    await exchange.people.phone("101", hold_ms=300)
    await exchange.people.phone("102", hold_ms=300)
    await dispatch.open(manager="ivan")
    await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
    assert (await exchange.call("finished")).answered_by == "PJSIP/101"
    await until(lambda: dispatch.presence.state("office", "PJSIP/101") is DeviceState.IDLE)
    exchange.sink.events.clear()
    await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
    assert (await exchange.call("finished")).answered_by == "PJSIP/102"
    first = dispatch.decisions[1].trace[0]
    assert (first.login, first.verdict) == ("ivan", Verdict.WRAP_UP)


async def test_a_busy_telephone_is_not_rung(dispatch: Dispatch) -> None:
    exchange = dispatch.exchange
    await exchange.people.phone("101", hold_ms=20_000)
    await exchange.people.phone("102", hold_ms=300)
    await dispatch.open(manager="ivan")
    first = await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
    await until(lambda: dispatch.presence.state("office", "PJSIP/101") is DeviceState.BUSY)
    await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
    await until(lambda: len(dispatch.decisions) == 2)
    assert dispatch.decisions[1].trace[0].verdict is Verdict.BUSY
    assert "PJSIP/101" not in dispatch.decisions[1].endpoints
    await exchange.sink.event(lambda event: event.external_id.endswith(":finished"))
    await first.kill()


async def test_a_dead_telephone_is_known_before_ringing(dispatch: Dispatch) -> None:
    exchange = dispatch.exchange
    phones = exchange.office.etc / "pjsip.conf"
    asked = "[101](phone-aor)\nqualify_frequency = 1\nqualify_timeout = 0.5\n"
    phones.write_text(phones.read_text(encoding="utf-8").replace("[101](phone-aor)\n", asked), encoding="utf-8")
    await exchange.pbx.rx("module reload res_pjsip.so")
    await exchange.people.phone("102", hold_ms=300)
    await dispatch.open(manager="ivan")
    await until(lambda: dispatch.presence.state("office", "PJSIP/101") is DeviceState.UNREACHABLE)
    await exchange.people.caller(CLIENT, LINE, hold_ms=20_000)
    finished = await exchange.call("finished")
    assert finished.answered_by == "PJSIP/102"
    assert "PJSIP/101" not in [leg.endpoint for leg in finished.legs]
    assert dispatch.decisions[0].trace[0].verdict is Verdict.UNREACHABLE


async def test_a_greeting_is_no_conversation(dispatch: Dispatch) -> None:
    """Neither for those who watch nor in the call records: nobody of the office talked."""
    exchange = dispatch.exchange
    for extension in ("101", "102", "103"):
        await exchange.people.silent_phone(extension)
    await dispatch.open(replace(PLAIN, greeting=GREETING), ring_s=1)
    await exchange.people.caller(CLIENT, LINE, hold_ms=3500)
    finished = await exchange.call("finished")
    assert finished.state in {CallState.MISSED, CallState.ABANDONED}
    assert (finished.answered_at, finished.answered_by) == (None, None)
    await until(lambda: exchange.office.cdr.exists() and CLIENT in exchange.office.cdr.read_text(encoding="utf-8"))
    rows = list(csv.reader(exchange.office.cdr.read_text(encoding="utf-8").splitlines()))
    assert not [row for row in rows if row[14] == "ANSWERED" and row[6]], rows
