"""What sales tell of clients through the API: figures, needs, whom to speak to today, who is forgotten."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert

from crm_core.storage import tables
from crm_core.storage.scoring import scores_due
from tests.integration.http.world import World, later
from tests.integration.storage.world import talked

_numbers = count(1)


async def sold(world: World, contact_id: int, *days: int, name: str = "бумага", roubles: int = 100) -> None:
    """Sales to a client so many days ago."""
    now = world.clock.now()
    rows = [
        {
            "id": 10_000_000 + next(_numbers),
            "ref": f"1c:{next(_numbers)}",
            "contact_id": contact_id,
            "name": name,
            "quantity": 1500,
            "amount": roubles * 100,
            "currency": "RUB",
            "at": now - timedelta(days=each),
            "recorded_at": now,
        }
        for each in days
    ]
    await world.hub.store.database.write(lambda conn: conn.execute(insert(tables.sale), rows))


async def run(world: World) -> Any:
    """Work all clients out."""
    return await world.post("/scores/run", login="root")


async def test_figures_and_needs_of_a_client(world: World) -> None:
    contact = await world.contact(name="Типография")
    await world.get(f"/contacts/{contact['id']}/score", status=404)
    await sold(world, contact["id"], 91, 61, 31, 1)
    ran = await run(world)
    assert (ran["scored"], ran["needs"], ran["statuses"], ran["day"]) == (1, 1, 1, "2026-03-02")
    score = await world.get(f"/contacts/{contact['id']}/score")
    assert (score["status"], score["orders"], score["revenue"], score["abc"]) == ("постоянный", 4, 40_000, "A")
    assert (await world.get(f"/contacts/{contact['id']}"))["status"] == "постоянный"
    (need,) = (await world.get(f"/contacts/{contact['id']}/needs"))["items"]
    assert (need["name"], need["quantity"], need["period_days"], need["next_on"]) == ("бумага", 1.5, 30, "2026-03-31")
    assert (need["hits"], need["checks"], need["probability"]) == (1, 1, 67)
    assert "сбылось 1" in need["explanation"]
    assert (await run(world))["scored"] == 0
    await world.get("/contacts/999/score", status=404)
    await world.get("/contacts/999/needs", status=404)


async def test_only_an_administrator_runs_it(world: World) -> None:
    await world.post("/scores/run", status=403)
    await world.post("/scores/run", status=403, login="olga")


async def test_with_whom_to_speak_today(world: World) -> None:
    due = await world.contact(name="скоро купит", manager="ivan")
    big = await world.contact(name="крупный, забыт", manager="ivan")
    other = await world.contact(name="чужой", manager="petr")
    await world.contact(name="никогда не покупал", manager="ivan")
    spoken = await world.contact(name="уже говорили", manager="ivan", identities=["tel:+79161234567"])
    await sold(world, due["id"], 89, 59, 29)
    await sold(world, big["id"], 200, roubles=100_000)
    await sold(world, other["id"], 50)
    await sold(world, spoken["id"], 89, 59, 29)
    await world.take(talked("a", "+79161234567", later(1)))
    await run(world)
    mine = (await world.get("/scores/today", params={"mine": "true"}))["items"]
    assert {each["name"] for each in mine} == {"скоро купит", "крупный, забыт"}
    assert [each["priority"] for each in mine] == sorted((each["priority"] for each in mine), reverse=True)
    assert {each["name"]: each["need"] for each in mine} == {"скоро купит": "бумага", "крупный, забыт": None}
    everybody = (await world.get("/scores/today"))["items"]
    assert {each["name"] for each in everybody} == {"скоро купит", "крупный, забыт", "чужой"}
    assert len((await world.get("/scores/today", params={"limit": 1}))["items"]) == 1


async def test_scorings_are_kept(world: World) -> None:
    body = {"name": "ABC", "grade": {"of": "lead", "parts": [{"field": "size", "letters": {"да": "А"}}]}}
    await world.post("/scorings", body, status=403)
    made = await world.post("/scorings", body, status=201, login="root")
    assert made["grade"]["parts"][0]["letters"] == {"да": "А"}
    await world.post("/scorings", {"name": "плохой"}, status=422, login="root")
    bad = {"name": "плохой", "grade": {"of": "lead", "formula": "1 +"}}
    await world.post("/scorings", bad, status=422, login="root")
    clients = {"name": "клиенты", "clients": {"hour": 5, "fresh_within": "30d"}}
    assert (await world.post("/scorings", clients, status=201, login="root"))["clients"]["fresh_within"] == "30d"
    contact = await world.contact(name="Анна")
    lead = await world.post(
        "/leads", {"contact_id": contact["id"], "title": "Шторы", "fields": {"size": "да"}}, status=201
    )
    lead = await world.get(f"/leads/{lead['id']}")
    assert (lead["grade"], lead["title"]) == ("А", "[А] Шторы")


async def test_who_is_forgotten(world: World) -> None:
    old = await world.contact(name="забыт", manager="ivan")
    await world.contact(name="из списка", manager="ivan", list="чёрный список")
    await world.contact(name="говорили", manager="petr", identities=["tel:+79161234567"])
    world.clock.set(world.clock.now() + timedelta(days=91))
    await world.contact(name="новый", manager="ivan")
    await world.take(talked("a", "+79161234567", world.clock.now()))
    report = await world.get("/reports/forgotten", login="olga")
    assert [row["contact_id"] for row in report["rows"]] == [old["id"]]
    assert report["rows"][0]["passed_s"] // 86_400 == 91
    counted = await world.get("/reports/forgotten", params={"by": "manager"}, login="olga")
    assert counted["rows"] == [{"manager": "ivan", "clients": 1}]
    assert (await world.get("/reports/forgotten", params={"manager": "petr"}, login="olga"))["rows"] == []


async def test_the_daily_worker_works_once_a_day(world: World) -> None:
    contact = await world.contact(name="клиент")
    await sold(world, contact["id"], 10)
    worker = world.hub.scoring
    world.clock.set(world.clock.now() + timedelta(days=1))
    await worker.turn()
    assert (await world.get(f"/contacts/{contact['id']}/score"))["status"] == "разовый свежий"
    assert not await scores_due(world.hub.store, world.clock.now())
    world.clock.set(world.clock.now() + timedelta(days=100))
    await worker.turn()
    assert (await world.get(f"/contacts/{contact['id']}"))["status"] == "разовый старый"
