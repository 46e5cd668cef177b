"""Pipelines that ask for something: fields, reasons, ways forward, people; cards that are moved, copied, rung."""

from __future__ import annotations

import asyncio
from typing import Any

from crm_core.model.records import PipelineRecord
from crm_core.services.desk import Desk
from tests.integration.http.world import World, later
from tests.integration.storage.world import form, message


async def pipeline(world: World, name: str = "Окна", **more: Any) -> Any:
    stages = more.pop("stages", None) or [
        {"name": "Сбор данных", "checklist": ["Спросить адрес", "Спросить срок"], "probability": 10},
        {"name": "Замер", "required": ["adres"], "deadline": "2d", "colour": "#00ff00", "goal": "Замерить"},
        {"name": "Договор", "required": ["amount"], "key": True},
        {"name": "Успех", "kind": "won"},
        {"name": "Отказ", "kind": "lost"},
    ]
    return await world.post("/pipelines", {"name": name, "stages": stages, **more}, status=201, login="root")


async def field(world: World, key: str, title: str, **more: Any) -> None:
    await world.post("/fields", {"of": "deal", "key": key, "title": title, **more}, status=201, login="root")


async def deal(world: World, **body: Any) -> Any:
    return await world.post("/deals", {"title": "Окна на дачу", "pipeline": "Окна", **body}, status=201)


def of(made: Any, name: str) -> Any:
    return next(each for each in made["stages"] if each["name"] == name)


async def test_all_settings_of_a_stage_are_kept_and_shown(world: World) -> None:
    made = await pipeline(world, goal="Продать окна", loss_reasons=["дорого", "передумали"])
    stage = of(made, "Замер")
    assert (stage["deadline"], stage["required"], stage["colour"], stage["goal"]) == (
        "2d",
        ["adres"],
        "#00ff00",
        "Замерить",
    )
    assert (made["goal"], made["loss_reasons"], made["warnings"]) == ("Продать окна", ["дорого", "передумали"], [])
    path = f"/pipelines/{made['id']}/stages/{stage['id']}"
    changed = await world.patch(path, {"owner": "petr", "deadline": None, "forward_only": True}, login="root")
    assert (changed["owner"], changed["deadline"], changed["required"]) == ("petr", None, ["adres"])
    for wrong in ({"owner": "nobody"}, {"hours": "нет такого"}, {"enter_when": "1 +"}, {"enter_when": "dael.amount"}):
        await world.patch(path, wrong, login="root", status=422)
    await world.patch(f"/pipelines/{made['id']}", {"roles": ["king"]}, login="root", status=422)
    await world.patch(path, {"owner": "ivan"}, status=403)


async def test_more_stages_than_advised_are_allowed_with_a_warning(world: World) -> None:
    made = await pipeline(world, stages=[{"name": f"Этап {number}"} for number in range(16)])
    assert len(made["stages"]) == 16
    assert made["warnings"][0].startswith("16 stages")
    added = await world.post(f"/pipelines/{made['id']}/stages", {"name": "Ещё"}, status=201, login="root")
    assert added["warnings"][0].startswith("17 stages")
    order = [each["id"] for each in reversed(made["stages"])]
    await world.patch(f"/pipelines/{made['id']}", {"order": order}, login="root", status=422)
    turned = await world.patch(f"/pipelines/{made['id']}", {"order": [added["id"], *order]}, login="root")
    assert [each["id"] for each in turned["stages"]] == [added["id"], *order]


async def test_a_stage_asks_for_its_fields_and_those_of_all_before_it(world: World) -> None:
    await pipeline(world)
    await field(world, "adres", "Адрес")
    made = await deal(world)
    refused = await world.post(f"/deals/{made['id']}/move", {"stage": "Договор"}, status=422)
    assert "«Адрес», «amount»" in refused["detail"]
    await world.patch(f"/deals/{made['id']}", {"fields": {"Адрес": "Лесная, 5"}, "amount": {"amount": 100}})
    moved = await world.post(f"/deals/{made['id']}/move", {"stage": "Договор"})
    assert (moved["stage"], moved["fields"]) == ("Договор", {"adres": "Лесная, 5"})
    kept = await world.patch(f"/deals/{made['id']}", {"fields": {"adres": None}}, status=422)
    assert "«Адрес»" in kept["detail"]
    await world.post("/deals", {"title": "x", "pipeline": "Окна", "stage": "Замер"}, status=422)


