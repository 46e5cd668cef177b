"""Control of instalments by configuration alone: a card waits, is overdue, waits again, and is won when all is paid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.integration.http.world import World

PIPELINE = "Контроль рассрочек"
STAGES = [{"name": "Ждём платёж"}, {"name": "Просрочено"}, {"name": "Оплачено", "kind": "won"}]
RULES: list[dict[str, Any]] = [
    {
        "name": "просрочка",
        "when": {"event": "changed", "field": "overdue_since", "pipelines": PIPELINE},
        "condition": "deal.overdue",
        "then": {"do": "move", "stage": "Просрочено"},
    },
    {
        "name": "наверстал",
        "when": {"event": "changed", "field": "overdue_since", "pipelines": PIPELINE},
        "condition": "!deal.overdue && deal.balance > 0.0",
        "then": {"do": "move", "stage": "Ждём платёж"},
    },
    {
        "name": "оплачено",
        "when": {"event": "changed", "field": "paid", "pipelines": PIPELINE},
        "condition": "deal.balance <= 0.0",
        "then": {"do": "move", "stage": "Оплачено"},
    },
]


async def test_a_card_follows_its_payments(world: World) -> None:
    world.login = "root"
    await world.post("/pipelines", {"name": PIPELINE, "stages": STAGES}, status=201)
    for rule in RULES:
        await world.post("/rules", rule, status=201)
    contact = await world.contact(name="Анна")
    body = {"title": "Окна", "contact_id": contact["id"], "pipeline": PIPELINE, "amount": {"amount": 200_00}}
    deal = await world.post("/deals", body, status=201)
    where = f"/deals/{deal['id']}"
    first = (world.clock.now() + timedelta(days=10)).date().isoformat()
    await world.ask("PUT", f"{where}/instalments", {"count": 2, "first_on": first})

    async def stage() -> str:
        return str((await world.get(where))["stage"])

    async def pay(amount: int) -> None:
        await world.post(f"{where}/payments", {"amount": {"amount": amount}}, status=201)

    async def pass_days(days: int) -> None:
        world.clock.advance(timedelta(days=days))
        while await world.hub.deadlines.fire_due():
            pass

    await pass_days(9)
    assert await stage() == "Ждём платёж"
    await pass_days(2)
    assert await stage() == "Просрочено"
    await pay(60_00)
    assert await stage() == "Просрочено"
    await pay(40_00)
    assert await stage() == "Ждём платёж"
    await pass_days(31)
    assert await stage() == "Просрочено"
    await pay(100_00)
    assert await stage() == "Оплачено"
    assert (await world.get(where))["closed_at"]
