"""The one door: group commit, bad facts, repeats, backpressure, a database that goes away, replay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest

from crm_core.errors import Conflict, IntakeFull, IntakeUnavailable
from crm_core.messages import (
    EntryKind,
    Ignored,
    InboundEvent,
    MessageReceived,
    ReceiptState,
    Unparsable,
)
from hub.intake import Intake, IntakeLimits
from hub.log import bind_correlation
from tests.fakes.account import ConnectedAccount
from tests.integration.hub.world import SHOP, World, message
from tests.patience import PATIENCE_S


class Rereader(ConnectedAccount):
    """An account whose raw facts are read again by what the test says."""

    def __init__(self) -> None:
        super().__init__(SHOP)
        self.reads: InboundEvent | None = None

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        assert self.reads is not None
        return replace(self.reads, external_id=external_id, raw=raw)


@pytest.fixture
async def intake(world: World) -> AsyncIterator[Intake]:
    intake = Intake(world.stores[0], world.metrics, {SHOP: Rereader()})
    intake.start()
    yield intake
    await intake.stop()


async def test_facts_that_wait_together_share_a_transaction(world: World, intake: Intake) -> None:
    receipts = await intake.receive_many([message(f"u{number}", number) for number in range(1, 101)])
    assert {receipt.state for receipt in receipts} == {ReceiptState.DONE}
    assert await world.count("journal") == 100
    assert await world.count("timeline") == 100
    # One feed row a transaction: the first writer takes what is there, the rest follows in one.
    assert await world.count("feed") <= 1 + 3


async def test_a_repeat_changes_nothing(world: World, intake: Intake) -> None:
    first = await intake.receive(message("u1"))
    again = await intake.receive(message("u1", text="другой текст"))
    assert (first.state, again.state) == (ReceiptState.DONE, ReceiptState.DUPLICATE)
    assert await world.rows("SELECT text FROM timeline") == [("Добрый день",)]


async def test_a_bad_fact_costs_only_itself(world: World, intake: Intake) -> None:
    """A time that the schema can't hold gets past parsing; the other facts of its batch must not suffer."""
    events = [message(f"u{number}", number) for number in range(1, 41)]
    bad = replace(events[16], payload=MessageReceived(EntryKind.MESSAGE, None, "u17"))  # type: ignore[arg-type] # as broken
    events[16] = bad
    receipts = await intake.receive_many(events)
    assert receipts[16].state is ReceiptState.FAILED
    assert sum(receipt.state is ReceiptState.DONE for receipt in receipts) == 39
    assert await world.count("contact") == 39
    failed = await world.rows("SELECT external_id, state, raw, error FROM journal WHERE state = 'failed'")
    assert [(row[0], bytes(row[2])) for row in failed] == [("u17", "Добрый день".encode())]  # type: ignore[call-overload] # bytes
    assert failed[0][3]


async def test_what_is_not_understood_is_journalled_and_replayed(world: World, intake: Intake) -> None:
    event = replace(message("u1"), payload=Unparsable("«message» is missing"))
    receipt = await intake.receive(event)
    assert receipt.state is ReceiptState.FAILED
    assert await world.count("timeline") == 0
    channel = intake._channels[SHOP]
    assert isinstance(channel, Rereader)
    channel.reads = message("u1")
    assert receipt.journal_id is not None
    replayed = await intake.replay(receipt.journal_id)
    assert replayed.state is ReceiptState.DONE
    assert await world.rows("SELECT state, attempts FROM journal") == [("done", 2)]
    assert await world.count("timeline") == 1
    with pytest.raises(Conflict):
        await intake.replay(receipt.journal_id)


async def test_a_replay_that_fails_again_is_counted(world: World, intake: Intake) -> None:
    receipt = await intake.receive(replace(message("u1"), payload=Unparsable("?")))
    channel = intake._channels[SHOP]
    assert isinstance(channel, Rereader)
    channel.reads = replace(message("u1"), payload=Unparsable("still nothing"))
    assert receipt.journal_id is not None
    assert (await intake.replay(receipt.journal_id)).state is ReceiptState.FAILED
    assert await world.rows("SELECT state, attempts, error FROM journal") == [("failed", 2, "still nothing")]


