"""Real calls through a real Asterisk with the printed dialplan: who rings, and what the hub hears of it."""

from __future__ import annotations

from crm_core.messages import DeviceState, RouteAction, RouteDecision
from crm_core.model.call import CallState, Direction
from tests.fakes.pbx import dial
from tests.integration.pbx.conftest import CLIENT, LINE, Exchange, kinds
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S


async def test_a_client_reaches_their_own_manager(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    await exchange.hub(dial("101"))
    caller = await exchange.people.caller(CLIENT, LINE, hold_ms=700)
    finished = await exchange.call("finished")
    assert await caller.wait(PATIENCE_S) == 0
    assert kinds(exchange.sink) == ["started", "answered", "finished"]
    assert (finished.state, finished.direction) == (CallState.ANSWERED, Direction.IN)
    assert (finished.number, finished.line, finished.answered_by) == (CLIENT, LINE, "PJSIP/101")
    assert finished.talk_s > 0.2
    assert finished.hung_up_by == "client"
    (query,) = exchange.around.router.queries
    assert (query.pbx, query.number, query.line, query.attempt) == ("office", CLIENT, LINE, 0)
    assert query.call_id == finished.linkedid
    ((_, decision, _),) = exchange.around.journal.decisions
    assert decision.endpoints == ("101",)
    assert exchange.around.journal.threads == {"MainThread"}
    assert finished.recording is not None
    assert (exchange.office.recordings / finished.recording).exists()


async def test_the_pbx_tells_little_that_is_of_no_use(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    channel = await exchange.hub(dial("101"))
    await exchange.people.caller(CLIENT, LINE, hold_ms=100)
    await exchange.call("finished")
    stats = channel.stats.link
    assert stats.passed_over <= 4  # FullyBooted, the ends of lists
    assert 15 <= stats.events <= 40


async def test_busy_then_the_next(exchange: Exchange) -> None:
    await exchange.people.busy_phone("101")
    await exchange.people.phone("102")
    await exchange.hub(dial("101"), dial("102"))
    await exchange.people.caller(CLIENT, LINE, hold_ms=300)
    finished = await exchange.call("finished")
    assert finished.answered_by == "PJSIP/102"
    assert [(leg.endpoint, leg.cause) for leg in finished.legs] == [("PJSIP/101", 17), ("PJSIP/102", 16)]
    assert [query.attempt for query in exchange.around.router.queries] == [0, 1]


async def test_nobody_answers(exchange: Exchange) -> None:
    await exchange.people.silent_phone("101")
    await exchange.people.unavailable_phone("102")
    await exchange.people.busy_phone("103")
    await exchange.hub(dial("101", ring_s=1), dial("102", ring_s=1))
    await exchange.people.caller(CLIENT, LINE)
    finished = await exchange.call("finished")
    # the client is offered a call back then, and hangs up while it is said
    assert (finished.state, finished.hung_up_by) == (CallState.ABANDONED, "client")
    assert finished.answered_at is None
    assert kinds(exchange.sink) == ["started", "finished"]
    assert [leg.endpoint for leg in finished.legs] == ["PJSIP/101", "PJSIP/102", "PJSIP/103"]
    assert not list(exchange.office.recordings.iterdir())


async def test_a_caller_gives_up(exchange: Exchange) -> None:
    await exchange.people.silent_phone("101")
    await exchange.hub(dial("101"))
    await exchange.people.impatient_caller(CLIENT, LINE, patience_ms=600)
    finished = await exchange.call("finished")
    assert (finished.state, finished.hung_up_by) == (CallState.ABANDONED, "client")
    assert finished.wait_s < 20


async def test_several_ring_together(exchange: Exchange) -> None:
    await exchange.people.silent_phone("101")
    await exchange.people.phone("102")
    await exchange.hub(dial("101", "102"))
    await exchange.people.caller(CLIENT, LINE, hold_ms=300)
    finished = await exchange.call("finished")
    assert finished.answered_by == "PJSIP/102"
    assert {leg.endpoint for leg in finished.legs} == {"PJSIP/101", "PJSIP/102"}


async def test_who_is_refused_rings_nobody(exchange: Exchange) -> None:
    await exchange.hub(RouteDecision(RouteAction.REJECT, reason="listed"))
    caller = await exchange.people.caller(CLIENT, LINE)
    finished = await exchange.call("finished")
    assert (finished.state, finished.legs) == (CallState.REJECTED, ())
    assert await caller.wait(PATIENCE_S) == 0


async def test_a_callback_is_ordered_by_key(exchange: Exchange) -> None:
    await exchange.hub(RouteDecision(RouteAction.CALLBACK, reason="nobody is free"))
    await exchange.people.key_presser(CLIENT, LINE)
    finished = await exchange.call("finished")
    assert finished.wish_callback
    assert finished.state in {CallState.MISSED, CallState.ABANDONED}
    assert finished.answered_at is None


async def test_telephones_report_what_they_do(exchange: Exchange) -> None:
    presence = exchange.around.presence

    async def becomes(state: DeviceState) -> None:
        await presence.until(lambda each: each.states["office", "PJSIP/101"] is state)

    await exchange.people.phone("101", answer_ms=3000)
    await exchange.hub(dial("101"))
    await becomes(DeviceState.IDLE)
    await exchange.people.caller(CLIENT, LINE, hold_ms=60_000)
    await becomes(DeviceState.RINGING)
    await becomes(DeviceState.BUSY)
    await exchange.hang_up_all()
    await becomes(DeviceState.IDLE)


async def test_an_office_that_calls_a_client(exchange: Exchange) -> None:
    await exchange.people.client_phone(hold_ms=300)
    await exchange.people.phone("101")
    channel = await exchange.hub()
    fields = {"Channel": "PJSIP/101", "Context": "hub-robot", "Exten": CLIENT, "Priority": "1", "Async": "true"}
    await channel._link.act("Originate", (fields | {"CallerID": f"Client <{CLIENT}>"}).items())
    finished = await exchange.call("finished")
    assert (finished.direction, finished.number) == (Direction.OUT, CLIENT)
    assert (finished.state, finished.answered_by) == (CallState.ANSWERED, "PJSIP/101")


async def test_what_a_caller_calls_themselves_is_never_dialplan(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    await exchange.hub(dial("101"))
    await exchange.people.caller("7916$,1", LINE, name="${SHELL(id)},$[1+1]", hold_ms=200)
    finished = await exchange.call("finished")
    assert finished.caller_name == "${SHELL(id)},$[1+1]"
    assert finished.number == exchange.around.router.queries[0].number == "7916$,1"
    assert finished.answered_by == "PJSIP/101"


async def test_a_call_without_a_dialled_number_is_asked_for_all_the_same(exchange: Exchange) -> None:
    await exchange.people.phone("101")
    channel = await exchange.hub(dial("101"))
    fields = {"Channel": "Local/s@hub-inbound", "Application": "Wait", "Data": "1", "Async": "true"}
    await channel._link.act("Originate", (fields | {"CallerID": f"<{CLIENT}>"}).items())
    await until(lambda: exchange.around.journal.decisions)
    assert exchange.around.router.queries[0].line == ""


async def test_an_extension_may_be_a_way_through_the_dialplan(exchange: Exchange) -> None:
    await exchange.people.client_phone(answer_ms=200)
    await exchange.hub(dial("Local/88005553535@hub-outbound/n"))
    await exchange.people.caller(CLIENT, LINE, hold_ms=400)
    finished = await exchange.call("finished")
    assert (finished.state, finished.direction) == (CallState.ANSWERED, Direction.IN)
    assert finished.number == CLIENT
    assert [leg.endpoint for leg in finished.legs] == ["PJSIP/88005553535@trunk"]
    assert finished.answered_by == "PJSIP/88005553535@trunk"