async def test_a_loss_has_a_reason_of_the_list(world: World) -> None:
    await pipeline(world, loss_reasons=["дорого", "передумали"])
    made = await deal(world)
    for reason in (None, "просто так"):
        refused = await world.post(f"/deals/{made['id']}/move", {"stage": "Отказ", "reason": reason}, status=422)
        assert "«дорого», «передумали»" in refused["detail"]
    lost = await world.post(f"/deals/{made['id']}/move", {"stage": "Отказ", "reason": " Дорого "})
    assert (lost["reason"], lost["stage_kind"]) == ("дорого", "lost")
    back = await world.post(f"/deals/{made['id']}/move", {"stage": "Сбор данных"})
    assert (back["reason"], back["closed_at"]) == (None, None)


async def test_a_pipeline_goes_forward_only(world: World) -> None:
    await pipeline(world, forward_only=True, stages=[{"name": "А"}, {"name": "Б"}, {"name": "В", "kind": "lost"}])
    made = await deal(world, stage="Б")
    refused = await world.post(f"/deals/{made['id']}/move", {"stage": "А"}, status=409)
    assert "«А»" in refused["detail"]
    await world.post(f"/deals/{made['id']}/move", {"stage": "В", "reason": "нет"})
    await world.post(f"/deals/{made['id']}/move", {"stage": "А"})


async def test_two_move_one_deal_at_the_same_moment(world: World) -> None:
    await pipeline(world, stages=[{"name": "А"}, {"name": "Б"}, {"name": "В"}])
    for contact_id in (None, (await world.contact(name="Анна"))["id"]):
        made = await deal(world, contact_id=contact_id)
        path = f"/deals/{made['id']}/move"
        answers = await asyncio.gather(
            world.call("POST", path, {"stage": "Б", "version": made["version"]}),
            world.call("POST", path, {"stage": "В", "version": made["version"]}, login="petr"),
        )
        first, second = sorted(answers, key=lambda each: each.status)
        assert (first.status, second.status) == (200, 409)
        won, lost = await first.json(), await second.json()
        assert lost["current"]["stage"] == won["stage"]
        assert lost["current"]["version"] == won["version"] == made["version"] + 1
        assert (await world.get(f"/deals/{made['id']}"))["stage"] == won["stage"]


async def test_a_pipeline_is_for_its_people(world: World) -> None:
    made = await pipeline(world, groups=["тендеры"])
    assert (await world.get("/pipelines"))["items"] == []
    await world.get(f"/pipelines/{made['id']}", status=404)
    await world.get(f"/pipelines/{made['id']}/board", status=404)
    await world.post("/deals", {"title": "x", "pipeline": "Окна"}, status=422)
    body = {"title": "Тендер", "pipeline": "Окна"}
    hidden = await world.post("/deals", body, status=201, login="root")
    assert (await world.get("/deals"))["items"] == []
    await world.get(f"/deals/{hidden['id']}", status=404)
    await world.get(f"/deals/{hidden['id']}/stages", status=404)
    await world.patch(f"/deals/{hidden['id']}", {"title": "Мой"}, status=404)
    await world.post(f"/deals/{hidden['id']}/move", {"stage": "Замер"}, status=404)
    await world.post(f"/deals/{hidden['id']}/copy", {}, status=404)
    await world.post("/deals", {"title": "x"}, status=422)
    await pipeline(world, "Двери")
    own = await world.post("/deals", {"title": "x"}, status=201)
    await world.post(f"/deals/{own['id']}/transfer", {"pipeline": "Окна"}, status=422)
    await world.patch(f"/pipelines/{made['id']}", {"groups": [], "roles": ["manager"]}, login="root")
    assert len((await world.get("/deals", params={"pipeline": "Окна"}))["items"]) == 1
    await world.get(f"/deals/{hidden['id']}", status=404, login="olga")


async def test_the_checklist_of_a_stage_is_ticked(world: World) -> None:
    await pipeline(world)
    made = await deal(world)
    assert [(each["text"], each["done_by"]) for each in made["checklist"]] == [
        ("Спросить адрес", None),
        ("Спросить срок", None),
    ]
    path = f"/deals/{made['id']}/checklist"
    ticked = await world.post(f"{path}/2", {})
    assert ticked["checklist"][1]["done_by"] == "ivan"
    assert ticked["checklist"][1]["done_at"]
    again = await world.post(f"{path}/2", {"done": False}, login="petr")
    assert again["checklist"][1]["done_at"] is None
    await world.post(f"{path}/7", {}, status=422)


