"""Leads, deals and pipelines through the API."""

from __future__ import annotations

from typing import Any

from tests.integration.http.world import World, later
from tests.integration.storage.world import form, message


async def test_a_form_becomes_a_lead_with_its_marks(world: World) -> None:
    await world.take(form(later(1), name="Анна", phone="+79161234567", message="хочу шторы"))
    page = await world.get("/leads", params={"status": "new"})
    (lead,) = page["items"]
    assert lead["utm"] == {"source": "", "medium": "", "campaign": "", "content": "", "term": ""}
    assert lead["manager"] in {"ivan", "petr"}
    assert (lead["channel"], lead["account"], lead["source"]) == ("web", "site", "site")
    assert await world.get(f"/leads/{lead['id']}") == lead
    assert (await world.get("/leads", params={"contact_id": lead["contact_id"]}))["items"] == [lead]
    assert (await world.get("/leads", params={"manager": "nobody"}))["items"] == []


async def test_taking_a_lead_makes_the_client_ones_own(world: World) -> None:
    await world.take(message(1001, "m1", later(1)))
    (lead,) = (await world.get("/leads"))["items"]
    taken = await world.post(f"/leads/{lead['id']}/take")
    assert (taken["status"], taken["manager"]) == ("taken", "ivan")
    assert taken["taken_at"]
    assert (await world.get(f"/contacts/{lead['contact_id']}"))["manager"] == "ivan"
    await world.post(f"/leads/{lead['id']}/take", status=409, login="petr")


async def test_a_lead_is_rejected_with_a_reason(world: World) -> None:
    await world.take(message(1001, "m1", later(1)))
    (lead,) = (await world.get("/leads"))["items"]
    await world.post(f"/leads/{lead['id']}/reject", {}, status=422)
    await world.post(f"/leads/{lead['id']}/reject", {"reason": "  "}, status=422)
    rejected = await world.post(f"/leads/{lead['id']}/reject", {"reason": "спам"})
    assert (rejected["status"], rejected["reason"]) == ("rejected", "спам")
    await world.post(f"/leads/{lead['id']}/convert", status=409)


async def test_a_lead_becomes_a_deal(world: World) -> None:
    await world.take(message(1001, "m1", later(1)))
    (lead,) = (await world.get("/leads"))["items"]
    converted = await world.post(f"/leads/{lead['id']}/convert")
    assert converted["status"] == "converted"
    deal = await world.get(f"/deals/{converted['deal_id']}")
    assert (deal["contact_id"], deal["stage_kind"]) == (lead["contact_id"], "open")
    kinds = [each["kind"] for each in (await world.get(f"/contacts/{lead['contact_id']}/timeline"))["items"]]
    assert "system" in kinds


async def test_a_lead_made_by_hand(world: World) -> None:
    contact = await world.contact(name="Анна", manager="petr")
    body = {"contact_id": contact["id"], "title": "Шторы", "utm": {"source": "выставка"}, "fields": {"комнат": 3}}
    lead = await world.post("/leads", body, status=201)
    assert (lead["title"], lead["utm"]["source"], lead["manager"]) == ("Шторы", "выставка", "petr")
    await world.post("/leads", body, status=409)
    changed = await world.patch(f"/leads/{lead['id']}", {"manager": "ivan", "grade": "A", "fields": {"комнат": None}})
    assert (changed["manager"], changed["grade"], changed["fields"], changed["title"]) == ("ivan", "A", {}, "Шторы")
    await world.patch(f"/leads/{lead['id']}", {"manager": "nobody"}, status=422)
    await world.post("/leads", {"contact_id": 1}, status=404)


async def pipeline(world: World) -> Any:
    stages = [{"name": "Замер"}, {"name": "Договор"}, {"name": "Оплачено", "kind": "won"}]
    return await world.post(
        "/pipelines",
        {"name": "Шторы", "stages": [*stages, {"name": "Отказ", "kind": "lost"}]},
        status=201,
        login="root",
    )


