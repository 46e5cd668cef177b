"""Messages for later through the API: written with a moment, listed, taken back before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.integration.http.world import World
from tests.integration.http.world import later as moment
from tests.integration.storage.world import message


async def client_of(world: World) -> int:
    """Whoever has written."""
    await world.take(message(1001, "m1", moment(1)))
    return int((await world.get("/contacts"))["items"][0]["id"])


async def later(world: World, client: int, text: str, **ahead: float) -> Any:
    """A message for a moment so far ahead."""
    moment = (world.clock.now() + timedelta(**ahead)).isoformat()
    body = {"channel": "telegram", "text": text, "not_before": moment}
    return await world.post(f"/contacts/{client}/messages", body, status=202)


async def waiting(world: World, client: int, **params: Any) -> list[str]:
    """What still waits."""
    page = await world.get(f"/contacts/{client}/scheduled", params=params)
    return [each["text"] for each in page["items"]]


async def test_a_message_waits_for_its_moment(world: World) -> None:
    client = await client_of(world)
    await later(world, client, "завтра", days=1)
    soon = await later(world, client, "скоро", hours=1)
    assert (soon["delivery"], soon["text"]) == ("queued", "скоро")
    assert await waiting(world, client) == ["скоро", "завтра"]
    page = await world.get(f"/contacts/{client}/scheduled", params={"limit": 1})
    assert await waiting(world, client, limit=1, after=page["next"]) == ["завтра"]
    world.clock.advance(timedelta(hours=2))
    assert await waiting(world, client) == ["завтра"]


async def test_it_is_taken_back_before_it_went(world: World) -> None:
    client = await client_of(world)
    entry = await later(world, client, "скоро", hours=1)
    gone = await world.post(f"/entries/{entry['id']}/withdraw")
    assert gone["deleted_at"] is not None
    assert gone["delivery"] is None
    assert await waiting(world, client) == []
    again = await world.post(f"/entries/{entry['id']}/withdraw")
    assert again["id"] == entry["id"]
    assert await world.count("outbox") == 0
    (first,) = [
        each
        for each in (await world.get(f"/contacts/{client}/timeline"))["items"]
        if each["kind"] == "message" and each["direction"] == "in"
    ]
    await world.post(f"/entries/{first['id']}/withdraw", status=409)
    await world.post("/entries/999999/withdraw", status=404)


async def test_the_last_minute_is_now_and_what_lies_behind_or_is_too_far_is_refused(world: World) -> None:
    client = await client_of(world)
    await later(world, client, "только что", seconds=-50)
    assert await waiting(world, client) == []
    assert await world.count("outbox") == 1
    for ahead in (timedelta(days=400), timedelta(minutes=-2), timedelta(days=-1)):
        body = {"channel": "telegram", "text": "x", "not_before": (world.clock.now() + ahead).isoformat()}
        await world.post(f"/contacts/{client}/messages", body, status=422)
    wrong = {"channel": "telegram", "text": "x", "not_before": "завтра"}
    await world.post(f"/contacts/{client}/messages", wrong, status=422)
    assert await world.count("outbox") == 1
