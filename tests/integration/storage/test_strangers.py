"""First facts of one stranger from several channels at the same instant: one contact, and nobody's work thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from crm_core.errors import ConcurrentChange
from crm_core.messages import InboundEvent, Sender
from crm_core.model.identity import parse_identity
from crm_core.storage.database import Database
from tests.integration.storage.world import World, at, form, mail, message, missed, share, talked

STRANGERS = 24


def first_facts(n: int) -> list[InboundEvent]:
    """What one stranger does all at once: their number, address and messenger name each other."""
    number, address = f"+7916100{n:04}", f"s{n}@b.example"
    visitor = (parse_identity(f"web:visitor-{n}"), parse_identity(f"tel:{number}"))
    return [
        missed(f"call-{n}", number, at(n)),
        form(at(n), phone=number, email=address),
        mail(address, f"mail-{n}", at(n)),
        share(5000 + n, number, at(n)),
        message(5000 + n, f"m-{n}", at(n)),
        replace(message(5000 + n, f"w-{n}", at(n)), sender=Sender(visitor)),
        talked(f"talk-{n}", number, at(n)),
    ]


@pytest.fixture
def thrown_away(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every transaction that had to run again, and over what."""
    found: list[str] = []
    once: Callable[..., Awaitable[Any]] = Database._write_once

    async def counted(self: Database, work: Any) -> Any:
        try:
            return await once(self, work)
        except ConcurrentChange as err:
            found.append(str(err))
            raise

    monkeypatch.setattr(Database, "_write_once", counted)
    return found


async def test_one_stranger_on_every_channel_at_once_is_one_contact(world: World, second: World) -> None:
    facts = [event for n in range(STRANGERS) for event in first_facts(n)]
    world.clock.set(at(10_000))
    # Every fact alone, those of a stranger at the same instant, half of them from another node.
    for n in range(0, len(facts), 7):
        await asyncio.gather(*((world, second)[k % 2].take(event) for k, event in enumerate(facts[n : n + 7])))
    # Whoever wrote before their mail and number were tied has two cards; an own card joins what it proves.
    for n in range(STRANGERS):
        rows = await world.rows("identity")
        held = {row.key: row.contact_id for row in rows}
        assert held[f"tel:+7916100{n:04}"] == held[f"tg:{5000 + n}"] == held[f"web:visitor-{n}"]
    living = {row.id for row in await world.rows("contact") if row.merged_into is None}
    assert {row.contact_id for row in await world.rows("identity")} <= living
    assert {row.contact_id for row in await world.rows("timeline")} <= living
    assert len(await world.rows("journal")) == len(facts)


async def test_whole_batches_that_meet_over_strangers_wait_instead_of_being_thrown_away(
    world: World, second: World, thrown_away: list[str]
) -> None:
    random, writers = Random(11), 6
    batches: list[list[InboundEvent]] = []
    for writer in range(writers):
        batch = [
            event
            for n in range(STRANGERS)
            for event in (
                message(7000 + n, f"m{writer}-{n}", at(n)),
                missed(f"c{writer}-{n}", f"+7916200{n:04}", at(n)),
            )
        ]
        random.shuffle(batch)
        batches.append(batch)
    world.clock.set(at(10_000))
    await asyncio.gather(*((world, second)[k % 2].take(*batch) for k, batch in enumerate(batches)))
    assert len(await world.rows("contact")) == len(await world.rows("identity")) == 2 * STRANGERS
    assert len(await world.rows("journal")) == writers * 2 * STRANGERS
    assert [each for each in thrown_away if "identity" in each] == []
