"""Keeping the hub itself on its pages: channels, health, who did what, calls compared, tables in and out."""

from __future__ import annotations

import asyncio
import io
import re

from aiohttp import FormData

from crm_core.messages import ChannelKey
from crm_core.model.definitions import Section
from crm_core.model.records import ReconciliationRecord
from crm_core.model.user import Role
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.services.desk import Desk
from crm_core.storage.queries.definitions import list_definitions
from crm_core.storage.scoring import scores_due
from hub.demo.peers.bot_api import BotApiServer
from tests.integration.web.conftest import Browser, Workspace
from tests.looking import somebody
from tests.patience import PATIENCE_S
from tests.peers.bots import TOKEN

CHANNELS = "/office/channels"


async def test_all_pages_are_there_and_only_for_whom_they_are(workspace: Workspace) -> None:
    root, ivan = await workspace.visitor(), await workspace.visitor("ivan", Role.MANAGER)
    for path in (CHANNELS, "/office/health", "/office/audit", "/office/reconciliation", "/office/imports", "/journal"):
        assert "<h1>" in await root.get(path)
        await ivan.get(path, status=403)


async def test_a_bot_is_tried_then_kept_started_changed_and_removed(workspace: Workspace, bots: BotApiServer) -> None:
    root, page = await workspace.visitor(), f"{CHANNELS}/new/telegram"
    assert "Токен бота" in await root.get(page)
    bad = await root.send(page, page=page, act="connect", name="shop2", token="1:no", api_base=bots.url)
    text = await bad.text()
    assert bad.status == 422
    assert "Пока не работает" in text
    assert "1:no" not in text, "secrets are not sent back"
    tried = await root.send(page, page=page, act="try", name="shop2", token=TOKEN, api_base=bots.url, mode="polling")
    assert tried.status == 200, await tried.text()
    assert "Работает" in await tried.text()
    assert await kept(workspace) == []
    done = await root.send(page, page=page, act="connect", name="shop2", token=TOKEN, api_base=bots.url, mode="polling")
    assert done.status == 303, await done.text()
    where = done.headers["Location"]
    assert await kept(workspace) == ["telegram:shop2"]
    await became(workspace, ChannelKey("telegram", "shop2"))
    shown = await root.get(where)
    assert TOKEN not in shown
    assert "на связи" in shown
    assert "Telegram: shop2" in await root.get(CHANNELS)
    assert "Работает" in await (await root.send(f"{where}/try", page=where)).text()
    changed = await root.send(
        where, page=where, act="connect", version="1", api_base=bots.url, mode="polling", source="Сайт"
    )
    assert changed.status == 303, await changed.text()
    assert "Сайт" in await root.get(where)
    late = await root.send(where, page=where, act="connect", version="1", api_base=bots.url, source="Позже")
    assert late.status == 422
    assert "Позже" in await late.text(), "nothing typed is lost"
    assert (await root.send(f"{where}/remove", page=where)).status == 303
    assert await kept(workspace) == []
    await root.get(where, status=404)


async def test_a_form_that_is_asked_for_by_script_gets_the_findings_alone(
    workspace: Workspace, bots: BotApiServer
) -> None:
    root, page = await workspace.visitor(), f"{CHANNELS}/new/telegram"
    headers = {"HX-Request": "true", "X-CSRF": await root.token(page)}
    form = {"act": "connect", "name": "shop2", "token": "1:no", "api_base": bots.url}
    response = await root.client.post(page, data=form, headers=headers, allow_redirects=False)
    assert (response.status, response.headers["X-Part"]) == (422, "1")
    assert "<html" not in await response.text()
    form |= {"token": TOKEN, "mode": "polling"}
    response = await root.client.post(page, data=form, headers=headers, allow_redirects=False)
    assert response.status == 204
    assert response.headers["HX-Redirect"].startswith(CHANNELS)
    assert "Аккаунт подключён" in await root.get(response.headers["HX-Redirect"])


async def test_a_site_is_given_its_tag_and_a_pbx_its_snippet(workspace: Workspace) -> None:
    root, page = await workspace.visitor(), f"{CHANNELS}/new/web"
    found = re.search(r'name="key" value="([\w-]{20,})"', await root.get(page))
    assert found is not None
    form = {"name": "site", "origins": "https://example.org", "key": found[1], "chat": "yes", "anyway": "yes"}
    done = await root.send(page, page=page, act="connect", **form)
    assert done.status == 303, await done.text()
    shown = await root.get(done.headers["Location"])
    assert "/in/web/site/widget.js" in shown
    assert found[1] not in shown
    page = f"{CHANNELS}/new/pbx"
    server = {"ami.host": "127.0.0.1", "ami.port": "5038", "ami.user": "hub", "ami.password": "p@ss:word"}
    told = await root.send(page, page=page, act="snippet", name="second", **server)
    assert "hub-inbound" in await told.text()
    wrong = await root.send(page, page=page, act="connect", name="second", **(server | {"ami.port": "x"}))
    assert wrong.status == 422
    assert "от 1 до 65535" in await wrong.text()


