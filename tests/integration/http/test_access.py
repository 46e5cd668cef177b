"""A pipeline that is for some people alone: others see nothing of its cards, whichever way they come."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.http.world import World

SECRET = "СЕКРЕТ"


@pytest.fixture
async def secret(world: World) -> Any:
    """A deal of a client in a pipeline that no manager works with; a stage gives a task, a rule a tag."""
    stages = [{"name": "Разговор", "tasks": [{"title": f"{SECRET} встреча", "assignee": "root"}]}, {"name": "Сделка"}]
    body = {"name": SECRET, "roles": ["director"], "stages": stages}
    await world.post("/pipelines", body, login="root", status=201)
    rule = {"name": f"{SECRET} метка", "when": {"event": "stage_entered"}, "then": {"do": "tag", "tags": ["вип"]}}
    await world.post("/rules", rule, login="root", status=201)
    contact = await world.contact(name="Анна", identities=["tel:+79161234567"])
    deal = {"title": f"{SECRET} слияние", "contact_id": contact["id"], "pipeline": SECRET}
    made = await world.post("/deals", deal, login="root", status=201)
    await world.post(f"/deals/{made['id']}/move", {"stage": "Сделка"}, login="root")
    return made


async def test_nobody_else_is_shown_anything_of_its_cards(world: World, secret: Any) -> None:
    card, client = f"/deals/{secret['id']}", f"/contacts/{secret['contact_id']}"
    for path in ("", "/history", "/links", "/runs", "/stages", "/items", "/payments", "/documents"):
        await world.ask("GET", f"{card}{path}", status=404)
        await world.get(f"{card}{path}", login="root")
    link = {"kind": "deal", "id": secret["id"], "role": "о чём речь"}
    kept = await world.post(f"{client}/links", link, login="root", status=201)
    lists = ("/deals", "/tasks", f"/tasks?deal_id={secret['id']}&sort=title", "/rule-runs", f"{client}/links")
    for path in (*lists, f"{client}/timeline", f"{client}/timeline?order=recent", f"{client}/documents"):
        assert SECRET not in str(await world.get(path)), path
    starts = {"field": "title", "op": "starts", "value": SECRET}
    guess = {"filter": json.dumps({"field": "deals", "op": "any", "value": starts})}
    assert (await world.get("/contacts", params=guess))["items"] == []
    assert len((await world.get("/contacts", params=guess, login="root"))["items"]) == 1
    assert (await world.get("/rule-runs", login="root"))["items"]
    told = (await world.get(f"{client}/timeline", login="root"))["items"]
    assert {each["kind"] for each in told} == {"stage", "task"}
    await world.ask("GET", f"/entries/{told[0]['id']}", status=404)
    await world.ask("DELETE", f"/links/{kept['id']}", status=404)


async def test_nobody_else_acts_on_them(world: World, secret: Any) -> None:
    card = f"/deals/{secret['id']}"
    (task,) = (await world.get(f"/tasks?deal_id={secret['id']}", login="root"))["items"]
    await world.ask("GET", f"/tasks/{task['id']}", status=404)
    await world.patch(f"/tasks/{task['id']}", {"title": "x"}, status=404)
    await world.post(f"/tasks/{task['id']}/close", {"result": "x"}, status=404)
    await world.post("/tasks", {"title": "Подсмотреть", "deal_id": secret["id"]}, status=404)
    await world.post(f"{card}/links", {"kind": "contact", "id": secret["contact_id"]}, status=404)
    await world.post(f"/contacts/{secret['contact_id']}/links", {"kind": "deal", "id": secret["id"]}, status=404)
    await world.post(f"/contacts/{secret['contact_id']}/links", {"kind": "ufo", "id": 1}, status=422)
    await world.ask("DELETE", card, login="root", status=204)
    for absent in (card, "/deals/999999"):  # one answer to both: who may not delete learns of neither
        await world.post(f"{absent}/restore", status=403)
    await world.post(f"{card}/restore", login="root")
    # What somebody is given to do about such a card they see and do.
    given = {"title": f"{SECRET}: позвонить", "deal_id": secret["id"], "assignee": "ivan"}
    own = await world.post("/tasks", given, login="root", status=201)
    assert [each["id"] for each in (await world.get("/tasks?mine=true"))["items"]] == [own["id"]]
    await world.post(f"/tasks/{own['id']}/close", {"result": "Договорились"})


async def test_runs_on_a_card_of_another_type_are_shown(world: World) -> None:
    async def configure(path: str, **body: Any) -> None:
        await world.post(path, body, login="root", status=201)

    await configure("/record-types", name="claim", title="Рекламация", titles="Рекламации")
    await configure("/pipelines", name="Рекламации", type="claim", stages=[{"name": "Приём"}])
    when, then = {"event": "created"}, {"do": "tag", "tags": ["новая"]}
    await configure("/rules", name="Метка", on="claim", when=when, then=then)
    claim = await world.post("/records/claim", {"title": "Царапина"}, status=201)
    assert [each["rule"] for each in (await world.get(f"/deals/{claim['id']}/runs"))["items"]] == ["Метка"]
