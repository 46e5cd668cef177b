"""Tasks through the API: given, found by their time, changed by who saw them, closed with a result."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import FormData

from tests.integration.http.world import World


def moment(world: World, **ahead: float) -> str:
    """A moment so far from now, as the API takes it."""
    return (world.clock.now() + timedelta(**ahead)).isoformat()


async def made(world: World, title: str, **more: Any) -> Any:
    """A task of Ivan's own."""
    return await world.post("/tasks", {"title": title, **more}, status=201)


async def titles(world: World, **params: Any) -> list[str]:
    """The titles of the tasks that are found."""
    return [each["title"] for each in (await world.get("/tasks", params=params))["items"]]


async def test_a_task_from_its_giving_to_its_result(world: World) -> None:
    contact = await world.contact(name="Анна")
    task = await made(
        world,
        "Позвонить",
        contact_id=contact["id"],
        due_at=moment(world, hours=1),
        checklist=[{"text": "счёт"}],
        fields={"адрес": "ул. Ленина"},
        tags=["замер"],
    )
    assert (task["assignee"], task["author"], task["client"], task["state"], task["overdue"]) == (
        "ivan",
        "ivan",
        "Анна",
        "open",
        False,
    )
    assert await world.get(f"/tasks/{task['id']}") == task
    body = {"title": "Написать", "checklist": [{"text": "счёт", "done": True}], "version": 1}
    changed = await world.patch(f"/tasks/{task['id']}", body)
    assert (changed["title"], changed["version"], changed["checklist"]) == (
        "Написать",
        2,
        [{"text": "счёт", "done": True}],
    )
    stale = await world.patch(f"/tasks/{task['id']}", {"title": "Нет", "version": 1}, status=409)
    assert stale["current"]["title"] == "Написать"
    await world.post(f"/tasks/{task['id']}/close", {"result": "  "}, status=422)
    await world.post(f"/tasks/{task['id']}/close", {}, status=422)
    done = await world.post(f"/tasks/{task['id']}/close", {"result": "Договорились"})
    assert (done["state"], done["result"], done["done_by"]) == ("done", "Договорились", "ivan")
    await world.post(f"/tasks/{task['id']}/close", {"result": "ещё раз"}, status=409)
    kinds = [each["kind"] for each in (await world.get(f"/contacts/{contact['id']}/timeline"))["items"]]
    assert kinds.count("task") == 2
    again = await world.post(f"/tasks/{task['id']}/reopen", {})
    assert (again["state"], again["done_at"]) == ("open", None)
    gone = await world.post(f"/tasks/{task['id']}/cancel", {"reason": "не нужно"})
    assert gone["state"] == "cancelled"
    assert await titles(world, state="cancelled") == ["Написать"]
    await world.get("/tasks/999", status=404)


async def test_tasks_are_found_by_their_time_and_by_whose_they_are(world: World) -> None:
    await made(world, "просрочена", due_at=moment(world, minutes=-5))
    await made(world, "сегодня", due_at=moment(world, minutes=30))
    await made(world, "завтра", due_at=moment(world, days=1))
    await made(world, "без срока")
    await made(world, "чужая", assignee="petr", due_at=moment(world, minutes=10))
    await made(world, "ничья", assignee=None, due_at=moment(world, minutes=20))
    assert await titles(world, mine="true") == ["просрочена", "сегодня", "завтра", "без срока"]
    assert await titles(world, when="overdue") == ["просрочена"]
    assert await titles(world, when="today", mine="true") == ["просрочена", "сегодня"]
    assert await titles(world, when="later") == ["завтра"]
    assert await titles(world, when="none") == ["без срока"]
    assert await titles(world, nobodys="true") == ["ничья"]
    assert await titles(world, assignee="petr") == ["чужая"]
    every = await titles(world)
    walked: list[str] = []
    after: str | None = ""
    while after is not None:
        params = {"limit": 2} | ({"after": after} if after else {})
        page = await world.get("/tasks", params=params)
        walked += [each["title"] for each in page["items"]]
        after = page["next"]
    assert walked == every == ["просрочена", "чужая", "ничья", "сегодня", "завтра", "без срока"]
    await world.get("/tasks", params={"after": "x"}, status=422)


async def test_what_makes_no_sense_is_refused(world: World) -> None:
    await world.post("/tasks", {"title": " "}, status=422)
    await world.post("/tasks", {"title": "x", "assignee": "nobody"}, status=422)
    await world.post("/tasks", {"title": "x", "recurrence": "FREQ=DAILY"}, status=422)
    await world.post("/tasks", {"title": "x", "due_at": moment(world), "recurrence": "FREQ=SECONDLY"}, status=422)
    await world.post("/tasks", {"title": "x", "deal_id": 77}, status=404)
    await world.post("/tasks", {"title": "x", "company_id": 77}, status=404)
    once = [await made(world, "раз", origin="программа:1") for _ in range(2)]
    assert once[0]["id"] == once[1]["id"]


async def test_documents_of_a_task_reach_the_deal(world: World) -> None:
    contact = await world.contact(name="Анна")
    pipeline = await world.post(
        "/pipelines", {"name": "Продажа", "stages": [{"name": "Замер"}]}, login="root", status=201
    )
    deal = await world.post(
        "/deals", {"title": "Окна", "contact_id": contact["id"], "pipeline": pipeline["name"]}, status=201
    )
    task, office = await made(world, "Замер", deal_id=deal["id"]), await made(world, "Полить цветы")
    data = FormData()
    data.add_field("file", b"%PDF-1.7 sketch", filename="замер.pdf", content_type="application/pdf")
    uploaded = await world.ask("POST", "/files", data=data, status=201)
    refused = await world.post(
        f"/tasks/{office['id']}/close", {"result": "Полил", "attachments": [uploaded["id"]]}, status=422
    )
    assert "attachments" in refused["detail"]
    await world.post(f"/tasks/{task['id']}/close", {"result": "140×120", "attachments": [uploaded["id"]]})
    entries = (await world.get(f"/contacts/{contact['id']}/timeline"))["items"]
    (told,) = [each for each in entries if "140×120" in each["text"]]
    assert (told["deal_id"], [each["name"] for each in told["attachments"]]) == (deal["id"], ["замер.pdf"])
