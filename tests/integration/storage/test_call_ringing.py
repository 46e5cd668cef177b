"""Whom a call rings is laid upon the call while it rings, in whatever order it is told, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Connection

from crm_core.messages import CallChanged, CallRinging, InboundEvent, ReceiptState
from crm_core.model.call import CallLeg, CallSnapshot, CallState, CallTalk, Direction, TalkBegan
from crm_core.model.office import WebhookTarget
from crm_core.model.records import CallRecord
from crm_core.storage.queries.call_rows import CallRow, RowFilter, list_rows
from crm_core.storage.queries.pages import Page, Slice
from crm_core.storage.queries.workspace.calls_now import call_now, calls_now
from tests.integration.storage.world import OFFICE, PBX, World, at, fact
from tests.looking import somebody

IVAN, PETR, NOBODY_S = "PJSIP/101", "PJSIP/102", "PJSIP/150"
NUMBER = "+79161234567"


def _leg(endpoint: str, rang: float, ended: float | None = None, cause: int = 0) -> CallLeg:
    return CallLeg(endpoint, at(rang), None, at(ended) if ended is not None else None, cause)


def _story(linkedid: str) -> dict[str, InboundEvent]:
    """Ivan is rung, then Petr and somebody else at once; Petr picks up; the client hangs up."""
    rang = CallSnapshot(linkedid, Direction.IN, NUMBER, "+74951234567", CallState.RINGING, at(0.25))
    ivan, petr, other = _leg(IVAN, 1.5), _leg(PETR, 21.5), _leg(NOBODY_S, 21.6)
    gone, silent = _leg(IVAN, 1.5, 21.25, 19), _leg(NOBODY_S, 21.6, 23.5, 26)
    picked = replace(petr, answered_at=at(23.5))
    answered = replace(
        rang,
        state=CallState.ANSWERED,
        answered_at=at(23.75),
        answered_by=PETR,
        legs=(gone, picked, silent),
        talks=(CallTalk(PETR, at(23.75)),),
    )
    ended = replace(picked, ended_at=at(60.5), cause=16)
    finished = replace(answered, finished_at=at(60.5), legs=(gone, ended, silent), hung_up_by="client", cause=16)
    missed = replace(rang, state=CallState.MISSED, finished_at=at(40.5), legs=(gone, silent), cause=16)
    settled = replace(
        rang,
        state=CallState.ANSWERED,
        started_at=at(0),
        answered_at=at(23),
        finished_at=at(60),
        answered_by=PETR,
        legs=(CallLeg(PETR, at(21), at(23), at(60)),),
        settled=True,
    )
    calls = {"started": rang, "answered": answered, "finished": finished, "missed": missed, "settled": settled}
    legs = {"ivan": (ivan,), "both": (gone, petr, other), "petr": (gone, petr, silent)}
    found = {}
    for sequence, (name, call) in enumerate(calls.items()):
        when = call.finished_at or call.answered_at or call.started_at
        ident = f"{linkedid}:{name}"
        found[name] = fact(PBX, CallChanged(call), when, conversation=NUMBER, external_id=ident, sequence=sequence)
    for number, (name, rung) in enumerate(legs.items()):
        payload, when = CallRinging(replace(rang, legs=rung)), rung[-1].ended_at or rung[-1].rang_at
        found[name] = fact(PBX, payload, when, conversation=NUMBER, external_id=f"{linkedid}:ringing:{number}")
    return found


RINGS = frozenset({"ivan", "both", "petr"})


async def _tell(world: World, linkedid: str, *batches: tuple[str, ...]) -> None:
    story = _story(linkedid)
    for names in batches:
        receipts = await world.take(*(story[name] for name in names))
        assert {each.state for each in receipts} == {ReceiptState.DONE}


def _batches(names: tuple[str, ...]) -> list[list[tuple[str, ...]]]:
    """All together, and each by itself."""
    return [[names], [(name,) for name in names]]


async def _kept(world: World, linkedid: str) -> dict[str, Any]:
    """The record of a call, and what its client has of it."""
    call = await world.row("call", linkedid=linkedid)
    entries = await world.rows("timeline", external_id=linkedid)
    kept = {key: value for key, value in call._mapping.items() if key not in {"id", "linkedid", "entry_id"}}
    own = {"id", "seq", "journal_id", "external_id", "call_id", "recorded_at"}
    kept["entries"] = [{k: v for k, v in each._mapping.items() if k not in own} for each in entries]
    assert [each.id for each in entries] == [call.entry_id] * len(entries)
    return kept


async def _now(world: World, linkedid: str) -> tuple[str, ...]:
    """Whom the call rings, as the wall and the popups read it."""
    return next(call_now(each, None).ringing for each in await _going_on(world) if each.linkedid == linkedid)


def _rung(kept: dict[str, Any]) -> list[tuple[str, str | None, bool]]:
    return [(leg["endpoint"], leg["user"], leg["ring_s"] is None) for leg in kept["rung"]]


async def test_it_is_seen_whom_a_call_rings_as_it_goes_on(world: World) -> None:
    await _tell(world, "c", ("started",))
    assert await _now(world, "c") == ()
    for name, ringing in (("ivan", ("ivan",)), ("both", ("petr", NOBODY_S)), ("petr", ("petr",))):
        await _tell(world, "c", (name,))
        assert await _now(world, "c") == ringing
    await _tell(world, "c", ("answered",))
    calls = await _going_on(world)
    assert [(call_now(each, None).talking, call_now(each, None).ringing) for each in calls] == [("petr", ())]
    await _tell(world, "c", ("finished",))
    assert await _going_on(world) == []


async def test_in_every_order_it_comes_to_the_same_as_long_as_it_rings(world: World) -> None:
    expected: dict[str, Any] | None = None
    for number, names in enumerate(permutations(("started", "ivan", "both", "petr"))):
        for kind, batches in enumerate((*_batches(names), [names[:2], names[2:], names])):
            linkedid = f"c-{number}-{kind}"
            story = _story(linkedid)
            for batch in batches:
                await world.take(*(story[name] for name in batch))
            kept = await _kept(world, linkedid)
            assert _rung(kept) == [(IVAN, "ivan", False), (PETR, "petr", True), (NOBODY_S, None, False)], names
            expected = expected or kept
            assert kept == expected, (names, kind)
            assert len(await world.rows("journal", correlation_id="", external_id=f"{linkedid}:started")) == 1
    assert expected is not None
    assert (expected["state"], expected["progress"], len(expected["entries"])) == ("ringing", 0, 1)
    assert [row for row in await world.rows("journal") if not row.external_id.endswith(":started")] == []


@pytest.mark.parametrize(
    "told",
    [
        ("started", "answered"),
        ("answered", "finished"),
        ("started", "missed"),
        ("settled",),
        ("started", "settled"),
        ("finished", "settled"),
        ("started", "answered", "finished"),
    ],
)
async def test_what_a_call_comes_to_is_not_touched_by_whom_it_rang(sqlite_world: World, told: tuple[str, ...]) -> None:
    world = sqlite_world
    await _tell(world, "plain", *((name,) for name in told))
    plain = await _kept(world, "plain")
    for number, names in enumerate(permutations((*told, "ivan", "both"))):
        for kind, batches in enumerate(_batches(names)):
            linkedid = f"c-{number}-{kind}"
            await _tell(world, linkedid, *batches)
            assert await _kept(world, linkedid) == plain, (names, kind)


async def test_one_heralded_is_told_to_nobody_before_it_is_known_to_have_begun(world: World) -> None:
    hook = WebhookTarget("http://127.0.0.1:9/hook", "secret", frozenset({"call.started", "call.missed"}))
    world.store.office = replace(OFFICE, webhooks=(hook,))
    await _tell(world, "c", ("both",), ("ivan",))
    call = await world.row("call")
    assert (call.contact_id, call.entry_id, call.state, call.finished_at) == (None, None, "ringing", None)
    assert await _now(world, "c") == ("petr", NOBODY_S)
    for name in ("timeline", "contact", "lead", "contact_case", "journal", "deadline", "webhook_delivery"):
        assert await world.rows(name) == [], name
    await _tell(world, "c", ("started",), ("both",))
    assert [each.event for each in await world.rows("webhook_delivery")] == ["call.started"]
    assert await _now(world, "c") == ("petr", NOBODY_S)
    await _tell(world, "c", ("missed",), ("both",), ("ivan",))
    assert [each.event for each in await world.rows("webhook_delivery")] == ["call.started", "call.missed"]
    assert len(await world.rows("contact_case")) == 1


async def _still(world: World, seconds: float) -> list[str]:
    """The calls that go on so many seconds later."""
    return [each.linkedid for each in await _going_on(world, at(seconds))]


def _listed(world: World, conn: Connection) -> Page[CallRow]:
    return list_rows(conn, somebody(world.store, conn), RowFilter(going_on=True), Slice(None, 10))


async def test_one_heralded_whose_beginning_never_comes_goes_on_no_longer_than_a_telephone_rings(world: World) -> None:
    await _tell(world, "herald", ("both",))
    assert await _still(world, 30) == ["herald"]
    assert await _still(world, 21.6 + 601) == []  # nothing rings for hours
    rang = _story("herald")["both"].payload
    assert isinstance(rang, CallRinging)
    silent = tuple(replace(each, ended_at=at(40)) for each in rang.call.legs)
    await world.take(fact(PBX, CallRinging(replace(rang.call, legs=silent)), at(40)))
    assert await _still(world, 41) == []
    page = await world.store.read(lambda conn: _listed(world, conn))
    assert page.items == ()
    await _tell(world, "herald", ("started",))
    assert await _still(world, 3600) == ["herald"]  # a queue may be long
    page = await world.store.read(lambda conn: _listed(world, conn))
    assert [each.call.linkedid for each in page.items] == ["herald"]


async def test_a_repeat_writes_nothing(world: World) -> None:
    await _tell(world, "c", ("started",), ("both",))
    before = len(await world.rows("feed"))
    await _tell(world, "c", ("both",), ("ivan",), ("both", "both"))
    assert len(await world.rows("feed")) == before


async def test_a_link_that_came_in_the_middle_means_the_same_ringing(world: World) -> None:
    """It knows when a telephone began to ring to the second alone."""
    story = _story("c")
    await world.take(story["started"], story["both"])
    cut = replace(_leg(PETR, 21.5), rang_at=at(21.5).replace(microsecond=0))
    rang = story["both"].payload
    assert isinstance(rang, CallRinging)
    await world.take(fact(PBX, CallRinging(replace(rang.call, legs=(cut,))), at(22)))
    assert await _now(world, "c") == ("petr", NOBODY_S)
    over = (replace(cut, ended_at=at(30)),)
    await world.take(fact(PBX, CallRinging(replace(rang.call, legs=over)), at(30)))
    assert await _now(world, "c") == (NOBODY_S,)


def _passed_on(linkedid: str) -> dict[str, InboundEvent]:
    """Ivan talks and passes the client on to Petr, who rings, then talks; what is told of it, in its order."""
    rang = CallSnapshot(linkedid, Direction.IN, NUMBER, "+74951234567", CallState.RINGING, at(0.25))
    ivan = CallLeg(IVAN, at(1.5), at(5.25))
    talks = (CallTalk(IVAN, at(5.5)),)
    answer = replace(rang, state=CallState.ANSWERED, answered_at=at(5.5), answered_by=IVAN, legs=(ivan,), talks=talks)
    alone = (CallTalk(IVAN, at(5.5), at(19.5)),)
    asked = replace(answer, legs=(ivan, _leg(PETR, 20.5)), talks=alone)
    again = CallTalk(PETR, at(25.5), None, TalkBegan.BLIND_TRANSFER)
    through = replace(asked, legs=(ivan, CallLeg(PETR, at(20.5), at(25.25))), talks=(*alone, again))
    calls: dict[str, tuple[CallChanged | CallRinging, float]] = {
        "answered": (CallChanged(answer), 5.5),
        "asked": (CallRinging(asked), 20.5),
        "through": (CallRinging(through), 25.5),
    }
    return {
        name: fact(PBX, payload, at(when), conversation=NUMBER, external_id=f"{linkedid}:{name}", sequence=number)
        for number, (name, (payload, when)) in enumerate(calls.items())
    }


async def test_whom_a_call_is_passed_on_to_is_seen_in_whatever_order_it_is_told(world: World) -> None:
    story = _passed_on("p")
    seen = []
    for fact_ in story.values():
        await world.take(fact_)
        (call,) = [call_now(each, None) for each in await _going_on(world)]
        seen.append((call.talking, call.ringing))
    assert seen == [("ivan", ()), (None, ("petr",)), ("petr", ())]
    for number, names in enumerate(permutations(story)):
        linkedid = f"p-{number}"
        again = _passed_on(linkedid)
        for name in (*names, *story):  # what was told before its time, is told once more with what follows
            await world.take(again[name])
        record = next(each for each in await _going_on(world) if each.linkedid == linkedid)
        assert [(talk["user"], talk["until"] is None) for talk in record.talks] == [("ivan", False), ("petr", True)]
        assert call_now(record, None).ringing == ()


async def test_a_link_that_came_in_the_middle_forgets_none_who_talked_before(world: World) -> None:
    story = _passed_on("p")
    await world.take(story["answered"])
    later = CallSnapshot("p", Direction.IN, NUMBER, "+74951234567", CallState.ANSWERED, at(0), answered_at=at(40.5))
    for endpoint, talks in ((IVAN, ["ivan"]), (PETR, ["ivan", "petr"])):
        told = replace(later, answered_by=endpoint, talks=(CallTalk(endpoint, at(40.5)),), guessed=True)
        await world.take(fact(PBX, CallRinging(told), at(41), conversation=NUMBER, external_id=f"p:{endpoint}"))
        (record,) = await _going_on(world)
        assert [talk["user"] for talk in record.talks] == talks
        assert [talk["until"] is None for talk in record.talks] == [False] * (len(talks) - 1) + [True]


async def _going_on(world: World, now: datetime | None = None) -> list[CallRecord]:
    def found(conn: Connection) -> list[CallRecord]:
        return calls_now(conn, somebody(world.store, conn), now or world.clock.now())

    return await world.store.read(found)
