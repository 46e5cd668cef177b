"""Mailings as people of the office make them: counted, tried, sent once, held, and looked at afterwards."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

from aiohttp import ClientResponse

from crm_core.model.definitions import Section, SegmentBody
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.desk import Desk
from crm_core.services.letters.opting_out import opt_out
from crm_core.storage.users import NewUser, add_user
from tests.integration.http.world import SHOP
from tests.integration.pbx.waiting import until
from tests.integration.web.conftest import CHEAP, PASSWORD, Browser, Workspace
from tests.patience import PATIENCE_S
from tests.statements import statements

_START = "/broadcasts/new"


async def marketer(workspace: Workspace, **more: Any) -> Browser:
    """Somebody of marketing who has logged in, in an office with a segment of everybody."""
    new = NewUser("mila", "Мила", Role.MARKETER, password_hash=CHEAP.hash(PASSWORD), **more)
    await workspace.hub.store.run(lambda desk: add_user(desk, new))
    await workspace.hub.store.run(lambda desk: defining.add(desk, Section.SEGMENT, "Все", SegmentBody(), "root"))
    browser = workspace.browser()
    assert (await browser.log_in("mila")).status == 303
    return browser


async def clients(workspace: Workspace, count: int) -> list[int]:
    """Clients who wrote; the ids of their cards."""
    return [
        await workspace.write("Здравствуйте", client=3000 + each, name=f"Клиент {each}", number=f"m{each}")
        for each in range(count)
    ]


async def drafted(browser: Browser, **fields: str) -> int:
    """A draft made on the page; its id."""
    given = {"name": "Весна", "segment": "Все", "text": "Привет, {{ contact.name }}!", "per_minute": "600", **fields}
    response = await browser.send(_START, page=_START, **given)
    assert response.status == 303, await response.text()
    return int(response.headers["Location"].rpartition("/")[2])


async def acted(browser: Browser, ident: int, act: str, **fields: str) -> ClientResponse:
    return await browser.send(f"/broadcasts/{ident}/{act}", page=f"/broadcasts/{ident}", **fields)


async def ended(workspace: Workspace, ident: int) -> None:
    """Wait until it is over."""
    sql = f"SELECT state FROM broadcast WHERE id = {ident}"
    async with asyncio.timeout(PATIENCE_S):
        async for _batch in workspace.hub.live.follow(0):
            if await workspace.scalar(sql) == "done":
                return


async def arrived(workspace: Workspace, count: int) -> None:
    """Wait until the messenger has taken so many messages."""
    await until(lambda: len(workspace.shop.sent) >= count)


async def test_a_mailing_from_the_draft_to_what_became_of_each(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    ids = await clients(workspace, 4)
    await workspace.hub.store.run(lambda desk: opt_out(desk, ids[0], "asked", "root"))
    assert "Рассылок пока нет" in await browser.get("/broadcasts")
    ident = await drafted(browser)
    page = await browser.get(f"/broadcasts/{ident}")
    assert "черновик" in page
    assert "Привет, Клиент 1!" in page  # the first of the segment opted out
    counted = _plain(await browser.get(f"/broadcasts/{ident}/reach"))
    assert "3 клиента получат её сейчас из 4 в сегменте" in counted
    assert "1 отказался от рассылок" in counted
    assert "3 клиента" in _plain(await browser.get(f"/broadcasts/{ident}?count=1"))
    assert workspace.shop.sent == []

    assert (await acted(browser, ident, "start", when="now")).status == 303
    await ended(workspace, ident)
    await arrived(workspace, 3)
    again = await acted(browser, ident, "start", when="now")
    assert again.status == 303
    assert "закончена" in await browser.get(f"/broadcasts/{ident}")
    assert len(workspace.shop.sent) == 3
    page = _plain(await browser.get(f"/broadcasts/{ident}?show=skipped"))
    assert "Клиент 0" in page
    assert "Клиент 1" not in page
    assert "отказался от рассылок" in page
    assert "Клиент 3" in await browser.get(f"/broadcasts/{ident}?show=sent")
    assert "Таких нет" in await browser.get(f"/broadcasts/{ident}?show=failed")
    assert "Весна" in await browser.get("/broadcasts")


async def test_the_start_is_pressed_twice_and_each_gets_it_once(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    await clients(workspace, 3)
    ident = await drafted(browser)
    token = await browser.token(f"/broadcasts/{ident}")
    address = f"/broadcasts/{ident}/start"
    both = await asyncio.gather(*(browser.send(address, page="", csrf=token, when="now") for _each in range(2)))
    assert [each.status for each in both] == [303, 303]
    await ended(workspace, ident)
    await arrived(workspace, 3)
    assert sorted(each.conversation for each in workspace.shop.sent) == ["3000", "3001", "3002"]


async def test_it_is_held_goes_on_and_is_stopped_for_good(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    await clients(workspace, 4)
    ident = await drafted(browser, per_minute="12")
    await acted(browser, ident, "start", when="now")
    await arrived(workspace, 1)
    await acted(browser, ident, "pause")
    page = await browser.get(f"/broadcasts/{ident}")
    assert "приостановлена" in page
    workspace.clock.advance(600)
    assert len(workspace.shop.sent) == 1
    assert "progress" in await browser.get(f"/broadcasts/{ident}?part=live")
    await acted(browser, ident, "resume")
    await arrived(workspace, 2)
    await acted(browser, ident, "cancel")
    page = await browser.get(f"/broadcasts/{ident}")
    assert "остановлена" in page
    workspace.clock.advance(600)
    assert len(workspace.shop.sent) == 2


async def test_it_can_wait_for_its_day(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    await clients(workspace, 2)
    ident = await drafted(browser)
    for when in ("", "2020-01-01T10:00", "когда-нибудь"):
        await acted(browser, ident, "start", when="later", at=when)
        assert "черновик" in await browser.get(f"/broadcasts/{ident}"), when
    day = (workspace.clock.now().astimezone(workspace.hub.settings.time_zone)).replace(tzinfo=None)
    await acted(browser, ident, "start", when="later", at=day.replace(year=day.year, day=28, hour=12).isoformat()[:16])
    assert "начнётся" in await browser.get(f"/broadcasts/{ident}")
    assert workspace.shop.sent == []


async def test_what_is_wrong_is_said_above_what_was_typed(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    wrong = (
        {"name": "", "segment": "Все", "text": "Привет", "per_minute": "60"},
        {"name": "Весна", "segment": "", "text": "Привет", "per_minute": "60"},
        {"name": "Весна", "segment": "Нет такого", "text": "Привет", "per_minute": "60"},
        {"name": "Весна", "segment": "Все", "text": "", "per_minute": "60"},
        {"name": "Весна", "segment": "Все", "text": "Привет, {{ contact.name", "per_minute": "60"},
        {"name": "Весна", "segment": "Все", "text": "Привет", "per_minute": "6000"},
        {"name": "Весна", "segment": "Все", "text": "Привет", "per_minute": "шесть"},
    )
    for fields in wrong:
        response = await browser.send(_START, page=_START, **fields)
        text = await response.text()
        assert response.status == 400, fields
        assert 'role="alert"' in text
        assert not fields["text"] or "Привет" in text
    assert await workspace.scalar("SELECT count(*) FROM broadcast") == 0


async def test_a_draft_is_changed_a_mailing_is_not(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    await clients(workspace, 1)
    ident = await drafted(browser)
    here = f"/broadcasts/{ident}/change"
    fields = {"name": "Лето", "segment": "Все", "text": "Пора, {{ contact.name }}", "channel": "telegram"}
    response = await browser.send(here, page=here, per_minute="30", **fields)
    assert response.status == 303
    page = await browser.get(f"/broadcasts/{ident}")
    assert "Лето" in page
    assert "Пора, Клиент 0" in page
    assert "30 в минуту" in page
    await acted(browser, ident, "start", when="now")
    await ended(workspace, ident)
    token = await browser.token(f"/broadcasts/{ident}/start".removesuffix("/start"))
    response = await browser.send(here, page="", csrf=token, per_minute="30", **(fields | {"name": "Осень"}))
    assert response.status == 303
    assert "Осень" not in await browser.get(f"/broadcasts/{ident}")


async def test_a_test_goes_to_whoever_asks_once_and_to_no_client(workspace: Workspace) -> None:
    browser = await marketer(workspace, telegram_id=777)
    await clients(workspace, 2)
    ident = await drafted(browser)
    nonce = "n" * 20
    response = await acted(browser, ident, "sample", nonce=nonce, behind="0")
    assert response.status == 303
    assert "ни почта, ни Telegram" in await browser.get(f"/broadcasts/{ident}")  # no channel for the staff
    store = workspace.hub.store
    store.office = replace(store.office, staff_channel=SHOP)
    page = f"/broadcasts/{ident}"
    token = await browser.token(page)
    both = (browser.send(f"{page}/sample", page="", csrf=token, nonce=nonce, behind="0") for _press in range(2))
    assert [each.status for each in await asyncio.gather(*both)] == [303, 303]
    await arrived(workspace, 1)
    assert await workspace.scalar("SELECT count(*) FROM outbox WHERE kind = 'notification'") == 1
    assert [each.conversation for each in workspace.shop.sent] == ["777"]
    assert "Проба рассылки «Весна»" in workspace.shop.sent[0].text
    assert "Привет, Клиент 0!" in workspace.shop.sent[0].text
    assert (await acted(browser, ident, "sample", nonce="short")).status == 303


async def test_others_have_no_mailings(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await browser.get("/broadcasts", status=403)
    assert "/broadcasts" not in await browser.get("/")


async def test_the_pages_ask_the_same_however_many_there_are(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    await clients(workspace, 2)
    ident = await drafted(browser)
    await acted(browser, ident, "start", when="now")
    await ended(workspace, ident)

    await arrived(workspace, 2)

    async def cost(page: str) -> int:
        """What is asked of mailings, the least of some tries: workers ask things, too."""
        tries = []
        for _try in range(6):
            with statements(workspace.hub.store) as seen:
                await browser.get(page)
            asked = (each for each in seen if each.lstrip().upper().startswith(("SELECT", "WITH", "(")))
            tries.append(sum("broadcast" in each for each in asked))
        return min(tries)

    few = [await cost(page) for page in ("/broadcasts", f"/broadcasts/{ident}", f"/broadcasts/{ident}?part=live")]
    await clients(workspace, 12)
    for _each in range(4):
        ident = await drafted(browser)
        await acted(browser, ident, "start", when="now")
        await ended(workspace, ident)
    await arrived(workspace, 2 + 4 * 12)
    many = [await cost(page) for page in ("/broadcasts", f"/broadcasts/{ident}", f"/broadcasts/{ident}?part=live")]
    assert all(most <= least + 1 for most, least in zip(many, few, strict=True)), (few, many)
    assert 0 < min(many) <= max(many) <= 9, many


def _plain(page: str) -> str:
    """The words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found is not None
    return found[1]


