"""A line that is not recorded stays so without the hub, when a colleague is given the call, and when the hub dials."""

from __future__ import annotations

import asyncio

import pytest

from crm_core.ports import PlaceCall
from tests.integration.pbx.conftest import FALLBACK, LINE
from tests.integration.pbx.switchboard import Switchboard

SILENT = "84951234568"
PLACED = "1795314567.hub4711"


async def _channels_recorded(board: Switchboard, endpoint: str) -> int:
    """How many channels of an endpoint are written to a file now."""
    listed = await board.exchange.pbx.rx("core show channels concise")
    names = [line.partition("!")[0] for line in listed.splitlines() if line.startswith(f"{endpoint}-")]
    assert names
    shown = [await board.exchange.pbx.rx(f"mixmonitor list {name}") for name in names]
    return sum(text.count("/monitor/") for text in shown)


@pytest.mark.parametrize(("line", "recorded"), [(SILENT, 0), (LINE, 1)])
async def test_without_the_hub_and_given_to_a_colleague(discreet: Switchboard, line: str, recorded: int) -> None:
    client = discreet.calls(line)
    manager = await discreet.phones[FALLBACK].picked_up()
    await client.until_answered()
    await discreet.together("PJSIP/trunk", f"PJSIP/{FALLBACK}")
    assert await _channels_recorded(discreet, f"PJSIP/{FALLBACK}") == recorded
    await manager.refer("202")
    colleague = await discreet.phones["102"].picked_up()
    await manager.hang_up()
    await discreet.together("PJSIP/trunk", "PJSIP/102")
    assert await _channels_recorded(discreet, "PJSIP/102") == recorded
    await client.hang_up()
    await colleague.until_ended()


@pytest.mark.parametrize(("record", "recorded"), [(False, 0), (None, 1)])
async def test_a_call_that_the_hub_places(discreet: Switchboard, record: bool | None, recorded: int) -> None:
    channel = await discreet.exchange.hub()
    call = PlaceCall(PLACED, "PJSIP/101", "79161234567", SILENT, "Анна", announce=False, ring_s=5, record=record)
    placing = asyncio.ensure_future(channel.place_call(call))
    await discreet.phones["101"].picked_up()
    client = await discreet.provider.picked_up()
    await placing
    await discreet.together("PJSIP/trunk", "PJSIP/101")
    assert await _channels_recorded(discreet, "PJSIP/trunk") == recorded
    await client.hang_up()
    await discreet.gone("PJSIP/101")