async def test_a_stage_with_deals_is_removed_in_one_act(world: World) -> None:
    made = await pipeline(world)
    contact = await world.contact(name="Анна")
    ids = [(await deal(world, contact_id=contact["id"]))["id"] for _ in range(3)]
    ids.append((await deal(world))["id"])
    old, new = of(made, "Сбор данных")["id"], of(made, "Замер")["id"]
    path = f"/pipelines/{made['id']}/stages/{old}"
    refused = await world.ask("DELETE", path, status=409, login="root")
    assert "4" in refused["detail"]
    await world.ask("DELETE", path, params={"move_to": str(old)}, status=422, login="root")
    done = await world.ask("DELETE", path, params={"move_to": str(new)}, login="root")
    assert done == {"moved": 4}
    for deal_id in ids:
        moved = await world.get(f"/deals/{deal_id}")
        assert (moved["stage"], moved["version"]) == ("Замер", 2)
        stays = (await world.get(f"/deals/{deal_id}/stages"))["items"]
        assert [(each["stage"], each["author"]) for each in stays] == [("Сбор данных", ""), ("Замер", "root")]
    entries = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"]
    assert len([each for each in entries if each["kind"] == "stage"]) == 3
    assert "Сбор данных" not in [each["name"] for each in (await world.get(f"/pipelines/{made['id']}"))["stages"]]
    await world.post(f"/deals/{ids[0]}/move", {"stage": "Сбор данных"}, status=422)
    assert await world.ask("DELETE", path, params={"move_to": str(new)}, login="root") == {"moved": 0}
    back = await world.post(f"/pipelines/{made['id']}/stages", {"name": "Сбор данных"}, status=201, login="root")
    assert back["id"] == old


async def test_the_board_counts_sums_and_sorts(world: World) -> None:
    made = await pipeline(world, stages=[{"name": "А", "probability": 50}, {"name": "Б"}, {"name": "В", "kind": "won"}])
    cheap = await deal(world, amount={"amount": 100})
    dear = await deal(world, amount={"amount": 900}, manager="petr")
    await deal(world, amount={"amount": 5, "currency": "EUR"}, due_at="2026-03-02T10:00:00Z")
    await deal(world, stage="В", amount={"amount": 7})
    path = f"/pipelines/{made['id']}/board"
    board = await world.get(path)
    first, second, won = board["stages"]
    assert (first["count"], second["count"], won["count"]) == (3, 0, 0)
    assert first["amounts"] == [{"amount": 5, "currency": "EUR"}, {"amount": 1000, "currency": "RUB"}]
    assert first["expected"][1] == {"amount": 500, "currency": "RUB"}
    richest = (await world.get(path, params={"sort": "amount", "limit": "1"}))["stages"][0]
    assert (richest["count"], [each["id"] for each in richest["cards"]]) == (3, [dear["id"]])
    urgent = (await world.get(path, params={"sort": "due"}))["stages"][0]["cards"]
    assert urgent[0]["due_at"] is not None
    mine = (await world.get(path, params={"manager": "petr"}))["stages"][0]
    assert [each["id"] for each in mine["cards"]] == [dear["id"]]
    closed = (await world.get(path, params={"closed": "true"}))["stages"][2]
    assert closed["count"] == 1
    last = {"stage": str(first["stage"]["id"]), "after": "2", "sort": "amount", "limit": "5"}
    (rest,) = (await world.get(path, params=last))["stages"]
    assert len(rest["cards"]) == 1
    rich = {"filter": '{"field": "amount", "op": ">=", "value": 5}'}
    assert (await world.get(path, params=rich))["stages"][0]["count"] >= 1
    await world.get(path, params={"filter": "{"}, status=422)
    assert cheap["id"] in [each["id"] for each in first["cards"]]


async def test_a_deal_is_copied_with_all_that_is_known(world: World) -> None:
    await pipeline(world)
    await pipeline(world, "Контроль рассрочек", stages=[{"name": "Ждём"}, {"name": "Оплачено", "kind": "won"}])
    contact = await world.contact(name="Анна")
    marks = {"source": "ya", "campaign": "весна"}
    made = await deal(
        world, contact_id=contact["id"], fields={"цвет": "белый"}, tags=["дача"], utm=marks, amount={"amount": 10}
    )
    copied = await world.post(f"/deals/{made['id']}/copy", {"pipeline": "Контроль рассрочек"}, status=201)
    assert (copied["pipeline"], copied["stage"], copied["source_id"]) == ("Контроль рассрочек", "Ждём", made["id"])
    same = ("title", "contact_id", "fields", "tags", "utm", "amount", "manager", "source")
    assert {name: copied[name] for name in same} == {name: made[name] for name in same}
    assert (await world.get(f"/deals/{made['id']}"))["stage"] == "Сбор данных"
    over = await world.post(f"/deals/{made['id']}/transfer", {"pipeline": "Контроль рассрочек", "version": 1})
    assert (over["id"], over["pipeline"]) == (made["id"], "Контроль рассрочек")
    await world.post(f"/deals/{made['id']}/transfer", {"pipeline": "Контроль рассрочек"}, status=409)
    await world.post(f"/deals/{made['id']}/copy", {"pipeline": "Нет"}, status=422)
    stays = (await world.get(f"/deals/{made['id']}/stages"))["items"]
    assert [each["stage"] for each in stays] == ["Сбор данных", "Ждём"]


