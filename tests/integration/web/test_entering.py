"""The first run, logging in and out, and what keeps strangers out."""

import asyncio
import stat
from datetime import timedelta
from pathlib import Path

from crm_core.model.user import Role
from crm_core.storage.users import UserChange, disable_user, update_user
from hub.access.secret_key import session_key
from hub.settings import Secret, parse_settings
from tests.integration.web.conftest import CHEAP, PASSWORD, Workspace

ADMIN = {"login": "boss", "name": "Главный", "password": PASSWORD, "again": PASSWORD}


async def test_without_anybody_every_page_leads_to_the_first_run(workspace: Workspace) -> None:
    browser = workspace.browser()
    for path in ("/", "/contacts", "/contacts/5", "/journal", "/login"):
        response = await browser.client.get(path, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (302, "/setup")


async def test_the_first_visitor_becomes_administrator_and_is_in(workspace: Workspace) -> None:
    browser = workspace.browser()
    response = await browser.send("/setup", page="/setup", **ADMIN)
    assert (response.status, response.headers["Location"]) == (303, "/first-run")
    assert "Главный" in await browser.get("/")
    assert await workspace.scalar("SELECT role FROM app_user WHERE login = 'boss'") == "admin"
    other = workspace.browser()
    response = await other.client.get("/setup", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/")


async def test_of_several_first_visitors_one_wins(workspace: Workspace) -> None:
    browsers = [workspace.browser() for _ in range(4)]
    tokens = [await browser.token("/setup") for browser in browsers]

    async def race(number: int) -> str:
        fields = {**ADMIN, "login": f"boss{number}"}
        response = await browsers[number].send("/setup", page="/setup", csrf=tokens[number], **fields)
        return response.headers["Location"]

    assert sorted(await asyncio.gather(*map(race, range(4)))) == ["/first-run", "/login", "/login", "/login"]
    assert await workspace.scalar("SELECT count(*) FROM app_user") == 1


async def test_the_first_run_says_what_is_wrong(workspace: Workspace) -> None:
    browser = workspace.browser()
    for change, said in (
        ({"again": "another password"}, "Пароли не совпали"),
        ({"password": "short", "again": "short"}, "короче 8"),
        ({"login": "two words"}, "login"),
        ({"name": "  "}, "name"),
    ):
        response = await browser.send("/setup", page="/setup", **{**ADMIN, **change})
        assert response.status == 400
        assert said in await response.text()
    assert await workspace.scalar("SELECT count(*) FROM app_user") == 0


async def test_a_forged_form_changes_nothing(workspace: Workspace) -> None:
    browser = workspace.browser()
    await browser.get("/setup")
    for token in ("", "guess"):
        response = await browser.send("/setup", page="", csrf=token, **ADMIN)
        assert response.status == 303
    assert await workspace.scalar("SELECT count(*) FROM app_user") == 0
    inside = await workspace.visitor()
    contact_id = await workspace.write("Добрый день")
    case_id = await workspace.scalar("SELECT id FROM contact_case")
    for path in (f"/cases/{case_id}/close", f"/contacts/{contact_id}/reply", "/logout"):
        response = await inside.send(path, page="", csrf="forged", reason="x", text="x", target="telegram:shop")
        assert response.status == 303
    assert await workspace.scalar("SELECT state FROM contact_case") == "open"
    assert await workspace.scalar("SELECT count(*) FROM timeline WHERE direction = 'out' AND kind = 'message'") == 0
    assert "Что происходит" in await inside.get("/")


async def test_a_stranger_is_sent_to_the_login_and_then_where_they_wanted(workspace: Workspace) -> None:
    await workspace.hire()
    browser = workspace.browser()
    response = await browser.client.get("/contacts?q=анна", allow_redirects=False)
    assert response.status == 302
    where = response.headers["Location"]
    assert where.startswith("/login?next=/contacts")
    page = await browser.get(where)
    assert 'value="/contacts?q=' in page
    response = await browser.send("/login", page=where, login="root", password=PASSWORD, next="/contacts?q=анна")
    assert response.headers["Location"].startswith("/contacts?q=")


async def test_the_login_leads_to_no_other_site(workspace: Workspace) -> None:
    await workspace.hire()
    for evil in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/x\r\nA: b"):
        response = await workspace.browser().send("/login", page="/login", login="root", password=PASSWORD, next=evil)
        assert (response.status, response.headers["Location"]) == (303, "/")


async def test_the_cookie_is_kept_from_scripts_and_other_sites(workspace: Workspace) -> None:
    await workspace.hire()
    browser = workspace.browser()
    before = (await browser.client.get("/login")).cookies["hub_session"].value
    response = await browser.log_in("root")
    cookie = response.cookies["hub_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie.value != before
    assert "root" not in cookie.value


async def test_a_form_of_another_site_gets_no_session_in_place_of_the_persons(workspace: Workspace) -> None:
    await workspace.hire()
    stranger = workspace.browser().client  # browsers keep the cookie to themselves there
    for path in ("/logout", "/login", "/me/leave", "/tasks/new", "/login/code"):
        response = await stranger.post(path, data={"login": "root", "password": PASSWORD}, allow_redirects=False)
        assert response.status in {302, 303}, path
        assert "Set-Cookie" not in response.headers, path


async def test_guessing_is_slowed_down_for_that_person_only(workspace: Workspace) -> None:
    await workspace.hire("root")
    await workspace.hire("ivan", Role.MANAGER)
    browser = workspace.browser()
    for _ in range(5):
        assert (await browser.log_in("root", "guess guess")).status == 401
    refused = await browser.log_in("root", PASSWORD)
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) == 15 * 60
    assert (await workspace.browser().log_in("ivan")).status == 303
    workspace.clock.advance(timedelta(minutes=15))
    assert (await browser.log_in("root", PASSWORD)).status == 303


async def test_unknown_disabled_and_passwordless_people_do_not_get_in(workspace: Workspace) -> None:
    await workspace.hire("root")
    await workspace.hire("gone", Role.MANAGER)
    await workspace.hub.store.run(lambda desk: disable_user(desk, "gone"))
    await workspace.hire("mute", Role.MANAGER)
    await workspace.hub.store.run(lambda desk: update_user(desk, "mute", UserChange(password_hash=None)))
    browser = workspace.browser()
    for login in ("nobody", "gone", "mute", ""):
        assert (await browser.log_in(login)).status == 401


async def test_a_session_ends_with_the_person_the_password_and_the_week(workspace: Workspace) -> None:
    root = await workspace.visitor("root")
    ivan = await workspace.visitor("ivan", Role.MANAGER)
    await workspace.hub.store.run(lambda desk: disable_user(desk, "ivan"))
    assert "Логин" in await ivan.get("/")
    changed = UserChange(password_hash=CHEAP.hash("another password"))
    await workspace.hub.store.run(lambda desk: update_user(desk, "root", changed))
    assert "Логин" in await root.get("/")
    assert (await root.log_in("root", "another password")).status == 303
    workspace.clock.advance(timedelta(days=6))
    assert "Что происходит" in await root.get("/"), "six days later"
    workspace.clock.advance(timedelta(days=6))
    assert "Что происходит" in await root.get("/"), "each visit prolongs it"
    workspace.clock.advance(timedelta(days=8))
    assert "Логин" in await root.get("/")


async def test_logging_out_ends_it_here(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    response = await browser.send("/logout", page="/")
    assert response.headers["Location"] == "/login"
    assert "Логин" in await browser.get("/")


async def test_a_tampered_cookie_is_no_session(workspace: Workspace) -> None:
    await workspace.hire()
    browser = workspace.browser()
    for value in ("x", "gAAAA" + "A" * 100, "я" * 10, "A" * 5000):
        response = await browser.client.get("/", headers={"Cookie": f"hub_session={value}"}, allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (302, "/login")


async def test_a_session_reads_the_api_and_changes_nothing_there(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    assert (await browser.client.get("/api/v1/contacts")).status == 200
    assert (await browser.client.post("/api/v1/contacts", json={"name": "x"})).status == 401
    assert (await workspace.browser().client.get("/api/v1/contacts")).status == 401


async def test_every_page_forbids_what_it_does_not_need(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    for path in ("/", "/contacts", "/journal", "/login", "/nothing"):
        response = await browser.client.get(path, headers={"Accept": "text/html"})
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Frame-Options"] == "DENY"
        text = await response.text()
        assert "style=" not in text
        assert "onclick" not in text
        assert "<script>" not in text
    for path in ("/u/nonsense", "/api/docs"):
        response = await browser.client.get(path, headers={"Accept": "text/html"})
        assert "unsafe" not in response.headers["Content-Security-Policy"], path


def test_the_key_of_sessions_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = parse_settings("", folder=tmp_path)
    first = session_key(settings)
    assert len(first.reveal()) >= 32
    assert session_key(settings) == first
    file = tmp_path / "var" / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    configured = parse_settings('secret_key = "configured-key-configured-key-0123"', folder=tmp_path)
    assert session_key(configured) == Secret("configured-key-configured-key-0123")
