"""An answer shows a record as rules left it, and just as it is read afterwards."""

from __future__ import annotations

from typing import Any

from tests.integration.http.world import World


async def _rule(world: World, name: str, of: str, when: Any, then: Any) -> None:
    body = {"name": name, "on": of, "when": when, "then": then}
    await world.post("/rules", body, status=201, login="root")


async def test_a_new_record_is_shown_as_rules_left_it(world: World) -> None:
    await _rule(world, "Новый клиент", "contact", {"event": "created"}, {"do": "tag", "tags": ["знакомство"]})
    await _rule(world, "Новый лид", "lead", {"event": "created"}, {"do": "set", "field": "grade", "value": "А"})
    contact = await world.contact(name="Анна")
    assert contact["tags"] == ["знакомство"]
    lead = await world.post("/leads", {"contact_id": contact["id"], "title": "Окна"}, status=201)
    assert lead["grade"] == "А"
    assert await world.get(f"/contacts/{contact['id']}") == contact
    assert await world.get(f"/leads/{lead['id']}") == lead


async def test_an_act_on_a_lead_is_shown_as_rules_left_it(world: World) -> None:
    changed = {"event": "changed", "field": "status"}
    await _rule(world, "Лид в работе", "lead", changed, {"do": "tag", "tags": ["трогали"]})
    contact = await world.contact(name="Анна")
    lead = await world.post("/leads", {"contact_id": contact["id"]}, status=201)
    taken = await world.post(f"/leads/{lead['id']}/take")
    assert (taken["status"], "трогали" in taken["tags"], taken["version"]) == ("taken", True, lead["version"] + 1)
    assert await world.get(f"/leads/{lead['id']}") == taken
    rejected = await world.post(f"/leads/{lead['id']}/reject", {"reason": "Спам"})
    assert await world.get(f"/leads/{lead['id']}") == rejected
