"""Asterisk's own database follows who takes whose calls; without the hub, callers reach their own manager by it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from channels.pbx.astdb import MirrorTiming
from channels.pbx.connector import PbxChannel, PbxTiming
from channels.pbx.proof import prove
from crm_core.messages import ChannelKey
from crm_core.model.call import CallState
from crm_core.ports import ChannelState
from hub.demo.peers.process import free_port
from tests.fakes.number_book import MemoryBook
from tests.integration.pbx.conftest import CLIENT, FALLBACK, LINE, Exchange, listed
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S

TAIL = CLIENT[-10:]
TIMING = PbxTiming(
    sweep_s=0.1,
    again_s=0.2,
    drain_s=PATIENCE_S,
    mirror=MirrorTiming(pace_s=0.05, people_s=0.5, again_s=0.2, note_s=0.2),
)


async def _rows(exchange: Exchange, family: str) -> dict[str, str]:
    """The rows of Asterisk's database, by what stands behind the last slash."""
    text = await exchange.pbx.rx(f"database show {family}")
    return dict(re.findall(r"^/\S*?([^/\s]+)\s*: (.*?)\s*$", text, re.MULTILINE))


async def _holds(exchange: Exchange, family: str, rows: dict[str, str]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await _rows(exchange, family) != rows:  # noqa: ASYNC110 — Asterisk tells nobody of its database
            await asyncio.sleep(0.05)


async def _mirroring(
    exchange: Exchange, book: MemoryBook, *, answers: bool = False, timing: PbxTiming = TIMING
) -> PbxChannel:
    """A connector with this book; somebody else's FastAGI is asked unless it `answers`."""
    context = replace(exchange.around.context, numbers=book)
    config = exchange.config if answers else replace(exchange.config, agi_port=free_port())
    channel = PbxChannel(config, context, timing)
    await channel.start(exchange.sink)
    await exchange.linked()
    await listed(channel)
    return channel


@pytest.fixture
def book() -> MemoryBook:
    return MemoryBook({TAIL: "ivan", "9160000001": "maria"}, {"ivan": "101", "maria": "PJSIP/102"})


async def test_the_caller_reaches_the_own_manager(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await _holds(exchange, "hubuser", {"ivan": "PJSIP/101", "maria": "PJSIP/102"})
    await exchange.people.phone("101")
    await exchange.people.caller(CLIENT, LINE, hold_ms=200)
    finished = await exchange.call("finished")
    await channel.stop()
    assert (finished.state, finished.answered_by) == (CallState.ANSWERED, "PJSIP/101")
    assert [leg.endpoint for leg in finished.legs] == ["PJSIP/101"]


@pytest.mark.parametrize("number", ["+7 (916) 123-45-67", "89161234567", "9161234567"])
async def test_however_the_provider_writes_the_number(exchange: Exchange, book: MemoryBook, number: str) -> None:
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await exchange.people.phone("101")
    await exchange.people.caller(re.sub(r"[ ()-]", "", number), LINE, hold_ms=200)
    assert (await exchange.call("finished")).answered_by == "PJSIP/101"
    await channel.stop()


async def test_a_manager_who_does_not_answer_is_followed_by_the_office(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await exchange.people.busy_phone("101")
    await exchange.people.phone(FALLBACK)
    await exchange.people.caller(CLIENT, LINE, hold_ms=200)
    finished = await exchange.call("finished")
    await channel.stop()
    assert [leg.endpoint for leg in finished.legs] == ["PJSIP/101", f"PJSIP/{FALLBACK}"]
    assert finished.answered_by == f"PJSIP/{FALLBACK}"


@pytest.mark.parametrize("number", ["anonymous", "79169999999", "101", "x$(id),1)+"])
async def test_strangers_reach_the_office(exchange: Exchange, book: MemoryBook, number: str) -> None:
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await exchange.people.phone(FALLBACK)
    await exchange.people.caller(number, LINE, hold_ms=200)
    finished = await exchange.call("finished")
    await channel.stop()
    assert [leg.endpoint for leg in finished.legs] == [f"PJSIP/{FALLBACK}"]


async def test_a_refused_number_is_refused_without_the_hub_too(exchange: Exchange) -> None:
    channel = await _mirroring(exchange, MemoryBook({TAIL: "*"}))
    await _holds(exchange, "hubclient", {TAIL: "*"})
    await exchange.people.phone(FALLBACK)
    await exchange.people.caller(CLIENT, LINE)
    finished = await exchange.call("finished")
    await channel.stop()
    assert (finished.legs, finished.cause, finished.state) == ((), 21, CallState.REJECTED)


async def test_a_change_is_followed_by_one_row(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await until(lambda: channel.measurements()["mirror_compared"] == 1)
    before = channel.measurements()
    book.give(TAIL, "maria")
    await _holds(exchange, "hubclient", {TAIL: "maria", "9160000001": "maria"})
    book.move("maria", "103")
    await _holds(exchange, "hubuser", {"ivan": "PJSIP/101", "maria": "PJSIP/103"})
    book.give(TAIL, None)
    await _holds(exchange, "hubclient", {"9160000001": "maria"})
    book.move("maria", None)
    await _holds(exchange, "hubuser", {"ivan": "PJSIP/101"})
    after = channel.measurements()
    await channel.stop()
    notes = 4
    assert after["mirror_written"] - before["mirror_written"] <= 2 + notes
    assert after["mirror_deleted"] - before["mirror_deleted"] == 2
    assert after["mirror_compared"] == 1


async def test_after_a_break_only_the_difference_is_sent(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await until(lambda: channel.measurements()["mirror_compared"] == 1)
    await channel.stop()
    book.give(TAIL, "maria")
    book.portions.clear()
    again = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "maria", "9160000001": "maria"})
    assert len(set(book.portions)) == len(book.portions) < 100  # one that has rows, as a sample
    assert again.measurements()["mirror_compared"] == 0
    await again.stop()


async def test_a_database_that_was_lost_while_the_link_was_down_is_healed(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await until(lambda: channel.measurements()["mirror_compared"] == 1)
    await exchange.pbx.kill()
    await until(lambda: channel.health.state is ChannelState.RECONNECTING)
    for file in (exchange.office.run / "lib").glob("astdb.sqlite3*"):
        file.unlink()
    await exchange.pbx.start()
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await _holds(exchange, "hubuser", {"ivan": "PJSIP/101", "maria": "PJSIP/102"})
    await until(lambda: channel.measurements()["mirror_compared"] == 2)
    await channel.stop()


@pytest.mark.parametrize("mark_too", [True, False])
async def test_rows_deleted_while_the_link_is_up_are_healed(
    exchange: Exchange, book: MemoryBook, mark_too: bool
) -> None:
    timing = replace(TIMING, mirror=replace(TIMING.mirror, portion_s=3600.0 if mark_too else 0.0))
    channel = await _mirroring(exchange, book, timing=timing)
    await until(lambda: channel.measurements()["mirror_compared"] == 1)
    for command in ("deltree hubclient", "deltree hubuser", *(["del hub mirror"] if mark_too else [])):
        await exchange.pbx.rx(f"database {command}")
    if mark_too:
        book.give("9160000001", "ivan")  # the first change finds the mark gone
    await _holds(exchange, "hubclient", dict(book.owners))
    await _holds(exchange, "hubuser", {"ivan": "PJSIP/101", "maria": "PJSIP/102"})
    await channel.stop()


async def test_rows_lost_beside_their_mark_are_healed_with_the_next_link(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await until(lambda: channel.measurements()["mirror_compared"] == 1)
    await channel.stop()
    await exchange.pbx.rx("database deltree hubclient")
    again = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", dict(book.owners))
    await until(lambda: again.measurements()["mirror_compared"] == 1)
    await again.stop()


async def test_everything_is_compared_in_time_however_often_the_hub_is_restarted(
    exchange: Exchange, book: MemoryBook
) -> None:
    await (await _compared(exchange, book, 1)).stop()
    await exchange.pbx.rx("database put hubclient 01/9160000001 petr")
    key = ChannelKey("pbx", exchange.config.name)
    long_ago = exchange.around.context.clock.now() - timedelta(days=2)
    await exchange.around.context.cursors.save(key, "astdb_compared", long_ago.isoformat())
    again = await _compared(exchange, book, 1)
    await _holds(exchange, "hubclient", dict(book.owners))
    await again.stop()


async def _compared(exchange: Exchange, book: MemoryBook, times: int) -> PbxChannel:
    channel = await _mirroring(exchange, book)
    await until(lambda: channel.measurements()["mirror_compared"] == times)
    return channel


async def test_what_another_hub_wrote_is_mended(exchange: Exchange, book: MemoryBook) -> None:
    for row in (
        f"hubclient 67/{TAIL} petr",
        "hubclient 99/9160000099 petr",
        "hubuser petr PJSIP/103",
        "hub mirror x:1",
    ):
        await exchange.pbx.rx(f"database put {row}")
    channel = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "ivan", "9160000001": "maria"})
    await _holds(exchange, "hubuser", {"ivan": "PJSIP/101", "maria": "PJSIP/102"})
    await channel.stop()


async def test_a_feed_that_does_not_reach_back_means_comparing(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await until(lambda: channel.measurements()["mirror_compared"] == 1)
    await channel.stop()
    book.give(TAIL, "maria")
    book.kept_from = 1
    again = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "maria", "9160000001": "maria"})
    await until(lambda: again.measurements()["mirror_compared"] == 1)
    await again.stop()


async def test_other_settings_mean_comparing(exchange: Exchange, book: MemoryBook) -> None:
    channel = await _mirroring(exchange, book)
    await until(lambda: channel.measurements()["mirror_compared"] == 1)
    await channel.stop()
    book.edition, book.owners = "second", {TAIL: "*"}
    again = await _mirroring(exchange, book)
    await _holds(exchange, "hubclient", {TAIL: "*"})
    await again.stop()


async def test_a_user_who_may_not_write_is_named_in_health(exchange: Exchange, book: MemoryBook) -> None:
    manager = exchange.office.etc / "hub_manager.conf"
    manager.write_text(manager.read_text().replace("write = system,", "write = "))
    await exchange.pbx.rx("manager reload")
    channel = await _mirroring(exchange, book)
    await until(lambda: "Permission denied" in channel.health.detail)
    assert channel.health.state is ChannelState.CONNECTED
    assert channel.health.trouble
    await channel.stop()


async def test_what_was_printed_is_all_that_is_wanted(exchange: Exchange) -> None:
    await exchange.hub()
    assert "lacks" not in await prove(exchange.config)
    assert "fallback" not in await prove(exchange.config)
    assert "fallback is not set" in await prove(replace(exchange.config, fallback=None))


async def test_writing_very_many_numbers_holds_up_no_call(exchange: Exchange) -> None:
    book = MemoryBook({f"9{number:09}": "ivan" for number in range(20_000)}, {"ivan": "101"})
    channel = await _mirroring(exchange, book)
    await until(lambda: channel.measurements()["mirror_written"] > 1000)
    await exchange.people.phone(FALLBACK)
    await exchange.people.caller("74950000000", LINE, hold_ms=200)
    finished = await exchange.call("finished")
    assert channel.measurements()["mirror_compared"] == 0, "the call was to come while rows are written"
    assert finished.state is CallState.ANSWERED
    await until(lambda: channel.measurements()["mirror_compared"])
    assert channel.measurements()["mirror_written"] >= 20_000
    await channel.stop()
