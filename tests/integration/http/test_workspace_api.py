"""The workspace through the API: what waits, a ringing call, the wall, searching, the control list, kept filters."""

from __future__ import annotations

import pytest

from crm_core.storage.queries.workspace.control.views import ControlView
from crm_core.storage.tables import document
from tests.integration.http.world import World, later
from tests.integration.storage.world import message, missed, moved, ringing

ANNA = "+79161110001"


@pytest.fixture
async def office(world: World) -> World:
    """Anna was missed, wrote, and rings again."""
    await world.take(missed("a", ANNA, later(0)), message(7, "m1", later(5), "Сколько стоит окно?"))
    await world.take(moved(ringing("now", ANNA, later(60))))
    return world


async def test_what_waits_and_how_much(office: World) -> None:
    found = await office.get("/workspace/inbox", login="olga")
    assert [each["client"]["number"] for each in found["cases"]] == [None, ANNA]
    assert found["cases"][0]["last"]["text"] == "Сколько стоит окно?"
    assert found["counts"] == await office.get("/workspace/counts", login="olga")
    assert found["counts"]["cases"] == 2
    await office.get("/workspace/inbox?whose=nobody", status=422)


async def test_a_ringing_call(office: World) -> None:
    wall = await office.get("/workspace/wall", login="olga")
    (going_on,) = wall["calls"]
    popup = await office.get(f"/workspace/calls/{going_on['call']['id']}")
    assert popup["client"]["number"] == ANNA
    assert popup["case"]["kind"] == "call"
    assert [each["kind"] for each in popup["last"]] == ["call"]
    assert popup["why"] == []
    await office.get("/workspace/calls/1", status=404)


async def test_the_wall(office: World) -> None:
    wall = await office.get("/workspace/wall", login="olga")
    assert (wall["cases_count"], wall["missed_count"], wall["responses"]["waiting"]) == (2, 1, 2)
    assert {each["login"] for each in wall["people"]} == {"root", "ivan", "petr", "olga"}
    own = await office.get("/workspace/wall", login="petr")
    assert [each["login"] for each in own["people"]] == ["petr"]


async def test_searching(office: World) -> None:
    found = await office.get("/workspace/search", params={"q": "8 916 111-00-01"})
    assert [(each["client"]["number"], each["exact"]) for each in found["clients"]] == [(ANNA, True)]
    assert (await office.get("/workspace/search", params={"q": "x"}))["clients"] == []


async def test_searching_for_what_is_to_be_done_and_sold(office: World) -> None:
    contact = (await office.get("/workspace/search", params={"q": ANNA}))["clients"][0]["client"]["id"]
    task = await office.post("/tasks", {"title": "Терраса: замер", "contact_id": contact}, status=201)
    goods = {"name": "Терраса", "sku": "ТР-40", "price": {"amount": 100, "currency": "RUB"}}
    product = await office.post("/products", goods, status=201)
    number = {"id": 77, "template": "Счёт", "number": 40, "title": "Счёт за террасу", "created_at": later(0)}
    file = {"author": "olga", "name": "a.pdf", "content_type": "application/pdf", "size": 1, "sha256": "a"}
    paper = number | file | {"contact_id": contact}
    await office.hub.store.database.write(lambda conn: conn.execute(document.insert(), [paper]))
    found = await office.get("/workspace/search", params={"q": "террас"})
    assert [(each["id"], each["title"]) for each in found["tasks"]] == [(task["id"], "Терраса: замер")]
    assert [(each["id"], each["sku"], each["price"]["amount"]) for each in found["products"]] == [
        (product["id"], "ТР-40", 100)
    ]
    (shown,) = found["documents"]
    assert (shown["number"], shown["url"], shown["client"]["id"]) == (40, "/api/v1/documents/77/file", contact)
    assert found["more"] == []
    assert (await office.get("/workspace/search", params={"q": "№ 40"}))["documents"] == [shown]


async def test_a_timeline_both_ways(office: World) -> None:
    contact = (await office.get("/workspace/search", params={"q": ANNA}))["clients"][0]["client"]["id"]
    path = f"/workspace/contacts/{contact}/entries"
    newest = await office.get(path, params={"limit": 1})
    before = await office.get(path, params={"limit": 50, "older": newest["older"]})
    again = await office.get(path, params={"limit": 50, "newer": before["newer"]})
    assert again["items"] == newest["items"]
    around = await office.get(path, params={"around": before["items"][0]["id"]})
    assert around["items"] == [*before["items"], *newest["items"]]
    assert sum(newest["counts"].values()) == len(around["items"])


async def test_a_timeline_by_words_of_what_was_said(office: World) -> None:
    await office.take(message(7, "m2", later(10), "А балкон?"))
    contact = (await office.get("/workspace/inbox", login="olga"))["cases"][0]["client"]["id"]
    path = f"/workspace/contacts/{contact}/entries"
    found = await office.get(path, params={"q": "ОКНО сколько"})
    assert [each["text"] for each in found["items"]] == ["Сколько стоит окно?"]
    assert (found["older"], found["newer"]) == (None, None)
    assert (await office.get(path, params={"q": "дверь"}))["items"] == []
    await office.get(path, params={"q": "a\x00"}, status=422)
    await office.get(path, params={"older": "nonsense"}, status=422)


async def test_the_control_list(office: World) -> None:
    views = (await office.get("/workspace/control", login="olga"))["items"]
    assert [each["name"] for each in views] == list(ControlView)
    assert {each["name"]: each["count"] for each in views}["missed-calls"] == 1
    for each in views:
        page = await office.get(f"/workspace/control/{each['name']}", login="olga")
        assert each["count"] in {None, len(page["items"])}
    missed_calls = await office.get("/workspace/control/missed-calls", login="olga")
    assert missed_calls["items"][0]["client"]["number"] == ANNA
    await office.get("/workspace/control/nothing", login="olga", status=404)


async def test_kept_filters(world: World) -> None:
    body = {"page": "deals", "name": "Мои", "query": "?stage=5"}
    kept = await world.post("/workspace/views", body, status=201)
    assert (kept["query"], kept["own"], kept["shared"]) == ("stage=5", True, False)
    assert (await world.get("/workspace/views?page=deals", login="petr"))["items"] == []
    shared = await world.patch(f"/workspace/views/{kept['id']}", {"shared": True, "name": "Все"})
    assert (shared["name"], shared["query"]) == ("Все", "stage=5")
    (seen,) = (await world.get("/workspace/views?page=deals", login="petr"))["items"]
    assert (seen["login"], seen["own"]) == ("ivan", False)
    await world.patch(f"/workspace/views/{kept['id']}", {"name": "Моё"}, login="petr", status=404)
    other = await world.post("/workspace/views", {"page": "deals", "name": "Другие"}, status=201)
    ordered = await world.post("/workspace/views/order", {"page": "deals", "ids": [other["id"]]})
    assert [each["name"] for each in ordered["items"]] == ["Другие", "Все"]
    await world.ask("DELETE", f"/workspace/views/{kept['id']}", status=204)
    assert len((await world.get("/workspace/views?page=deals"))["items"]) == 1
