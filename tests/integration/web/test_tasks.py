"""Tasks on their pages: closed with a result and with what was photographed on the spot."""

from __future__ import annotations

from io import BytesIO

from aiohttp import ClientResponse, FormData

from crm_core.model.definitions.fields import FieldBody, FieldType
from crm_core.model.user import Role
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from hub.web import attaching
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_board import card, declare, pipeline_of

PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 2_000_000
"""More than a page's form may bring, as photos are."""


async def given(workspace: Workspace, *, client: int | None = None, deal: int | None = None) -> int:
    """A surveyor's task."""
    new = NewTask("Замер на Ленина, 1", "ivan", contact_id=client, deal_id=deal, author="ivan")
    return (await workspace.hub.store.run(lambda desk: tasks.make(desk, new))).id


async def ahead(browser: Browser, page: str, name: str, content: bytes = b"140x120") -> ClientResponse:
    """A file sent ahead of its form, as the page's script does."""
    headers = {"X-CSRF": await browser.token(page), "Content-Type": "image/jpeg"}
    return await browser.client.post(f"/tasks/files?name={name}", data=BytesIO(content), headers=headers)


async def with_files(
    browser: Browser, path: str, page: str, *files: tuple[str, bytes], **fields: str
) -> ClientResponse:
    """A form with its files in it, as a browser without scripts sends it."""
    form = FormData()
    for name, value in {"csrf": await browser.token(page), **fields}.items():
        form.add_field(name, value)
    form.add_field("upload", b"", filename="", content_type="application/octet-stream")
    for name, content in files:
        form.add_field("upload", BytesIO(content), filename=name, content_type="image/jpeg")
    return await browser.client.post(path, data=form, allow_redirects=False)


async def names(workspace: Workspace) -> str:
    """The files of the client's timeline, in their order."""
    sql = "SELECT name, position FROM attachment ORDER BY id"
    rows = await workspace.hub.store.read(lambda conn: conn.exec_driver_sql(sql).all())
    return " ".join(f"{row.position}:{row.name}" for row in rows)


