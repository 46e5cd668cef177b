"""What somebody wrote outlives another session, the end of one, a failure and a second click."""

from __future__ import annotations

from datetime import timedelta

from hub.web.packing import unveiled
from hub.web.returning import FRESH, LOGIN_AT
from tests.integration.web.conftest import PASSWORD, Browser, Workspace

HTMX = {"HX-Request": "true"}


async def again(browser: Browser) -> None:
    """The same browser logs out and in, as another tab would."""
    await browser.send("/logout", page="/me")
    assert (await browser.log_in("root")).status == 303


async def test_a_script_with_the_token_of_an_earlier_session_is_given_the_new_one(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    contact = await workspace.write("Добрый день")
    path, draft = f"/contacts/{contact}/reply", {"text": "Здравствуйте", "target": "telegram:shop"}
    old = await browser.token(f"/contacts/{contact}")
    await again(browser)
    sent = {**HTMX, "X-CSRF": old}
    response = await browser.client.post(path, data=draft, headers=sent, allow_redirects=False)
    assert (response.status, response.content_type) == (403, "text/plain")
    assert response.headers["X-Login"] == "root"
    fresh = response.headers[FRESH]
    assert unveiled(fresh) != unveiled(old)
    strange = {**sent, "Origin": "https://evil.example"}
    response = await browser.client.post(path, data=draft, headers=strange, allow_redirects=False)
    assert response.status == 303
    assert FRESH not in response.headers
    said = "SELECT count(*) FROM timeline WHERE text = 'Здравствуйте'"
    assert await workspace.scalar(said) == 0
    response = await browser.client.post(path, data=draft, headers={**HTMX, "X-CSRF": fresh}, allow_redirects=False)
    assert response.status == 200, await response.text()


async def test_a_form_without_a_script_leads_back_to_its_page(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    contact = await workspace.write("Добрый день")
    page = f"/contacts/{contact}"
    origin = str(browser.client.make_url("/")).rstrip("/")
    for referer, expected in ((origin + page, page), ("https://evil.example/x", "/"), ("http://[", "/")):
        response = await browser.client.post(
            f"{page}/tasks", data={"csrf": "old"}, headers={"Referer": referer}, allow_redirects=False
        )
        assert (response.status, response.headers["Location"]) == (303, expected)


async def test_after_the_end_of_a_session_one_comes_back_to_the_page_and_is_told_why(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    contact = await workspace.write("Добрый день")
    page = f"/contacts/{contact}"
    address = str(browser.client.make_url(page))
    await browser.send("/logout", page="/me")
    where = f"/login?next={page}&ended=1"
    for method, path in (("GET", f"{page}?part=fresh"), ("POST", f"{page}/reply")):
        headers = {**HTMX, "HX-Current-URL": address}
        response = await browser.client.request(method, path, headers=headers, allow_redirects=False)
        assert (response.status, response.headers[LOGIN_AT]) == (401, where)
        assert "Сеанс закончился" in await response.text()
    response = await browser.client.post(f"{page}/reply", headers={"Referer": address}, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, where)
    headers = {**HTMX, "HX-Current-URL": "https://evil.example/x"}
    response = await browser.client.get(page, headers=headers, allow_redirects=False)
    assert response.headers[LOGIN_AT] == "/login?ended=1"
    text = await browser.get(where)
    assert "Сеанс закончился" in text
    assert f'value="{page}"' in text
    assert "Сеанс закончился" not in await browser.get("/login")
    response = await browser.send("/login", page=where, login="root", password=PASSWORD, next=page)
    assert response.headers["Location"] == page


async def test_a_script_is_told_in_words_what_went_wrong(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    for path, said in (("/contacts/999999", "Клиента № 999999 нет"), ("/nowhere", "Такой страницы нет.")):
        response = await browser.client.get(path, headers=HTMX)
        assert (response.status, response.content_type) == (404, "text/plain")
        assert await response.text() == said


async def test_what_is_pressed_twice_is_noted_once(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    await workspace.write("Добрый день")
    case = await workspace.scalar("SELECT id FROM contact_case")
    lines = "SELECT count(*) FROM timeline WHERE author = 'root'"
    for act in ("take", "promise"):
        noted = [await workspace.scalar(lines)]
        for _time in range(2):
            assert (await browser.send(f"/cases/{case}/{act}", page="/")).status == 303
            workspace.clock.advance(timedelta(seconds=1))
            noted.append(await workspace.scalar(lines))
        assert noted[0] != noted[1] == noted[2], act
