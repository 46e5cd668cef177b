"""A session as its person and the administrator see it, and that it opens nothing once it has ended, wherever its
cookie was copied to."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from crm_core.model.user import Role
from crm_core.storage.sessions import MOST
from tests.integration.web.conftest import PASSWORD, Browser, Workspace
from tests.integration.web.test_inbox import following
from tests.statements import statements

_END = re.compile(r'action="((?:/me|/office/people/\w+)/sessions/\d+/end)"')
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TELEPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


def cookie_of(browser: Browser) -> str:
    """The session cookie, as a thief would copy it."""
    jar = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/"))
    return jar["hub_session"].value


async def opens(workspace: Workspace, cookie: str, path: str = "/me") -> bool:
    """Whether a copied cookie opens a page."""
    headers = {"Cookie": f"hub_session={cookie}", "Accept": "text/html"}
    response = await workspace.browser().client.get(path, headers=headers, allow_redirects=False)
    return response.status == 200


async def with_browser(workspace: Workspace, agent: str, login: str = "root") -> Browser:
    """Somebody logs in with a browser that says what it is."""
    browser = workspace.browser()
    browser.client.session.headers["User-Agent"] = agent
    assert (await browser.log_in(login)).status == 303
    return browser


async def test_a_cookie_that_was_copied_before_the_logout_opens_nothing(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    elsewhere = await with_browser(workspace, FIREFOX)
    copied = cookie_of(browser)
    assert await opens(workspace, copied)
    assert await opens(workspace, copied, "/api/v1/contacts")
    assert (await browser.send("/logout", page="/me")).status == 303
    assert not await opens(workspace, copied)
    assert not await opens(workspace, copied, "/api/v1/contacts")
    assert not await opens(workspace, copied, "/live/here")
    assert (await elsewhere.client.get("/me", allow_redirects=False)).status == 200, "the other one goes on"
    assert await workspace.scalar("SELECT count(*) FROM user_session") == 1


async def test_a_person_sees_where_they_are_logged_in_and_ends_one(workspace: Workspace) -> None:
    await workspace.hire()
    here, there = await with_browser(workspace, FIREFOX), await with_browser(workspace, TELEPHONE)
    page = await here.get("/me")
    assert "Firefox, Linux" in page
    assert "Safari, iPhone" in page
    assert "127.0.0.1" in page
    (end,) = _END.findall(page)
    async with following(there, "cases") as feed:
        assert (await here.send(end, page="/me")).status == 303
        await feed.rest()
    assert "Сеанс завершён" in await here.get("/me")
    assert (await there.client.get("/me", allow_redirects=False)).status == 302
    assert (await here.send(end, page="/me")).status == 303
    assert "уже завершён" in await here.get("/me")
    assert _END.findall(await here.get("/me")) == []
    assert await workspace.scalar("SELECT count(*) FROM access_log WHERE what = 'login.ended.one'") == 1


async def test_all_others_end_at_once_and_tabs_of_this_one_go_on(workspace: Workspace) -> None:
    await workspace.hire()
    here, there = await with_browser(workspace, FIREFOX), await with_browser(workspace, TELEPHONE)
    token = await here.token("/me")
    async with following(here, "cases") as mine, following(there, "cases") as theirs:
        await here.send("/me/leave", page="/me")
        await theirs.rest()
        await workspace.write("Добрый день")
        await mine.of("cases")
    assert (await there.client.get("/me", allow_redirects=False)).status == 302
    assert (await here.send("/me/peace", page="/me", csrf=token)).headers["Location"] != "/login"


async def test_nobody_ends_the_session_of_another(workspace: Workspace) -> None:
    root, ivan = await workspace.visitor("root"), await workspace.visitor("ivan", Role.MANAGER)
    row = await workspace.scalar("SELECT id FROM user_session WHERE login = 'root'")
    await ivan.send(f"/me/sessions/{row}/end", page="/me")
    assert (await ivan.send(f"/office/people/root/sessions/{row}/end", page="/me")).status == 403
    await root.send(f"/office/people/ivan/sessions/{row}/end", page="/me")
    assert (await root.client.get("/me", allow_redirects=False)).status == 200


async def test_the_administrator_sees_and_ends_those_of_a_person(workspace: Workspace) -> None:
    root = await workspace.visitor("root")
    await workspace.hire("ivan", Role.MANAGER)
    assert "нигде не вошёл" in await root.get("/office/people/ivan")
    ivan = await with_browser(workspace, TELEPHONE, "ivan")
    other = await with_browser(workspace, FIREFOX, "ivan")
    page = await root.get("/office/people/ivan")
    assert "Safari, iPhone" in page
    first, second = _END.findall(page)
    assert first != second
    await other.get("/me")
    row = await workspace.scalar("SELECT min(id) FROM user_session WHERE login = 'ivan'")
    assert (await root.send(f"/office/people/ivan/sessions/{row}/end", page="/me")).status == 303
    assert (await ivan.client.get("/me", allow_redirects=False)).status == 302
    assert (await other.client.get("/me", allow_redirects=False)).status == 200
    noted = "SELECT login || ' ' || detail FROM access_log WHERE what = 'login.ended.one'"
    assert await workspace.scalar(noted) == "root ivan"


async def test_another_login_in_the_same_browser_ends_the_first(workspace: Workspace) -> None:
    browser = await workspace.visitor("root")
    copied = cookie_of(browser)
    await workspace.hire("ivan", Role.MANAGER)
    await browser.send("/login", page="", csrf=await browser.token("/me"), login="ivan", password=PASSWORD)
    assert "Ivan" in await browser.get("/me")
    assert not await opens(workspace, copied)


async def test_a_session_that_nobody_uses_ends_though_its_cookie_is_sent_on(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    copied = cookie_of(browser)
    for _day in range(6):
        workspace.clock.advance(timedelta(days=1, minutes=1))
        assert await opens(workspace, copied)
    workspace.clock.advance(timedelta(days=1))
    assert not await opens(workspace, copied), "a cookie alone lives a week"
    assert "Логин" in await browser.get("/me")
    assert (await browser.log_in("root")).status == 303, "and the way in is open"


async def test_so_many_logins_and_no_more(workspace: Workspace) -> None:
    first = await workspace.visitor()
    for _number in range(MOST):
        workspace.clock.advance(timedelta(seconds=1))
        assert (await workspace.browser().log_in("root")).status == 303
    assert await workspace.scalar("SELECT count(*) FROM user_session") == MOST
    assert (await first.client.get("/me", allow_redirects=False)).status == 302


@pytest.mark.parametrize("path", ["/live/here", "/api/v1/tags", "/me"])
async def test_who_comes_is_asked_by_one_statement_and_written_once_an_hour(workspace: Workspace, path: str) -> None:
    browser = await workspace.visitor()
    await browser.client.get(path)

    async def asked() -> tuple[int, int]:
        with statements(workspace.hub.store) as seen:
            assert (await browser.client.get(path)).status < 300
        found = [each for each in seen if "user_session" in each and "app_user" in each]
        return len(found), sum(each.startswith("UPDATE user_session") for each in seen)

    assert await asked() == (1, 0)
    workspace.clock.advance(timedelta(hours=1))
    assert await asked() == (1, 1)
    assert await asked() == (1, 0)


async def test_what_browsers_say_is_shown_as_text_and_strange_bytes_do_no_harm(workspace: Workspace) -> None:
    await workspace.hire()
    browser = await with_browser(workspace, "<script>alert(1)</script>" + "я" * 600)
    page = await browser.get("/me")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


async def test_a_clock_that_is_put_back_logs_nobody_out(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    workspace.clock.jump(timedelta(minutes=-10))
    assert "Выйти" in await browser.get("/me")
    workspace.clock.advance(timedelta(days=40))
    assert "Выйти" not in await browser.get("/me")