async def test_a_stored_password_goes_to_no_other_server(workspace: Workspace) -> None:
    root, page = await workspace.visitor(), f"{CHANNELS}/new/email"
    form = {
        "name": "mail", "address": "a@example.org", "smtp.host": "127.0.0.1", "smtp.port": "1",
        "smtp.scheme": "smtps", "smtp.user": "a", "smtp.password": "s3cret-word", "anyway": "yes",
    }  # fmt: skip
    done = await root.send(page, page=page, act="connect", **form)
    assert done.status == 303, await done.text()
    where = done.headers["Location"]
    assert "s3cret-word" not in await root.get(where)
    form["smtp.password"], form["version"] = "", "1"
    other = await root.send(where, page=where, act="connect", **(form | {"smtp.host": "127.0.0.2"}))
    assert other.status == 422
    assert "Введите пароль заново" in await other.text()
    same = await root.send(where, page=where, act="connect", **form)
    assert same.status == 303


async def test_health_says_what_waits_and_who_works(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await workspace.fail(b"<html>")
    page = await root.get("/office/health")
    assert "Хаб принимает всё, что приходит" in page
    assert "База данных" in page
    assert "Сроки и лестницы" in page
    assert [each.name for each in workspace.hub.workers if f"</span>{each.name}" in page] == [], "people read words"
    assert "<html" not in await root.get("/office/health?part=live")


async def test_every_worker_goes_on_after_its_first_turn(workspace: Workspace) -> None:
    hub = workspace.hub
    async with asyncio.timeout(PATIENCE_S):
        while await scores_due(hub.store, workspace.clock.now()):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        await hub.scoring.turn()
    assert [each.name for each in hub.workers if not each.running] == []
    assert all("_run" not in vars(type(each)) for each in hub.workers), "nobody hides the loop"


async def test_the_audit_log_by_person_act_and_day(workspace: Workspace) -> None:
    root = await workspace.visitor()
    await workspace.hire("ivan", Role.MANAGER, name="Иван Петров")
    await workspace.browser().send("/login", page="/login", login="ivan", password="не тот", next="/")
    page = await root.get("/office/audit")
    assert "неверный пароль или код" in page
    assert "вход" in page
    only = await root.get("/office/audit?what=login.failed&login=root")
    assert "Ничего такого не записано" in only
    assert "неверный пароль" in await root.get("/office/audit?since=2020-01-01&login=ivan")
    assert "Ничего такого" in await root.get("/office/audit?until=2020-01-01")
    assert "<h1>" in await root.get("/office/audit?since=nonsense")


async def test_days_compared(workspace: Workspace) -> None:
    root = await workspace.visitor()
    assert "Пока ничего не сверялось" in await root.get("/office/reconciliation")
    call = {"number": "+79161234567", "line": "", "linkedid": "<1>", "started_at": "2026-03-01T21:30:46+00:00"}
    detail = {"why": "unknown", "outcome": "missing", **call}
    unread = {"why": "unreadable", "outcome": "unreadable", "record": "a,<b>"}

    def compare(desk: Desk) -> None:
        record = ReconciliationRecord(
            desk.work.next_id(), "office", "2026-03-01", desk.now, 5, 4, 0, 1, [detail, unread]
        )
        desk.work.put(record)

    await workspace.hub.store.run(compare)
    page = await root.get("/office/reconciliation")
    assert "01.03.2026" in page
    assert 'title="02.03.2026 00:30:46"' in page  # as clocks in the office showed it
    assert "<code>a,&lt;b&gt;</code>" in page
    assert "хаб о нём не знал" in page
    assert "&lt;1&gt;" in page
    assert "Пока ничего" in await root.get("/office/reconciliation?pbx=other")


async def test_a_table_is_rehearsed_then_brought_in(workspace: Workspace) -> None:
    root = await workspace.visitor()
    form = FormData()
    form.add_field("csrf", await root.token("/office/imports"))
    form.add_field("kind", "contacts")
    form.add_field("upload", "")
    content = "Имя;Телефон\nАнна Смирнова;+79161234567\nБез номера;\n;\n".encode()
    form.add_field("file", content, filename="base.csv", content_type="text/csv")
    response = await root.client.post("/office/imports/columns", data=form)
    page = await response.text()
    assert response.status == 200, page
    assert "Анна Смирнова" in page
    upload = re.search(r'name="upload" value="(\d+)"', page)
    assert upload is not None
    columns = {"kind": "contacts", "upload": upload[1], "heading.1": "Имя", "column.1": "name",
               "heading.2": "Телефон", "column.2": "phone", "policy": "fill"}  # fmt: skip
    begun = await root.send("/office/imports/begin", page="/office/imports", act="rehearse", **columns)
    assert begun.status == 303, await begun.text()
    where = begun.headers["Location"]
    page = await ended(root, where)
    assert "Ещё ничего не записано" in page
    assert "Что станет с каждой строкой" in page
    assert await workspace.scalar("SELECT count(*) FROM contact") == 0
    assert "created" in await root.get(f"{where}/report")
    begun = await root.send("/office/imports/begin", page="/office/imports", act="bring", **columns)
    await ended(root, begun.headers["Location"])
    assert await workspace.scalar("SELECT count(*) FROM contact WHERE name = 'Анна Смирнова'") == 1
    assert "base.csv" in await root.get("/office/imports")
    assert "+79161234567" in await root.get("/office/exports/contacts?form=csv")
    assert "выгрузка" in await root.get("/office/audit?what=export")


async def test_a_large_table_is_sent_ahead(workspace: Workspace) -> None:
    root = await workspace.visitor()
    headers = {"X-CSRF": await root.token("/office/imports"), "Content-Type": "application/octet-stream"}
    content = b"name;phone\n" + b"Anna;+79161234567\n" * 80_000
    sent = await root.client.post("/office/imports/upload?name=a.csv", data=io.BytesIO(content), headers=headers)
    assert sent.status == 201, await sent.text()
    number = str((await sent.json())["id"])
    page = await root.send("/office/imports/columns", page="/office/imports", kind="contacts", upload=number)
    assert page.status == 200
    assert "a.csv" in await page.text()
    none = await root.send("/office/imports/columns", page="/office/imports", kind="contacts", upload="")
    assert none.status == 422
    assert "Выберите файл" in await none.text()


async def ended(browser: Browser, where: str) -> str:
    """The page of an import once it is over."""
    async with asyncio.timeout(PATIENCE_S):
        while 'data-topic="imports"' in (page := await browser.get(where)):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
    return page


async def kept(workspace: Workspace) -> list[str]:
    store = workspace.hub.store
    found = await store.read(lambda conn: list_definitions(conn, somebody(store, conn), Section.ACCOUNT))
    return [each.name for each in found]


async def became(workspace: Workspace, key: ChannelKey) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while workspace.hub.channels[key].health.state is not ChannelState.CONNECTED:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)


