"""Who did what, page by page, to those who may know."""

from __future__ import annotations

from typing import Any

from tests.integration.http.world import World


async def test_acts_are_written_down_with_who_and_from_where(world: World) -> None:
    client = await world.contact(name="Анна")
    await world.ask("DELETE", f"/contacts/{client['id']}", login="root", status=204)
    await world.post("/roles", {"name": "manager", "rights": {"delete": "own"}}, login="root", status=201)
    new = {"login": "vera", "name": "Вера", "role": "manager"}
    await world.post("/users", new, login="root", status=201)
    await world.patch("/users/vera", {"role": "head"}, login="root")
    found = (await world.get("/audit", login="root"))["items"]
    assert [(each["login"], each["what"], each["detail"]) for each in found] == [
        ("root", "user.changed", "vera: role: head"),
        ("root", "user.added", "vera: manager"),
        ("root", "configured", "role «manager»"),
        ("root", "deleted.contact", ""),
    ]
    assert {each["remote"] for each in found} == {"127.0.0.1"}
    assert found[-1]["contact_id"] == client["id"]


async def test_pages_and_filters_of_the_log(world: World) -> None:
    for name in ("one", "two", "three"):
        await world.post("/tag-groups", {"name": name, "tags": []}, login="root", status=201)
        world.clock.set(world.clock.now())
    client = await world.contact(name="Анна")
    await world.ask("DELETE", f"/contacts/{client['id']}", login="root", status=204)
    first: Any = await world.get("/audit", params={"limit": "2"}, login="root")
    rest = await world.get("/audit", params={"limit": "2", "after": first["next"]}, login="root")
    assert [each["what"] for each in (*first["items"], *rest["items"])] == ["deleted.contact", *["configured"] * 3]
    assert len((await world.get("/audit", params={"what": "configured"}, login="root"))["items"]) == 3
    assert len((await world.get("/audit", params={"what": "deleted"}, login="root"))["items"]) == 1
    assert (await world.get("/audit", params={"login": "ivan"}, login="root"))["items"] == []
    later = {"from": "2040-01-01T00:00:00Z"}
    assert (await world.get("/audit", params=later, login="root"))["items"] == []


async def test_a_manager_who_may_delete_their_own_deletes_no_other(world: World) -> None:
    await world.post("/roles", {"name": "manager", "rights": {"delete": "own"}}, login="root", status=201)
    mine, other = [await world.contact(name="Анна", manager=login) for login in ("ivan", "petr")]
    await world.ask("DELETE", f"/contacts/{mine['id']}", status=204)
    await world.ask("DELETE", f"/contacts/{other['id']}", status=403)
    await world.ask("GET", f"/contacts/{other['id']}")


async def test_a_pipeline_of_own_cards(world: World) -> None:
    body = {"name": "Own", "stages": [{"name": "New"}], "reach": {"manager": "own"}}
    await world.post("/pipelines", {**body, "name": "Mine"}, login="root", status=201)
    made = [
        await world.post("/deals", {"title": f"{login}'s", "pipeline": "Mine"}, login=login, status=201)
        for login in ("ivan", "petr")
    ]
    assert [each["id"] for each in (await world.get("/deals"))["items"]] == [made[0]["id"]]
    assert len((await world.get("/deals", login="root"))["items"]) == 2
    await world.get(f"/deals/{made[1]['id']}", status=404)
    await world.patch(f"/deals/{made[1]['id']}", {"title": "x"}, status=404)
    await world.get(f"/deals/{made[1]['id']}/payments", status=404)
    await world.get(f"/deals/{made[1]['id']}/history", status=404)