async def test_two_people_change_a_draft_and_neither_undoes_the_others_unseen(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    await clients(workspace, 1)
    ident = await drafted(browser)
    address = f"/broadcasts/{ident}/change"
    first = _seen(await browser.get(address))
    given = {"name": "Весна", "segment": "Все", "per_minute": "600"}
    assert (await browser.send(address, page=address, seen=first, text="Скидка 5 %", **given)).status == 303
    late = await browser.send(address, page=address, seen=first, text="Скидка 50 %", **given)
    page = await late.text()
    assert late.status == 409
    assert "Скидка 50 %" in page  # what was typed is not lost
    assert await workspace.scalar(f"SELECT text FROM broadcast WHERE id = {ident}") == "Скидка 5 %"
    sure = await browser.send(address, page=address, seen=_seen(page), text="Скидка 50 %", **given)
    assert sure.status == 303
    assert await workspace.scalar(f"SELECT text FROM broadcast WHERE id = {ident}") == "Скидка 50 %"


async def test_nothing_goes_out_but_what_whoever_starts_it_has_seen(workspace: Workspace) -> None:
    browser = await marketer(workspace)
    await clients(workspace, 1)
    ident = await drafted(browser)
    here, change = f"/broadcasts/{ident}", f"/broadcasts/{ident}/change"
    seen = _seen(await browser.get(here))
    given = {"name": "Весна", "segment": "Все", "per_minute": "600", "text": "Другое"}
    assert (await browser.send(change, page=change, **given)).status == 303
    started = await acted(browser, ident, "start", when="now", seen=seen)
    assert started.headers["Location"] == here
    page = await browser.get(here)
    assert "изменили" in page
    assert "черновик" in page
    assert "Другое" in page
    shown = _seen(page)

    def other_segment(desk: Desk) -> None:
        (record,) = desk.catalogue.section(Section.SEGMENT).values()
        body = SegmentBody.model_validate({"filter": {"field": "city", "op": "=", "value": "Тверь"}})
        defining.change(desk, Section.SEGMENT, record.id, "root", body=body)

    await workspace.hub.store.run(other_segment)
    await acted(browser, ident, "start", when="now", seen=shown)
    assert await workspace.scalar(f"SELECT state FROM broadcast WHERE id = {ident}") == "draft"
    await acted(browser, ident, "start", when="now", seen=_seen(await browser.get(here)))
    assert await workspace.scalar(f"SELECT state FROM broadcast WHERE id = {ident}") != "draft"
    assert workspace.shop.sent == []
