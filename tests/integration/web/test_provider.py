"""Logging in at the office's own provider, from the button to the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer
from yarl import URL

from crm_core.model.user import Role
from crm_core.storage.users import UserChange, disable_user, update_user
from hub.access.security import Passwords
from hub.app import create_app
from hub.bootstrap import build
from hub.settings import Secret
from hub.settings.model import OidcLink, OidcSettings
from hub.web.pages import PAGES
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import SHOP, PlayedChannel, settings_for
from tests.integration.web.conftest import CHEAP, Browser, Workspace
from tests.integration.web.test_second_factor import set_up
from tests.peers.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider


@dataclass
class Office:
    """A hub with a provider."""

    workspace: Workspace
    provider: Provider

    async def hire(self, login: str = "ivan", email: str | None = "ivan@example.org") -> None:
        """Somebody with an address."""
        await self.workspace.hire(login, Role.MANAGER)
        await self.workspace.hub.store.run(lambda desk: update_user(desk, login, UserChange(email=email)))

    async def go(self, browser: Browser, path: str = "/login/oidc") -> str:
        """To the provider and as far as back: where the browser is led."""
        there = await browser.client.get(path, allow_redirects=False)
        assert there.status == 302, await there.text()
        async with browser.client.session.get(there.headers["Location"], allow_redirects=False) as back:
            return back.headers["Location"]

    async def come_back(self, browser: Browser, where: str) -> ClientResponse:
        """Back at the hub."""
        return await browser.client.get(URL(where).raw_path_qs, allow_redirects=False)

    async def log_in(self, browser: Browser) -> ClientResponse:
        """A whole login."""
        return await self.come_back(browser, await self.go(browser))


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    found = Provider(DrivenClock())
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def office(
    migrated_url: str, tmp_path: Path, provider: Provider, request: pytest.FixtureRequest
) -> AsyncIterator[Office]:
    clock = DrivenClock()
    provider.clock = clock
    link = getattr(request, "param", OidcLink.EMAIL)
    oidc = OidcSettings(provider.issuer, CLIENT_ID, Secret(CLIENT_SECRET), "Яндекс 360", link)
    settings = settings_for(migrated_url, tmp_path)
    hub = build(
        replace(settings, oidc=oidc),
        clock=clock,
        connectors={"played": lambda _settings, _context: [PlayedChannel(SHOP)]},
    )
    provider.redirect_uri = f"{settings.base_url}/login/oidc/back"
    await hub.start()
    app = create_app(hub)
    app[PAGES].passwords = Passwords(CHEAP)
    server = TestServer(app)
    await server.start_server()
    workspace = Workspace(hub, clock, PlayedChannel(SHOP), app, server, [])
    yield Office(workspace, provider)
    for client in workspace.browsers:
        await client.session.close()
    await server.close()
    await hub.stop()


async def test_a_person_of_the_office_comes_in_and_is_known_by_the_account_then(office: Office) -> None:
    await office.hire()
    browser = office.workspace.browser()
    assert "Войти через «Яндекс 360»" in await browser.get("/login")
    where = await office.go(browser, "/login/oidc?next=/contacts")
    response = await office.come_back(browser, where)
    assert (response.status, response.headers["Location"]) == (303, "/contacts")
    assert "Ivan" in await browser.get("/me")
    again = await office.come_back(browser, where)
    assert again.headers["Location"] == "/", "they are in"
    change = UserChange(email="other@example.org")
    await office.workspace.hub.store.run(lambda desk: update_user(desk, "ivan", change))
    assert (await office.log_in(office.workspace.browser())).status == 303
    sql = "SELECT detail FROM access_log WHERE what = 'login'"
    assert await office.workspace.scalar(sql) == "openid"


async def test_an_answer_is_good_once_and_for_the_browser_that_asked(office: Office) -> None:
    await office.hire()
    browser, thief = office.workspace.browser(), office.workspace.browser()
    where = await office.go(browser)
    assert (await office.come_back(thief, where)).status == 400
    assert (await office.come_back(browser, where + "x")).status == 400
    where = await office.go(browser)
    assert (await office.come_back(browser, where)).status == 303
    await browser.send("/logout", page="/me")
    assert (await office.come_back(browser, where)).status == 400


@pytest.mark.parametrize(
    "claim",
    [{"email": "nobody@example.org"}, {"email_verified": False}, {"email": None}, {"email": "no address"}],
    ids=str,
)
async def test_whoever_is_not_of_the_office_is_told_so(office: Office, claim: dict[str, object]) -> None:
    await office.hire()
    office.provider.lies = claim
    response = await office.log_in(office.workspace.browser())
    assert response.status == 403
    assert "Попросите администратора" in await response.text()
    assert await office.workspace.scalar("SELECT count(*) FROM app_user") == 1


async def test_neither_the_disabled_nor_one_of_two_with_an_address_come_in(office: Office) -> None:
    await office.hire()
    assert (await office.log_in(office.workspace.browser())).status == 303
    await office.workspace.hub.store.run(lambda desk: disable_user(desk, "ivan"))
    assert (await office.log_in(office.workspace.browser())).status == 403
    await office.hire("olga")
    await office.hire("oleg")
    office.provider.person["sub"] = "2002"
    assert (await office.log_in(office.workspace.browser())).status == 403


async def test_an_address_is_linked_to_one_account_only(office: Office) -> None:
    await office.hire()
    assert (await office.log_in(office.workspace.browser())).status == 303
    office.provider.person["sub"] = "2002"
    assert (await office.log_in(office.workspace.browser())).status == 403


@pytest.mark.parametrize("office", [OidcLink.SUBJECT], indirect=True)
async def test_without_linking_by_mail_only_accounts_written_down_come_in(office: Office) -> None:
    await office.hire()
    assert (await office.log_in(office.workspace.browser())).status == 403
    account = UserChange(oidc_subject=f"{office.provider.issuer} 1001")
    await office.workspace.hub.store.run(lambda desk: update_user(desk, "ivan", account))
    assert (await office.log_in(office.workspace.browser())).status == 303


async def test_the_second_factor_is_asked_for_here_too(office: Office) -> None:
    await office.hire()
    browser = office.workspace.browser()
    await office.log_in(browser)
    code, _ = await set_up(office.workspace, browser)
    other = office.workspace.browser()
    response = await office.log_in(other)
    assert response.headers["Location"] == "/login/code"
    assert (await other.send("/login/code", page="/login/code", code=code())).status == 303


async def test_what_goes_wrong_there_is_said_and_the_password_stays(office: Office) -> None:
    await office.hire()
    browser = office.workspace.browser()
    office.provider.denies = True
    response = await office.log_in(browser)
    assert response.status == 403
    assert "не подтвердил" in await response.text()
    office.provider.denies = False
    office.provider.lies = {"nonce": "wrong"}
    response = await office.log_in(browser)
    assert response.status == 403
    assert "не получилось" in await response.text()
    where = await office.go(browser)
    office.provider.status = 503
    response = await office.come_back(browser, where)
    assert response.status == 503
    assert "не отвечает" in await response.text()
    assert 'name="password"' in await browser.get("/login")