async def test_kinds_without_use_are_kept_as_ignored(world: World, intake: Intake) -> None:
    await intake.receive(replace(message("u1"), payload=Ignored("poll")))
    assert await world.rows("SELECT state, what FROM journal") == [("ignored", "poll")]
    assert await world.count("contact") == 0


async def test_a_full_door_refuses_and_loses_nothing_it_took(world: World) -> None:
    intake = Intake(world.stores[0], world.metrics, {}, IntakeLimits(facts=10, writers=1))
    intake._open = True  # the door is open, nobody writes yet
    waiting = [asyncio.ensure_future(intake.receive(message(f"u{number}", number))) for number in range(10)]
    await asyncio.sleep(0)
    with pytest.raises(IntakeFull):
        await intake.receive(message("u10", 10))
    intake.start()
    assert {receipt.state for receipt in await asyncio.gather(*waiting)} == {ReceiptState.DONE}
    await intake.receive(message("u10", 10))
    await intake.stop()
    assert await world.count("journal") == 11


async def test_raw_bytes_are_bounded_too(world: World) -> None:
    intake = Intake(world.stores[0], world.metrics, {}, IntakeLimits(raw_bytes=1000, writers=1))
    intake._open = True
    first = asyncio.ensure_future(intake.receive(replace(message("u1"), raw=b"x" * 900)))
    await asyncio.sleep(0)
    with pytest.raises(IntakeFull):
        await intake.receive(replace(message("u2"), raw=b"x" * 200))
    intake.start()
    await first
    await intake.stop()


async def test_stopping_writes_what_was_taken_and_refuses_the_rest(world: World, intake: Intake) -> None:
    waiting = [asyncio.ensure_future(intake.receive(message(f"u{number}", number))) for number in range(50)]
    await asyncio.sleep(0)
    await intake.stop()
    assert {receipt.state for receipt in await asyncio.gather(*waiting)} == {ReceiptState.DONE}
    with pytest.raises(IntakeUnavailable):
        await intake.receive(message("u99"))


async def test_a_writer_survives_what_nobody_thought_of(
    world: World, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("hub.intake.receive", lambda *_: [])  # fewer receipts than facts
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(IntakeUnavailable):
                await intake.receive(message("u1"))
    async with asyncio.timeout(PATIENCE_S):
        assert (await intake.receive(message("u1"))).state is ReceiptState.DONE


async def test_two_doors_one_stranger(world: World) -> None:
    """Two processes take the first messages of one client at the same instant: one contact, one lead, one case."""
    doors = [Intake(world.store(), world.metrics, {}) for _ in range(2)]
    for door in doors:
        door.start()
    for round_ in range(10):
        client = 5000 + round_
        await asyncio.gather(*(door.receive(message(f"r{round_}d{index}", client)) for index, door in enumerate(doors)))
    for door in doors:
        await door.stop()
    for table in ("contact", "lead", "contact_case", "identity"):
        assert await world.count(table) == 10, table
    assert await world.count("timeline", "kind = 'message'") == 20
    assert await world.rows("SELECT DISTINCT facts FROM contact_case") == [(2,)]


async def test_hostile_texts_are_kept_readable(world: World, intake: Intake) -> None:
    receipt = await intake.receive(message("u1", text="нуль\x00 и \ud800 обломок"))
    assert receipt.state is ReceiptState.DONE
    assert await world.rows("SELECT text FROM timeline") == [("нуль и ? обломок",)]


async def test_a_fact_is_found_by_the_id_of_the_request_it_came_in(world: World, intake: Intake) -> None:
    with bind_correlation("request-7"):
        await intake.receive(replace(message("u1"), correlation_id="own"))
    await intake.receive(replace(message("u2"), correlation_id="own"))
    await intake.receive(message("u3"))
    found = {row[0]: row[1] for row in await world.rows("SELECT external_id, correlation_id FROM journal")}
    assert (found["u1"], found["u2"]) == ("request-7", "own")
    assert found["u3"]