async def test_a_deal_moves_through_its_pipeline(world: World) -> None:
    made = await pipeline(world)
    contact = await world.contact(name="Анна")
    body = {
        "title": "Шторы в гостиную",
        "contact_id": contact["id"],
        "pipeline": "Шторы",
        "amount": {"amount": 1_250_000, "currency": "RUB"},
        "due_at": "2026-03-10T12:00:00+03:00",
    }
    deal = await world.post("/deals", body, status=201)
    assert deal["amount"] == {"amount": 1_250_000, "currency": "RUB"}
    assert (deal["stage"], deal["manager"], deal["due_at"]) == ("Замер", "ivan", "2026-03-10T09:00:00Z")
    moved = await world.post(f"/deals/{deal['id']}/move", {"stage": "Договор"})
    assert (moved["stage"], moved["version"], moved["closed_at"]) == ("Договор", 2, None)
    lost = await world.post(f"/deals/{deal['id']}/move", {"stage": made["stages"][3]["id"], "reason": "дорого"})
    assert (lost["stage_kind"], lost["reason"]) == ("lost", "дорого")
    assert lost["closed_at"]
    back = await world.post(f"/deals/{deal['id']}/move", {"stage": "Замер"})
    assert (back["closed_at"], back["reason"]) == (None, None)
    await world.post(f"/deals/{deal['id']}/move", {"stage": "Нет такого"}, status=422)
    await world.post(f"/deals/{deal['id']}/move", {"stage": "Договор", "version": 1}, status=409)
    entries = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"]
    assert [each["deal_id"] for each in entries if each["kind"] == "stage"] == [deal["id"]] * 3


async def test_deals_are_corrected_and_listed(world: World) -> None:
    await pipeline(world)
    contact = await world.contact(name="Анна")
    first = await world.post("/deals", {"title": "Одна", "contact_id": contact["id"]}, status=201)
    second = await world.post("/deals", {"title": "Другая", "pipeline": "Шторы", "stage": "Оплачено"}, status=201)
    changed = await world.patch(f"/deals/{first['id']}", {"amount": {"amount": 5}, "manager": "petr", "version": 1})
    assert (changed["amount"], changed["version"]) == ({"amount": 5, "currency": "RUB"}, 2)
    await world.patch(f"/deals/{first['id']}", {"title": "x", "version": 1}, status=409)

    async def ids(**query: str) -> list[int]:
        return [each["id"] for each in (await world.get("/deals", params=query))["items"]]

    assert await ids() == [second["id"], first["id"]]
    assert await ids(manager="petr") == [first["id"]]
    assert await ids(stage="Оплачено") == [second["id"]]
    assert await ids(open="true") == [first["id"]]
    assert await ids(contact_id=str(contact["id"])) == [first["id"]]
    await world.post("/deals", {"title": "x", "pipeline": "Нет"}, status=422)
    await world.post("/deals", {"title": "x", "amount": {"amount": 1.5}}, status=422)
    await world.post("/deals", {"title": "x", "amount": {"amount": 1, "currency": "рубль"}}, status=422)


async def test_stages_are_kept(world: World) -> None:
    made = await pipeline(world)
    await world.post("/pipelines", {"name": "Шторы"}, status=409, login="root")
    await world.post("/pipelines", {"name": "Ковры"}, status=403)
    path = f"/pipelines/{made['id']}/stages"
    stage = await world.post(path, {"name": "Монтаж", "position": 9}, status=201, login="root")
    await world.post(path, {"name": "Монтаж"}, status=409, login="root")
    renamed = await world.patch(f"{path}/{stage['id']}", {"name": "Установка"}, login="root")
    assert (renamed["name"], renamed["position"]) == ("Установка", 9)
    await world.post("/deals", {"title": "x", "pipeline": "Шторы", "stage": "Установка"}, status=201)
    await world.ask("DELETE", f"{path}/{stage['id']}", status=409, login="root")
    await world.ask("DELETE", f"{path}/{made['stages'][3]['id']}", login="root")
    names = [each["name"] for each in (await world.get(f"/pipelines/{made['id']}"))["stages"]]
    assert names == ["Замер", "Договор", "Оплачено", "Установка"]
    archived = await world.patch(f"/pipelines/{made['id']}", {"archived": True, "name": "Старые шторы"}, login="root")
    assert archived["archived"] is True
    assert [each["name"] for each in (await world.get("/pipelines"))["items"]] == ["Старые шторы"]
    await world.patch(f"/pipelines/1/stages/{stage['id']}", {"name": "x"}, status=404, login="root")


async def test_tags_in_use(world: World) -> None:
    await world.contact(name="Анна", tags=["опт", "москва"])
    await world.contact(name="Борис", tags=["опт"])
    page = await world.get("/tags")
    assert page["items"] == [{"name": "опт", "count": 2}, {"name": "москва", "count": 1}]