async def test_a_surveyor_closes_a_task_with_photos_from_a_telephone(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Здравствуйте")
    deal = await card(workspace, await pipeline_of(workspace), "Окна", contact_id=client, manager="ivan")
    task = await given(workspace, deal=deal)
    page = f"/tasks/{task}"
    shown = await browser.get(page)
    assert 'capture="environment"' in shown
    assert 'data-ahead="/tasks/files"' in shown
    answers = [await ahead(browser, page, name, PHOTO) for name in ("one.jpg", "two.jpg")]
    ids = [(await each.json())["id"] for each in answers]
    token = await browser.token(page)
    fields = [("csrf", token), ("back", page), ("result", "140 на 120"), *(("files", str(each)) for each in ids)]
    answer = await browser.client.post(f"{page}/close", data=fields, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, page)
    assert await names(workspace) == "0:one.jpg 1:two.jpg"
    assert await workspace.scalar("SELECT deal_id FROM timeline WHERE kind = 'task' ORDER BY id DESC LIMIT 1") == deal
    assert "one.jpg" in await browser.get(f"/contacts/{client}")
    done = await browser.get(page)  # whoever was there sees that nothing is missing
    ids = [await workspace.scalar(f"SELECT id FROM attachment WHERE position = {each}") for each in range(2)]
    for ident, name in zip(ids, ("one.jpg", "two.jpg"), strict=True):
        assert f'<a class="file" href="/api/v1/attachments/{ident}">{name}</a>' in done


async def test_nobody_attaches_what_somebody_else_has_sent_ahead(workspace: Workspace) -> None:
    ivan, olga = await workspace.visitor("ivan", Role.MANAGER), await workspace.visitor("olga", Role.MANAGER)
    task = await given(workspace, client=await workspace.write("Здравствуйте"))
    theirs = (await (await ahead(olga, "/tasks", "theirs.jpg", PHOTO)).json())["id"]
    page = f"/tasks/{task}"
    await ivan.send(f"{page}/close", page=page, back=page, result="Готово", files=str(theirs))
    assert await workspace.scalar(f"SELECT state FROM task WHERE id = {task}") == "open"
    assert await names(workspace) == ""


async def test_without_scripts_the_files_go_with_the_form(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Здравствуйте")
    task = await given(workspace, client=client)
    answer = await with_files(
        browser,
        f"/tasks/{task}/close",
        "/tasks",
        ("one.jpg", PHOTO),
        ("two.jpg", b"140x120"),
        result="Готово",
        back="/tasks",
    )
    assert answer.status == 303, await answer.text()
    assert await workspace.scalar(f"SELECT state FROM task WHERE id = {task}") == "done"
    assert await names(workspace) == "0:one.jpg 1:two.jpg"
    assert "Задача выполнена" in await browser.get("/tasks"), "the session that says so was sent"


async def test_files_come_with_tasks_closed_on_cards_of_clients_and_deals(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Здравствуйте")
    deal = await card(workspace, await pipeline_of(workspace), "Окна", contact_id=client, manager="ivan")
    of_client, of_deal = await given(workspace, client=client), await given(workspace, deal=deal)
    where = f"/contacts/{client}"
    assert 'data-ahead="/tasks/files"' in await browser.get(where)
    await with_files(browser, f"{where}/tasks/{of_client}/close", where, ("one.jpg", b"1"), result="Готово")
    where = f"/deals/{deal}"
    assert 'data-ahead="/tasks/files"' in await browser.get(where)
    await with_files(browser, f"{where}/tasks/{of_deal}/close", where, ("two.jpg", b"2"), result="Готово", act="close")
    assert await names(workspace) == "0:one.jpg 0:two.jpg"
    assert await workspace.scalar("SELECT count(*) FROM task WHERE state = 'done'") == 2


async def test_what_can_not_be_kept_is_said_and_the_task_stays_open(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    client = await workspace.write("Здравствуйте")
    task, office = await given(workspace, client=client), await given(workspace)
    page = f"/tasks/{task}"
    assert "data-ahead" not in await browser.get(f"/tasks/{office}"), "about no client: nowhere to keep them"
    many = [(f"{number}.jpg", b"1") for number in range(attaching.MOST_FILES + 1)]
    answer = await with_files(browser, f"{page}/close", page, *many, result="Готово", back=page)
    assert answer.headers["Location"] == page
    assert "не больше 20 файлов" in await browser.get(page)
    await browser.send(f"{page}/close", page=page, result="Готово", back=page, files="999999")
    await browser.send(f"{page}/close", page=page, result="Готово", back=page, files="1 OR 1")
    huge = await ahead(browser, page, "huge.bin", b"0" * (attaching.LARGEST_FILE + 1))
    assert huge.status == 413
    assert "50 МБ" in (await huge.json())["problem"]
    forged = await browser.client.post("/tasks/files?name=x", data=b"1", headers={"Content-Type": "image/jpeg"})
    assert await workspace.scalar("SELECT count(*) FROM upload") == 0, forged.status
    assert await workspace.scalar(f"SELECT state FROM task WHERE id = {task}") == "open"
    assert await workspace.scalar("SELECT count(*) FROM attachment") == 0


async def test_a_form_larger_than_any_is_refused(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    page = f"/tasks/{await given(workspace, client=await workspace.write('Здравствуйте'))}"
    huge = b"0" * (attaching.FORM_WITH_FILES + 1)
    answer = await with_files(browser, f"{page}/close", page, ("huge.bin", huge), result="Готово", back=page)
    assert answer.status == 413
    assert "слишком велико" in await answer.text()


async def test_what_is_known_of_the_card_is_said_as_people_say_it(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hire("sergey", Role.MANAGER, name="Сергей Кравцов")
    fields = (("surveyor", FieldType.USER), ("measure_on", FieldType.DATE), ("mounting", FieldType.FLAG))
    for key, kind in fields:
        await declare(workspace, FieldBody(of="deal", key=key, title=f"Поле {key}", type=kind))
    values = {"surveyor": "sergey", "measure_on": "2026-11-24", "mounting": True}
    deal = await card(workspace, await pipeline_of(workspace), "Окна", manager="ivan", fields=values)
    page = await browser.get(f"/tasks/{await given(workspace, deal=deal)}")
    for key, said in (("surveyor", "Сергей Кравцов"), ("measure_on", "24.11.2026"), ("mounting", "да")):
        assert f"<dt>Поле {key}</dt><dd>{said}</dd>" in page
