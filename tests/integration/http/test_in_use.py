"""Configuration that other configuration needs: it can't go unheard; and what could never work is not kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.world import World


async def kept(world: World, path: str, **body: Any) -> Any:
    return await world.post(path, body, login="root", status=201)


async def field(world: World, key: str, **more: Any) -> Any:
    return await kept(world, "/fields", **{"of": "deal", "key": key, "title": key.title(), **more})


async def test_a_field_in_use_stays(world: World) -> None:
    made = await field(world, "size", type="number")
    await field(world, "double", type="formula", expression="fields.size * 2")
    stages = [
        {"name": "Новая"},
        {"name": "Замер", "required": ["size"]},
        {"name": "КП", "enter_when": "fields.size > 9"},
    ]
    pipeline = await kept(world, "/pipelines", name="Окна", stages=stages)
    tag = {"do": "tag", "tags": ["большой"]}
    changed = {"event": "changed", "field": "fields.size"}
    await kept(world, "/rules", name="Крупные", when=changed, condition="deal.fields.size > 5", then=tag)
    term = {"field": "deals", "op": "any", "value": {"not": {"field": "fields.size", "op": "empty"}}}
    refused = await world.ask("DELETE", f"/fields/{made['id']}", login="root", status=409)
    for user in ("stage «Окна / Замер»", "stage «Окна / КП»", "formula «Double»", "rule «Крупные»"):
        assert user in refused["detail"]
    for each in pipeline["stages"]:
        path = f"/pipelines/{pipeline['id']}/stages/{each['id']}"
        await world.patch(path, {"required": [], "enter_when": ""}, login="root")
    for path in ("/fields", "/rules"):
        for each in (await world.get(path))["items"]:
            if each["name"] in {"deal.double", "Крупные"}:
                await world.ask("DELETE", f"{path}/{each['id']}", login="root", status=204)
    indexed = await world.patch(f"/fields/{made['id']}", {"indexed": True}, login="root")
    segment = await kept(world, "/segments", name="С размером", filter=term)
    refused = await world.ask("DELETE", f"/fields/{indexed['id']}", login="root", status=409)
    assert "segment «С размером»" in refused["detail"]
    await world.ask("DELETE", f"/segments/{segment['id']}", login="root", status=204)
    await world.ask("DELETE", f"/fields/{made['id']}", login="root", status=204)


async def test_a_value_of_no_kind_is_told_by_its_field(world: World) -> None:
    refused = await world.post("/deals", {"title": "Окна", "fields": {"сумма": {"amount": 12.5}}}, status=422)
    assert all(each["pointer"].startswith("/fields/сумма") for each in refused["errors"])
    assert "[" not in "".join(each["pointer"] for each in refused["errors"])


async def test_a_template_in_use_keeps_its_name(world: World) -> None:
    hello = await kept(world, "/templates", name="Привет", text="Здравствуйте")
    chain = await kept(world, "/chains", name="Прогрев", steps=[{"template": "Привет"}])
    await kept(world, "/rules", name="Греть", when={"event": "created"}, then={"do": "start_chain", "chain": "Прогрев"})
    refused = await world.patch(f"/templates/{hello['id']}", {"name": "Здравствуйте"}, login="root", status=409)
    assert "chain «Прогрев»" in refused["detail"]
    await world.patch(f"/templates/{hello['id']}", {"text": "Добрый день"}, login="root")
    assert "rule «Греть»" in (await world.ask("DELETE", f"/chains/{chain['id']}", login="root", status=409))["detail"]


async def test_a_type_of_records_has_a_name_of_its_own_and_stays_while_it_has_pipelines(world: World) -> None:
    for name in ("Рекламация", "deal", "contact", "fields", "Claim"):
        await world.post("/record-types", {"name": name, "title": "x", "titles": "x"}, login="root", status=422)
    claim = await kept(world, "/record-types", name="claim", title="Рекламация", titles="Рекламации")
    await kept(world, "/pipelines", name="Окна", stages=[{"name": "Новая"}])
    pipeline = await kept(world, "/pipelines", name="Рекламации", type="claim", stages=[{"name": "Приём"}])
    refused = await world.post("/records/claim", {"title": "Царапина", "pipeline": "Окна"}, status=422)
    assert "there is no pipeline «Окна» of claim" in refused["detail"]
    await world.post("/records/claim", {"title": "Царапина", "pipeline": "Рекламации"}, status=201)
    refused = await world.ask("DELETE", f"/record-types/{claim['id']}", login="root", status=409)
    assert "pipeline «Рекламации»" in refused["detail"]
    await world.patch(f"/pipelines/{pipeline['id']}", {"archived": True}, login="root")
    await world.ask("DELETE", f"/record-types/{claim['id']}", login="root", status=204)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"of": "dael"}, "of: there is no kind of records «dael»"),
        ({"type": "link", "to": "clients"}, "to: there is no kind of records «clients»"),
        ({"type": "formula", "expression": "fields.sise * 2"}, "has no field «sise», did you mean «size»?"),
        ({"type": "formula", "expression": "contact.name"}, "a formula sees its own record alone"),
        ({"type": "formula", "expression": "deal.amuont * 2"}, "has no «amuont», did you mean «amount»?"),
        ({"type": "formula", "expression": "fields.other + 1"}, "formulas that need each other go in a circle"),
    ],
)
async def test_a_field_that_could_never_work_is_refused(world: World, more: dict[str, Any], words: str) -> None:
    await field(world, "size", type="number")
    await field(world, "round", type="formula", expression="amount * 2 + deal.paid + fields.size")
    await field(world, "one", type="formula", expression="fields.round + 1")
    refused = await world.post(
        "/fields", {"of": "deal", "key": "other", "title": "Другое", **more}, login="root", status=422
    )
    assert words in refused["detail"]
    every = (await world.get("/fields"))["items"]
    first = next(each for each in every if each["key"] == "round")
    refused = await world.patch(f"/fields/{first['id']}", {"expression": "fields.one + 1"}, login="root", status=422)
    assert "go in a circle" in refused["detail"]
