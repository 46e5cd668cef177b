"""Two hubs behind one dialplan: when the first is dead or frozen the second is asked; then the fallback rings."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from channels.pbx.snippet import Part, snippet
from crm_core.model.call import CallSnapshot
from hub.demo.peers.process import free_port
from tests.fakes.pbx import dial
from tests.integration.pbx.conftest import CLIENT, FALLBACK, LINE, Exchange

WITHIN_S = 5.0
TRIES = 4


@pytest.fixture
def deadline_s() -> float:
    """As it is where nobody says otherwise."""
    return 0.3


@asynccontextmanager
async def _frozen_server(port: int) -> AsyncIterator[None]:
    """It takes the connection and never says a word."""
    hang_up = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hang_up.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        hang_up.set()
        server.close()


async def _dialplan(exchange: Exchange, first: int, second: int) -> None:
    config = replace(exchange.config, hubs=(f"127.0.0.1:{first}", f"127.0.0.1:{second}"))
    (exchange.office.etc / "hub_dialplan.conf").write_text(snippet(config, Part.DIALPLAN), encoding="utf-8")
    await exchange.pbx.rx("dialplan reload")


async def _called(exchange: Exchange, rings: str, within_s: float = WITHIN_S) -> tuple[CallSnapshot, float]:
    """The call, and after how many seconds this telephone rang.

    A busy machine can only add to that and cost the hub its deadline, so there are several tries; one that was quick
    enough is the last.
    """
    await exchange.people.phone(rings)
    tries = 0
    while True:
        tries += 1
        exchange.sink.events.clear()
        exchange.around.journal.decisions.clear()
        await exchange.people.caller(CLIENT, LINE, hold_ms=200)
        finished = await exchange.call("finished")
        rang = next((leg for leg in finished.legs if leg.endpoint == f"PJSIP/{rings}"), None)
        after = (rang.rang_at - finished.started_at).total_seconds() if rang is not None else math.inf
        if after < within_s or tries == TRIES:
            return finished, after


async def test_the_second_is_asked_when_the_first_is_dead(exchange: Exchange) -> None:
    await _dialplan(exchange, free_port(), exchange.config.agi_port)
    await exchange.hub(dial("101"))
    finished, after = await _called(exchange, "101", 1.0)
    assert finished.answered_by == "PJSIP/101"
    assert after < 1.0
    ((query, _, _),) = exchange.around.journal.decisions
    assert (query.line, query.attempt) == (LINE, 0)


async def test_the_second_is_asked_when_the_first_is_frozen(exchange: Exchange) -> None:
    frozen = free_port()
    await _dialplan(exchange, frozen, exchange.config.agi_port)
    await exchange.hub(dial("101"))
    async with _frozen_server(frozen):
        finished, after = await _called(exchange, "101", 1.5)
    assert finished.answered_by == "PJSIP/101"
    assert 0.5 < after < 1.5
    ((query, _, _),) = exchange.around.journal.decisions
    assert (query.line, query.number) == (LINE, CLIENT)


async def test_both_are_asked_again_for_the_next_attempt(exchange: Exchange) -> None:
    await _dialplan(exchange, free_port(), exchange.config.agi_port)
    await exchange.hub(dial("101"), dial("102"))
    await exchange.people.busy_phone("101")
    finished, _ = await _called(exchange, "102")
    assert [leg.endpoint for leg in finished.legs] == ["PJSIP/101", "PJSIP/102"]


async def test_the_fallback_rings_when_both_are_dead_or_frozen(exchange: Exchange) -> None:
    first, second = free_port(), free_port()
    await _dialplan(exchange, first, second)
    await exchange.hub()
    async with _frozen_server(first), _frozen_server(second):
        finished, after = await _called(exchange, FALLBACK)
    assert finished.answered_by == f"PJSIP/{FALLBACK}"
    assert 1.0 < after < WITHIN_S
