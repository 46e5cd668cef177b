"""A person's own page: tastes, the password, all sessions, tokens."""

from __future__ import annotations

import re

from crm_core.model.user import Role
from tests.integration.web.conftest import PASSWORD, Workspace

_TOKEN = re.compile(r'<code id="fresh-token">(hub_[^<]+)</code>')


async def test_tastes_are_kept_and_the_page_follows_at_once(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    assert 'lang="ru"' in await browser.get("/me")
    await browser.send("/me/tastes", page="/me", language="en", theme="dark", notifications="on")
    page = await browser.get("/me")
    assert '<html lang="en" data-theme="dark">' in page
    assert "Second factor" in page
    assert 'data-notifications="1"' in page
    assert 'data-sound="1"' not in page
    again = workspace.browser()
    await again.log_in("root")
    assert '<html lang="en" data-theme="dark">' in await again.get("/me")
    await browser.send("/me/tastes", page="/me", language="xx", theme="neon", sound="on")
    page = await browser.get("/me")
    assert '<html lang="ru">' in page
    assert 'data-sound="1"' in page


async def test_the_password_is_changed_by_whoever_knows_it(workspace: Workspace) -> None:
    here, there = await workspace.visitor(), workspace.browser()
    await there.log_in("root")
    new = {"password": "another password", "again": "another password"}
    for change, status in (
        ({"old": "guess"}, 401),
        ({"old": PASSWORD, "again": "differs"}, 400),
        ({"old": PASSWORD, "password": "short", "again": "short"}, 400),
    ):
        assert (await here.send("/me/password", page="/me", **{**new, **change})).status == status
    assert (await here.send("/me/password", page="/me", old=PASSWORD, **new)).status == 303
    assert "Пароль сменён" in await here.get("/me")
    assert (await there.client.get("/me", allow_redirects=False)).status == 302
    assert (await workspace.browser().log_in("root", PASSWORD)).status == 401
    assert (await workspace.browser().log_in("root", "another password")).status == 303


async def test_everybody_else_who_is_logged_in_as_me_is_out(workspace: Workspace) -> None:
    here, there = await workspace.visitor(), workspace.browser()
    await there.log_in("root")
    await here.send("/me/leave", page="/me")
    assert (await here.client.get("/me", allow_redirects=False)).status == 200
    assert (await there.client.get("/me", allow_redirects=False)).status == 302
    assert await workspace.scalar("SELECT count(*) FROM access_log WHERE what = 'login.ended'") == 1


async def test_a_token_is_shown_once_and_opens_what_was_chosen(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    response = await browser.send("/me/tokens", page="/me", name="Таблица", life="30", opens="read")
    found = _TOKEN.search(await response.text())
    assert found is not None
    headers = {"Authorization": f"Bearer {found[1]}"}
    client = workspace.browser().client
    assert (await client.get("/api/v1/contacts", headers=headers)).status == 200
    assert (await client.post("/api/v1/contacts", json={"name": "x"}, headers=headers)).status == 403
    page = await browser.get("/me")
    assert found[1] not in page
    assert "Таблица" in page
    (number,) = re.findall(r'action="/me/tokens/(\d+)/revoke"', page)
    other = await workspace.visitor("olga", Role.MANAGER)
    assert (await other.send(f"/me/tokens/{number}/revoke", page="/me")).status == 404
    assert (await browser.send(f"/me/tokens/{number}/revoke", page="/me")).status == 303
    assert (await client.get("/api/v1/contacts", headers=headers)).status == 401
    none = await browser.send("/me/tokens", page="/me", name="x", opens="chosen")
    assert none.status == 400
    strange = await browser.send("/me/tokens", page="/me", name="x", opens="chosen", scope="ufo:read")
    assert strange.status == 400
    some = await browser.send("/me/tokens", page="/me", name="x", opens="chosen", scope="calls:read")
    assert some.status == 200


async def test_the_token_against_forged_forms_may_come_as_a_header(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    token = await browser.token("/me")
    for header, location in (("forged", "/"), (token, "/me")):
        response = await browser.client.post(
            "/me/tastes", data={"theme": "dark"}, headers={"X-CSRF": header}, allow_redirects=False
        )
        assert (response.status, response.headers["Location"]) == (303, location)


async def test_logins_are_noted_with_where_they_came_from(workspace: Workspace) -> None:
    await workspace.hire()
    browser = workspace.browser()
    token = await browser.token("/login")
    await browser.client.post(
        "/login",
        data={"csrf": token, "login": "root", "password": PASSWORD},
        headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.7"},
        allow_redirects=False,
    )
    sql = "SELECT what || ' ' || login || ' ' || remote || ' ' || detail FROM access_log"
    assert await workspace.scalar(sql) == "login root 198.51.100.7 password"
