"""Telephone lines kept on their page: what calls are decided by, beside those of hub.toml."""

from __future__ import annotations

import asyncio
import html
import re

from crm_core.model.definitions import Section
from crm_core.model.line import Anonymous, Line, Target
from crm_core.model.user import Role
from tests.integration.http.world import LINE
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_office import record, sent
from tests.patience import PATIENCE_S

NEW = "/office/lines/new"
NUMBER = "+74957654321"
GIVEN = {
    "number": NUMBER,
    "pbx": "office",
    "source": "Яндекс",
    "night": "reject",
    "menu.0": "",
    "menu.0.key": "1",
    "menu.0.value": "callback",
    "menu_sound": "custom/menu",
    "menu_for": "all",
    "anonymous": "reject",
    "record": "yes",
    "leads": "1",
    "silence": "1",
}


async def kept(workspace: Workspace, number: str) -> Line:
    """The line once calls are decided by it."""
    async with asyncio.timeout(PATIENCE_S):
        while (found := workspace.hub.store.office.line("office", number)) is None:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
    return found


def told(page: str) -> str:
    """The page as text."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def test_a_line_is_made_on_the_page_and_decides_on_the_next_call(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    assert 'href="/office/lines"' in await browser.get("/office")
    page = await browser.get("/office/lines")
    assert "+7 495 123-45-67" in told(page), "that of hub.toml stands there"
    assert f"/calls/why?line=%2B{LINE[1:]}" in page
    await sent(browser, NEW, 303, GIVEN, act="save")
    line = await kept(workspace, NUMBER)
    assert (line.pbx, line.policy.source, line.record, line.anonymous) == ("office", "Яндекс", True, Anonymous.REJECT)
    assert str(line.night) == "reject"
    assert line.menu is not None
    assert (line.menu.sound, [(key, str(goal)) for key, goal in line.menu.keys]) == ("custom/menu", [("1", "callback")])
    assert "голосовое меню" in told(await browser.get(f"/calls/why?number=79161234567&line={NUMBER[1:]}"))
    ident = await record(workspace, Section.LINE, NUMBER)
    page = await browser.get("/office/lines")
    assert "1 → callback" in told(page)
    await sent(browser, f"/office/lines/{ident}", 303, {**GIVEN, "night": "ring"}, act="save", version="1")
    await browser.send(f"/office/lines/{ident}/away", page="/office/lines")
    async with asyncio.timeout(PATIENCE_S):
        while workspace.hub.store.office.line("office", NUMBER) is not None:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.02)
    assert workspace.hub.store.office.line("office", LINE) is not None


async def test_what_would_not_work_is_refused_beside_its_field(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    for wrong, words in (
        ({"number": "8 (495) 765-43-21"}, f"напишите номер так: {NUMBER}"),
        ({"number": "+7"}, "это не номер телефона"),
        ({"pbx": "ofice"}, "нет АТС «ofice»"),
        ({"hours": "ночь"}, "ночь"),
        ({"pipeline": "Нет такой"}, "Нет такой"),
        ({"night": "group:nobody"}, "нет группы «nobody»"),
        ({"night": "somewhere over"}, "никуда не ведёт"),
        ({"menu.0.value": "user:nobody"}, "нет сотрудника «nobody»"),
        ({"menu.0.key": "##"}, "не клавиша меню"),
        ({"greeting": "привет.wav"}, "не имя звука"),
    ):
        page = told(await sent(browser, NEW, 400, {**GIVEN, **wrong}, act="save"))
        assert words.lower() in page.lower(), (wrong, page[600:4600])
    assert await workspace.scalar("SELECT count(*) FROM definition") == 0


async def test_a_line_of_the_file_wins(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await sent(browser, NEW, 303, {**GIVEN, "number": LINE, "source": "Другой"}, act="save")
    await sent(browser, NEW, 303, GIVEN, act="save")
    await kept(workspace, NUMBER)
    ours = [each for each in workspace.hub.store.office.lines if each.number == LINE]
    assert [each.policy.source for each in ours] == ["Яндекс.Директ"]
    assert ours[0].night == Target(ours[0].night.goal)
    ident = await record(workspace, Section.LINE, LINE)
    assert "В hub.toml есть такое же имя" in told(await browser.get(f"/office/lines/{ident}"))


async def test_checking_says_whether_calls_come(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    page = told(await sent(browser, NEW, 200, GIVEN, act="check"))
    assert "Ни одна АТС не подключена" in page
    assert "За 30 дней на этот номер не было звонков" in page
    assert await workspace.scalar("SELECT count(*) FROM definition") == 0


async def test_a_manager_keeps_no_lines(workspace: Workspace) -> None:
    await workspace.hire()
    browser = await workspace.visitor("ivan", Role.MANAGER)
    await browser.get("/office/lines", status=403)
    answer = await browser.send(NEW, page="/", act="save", number=NUMBER)
    assert answer.status == 403
