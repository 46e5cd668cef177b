"""The record of a call as the API gives it: its conversations, its hold, its cause; what mends it afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crm_core.messages import InboundEvent
from crm_core.model.call import CallLeg, CallSnapshot, CallState, CallTalk, TalkBegan
from tests.integration.http.world import World, later
from tests.integration.storage.world import answered, ended, moved, ringing

NUMBER = "+79161234567"
ANNA, BORIS = "PJSIP/101", "PJSIP/102"


def _fact(call: CallSnapshot, name: str) -> InboundEvent:
    return replace(moved(call), external_id=f"{call.linkedid}:{name}")


def _talk(endpoint: str, since: float, until: float | None, began: TalkBegan = TalkBegan.ANSWERED) -> CallTalk:
    return CallTalk(endpoint, later(since), later(until) if until is not None else None, began)


async def _call(world: World) -> dict[str, Any]:
    (call,) = (await world.get("/calls"))["items"]
    return dict(call)


async def test_who_talked_one_after_another(world: World) -> None:
    call = ended(answered(ringing("c1", NUMBER, later(0)), 5), 100)
    talks = (_talk(ANNA, 5, 30), _talk(BORIS, 40, 100, TalkBegan.BLIND_TRANSFER))
    legs = (
        CallLeg("PJSIP/103", later(0), None, later(3), 17),
        CallLeg(ANNA, later(3), later(5), later(30), 16),
        CallLeg(BORIS, later(30), later(40), later(100), 16),
    )
    await world.take(
        _fact(replace(call, talks=talks, legs=legs, hold_s=4.5, hung_up_by="client", cause=16), "finished")
    )
    found = await _call(world)
    assert [(each["endpoint"], each["user"], each["how"]) for each in found["talks"]] == [
        (ANNA, "ivan", "answered"),
        (BORIS, "petr", "blind_transfer"),
    ]
    assert (found["talks"][0]["from"], found["talks"][0]["until"]) == ("2026-03-02T09:00:05Z", "2026-03-02T09:00:30Z")
    assert (found["wait_s"], found["talk_s"], found["hold_s"]) == (5.0, 85.0, 4.5)
    assert (found["answered_by"], found["cause"], found["cause_text"]) == ("ivan", 16, "клиент положил трубку")
    assert [leg["cause_text"] for leg in found["rung"]] == ["занят", "", ""]
    entry = (await world.get(f"/contacts/{found['contact_id']}/timeline"))["items"][0]["call"]
    assert (entry["talks"], entry["hold_s"], entry["cause_text"]) == (found["talks"], 4.5, found["cause_text"])


async def test_call_records_mend_what_was_guessed(world: World) -> None:
    """The link came when they had talked for a minute, and Boris had taken over from Anna."""
    rang = ringing("c1", NUMBER, later(0))
    guess = replace(ended(answered(rang, 60, BORIS), 100), guessed=True, talks=(_talk(BORIS, 60, 100),), hold_s=2.0,
                    hung_up_by="office")  # fmt: skip
    await world.take(_fact(guess, "finished"))
    assert (await _call(world))["wait_s"] == 60.0
    record = replace(ended(answered(rang, 5, ANNA), 100), settled=True, legs=(CallLeg(ANNA, later(0), later(5)),))
    await world.take(_fact(record, "settled"))
    found = await _call(world)
    assert (found["wait_s"], found["answered_by"], found["hung_up_by"], found["hold_s"]) == (5.0, "ivan", "office", 2.0)
    assert [(each["user"], each["from"][-6:], each["until"][-6:]) for each in found["talks"]] == [
        ("ivan", "00:05Z", "01:00Z"),
        ("petr", "01:00Z", "01:40Z"),
    ]
    assert found["talk_s"] == 95.0


async def test_what_was_seen_exactly_is_not_blurred_by_records_in_whole_seconds(world: World) -> None:
    rang = ringing("c1", NUMBER, later(0))
    seen = replace(answered(rang, 5.75), talks=(_talk(ANNA, 5.75, None),))
    await world.take(_fact(rang, "started"), _fact(seen, "answered"))
    record = replace(ended(answered(rang, 5), 60), settled=True)
    await world.take(_fact(record, "settled"))
    found = await _call(world)
    assert (found["state"], found["wait_s"], found["talk_s"]) == ("answered", 5.75, 54.25)
    assert [(each["user"], each["until"]) for each in found["talks"]] == [("ivan", "2026-03-02T09:01:00Z")]


async def test_a_link_that_comes_later_does_not_forget_who_answered(world: World) -> None:
    rang = ringing("c1", NUMBER, later(0))
    await world.take(_fact(replace(answered(rang, 5), talks=(_talk(ANNA, 5, None),)), "answered"))
    guess = replace(ended(answered(rang, 30, BORIS), 60), guessed=True, talks=(_talk(BORIS, 30, 60),))
    await world.take(_fact(guess, "finished"))
    found = await _call(world)
    assert (found["answered_by"], found["wait_s"], found["talk_s"]) == ("ivan", 5.0, 55.0)
    assert [each["user"] for each in found["talks"]] == ["ivan", "petr"]


async def test_answered_by_a_colleague_is_not_missed(world: World) -> None:
    call = ended(answered(ringing("c1", NUMBER, later(0)), 5, BORIS), 60)
    legs = (CallLeg(ANNA, later(0), None, later(5), 26),)
    talks = (_talk(BORIS, 5, 60, TalkBegan.PICKED_UP),)
    await world.take(_fact(replace(call, legs=legs, talks=talks), "finished"))
    found = await _call(world)
    assert (found["state"], found["answered_by"]) == ("answered", "petr")
    assert found["rung"][0]["cause_text"] == "ответил другой"
    assert (await world.get("/cases"))["items"] == []


async def test_a_call_that_nobody_took_says_why(world: World) -> None:
    await world.take(_fact(ended(ringing("c1", NUMBER, later(0)), 20, CallState.MISSED), "finished"))
    found = await _call(world)
    assert (found["cause_text"], found["talks"], found["hold_s"]) == ("никто не ответил", [], 0.0)