async def test_copies_of_copies_end(world: World) -> None:
    await pipeline(world)
    card = await deal(world)
    for _ in range(8):
        card = await world.post(f"/deals/{card['id']}/copy", {}, status=201)
    refused = await world.post(f"/deals/{card['id']}/copy", {}, status=409)
    assert "«Окна»" in refused["detail"]


async def test_a_deleted_deal_is_gone_until_it_is_brought_back(world: World) -> None:
    await pipeline(world)
    made = await deal(world)
    await world.ask("DELETE", f"/deals/{made['id']}", status=403)
    await world.ask("DELETE", f"/deals/{made['id']}", status=204, login="root")
    await world.get(f"/deals/{made['id']}", status=404)
    await world.post(f"/deals/{made['id']}/move", {"stage": "Отказ", "reason": "x"}, status=404)
    assert (await world.get("/deals"))["items"] == []
    await world.ask("POST", f"/deals/{made['id']}/restore", {}, status=403)
    back = await world.post(f"/deals/{made['id']}/restore", {}, login="root")
    assert back["id"] == made["id"]


async def test_a_lead_of_a_company_is_converted_in_one_act(world: World) -> None:
    await pipeline(world)
    await field(world, "adres", "Адрес")
    await world.take(form(later(1), name="Анна", phone="+79161234567", fields=(("Адрес", "Лесная, 5"),)))
    (lead,) = (await world.get("/leads"))["items"]
    body = {
        "pipeline": "Окна",
        "stage": "Замер",
        "amount": {"amount": 500},
        "tags": ["опт"],
        "contact": {"city": "Тверь"},
        "company": {"name": "ООО «Ромашка»", "tax_id": "7701234567"},
    }
    done = await world.post(f"/leads/{lead['id']}/convert", body)
    made = await world.get(f"/deals/{done['deal_id']}")
    assert (made["stage"], made["lead_id"], made["company_id"]) == ("Замер", lead["id"], done["company_id"])
    assert (made["fields"]["adres"], made["tags"], made["source"]) == ("Лесная, 5", ["опт"], lead["source"])
    contact = await world.get(f"/contacts/{lead['contact_id']}")
    assert (contact["city"], contact["company"]) == ("Тверь", "ООО «Ромашка»")
    await world.take(form(later(2), name="Борис", phone="+79161234568", fields=(("Адрес", "Полевая, 6"),)))
    (second,) = (await world.get("/leads", params={"status": "new"}))["items"]
    same = await world.post(f"/leads/{second['id']}/convert", {"company": {"name": "ромашка ооо"}, "pipeline": "Окна"})
    assert same["company_id"] == done["company_id"]


async def test_leads_are_rejected_for_reasons_of_the_list(world: World) -> None:
    body = {"of": "lead", "key": "reason", "title": "Причина", "type": "list", "options": ["спам", "ошиблись"]}
    await world.post("/fields", body, status=201, login="root")
    await world.take(message(1001, "m1", later(1)))
    (lead,) = (await world.get("/leads"))["items"]
    refused = await world.post(f"/leads/{lead['id']}/reject", {"reason": "не знаю"}, status=422)
    assert "«спам», «ошиблись»" in refused["detail"]
    assert (await world.post(f"/leads/{lead['id']}/reject", {"reason": "Спам"}))["reason"] == "спам"


