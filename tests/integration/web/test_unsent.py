"""A form that comes after its session has ended is not lost: its person sends it once, after logging in again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from aiohttp import ClientResponse, FormData

from crm_core.model.user import Role
from crm_core.storage.entering import sign_out_everywhere
from crm_core.storage.unsent import KEPT
from hub.web.routes import ROUTES
from hub.web.unsent import remembers
from tests.integration.web.conftest import PASSWORD, Browser, Workspace

TEXT = "Здравствуйте!\r\nСейчас посчитаю, «под ключ» — <b>завтра</b>"
SENT = "SELECT count(*) FROM timeline WHERE direction = 'out' AND text LIKE '%посчитаю%'"
_SEND = re.compile(r'action="(/unsent/\d+/send)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


async def writing(workspace: Workspace, browser: Browser) -> tuple[str, dict[str, str]]:
    """Where an answer goes and what is in the form, drawn while the session lasts."""
    contact = await workspace.write("Сколько стоит?")
    page = f"/contacts/{contact}"
    token = await browser.token(page)
    return f"{page}/reply", {"csrf": token, "text": TEXT, "target": "telegram:shop"}


async def posted(browser: Browser, path: str, fields: dict[str, str]) -> ClientResponse:
    """Without scripts, as a browser sends it."""
    origin = str(browser.client.make_url("/")).rstrip("/")
    headers = {"Referer": origin + path.rpartition("/")[0], "Accept": "text/html"}
    return await browser.client.post(path, data=fields, headers=headers, allow_redirects=False)


async def send_now(workspace: Workspace, browser: Browser, page: str) -> ClientResponse:
    """Press the button: what the form holds goes where the page says, and on from there as browsers go."""
    (action,) = _SEND.findall(page)
    form = page[page.index(action) : page.index("</form>", page.index(action))]
    fields = {name: _plain(value) for name, value in _HIDDEN.findall(form)}
    response = await browser.client.post(action, data=fields, allow_redirects=False)
    if response.status != 307:
        return response
    return await browser.client.post(response.headers["Location"], data=fields, allow_redirects=False)


def _plain(text: str) -> str:
    for code, mark in (("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(code, mark)
    return text.replace("\n", "\r\n") if "\r" not in text else text


async def log_in_again(browser: Browser, login: str = "root") -> ClientResponse:
    return await browser.log_in(login)


async def ended_elsewhere(workspace: Workspace, _browser: Browser) -> None:
    await workspace.hub.store.run(lambda desk: sign_out_everywhere(desk, "root"))


async def logged_out_here(_workspace: Workspace, browser: Browser) -> None:
    await browser.send("/logout", page="/me")


async def grown_old(workspace: Workspace, _browser: Browser) -> None:
    workspace.clock.advance(timedelta(days=8))


@pytest.mark.parametrize("ending", [ended_elsewhere, logged_out_here, grown_old])
async def test_it_is_shown_after_the_login_and_sent_once(workspace: Workspace, ending: object) -> None:
    browser = await workspace.visitor()
    path, fields = await writing(workspace, browser)
    assert callable(ending)
    await ending(workspace, browser)
    response = await posted(browser, path, fields)
    assert response.status == 303
    assert response.headers["Location"].startswith("/login?")
    assert "сохранено" in await browser.get(response.headers["Location"])
    assert await workspace.scalar(SENT) == 0
    kept = await workspace.scalar("SELECT sealed FROM unsent_form")
    assert isinstance(kept, str)
    assert "посчитаю" not in kept
    where = (await log_in_again(browser)).headers["Location"]
    assert where.startswith("/unsent")
    page = await browser.get(where)
    assert "Сейчас посчитаю, «под ключ» — &lt;b&gt;завтра" in page
    response = await send_now(workspace, browser, page)
    assert response.status == 303
    assert await workspace.scalar(SENT) == 1
    text = await workspace.scalar("SELECT text FROM timeline WHERE direction = 'out' AND text LIKE '%посчитаю%'")
    assert text == TEXT.replace("\r\n", "\n")
    again = await send_now(workspace, browser, page)
    assert again.headers["Location"] == "/unsent"
    assert await workspace.scalar(SENT) == 1
    assert await workspace.scalar("SELECT count(*) FROM unsent_form") == 0


async def test_after_another_login_of_the_same_person_it_is_shown_at_once(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    path, fields = await writing(workspace, browser)
    await logged_out_here(workspace, browser)
    await log_in_again(browser)
    response = await posted(browser, path, fields)
    assert response.headers["Location"].startswith("/unsent?next=/contacts/")
    assert await workspace.scalar(SENT) == 0, "its token is of another session: nothing happens by itself"
    await send_now(workspace, browser, await browser.get(response.headers["Location"]))
    assert await workspace.scalar(SENT) == 1


async def test_somebody_else_in_the_same_browser_never_sees_it(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.hire("olga", Role.MANAGER)
    path, fields = await writing(workspace, browser)
    await ended_elsewhere(workspace, browser)
    await posted(browser, path, fields)
    where = (await log_in_again(browser, "olga")).headers["Location"]
    page = await browser.get(where)
    assert "посчитаю" not in page
    (row,) = [await workspace.scalar("SELECT id FROM unsent_form")]
    response = await browser.send(f"/unsent/{row}/send", page="/me")
    assert response.headers["Location"] == "/unsent"
    await browser.send("/logout", page="/me")
    where = (await log_in_again(browser)).headers["Location"]
    assert "посчитаю" in await browser.get(where), "whose it is has it still"


async def test_another_browser_of_theirs_does_not_have_it(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    path, fields = await writing(workspace, browser)
    await ended_elsewhere(workspace, browser)
    await posted(browser, path, fields)
    other = workspace.browser()
    assert (await log_in_again(other)).headers["Location"] == "/"
    assert "посчитаю" not in await other.get("/unsent")


async def test_what_a_stranger_sends_or_what_no_page_of_ours_drew_is_not_kept(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    path, fields = await writing(workspace, browser)
    response = await posted(workspace.browser(), path, fields)
    assert response.status == 302
    await ended_elsewhere(workspace, browser)
    for wrong in ("", "forged", "A" * 200):
        response = await posted(browser, path, {**fields, "csrf": wrong})
        assert response.status == 302
    response = await browser.client.post(path, data={**fields, "text": "x" * 250_000}, allow_redirects=False)
    assert response.status == 302, "too long"
    assert await workspace.scalar("SELECT count(*) FROM unsent_form") == 0


async def test_a_script_is_told_and_nothing_is_kept_for_it(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    path, fields = await writing(workspace, browser)
    await ended_elsewhere(workspace, browser)
    response = await browser.client.post(path, data=fields, headers={"HX-Request": "true"})
    assert response.status == 401
    assert await workspace.scalar("SELECT count(*) FROM unsent_form") == 0


async def test_secrets_are_not_kept(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    token = await browser.token("/me")
    await ended_elsewhere(workspace, browser)
    secret = {"csrf": token, "password": "another password", "again": "another password", "old": PASSWORD}
    for path in ("/me/password", "/office/people/root/password", "/office/new-person", "/contacts/5/reply"):
        assert (await posted(browser, path, secret)).status == 302, path
    assert await workspace.scalar("SELECT count(*) FROM unsent_form") == 0


def test_no_page_with_a_field_for_secrets_is_remembered(workspace: Workspace) -> None:
    posts = [each.path for each in workspace.app[ROUTES] if each.method == "POST"]
    secret = ("/login", "/setup", "/me/", "/office/people", "/office/new-person", "/office/channels", "/first-run")
    assert not [path for path in posts if path.startswith(secret) and remembers(path)]
    assert len([path for path in posts if remembers(path)]) > 30


async def test_files_are_not_kept_and_that_is_said(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    path, fields = await writing(workspace, browser)
    await ended_elsewhere(workspace, browser)
    data = FormData()
    for name, value in fields.items():
        data.add_field(name, value)
    data.add_field("upload", b"photo", filename="замер.jpg", content_type="image/jpeg")
    response = await browser.client.post(path, data=data, allow_redirects=False)
    assert response.status == 303
    where = (await log_in_again(browser)).headers["Location"]
    page = await browser.get(where)
    assert "приложите их снова" in page
    assert "посчитаю" in page


async def test_it_is_thrown_away_or_forgotten(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    path, fields = await writing(workspace, browser)
    await ended_elsewhere(workspace, browser)
    await posted(browser, path, fields)
    await log_in_again(browser)
    row = await workspace.scalar("SELECT id FROM unsent_form")
    response = await browser.send(f"/unsent/{row}/drop?next=/me", page="/unsent")
    assert response.headers["Location"] == "/unsent?next=/me"
    assert "отправлено не будет" in await browser.get(response.headers["Location"])
    assert await workspace.scalar("SELECT count(*) FROM unsent_form") == 0
    path, fields = await writing(workspace, browser)
    await ended_elsewhere(workspace, browser)
    await posted(browser, path, fields)
    workspace.clock.advance(KEPT)
    await log_in_again(browser)
    assert "посчитаю" not in await browser.get("/unsent")
