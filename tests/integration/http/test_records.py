"""Companies, links, history, deletion, tags, records of the office's own types, filters and orders, through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.http.world import World
from tests.integration.storage.test_filters import term


async def field(world: World, **body: Any) -> Any:
    return await world.post("/fields", body, login="root", status=201)


def quoted(given: Any) -> str:
    return json.dumps(given)


async def listed(world: World, path: str, **params: Any) -> list[Any]:
    found = await world.get(path, params={name: str(value) for name, value in params.items()})
    return list(found["items"])


async def test_a_company_and_its_contacts(world: World) -> None:
    plant = await world.post("/companies", {"name": "ООО «Ромашка»", "tax_id": "77 01"}, status=201)
    again = await world.ask("POST", "/companies", {"name": "Другая", "tax_id": "7701"}, status=409)
    assert str(plant["id"]) in again["detail"]
    contact = await world.contact(name="Анна", company_id=plant["id"])
    assert (contact["company"], contact["company_id"]) == ("ООО «Ромашка»", plant["id"])
    changed = await world.patch(f"/companies/{plant['id']}", {"name": "Ромашка плюс", "version": plant["version"]})
    assert changed["version"] == plant["version"] + 1
    assert (await world.get(f"/contacts/{contact['id']}"))["company"] == "Ромашка плюс"
    stale = await world.ask("PATCH", f"/companies/{plant['id']}", {"city": "Омск", "version": 1}, status=409)
    assert stale["current"]["name"] == "Ромашка плюс"
    assert [each["id"] for each in await listed(world, "/companies", q="омашк")] == [plant["id"]]
    assert [each["id"] for each in await listed(world, "/contacts", company_id=plant["id"])] == [contact["id"]]


async def test_what_is_deleted_is_seen_nowhere_until_it_is_back(world: World) -> None:
    contact = await world.contact(name="Анна", identities=["tel:+79161234567"])
    await world.ask("DELETE", f"/contacts/{contact['id']}", status=403)  # a manager deletes nobody
    deal = await world.post("/deals", {"title": "Окна", "contact_id": contact["id"]}, status=201)
    await world.ask("DELETE", f"/contacts/{contact['id']}", login="root", status=409)
    await world.ask("DELETE", f"/deals/{deal['id']}", login="root", status=204)
    await world.ask("DELETE", f"/contacts/{contact['id']}", login="root", status=204)
    assert await listed(world, "/contacts", q="анна") == []
    await world.ask("POST", f"/contacts/{contact['id']}/restore", {}, login="root", status=204)
    assert len(await listed(world, "/contacts", q="анна")) == 1
    rows = (await world.get(f"/contacts/{contact['id']}/history"))["items"]
    assert [(each["author"], each["changes"][0]["field"]) for each in rows] == [("root", "deleted_at")] * 2


async def test_the_history_names_fields_and_people(world: World) -> None:
    await field(world, of="deal", key="budget", title="Бюджет", type="money")
    deal = await world.post("/deals", {"title": "Окна"}, status=201)
    await world.patch(f"/deals/{deal['id']}", {"fields": {"Бюджет": "1 500 ₽"}})
    world.clock.advance(60)
    await world.patch(f"/deals/{deal['id']}", {"fields": {"budget": {"amount": 5, "currency": "RUB"}}})
    newest, first = (await world.get(f"/deals/{deal['id']}/history"))["items"]
    assert first["author_name"] == "Ivan"
    change = newest["changes"][0]
    assert (change["field"], change["title"]) == ("fields.budget", "Бюджет")
    assert (change["before_text"].replace("\u00a0", " "), change["after_text"].replace("\u00a0", " ")) == (
        "1 500 ₽",
        "0,05 ₽",
    )
    refused = await world.ask("PATCH", f"/deals/{deal['id']}", {"fields": {"budget": "много"}}, status=422)
    assert "Бюджет" in refused["detail"]


async def test_participants_of_a_deal_have_roles(world: World) -> None:
    boss = await world.contact(name="Ольга")
    deal = await world.post("/deals", {"title": "Окна"}, status=201)
    link = await world.post(
        f"/deals/{deal['id']}/links", {"kind": "contact", "id": boss["id"], "role": "ЛПР"}, status=201
    )
    assert (link["title"], link["role"], link["outward"]) == ("Ольга", "ЛПР", True)
    body = {"kind": "contact", "id": boss["id"], "role": "ЛПР"}
    await world.ask("POST", f"/deals/{deal['id']}/links", body, status=409)
    await world.ask("POST", f"/deals/{deal['id']}/links", {"kind": "ufo", "id": 1}, status=422)
    seen = (await world.get(f"/contacts/{boss['id']}/links"))["items"]
    assert [(each["kind"], each["title"], each["outward"]) for each in seen] == [("deal", "Окна", False)]
    await world.ask("DELETE", f"/links/{link['id']}", status=204)
    assert (await world.get(f"/deals/{deal['id']}/links"))["items"] == []


async def test_of_an_exclusive_group_a_record_carries_one_tag(world: World) -> None:
    for tag in ("тёплый", "горячий"):
        await world.post("/tags", {"name": tag, "group": "Температура"}, login="root", status=201)
    group = (await world.get("/tag-groups"))["items"][0]
    await world.patch(f"/tag-groups/{group['id']}", {"exclusive": True}, login="root")
    await world.ask("POST", "/tags", {"name": "тёплый", "group": "Иная"}, login="root", status=409)
    contact = await world.contact(name="Анна", tags=["тёплый", "vip"])
    changed = await world.patch(f"/contacts/{contact['id']}", {"tags": ["тёплый", "vip", "горячий"]})
    assert changed["tags"] == ["vip", "горячий"]


async def test_records_of_the_offices_own_types(world: World) -> None:
    await world.post(
        "/record-types", {"name": "claim", "title": "Рекламация", "titles": "Рекламации"}, login="root", status=201
    )
    body = {"name": "Рекламации", "type": "claim", "stages": [{"name": "Принята"}, {"name": "Решена", "kind": "won"}]}
    await world.post("/pipelines", body, login="root", status=201)
    await field(world, of="claim", key="size", title="Размер", type="number", indexed=True)
    claim = await world.post("/records/claim", {"title": "Скол", "fields": {"Размер": "2,5"}}, status=201)
    assert (claim["stage"], claim["fields"]) == ("Принята", {"size": 2.5})
    moved = await world.post(f"/records/claim/{claim['id']}/move", {"stage": "Решена"})
    assert moved["stage"] == "Решена"
    assert [each["id"] for each in await listed(world, "/records/claim")] == [claim["id"]]
    wanted = quoted(term("fields.size", 2, ">"))
    assert [each["id"] for each in await listed(world, "/records/claim", filter=wanted)] == [claim["id"]]
    assert await listed(world, "/deals") == []
    await world.ask("GET", "/records/nothing", status=404)


async def test_lists_are_filtered_and_sorted_page_by_page(world: World) -> None:
    await field(world, of="contact", key="size", title="Размер", type="number", indexed=True)
    await field(world, of="contact", key="note", title="Заметка")
    for name, size in (("А", 3), ("Б", None), ("В", 1), ("Г", 3), ("Д", 2), ("Е", None)):
        await world.contact(name=name, city="Омск" if name != "Д" else "Пермь", fields={"size": size})

    async def walk(**params: Any) -> str:
        names, after = "", None
        for _ in range(10):
            query = {**params, "limit": "2"} | ({"after": after} if after else {})
            page = await world.get("/contacts", params=query)
            names += "".join(each["name"] for each in page["items"])
            after = page["next"]
            if after is None:
                return names
        raise AssertionError("no end")

    assert await walk(sort="fields.size") == "ВДАГБЕ"
    assert await walk(sort="-fields.size") == "ГАДВЕБ"
    assert await walk(sort="name") == "АБВГДЕ"
    assert await walk(sort="-created_at", filter=quoted(term("city", "Омск"))) in {"ЕГВБА", "АБВГЕ"}
    assert await walk(sort="last_contact_at") == "АБВГДЕ"
    assert await walk(filter=quoted(term("fields.size", 2, ">="))) == "ДГА"
    for params, said in (
        ({"sort": "fields.note"}, "not indexed"),
        ({"sort": "marks"}, "marks"),
        ({"sort": "name", "after": "nonsense"}, "cursor"),
        ({"filter": "{"}, "JSON"),
    ):
        refused = await world.ask("GET", "/contacts", params=params, status=422)
        assert said in refused["detail"]


@pytest.mark.parametrize("path", ["/leads", "/deals", "/companies", "/tasks"])
async def test_every_list_takes_a_filter_and_an_order(world: World, path: str) -> None:
    name = "name" if path == "/companies" else "title"
    sensible = {"filter": quoted(term(name, "x")), "sort": f"-{name}"}
    assert (await world.get(path, params=sensible))["items"] == []
    for params in ({"filter": quoted(term("nonsense", "x"))}, {"sort": "nonsense"}):
        assert "nonsense" in (await world.ask("GET", path, params=params, status=422))["detail"]
