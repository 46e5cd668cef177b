"""Stages and pipelines get other names: rules, segments and criteria that mean them go on. Stages of another kind."""

from __future__ import annotations

from typing import Any

from tests.integration.http.world import World

STAGES = [{"name": "Новая"}, {"name": "Договор"}, {"name": "Успех", "kind": "won"}, {"name": "Отказ", "kind": "lost"}]


async def kept(world: World, path: str, **body: Any) -> Any:
    return await world.post(path, body, login="root", status=201)


async def rename(world: World, pipeline: Any, stage: str, name: str) -> None:
    found = next(each for each in pipeline["stages"] if each["name"] == stage)
    await world.patch(f"/pipelines/{pipeline['id']}/stages/{found['id']}", {"name": name}, login="root")


async def moved(world: World, pipeline: str, stage: str) -> Any:
    deal = await world.post("/deals", {"title": "Окна", "pipeline": pipeline}, status=201)
    return await world.post(f"/deals/{deal['id']}/move", {"stage": stage})


async def test_rules_go_along_with_a_stage(world: World) -> None:
    made = await kept(world, "/pipelines", name="Окна", stages=STAGES)
    when = [{"event": "stage_entered", "stages": ["Договор"]}]
    condition = 'deal.stage == "Договор" && deal.title != "x"'
    rule = await kept(world, "/rules", name="Метка", when=when, condition=condition, then={"do": "tag", "tags": ["д"]})
    then = {"do": "move", "stage": "Договор"}
    await kept(world, "/rules", name="Туда", when=[{"event": "tag_added", "tags": ["туда"]}], then=then)
    deals = {"field": "deals", "op": "any", "value": {"field": "stage", "op": "=", "value": "Договор"}}
    segment = await kept(world, "/segments", name="С договором", filter=deals)
    await rename(world, made, "Договор", 'Договор "под ключ"')
    assert (await moved(world, "Окна", 'Договор "под ключ"'))["tags"] == ["д"]
    by_rule = await world.post("/deals", {"title": "Двери", "pipeline": "Окна", "tags": ["туда"]}, status=201)
    assert (by_rule["stage"], by_rule["tags"]) == ('Договор "под ключ"', ["туда", "д"])
    found = await world.get(f"/segments/{segment['id']}", login="root")
    assert found["filter"]["value"]["value"] == 'Договор "под ключ"'
    assert (await world.get(f"/rules/{rule['id']}"))["version"] == rule["version"] + 1


async def test_a_name_that_two_pipelines_share_means_both(world: World) -> None:
    made = await kept(world, "/pipelines", name="Окна", stages=STAGES)
    await kept(world, "/pipelines", name="Двери", stages=STAGES)
    both = [{"event": "stage_entered", "stages": ["Договор"]}]
    one = [{"event": "stage_entered", "pipelines": ["Двери"], "stages": ["Договор"]}]
    await kept(world, "/rules", name="Везде", when=both, then={"do": "tag", "tags": ["везде"]})
    doors = await kept(world, "/rules", name="Двери", when=one, then={"do": "tag", "tags": ["двери"]})
    await rename(world, made, "Договор", "Подписан")
    assert (await moved(world, "Окна", "Подписан"))["tags"] == ["везде"]
    assert (await moved(world, "Двери", "Договор"))["tags"] == ["везде", "двери"]
    assert (await world.get(f"/rules/{doors['id']}"))["version"] == doors["version"]


async def test_rules_go_along_with_a_pipeline(world: World) -> None:
    made = await kept(world, "/pipelines", name="Окна", stages=STAGES)
    await kept(world, "/pipelines", name="Рассрочка", stages=STAGES)
    won = [{"event": "stage_entered", "pipelines": ["Окна"], "stages": ["Успех"]}]
    await kept(world, "/rules", name="Копия", when=won, then={"do": "copy", "pipeline": "Рассрочка"})
    installments = (await world.get("/pipelines"))["items"][-1]
    await world.patch(f"/pipelines/{made['id']}", {"name": "Окна и двери"}, login="root")
    await world.patch(f"/pipelines/{installments['id']}", {"name": "Контроль"}, login="root")
    await moved(world, "Окна и двери", "Успех")
    assert len((await world.get("/deals?pipeline=Контроль"))["items"]) == 1


async def test_a_stage_that_means_won_closes_its_cards(world: World) -> None:
    made = await kept(world, "/pipelines", name="Окна", stages=STAGES)
    stage = f"/pipelines/{made['id']}/stages/{made['stages'][1]['id']}"
    deal = await moved(world, "Окна", "Договор")
    await world.patch(stage, {"kind": "won"}, login="root")
    won = await world.get(f"/deals/{deal['id']}")
    rows = (await world.get(f"/deals/{deal['id']}/history"))["items"]
    steps = [each for row in rows for each in row["changes"] if each["field"] == "stage_id"]
    assert [(each["before_text"], each["after_text"]) for each in steps] == [("Новая", "Договор")]
    assert (won["stage_kind"], won["closed_at"] is None, won["version"]) == ("won", False, deal["version"] + 1)
    assert (await world.get("/deals?open=true"))["items"] == []
    await world.patch(stage, {"kind": "open"}, login="root")
    assert (await world.get(f"/deals/{deal['id']}"))["closed_at"] is None
