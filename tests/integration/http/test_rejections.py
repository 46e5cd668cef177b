"""Rejections checked through the API, by whoever oversees the lead's manager."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.integration.http.world import World
from tests.integration.http.world import later as moment
from tests.integration.storage.world import message


async def rejected(world: World, by: str = "ivan") -> int:
    """A lead that came to nothing."""
    await world.take(message(1001, "m1", moment(1)))
    lead: Any = (await world.get("/leads"))["items"][0]
    await world.post(f"/leads/{lead['id']}/reject", {"reason": "спам"}, login=by)
    return int(lead["id"])


async def test_a_rejection_is_right(world: World) -> None:
    lead = await rejected(world)
    await world.post(f"/leads/{lead}/rejection/confirm", status=403)
    listed = await world.get("/workspace/control/rejections", login="root")
    assert [each["id"] for each in listed["items"]] == [lead]
    done = await world.post(f"/leads/{lead}/rejection/confirm", login="root")
    assert (done["id"], done["status"]) == (lead, "rejected")
    assert (await world.get("/workspace/control/rejections", login="root"))["items"] == []


async def test_a_rejection_is_wrong(world: World) -> None:
    lead = await rejected(world)
    await world.post(f"/leads/{lead}/rejection/undo", status=403)
    going_on = await world.post(f"/leads/{lead}/rejection/undo", login="root")
    assert (going_on["status"], going_on["reason"], going_on["closed_at"]) == ("new", None, None)
    await world.post(f"/leads/{lead}/rejection/undo", login="root", status=409)
    await world.post("/leads/999999/rejection/undo", login="root", status=404)


async def test_nobody_checks_their_own_rejection_as_long_as_somebody_else_may(world: World) -> None:
    lead = await rejected(world, by="root")
    told = await world.post(f"/leads/{lead}/rejection/confirm", login="root", status=409)
    assert told["detail"] == f"you rejected lead {lead} yourself: somebody else says whether that was right"
    assert [each["id"] for each in (await world.get("/workspace/control/rejections", login="root"))["items"]] == [lead]
    # Whoever is the only one left checks it themselves; and one may think again of what is checked.
    await world.patch("/users/olga", {"active": False}, login="root")
    await world.post(f"/leads/{lead}/rejection/confirm", login="root")
    await world.patch("/users/olga", {"active": True}, login="root")
    await world.post(f"/leads/{lead}/rejection/undo", login="root")


async def test_a_rejection_is_whose_came_last(world: World) -> None:
    lead = await rejected(world, by="root")
    await world.post(f"/leads/{lead}/rejection/undo", login="root")
    world.clock.advance(timedelta(minutes=1))
    await world.post(f"/leads/{lead}/reject", {"reason": "спам"})
    await world.post(f"/leads/{lead}/rejection/confirm", login="root")