async def test_a_dial_list_is_filled_from_a_segment_piece_by_piece(world: World) -> None:
    stages = [{"name": "Обзвонить"}, {"name": "Встреча", "kind": "won"}]
    made = await pipeline(world, "Обзвон", stages=stages, dial_list=True)
    wanted = [
        await world.contact(name=f"Клиент {number}", city="Тверь", identities=[f"tel:+791612345{number:02}"])
        for number in range(3)
    ]
    await world.contact(name="Другой", city="Омск", identities=["tel:+79161234599"])
    gone = await world.contact(name="Ушёл", city="Тверь")
    await world.ask("DELETE", f"/contacts/{gone['id']}", login="root", status=204)
    segment = {"name": "Тверь", "filter": {"field": "city", "value": "Тверь"}}
    await world.post("/segments", segment, login="root", status=201)
    path, body = f"/pipelines/{made['id']}/fill", {"segment": "Тверь", "limit": 2}
    first = await world.post(path, body, login="root")
    assert (first["added"], first["next"]) == (2, wanted[1]["id"])
    assert await world.post(path, {**body, "after": first["next"]}, login="root") == {"added": 1, "next": None}
    cards = (await world.get("/deals", params={"pipeline": "Обзвон"}))["items"]
    assert sorted(each["contact_id"] for each in cards) == [each["id"] for each in wanted]
    # once more nobody comes twice; who is new to the segment does
    await world.contact(name="Новый", city="Тверь", identities=["tel:+79161234588"])
    assert await world.post(path, {"segment": "Тверь"}, login="root") == {"added": 1, "next": None}
    refused = await world.post(path, {"segment": "Твер"}, login="root", status=422)
    assert "there is no segment «Твер»" in refused["detail"]
    await world.post(path, body, status=403)


async def test_a_dial_list_gives_each_client_to_one_person(world: World) -> None:
    stages = [{"name": "Обзвонить"}, {"name": "Встреча", "kind": "won"}, {"name": "Нет", "kind": "lost"}]
    made = await pipeline(world, "Обзвон", stages=stages, dial_list=True, loss_reasons=["не нужно"])
    people = [
        await world.contact(name=f"Клиент {number}", identities=[f"tel:+791612345{number:02}"]) for number in range(3)
    ]
    listed = await world.contact(name="Поставщик", identities=["tel:+79161234599"])
    await world.post("/lists/соискатели/numbers", {"number": "+79161234599"}, status=201)
    ids = [each["id"] for each in (*people, listed)]
    filled = await world.post(f"/pipelines/{made['id']}/fill", {"contact_ids": ids}, login="root")
    assert filled == {"added": 4, "next": None}
    assert (await world.post(f"/pipelines/{made['id']}/fill", {"contact_ids": ids}, login="root"))["added"] == 0
    path = f"/pipelines/{made['id']}/next-call"
    mine, theirs = await asyncio.gather(world.post(path), world.post(path, login="petr"))
    assert {mine["contact_id"], theirs["contact_id"]} < set(ids)
    assert mine["contact_id"] != theirs["contact_id"]
    assert mine["number"].startswith("+7916")
    assert (await world.post(path))["deal"]["id"] == mine["deal"]["id"]
    result = f"/deals/{mine['deal']['id']}/call-result"
    await world.post(result, {}, status=422)
    again = await world.post(result, {"again_at": later(3600).isoformat(), "note": "занято"})
    assert again["manager"] is None
    third = await world.post(path)
    assert third["contact_id"] != listed["id"]
    assert third["contact_id"] not in {mine["contact_id"], theirs["contact_id"]}
    won = await world.post(f"/deals/{third['deal']['id']}/call-result", {"stage": "Встреча"})
    assert won["stage_kind"] == "won"
    assert (await world.post(path))["deal"] is None
    world.clock.set(later(3700))
    assert (await world.post(path))["deal"]["id"] == mine["deal"]["id"]
    other = await pipeline(world)
    await world.post(f"/pipelines/{other['id']}/next-call", status=409)


async def test_a_reach_of_nothing_is_refused_and_where_it_stands_nothing_is_shown(world: World) -> None:
    made = await pipeline(world)
    refused = await world.patch(f"/pipelines/{made['id']}", {"reach": {"manager": "none"}}, status=422, login="root")
    assert "«none» can't be said here" in str(refused)
    card = await deal(world)
    await world.get(f"/deals/{card['id']}")

    def written(desk: Desk) -> None:
        record = desk.work.get(PipelineRecord, made["id"])
        desk.work.put(record._replace(settings={**record.settings, "reach": {"manager": "none"}}))

    await world.hub.store.run(written)
    await world.get(f"/deals/{card['id']}", status=404)
    await world.get(f"/deals/{card['id']}", login="root")
    problems = await world.hub.store.look(lambda desk: desk.catalogue.problems)
    assert any("«none» can't be said here" in each for each in problems)
    # An administrator says what is meant, and it is as that says.
    await world.patch(f"/pipelines/{made['id']}", {"reach": {"manager": "all"}}, login="root")
    await world.get(f"/deals/{card['id']}")
