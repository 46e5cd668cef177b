"""A call that was seen in part and recorded: the same record in whatever order and batches it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from crm_core.messages import CallChanged, InboundEvent
from crm_core.model.call import CallLeg, CallSnapshot, CallState, CallTalk, Direction, TalkBegan
from tests.integration.storage.world import PBX, World, at, fact

ANNA, BORIS = "PJSIP/101", "PJSIP/102"
BEGAN = 0.75  # what was seen has fractions, call records are cut to the second


def _moment(seconds: float) -> datetime:
    return at(BEGAN + seconds)


def _cut(seconds: float) -> datetime:
    return _moment(seconds).astimezone(UTC).replace(microsecond=0)


def _story(linkedid: str) -> dict[str, CallSnapshot]:
    """Anna answers, the hub begins anew, she hands the client to Boris, the client hangs up."""
    rang = CallSnapshot(linkedid, Direction.IN, "+79161234567", "+74951234567", CallState.RINGING, _moment(0))
    leg = CallLeg(ANNA, _moment(1), _moment(5.5), None)
    answered = replace(
        rang,
        state=CallState.ANSWERED,
        answered_at=_moment(5.5),
        answered_by=ANNA,
        legs=(leg,),
        talks=(CallTalk(ANNA, _moment(5.5)),),
    )
    guess = replace(
        answered,
        started_at=_cut(0),
        answered_at=_moment(40),
        finished_at=_moment(90.2),
        guessed=True,
        legs=(CallLeg(BORIS, _moment(60), _moment(63), _moment(90.2), 16),),
        talks=(
            CallTalk(ANNA, _moment(40), _moment(60)),
            CallTalk(BORIS, _moment(63), _moment(90.2), TalkBegan.BLIND_TRANSFER),
        ),
        hung_up_by="client",
        cause=16,
        hold_s=2.5,
    )
    settled = replace(
        rang,
        state=CallState.ANSWERED,
        started_at=_cut(0),
        answered_at=_cut(5.5),
        finished_at=_cut(90.2),
        answered_by=ANNA,
        legs=(CallLeg(ANNA, _cut(0), _cut(5.5), _cut(60)),),
        settled=True,
    )
    return {"started": rang, "answered": answered, "finished": guess, "settled": settled}


def _facts(story: dict[str, CallSnapshot]) -> dict[str, InboundEvent]:
    sequence = {"started": 0, "answered": 1, "settled": 2, "finished": 3}
    found = {}
    for name, call in story.items():
        when = call.finished_at or call.answered_at or call.started_at
        event = fact(PBX, CallChanged(call), when, external_id=f"{call.linkedid}:{name}", sequence=sequence[name])
        found[name] = event
    return found


async def _kept(world: World, linkedid: str) -> dict[str, Any]:
    row = await world.row("call", linkedid=linkedid)
    return {key: value for key, value in row._mapping.items() if key not in {"id", "linkedid", "entry_id"}}


def _batches(names: tuple[str, ...]) -> list[list[tuple[str, ...]]]:
    """All together, each by itself, and the last two together."""
    return [[names], [(name,) for name in names], [*((name,) for name in names[:-2]), names[-2:]]]


@pytest.mark.parametrize("told", [("finished", "settled"), ("started", "answered", "finished", "settled")])
async def test_the_end_that_was_seen_wins_and_records_mend_the_guess(world: World, told: tuple[str, ...]) -> None:
    found = []
    for number, names in enumerate(permutations(told)):
        for kind, batches in enumerate(_batches(names)):
            linkedid = f"c-{number}-{kind}"
            facts = _facts(_story(linkedid))
            for batch in batches:
                await world.take(*(facts[name] for name in batch))
            found.append((names, kind, await _kept(world, linkedid)))
    _, _, expected = found[0]
    for names, kind, kept in found:
        assert kept == expected, (names, kind)
    assert (expected["hung_up_by"], expected["cause"], expected["hold_s"]) == ("client", 16, 2.5)
    assert expected["finished_at"] == _moment(90.2)
    assert [(talk["endpoint"], talk["how"]) for talk in expected["talks"]] == [
        *((ANNA, "answered"), (BORIS, "blind_transfer")),
    ]
    whole = "started" in told
    assert expected["started_at"] == (_moment(0) if whole else _cut(0))
    assert expected["answered_at"] == (_moment(5.5) if whole else _cut(5.5))
    assert expected["wait_s"] == (5.5 if whole else 6.0)


@pytest.mark.parametrize("talked", [True, False])
async def test_an_end_that_was_seen_whole_is_not_blurred_by_records(world: World, talked: bool) -> None:
    found = []
    for number, names in enumerate(permutations(("started", "finished", "settled"))):
        for kind, batches in enumerate(_batches(names)):
            linkedid = f"w-{number}-{kind}"
            story = _story(linkedid)
            rang, state = story["started"], CallState.ANSWERED if talked else CallState.ABANDONED
            seen = replace(rang, state=state, finished_at=_moment(30), hung_up_by="client", cause=16)
            told = replace(rang, state=CallState.MISSED, started_at=_cut(0), finished_at=_cut(30), settled=True)
            if talked:
                seen = replace(seen, answered_at=_moment(5.5), answered_by=ANNA)
                told = replace(told, state=state, answered_at=_cut(5.5), answered_by=ANNA)
            facts = _facts({"started": rang, "finished": seen, "settled": told})
            for batch in batches:
                await world.take(*(facts[name] for name in batch))
            found.append((names, kind, await _kept(world, linkedid)))
    for names, kind, kept in found:
        assert kept == found[0][2], (names, kind)
    kept = found[0][2]
    assert (kept["hung_up_by"], kept["started_at"], kept["finished_at"]) == ("client", _moment(0), _moment(30))
    assert (kept["state"], kept["wait_s"]) == (("answered", 5.5) if talked else ("abandoned", 30.0))


async def test_an_answer_that_only_records_know_of_counts_in_either_order(world: World) -> None:
    for number, names in enumerate(permutations(("started", "finished", "settled"))):
        story = _story(f"o-{number}")
        over = replace(story["started"], state=CallState.MISSED, finished_at=_moment(20))
        facts = _facts({**story, "finished": over})
        for name in names:
            await world.take(facts[name])
        kept = await _kept(world, f"o-{number}")
        assert (kept["state"], kept["endpoint"], kept["wait_s"]) == ("answered", ANNA, 5.25), names
        assert (kept["started_at"], kept["finished_at"]) == (_moment(0), _cut(90.2)), names
    assert await world.rows("contact_case") == []


async def test_what_is_too_long_to_be_a_number_is_a_hidden_caller(world: World) -> None:
    raw = "7" * 80
    call = replace(_story("long")["started"], number=raw)
    await world.take(*_facts({"started": call}).values())
    kept = await _kept(world, "long")
    identity = await world.row("identity", contact_id=kept["contact_id"])
    assert (kept["number"], identity.key) == (raw, "tel:anonymous")