async def test_channels_say_since_when_they_stand_so_and_what_came_in(workspace: Workspace) -> None:
    root = await workspace.visitor()
    page = await root.get(f"{CHANNELS}?part=list")
    assert "ничего не приходило" in page
    assert re.search(r">с <[^>]*>[^<]*12:00", page), "since the hub began, in the office's time"
    workspace.clock.advance(60)
    await workspace.write("Добрый день")
    assert "Последнее входящее: " in await root.get(f"{CHANNELS}?part=list")
    workspace.shop.health = ChannelHealth(ChannelState.RECONNECTING, "no answer within 5 s")
    workspace.clock.advance(60)
    page = await root.get("/office/health?part=live")
    assert re.search(r">с <[^>]*>[^<]*12:02", page)
    assert "хаб пробует снова сам" in page, "what to do stands beside"


async def test_an_account_is_asked_for_groups_and_pipelines_that_there_are_and_its_page_says_when_it_is_connected(
    workspace: Workspace, bots: BotApiServer
) -> None:
    browser = await workspace.visitor()
    await browser.send("/office/pipelines", page="/office/pipelines", name="Продажи окон")
    page = await browser.get("/office/channels/new/telegram")
    offered = re.search(r'<datalist id="f-pipeline-list">(.*?)</datalist>', page, re.DOTALL)
    assert offered is not None
    assert 'value="Продажи окон"' in offered[1]
    new = {"name": "shop2", "token": "5:wrong", "api_base": bots.url, "act": "connect", "anyway": "yes", "leads": "yes"}
    answer = await browser.send("/office/channels/new/telegram", page="/office/channels/new/telegram", **new)
    assert answer.status == 303
    page = await browser.get(answer.headers["Location"])
    assert re.search(r'<div id="state" hx-get="[^"]+" hx-select="#state"[^>]*hx-trigger="every 2s"', page)
