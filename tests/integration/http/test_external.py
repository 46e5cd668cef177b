"""Records by the ids of other programs; money only for those who work with the pipeline."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.http.world import World


@pytest.mark.parametrize("path", ["/contacts", "/companies", "/deals", "/products"])
async def test_records_are_known_by_ids_of_other_programs(world: World, path: str) -> None:
    def body(name: str, **ids: str | None) -> Any:
        return {"title" if path == "/deals" else "name": name, "external": ids}

    first = await world.post(path, body("Первая", one="17", crm="a:b"), status=201)
    await world.post(path, body("Вторая", one="17"), status=409)
    second = await world.post(path, body("Вторая", one="18"), status=201)

    async def found(external: str) -> list[int]:
        return [each["id"] for each in (await world.get(path, params={"external": external}))["items"]]

    assert (await found("one:17"), await found("crm:a:b"), await found("one:18")) == (
        *([first["id"]], [first["id"]], [second["id"]]),
    )
    assert await found("other:17") == []
    await world.patch(f"{path}/{second['id']}", {"external": {"one": "17"}}, status=409)
    await world.patch(f"{path}/{first['id']}", {"external": {"one": None}})
    await world.patch(f"{path}/{second['id']}", {"external": {"one": "17"}})
    assert (await found("one:17"), await found("one:18"), await found("crm:a:b")) == (
        *([second["id"]], [], [first["id"]]),
    )
    await world.get(path, params={"external": "17"}, status=422)
    await world.patch(f"{path}/{first['id']}", {"external": {"a:b": "1"}}, status=422)
    await world.patch(f"{path}/{first['id']}", {"external": {"one": ""}}, status=422)


@pytest.mark.parametrize("path", ["contacts", "companies", "deals", "leads"])
async def test_records_show_their_ids_in_other_programs(world: World, path: str) -> None:
    body: dict[str, Any] = {"external": {"1c": "17", "crm": "a"}}
    body["title" if path in {"deals", "leads"} else "name"] = "Окна"
    if path == "leads":
        body["contact_id"] = (await world.contact(name="Анна"))["id"]
    made = await world.post(f"/{path}", body, status=201)
    assert made["external"] == {"1c": "17", "crm": "a"}
    assert await world.get(f"/{path}/{made['id']}") == made
    assert (await world.get(f"/{path}", params={"external": "1c:17"}))["items"] == [made]
    changed = await world.patch(f"/{path}/{made['id']}", {"external": {"1c": None, "vk": "5"}})
    assert changed["external"] == {"crm": "a", "vk": "5"}
    stale = {"version": 99, "tags": []}
    assert (await world.ask("PATCH", f"/{path}/{made['id']}", stale, status=409))["current"] == changed


async def test_of_one_that_was_merged_another_programs_id_finds_that_other(world: World) -> None:
    survivor = await world.contact(name="Анна", external={"1c": "1"})
    absorbed = await world.contact(name="Анна С.", external={"1c": "2", "crm": "5"})
    joined = await world.post(f"/contacts/{survivor['id']}/merge", {"contact_id": absorbed["id"]})
    assert joined["external"] == {"1c": "1", "crm": "5"}
    for known in ("1c:1", "1c:2", "crm:5"):
        found = (await world.get("/contacts", params={"external": known}))["items"]
        assert [each["id"] for each in found] == [survivor["id"]], known


async def test_a_contact_shows_that_they_want_nothing(world: World) -> None:
    made = await world.contact(name="Анна", identities=["mailto:anna@example.org"])
    assert made["opted_out"] is False
    await world.post(f"/contacts/{made['id']}/opt-out", {})
    assert (await world.get(f"/contacts/{made['id']}"))["opted_out"] is True
    assert [each["opted_out"] for each in (await world.get("/contacts"))["items"]] == [True]
    assert (await world.patch(f"/contacts/{made['id']}", {"city": "Омск"}))["opted_out"] is True


async def test_money_is_for_those_who_work_with_the_pipeline(world: World) -> None:
    settings = {"name": "Опт", "stages": [{"name": "Начало"}], "roles": ["controller"]}
    await world.post("/pipelines", settings, status=201, login="root")
    deal = await world.post("/deals", {"title": "Опт", "pipeline": "Опт"}, status=201, login="root")
    where = f"/deals/{deal['id']}"
    paid = await world.post(f"{where}/payments", {"amount": {"amount": 5}}, status=201, login="root")
    await world.post(f"{where}/payments", {"amount": {"amount": 5}}, status=404)
    await world.ask("PUT", f"{where}/instalments", {"instalments": []}, status=404)
    await world.ask("PUT", f"{where}/items", {"items": []}, status=404)
    await world.patch(f"/payments/{paid['id']}", {"note": "x"}, status=404)
    for path in (f"{where}/payments", f"{where}/items", f"/payments/{paid['id']}"):
        await world.get(path, status=404)
        await world.get(path, login="olga")
    assert (await world.get("/payments"))["items"] == []
    assert [each["id"] for each in (await world.get("/payments", login="olga"))["items"]] == [paid["id"]]
