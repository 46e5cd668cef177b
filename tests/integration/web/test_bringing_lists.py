"""Many numbers put on a special list from a page: rehearsed, brought in, what can't be read mended in place."""

from __future__ import annotations

import html
import io
import re
from dataclasses import replace

import pytest
from aiohttp import FormData

from crm_core.model.definitions import RoleBody, Section
from crm_core.model.office import ListAction, SpecialList
from crm_core.model.rights import Reach
from crm_core.model.user import Role
from crm_core.services import defining
from tests.integration.web.conftest import Browser, Workspace

PAGE = "/lists/bring?list=%D0%A1%D0%BF%D0%B0%D0%BC"


@pytest.fixture
def office(workspace: Workspace) -> Workspace:
    """The office has two lists."""
    store = workspace.hub.store
    lists = {name: SpecialList(name, ListAction.REJECT) for name in ("Спам", "Партнёры")}
    store.office = replace(store.office, lists=lists)
    return workspace


async def brought(
    browser: Browser, act: str, numbers: str = "", file: bytes | None = None, status: int = 200, reason: str = ""
) -> str:
    """The form sent; the page that comes of it."""
    form = FormData()
    for name, value in {
        "csrf": await browser.token(PAGE),
        "list": "Спам",
        "numbers": numbers,
        "reason": reason,
        "act": act,
    }.items():
        form.add_field(name, value)
    form.add_field(
        "file", io.BytesIO(file or b""), filename="spam.csv" if file is not None else "", content_type="text/csv"
    )
    response = await browser.client.post("/lists/bring", data=form, allow_redirects=False)
    text = await response.text()
    assert response.status == status, text
    return await browser.get(response.headers["Location"]) if status == 303 else text


def left(page: str) -> str:
    """What stands in the box."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1]).strip()


async def test_numbers_are_rehearsed_and_then_stand_on_the_list(office: Workspace) -> None:
    browser = await office.visitor()
    assert PAGE in await browser.get("/lists?list=%D0%A1%D0%BF%D0%B0%D0%BC")
    typed = "+79161234567; звонит ночью\n8 916 765-43-21\n"
    page = await brought(browser, "try", typed)
    assert "Что изменится" in page
    assert '<td class="number">2</td>' in page
    assert left(page).splitlines() == typed.strip().splitlines(), "what was rehearsed is there to be brought in"
    assert await office.scalar("SELECT count(*) FROM listed_number") == 0
    page = await brought(browser, "bring", left(page), status=303, reason="реклама")
    assert "Новых: 2" in page
    assert "звонит ночью" in page
    assert "реклама" in page
    assert await office.scalar("SELECT author FROM listed_number WHERE key = 'tel:+79167654321'") == "root"
    assert "без изменений: 2" in await brought(browser, "bring", typed, status=303, reason="реклама")


async def test_lines_that_cant_be_read_stay_below_their_heading_to_be_mended(office: Workspace) -> None:
    browser = await office.visitor()
    file = "причина;номер\nнадоел;+79161234567\nкто это;12\nшутник;+7916765432x\n".encode("cp1251")
    page = await brought(browser, "bring", file=file)
    assert "2 строки не читаются" in page
    assert "строка 3" in page
    assert left(page).splitlines() == ["причина;номер", "кто это;12", "шутник;+7916765432x"]
    assert await office.scalar("SELECT count(*) FROM listed_number") == 1
    mended = left(page).replace("432x", "4321").replace("кто это;12\n", "")
    await brought(browser, "bring", mended, status=303)
    assert await office.scalar("SELECT reason FROM listed_number WHERE key = 'tel:+79167654321'") == "шутник"


async def test_what_is_no_list_of_numbers_is_refused_and_nothing_typed_is_lost(office: Workspace) -> None:
    browser = await office.visitor()
    assert "Выберите файл или вставьте номера" in await brought(browser, "bring", " ", status=422)
    page = await brought(browser, "bring", file=b"\x00\x01\x02", status=422)
    assert "CSV" in page
    page = await brought(browser, "bring", "имя;причина\nАнна;нет", status=422, reason="<b>")
    assert left(page) == "имя;причина\nАнна;нет"
    assert 'value="&lt;b&gt;"' in page
    assert await office.scalar("SELECT count(*) FROM listed_number") == 0


async def test_a_long_file_is_asked_for_once_more(office: Workspace) -> None:
    browser = await office.visitor()
    file = b"".join(b"+7916%07d;" % number + b"x" * 280 + b"\n" for number in range(4000))
    page = await brought(browser, "try", file=file)
    assert "выберите его ещё раз" in page
    assert '<td class="number">4000</td>' in page
    assert left(page) == ""


async def test_whoever_may_keep_no_lists_brings_none_in(office: Workspace) -> None:
    await office.hire()
    body = RoleBody(rights={"keep_lists": Reach.NONE})
    await office.hub.store.run(lambda desk: defining.add(desk, Section.ROLE, Role.MANAGER.value, body, "root"))
    browser = await office.visitor("ivan", Role.MANAGER)
    await browser.get("/lists/bring", status=403)
    answer = await browser.send("/lists/bring", page="/", numbers="+79161234567", act="bring", list="Спам")
    assert answer.status == 403
    assert await office.scalar("SELECT count(*) FROM listed_number") == 0
