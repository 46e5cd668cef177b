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
