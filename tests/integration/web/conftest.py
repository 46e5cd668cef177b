"""A hub with one played messenger, visited as a browser would."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from argon2 import PasswordHasher

from crm_core.messages import Attachment, EntryKind, InboundEvent, MessageReceived, Sender, Unparsable
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.user import Role
from crm_core.ports import ChannelContext
from crm_core.storage.users import NewUser, add_user
from hub.access.security import Passwords
from hub.app import create_app
from hub.bootstrap import Hub, build
from hub.settings import Settings
from hub.web.pages import PAGES
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import SHOP, PlayedChannel, settings_for

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "длинный пароль"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Browser:
    """One visitor with their own cookies."""

    client: TestClient[Request, Application]

    async def get(self, path: str, *, status: int = 200) -> str:
        """The page at an address, redirects followed."""
        response = await self.client.get(path, headers={"Accept": "text/html"})
        text = await response.text()
        assert response.status == status, (response.url, text)
        return text

    async def send(self, path: str, *, page: str, csrf: str | None = None, **fields: str) -> ClientResponse:
        """Send a form as it stands on `page`; the answer, redirects not followed."""
        token = csrf if csrf is not None else await self.token(page)
        return await self.client.post(path, data={"csrf": token, **fields}, allow_redirects=False)

    async def token(self, page: str) -> str:
        """The token against forged forms, as the page holds it."""
        found = _CSRF.search(await self.get(page))
        assert found is not None, page
        return found[1]

    async def log_in(self, login: str, password: str = PASSWORD) -> ClientResponse:
        """Log in."""
        return await self.send("/login", page="/login", login=login, password=password, next="/")


@dataclass
class Workspace:
    """The hub and who visits it."""

    hub: Hub
    clock: DrivenClock
    shop: PlayedChannel
    app: Application
    server: TestServer
    browsers: list[TestClient[Request, Application]]

    def browser(self) -> Browser:
        """A visitor who was never here."""
        client = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.browsers.append(client)
        return Browser(client)

    async def hire(self, login: str = "root", role: Role = Role.ADMIN, *, name: str = "") -> None:
        """Add somebody who can log in."""
        new = NewUser(login, name or login.title(), role, password_hash=CHEAP.hash(PASSWORD))
        await self.hub.store.run(lambda desk: add_user(desk, new))

    async def visitor(self, login: str = "root", role: Role = Role.ADMIN) -> Browser:
        """Somebody who has logged in."""
        await self.hire(login, role)
        browser = self.browser()
        response = await browser.log_in(login)
        assert response.status == 303
        return browser

    async def write(
        self,
        text: str,
        *,
        client: int = 1001,
        name: str = "Анна",
        number: str = "1",
        files: tuple[Attachment, ...] = (),
    ) -> int:
        """A client writes; the id of their card."""
        event = InboundEvent(
            key=SHOP,
            external_id=number,
            conversation=str(client),
            occurred_at=self.clock.now(),
            sender=Sender((Identity(IdentityKind.TG, str(client)),), name),
            payload=MessageReceived(EntryKind.MESSAGE, text, number, attachments=files),
            raw=b"{}",
        )
        await self.hub.intake.receive(event)
        sql = f"SELECT contact_id FROM identity WHERE key = 'tg:{client}'"
        return int(await self.hub.store.read(lambda conn: conn.exec_driver_sql(sql).scalar_one()))

    async def fail(self, raw: bytes) -> None:
        """Something comes in that is not understood."""
        event = InboundEvent(SHOP, "bad", "", self.clock.now(), Sender(), Unparsable("an unknown shape"), raw)
        await self.hub.intake.receive(event)

    async def scalar(self, sql: str) -> object:
        """One value from the database."""
        value: object = await self.hub.store.read(lambda conn: conn.exec_driver_sql(sql).scalar())
        return value


@pytest.fixture
async def workspace(migrated_url: str, tmp_path: Path) -> AsyncIterator[Workspace]:
    clock, shop = DrivenClock(), PlayedChannel(SHOP)

    def connect(_settings: Settings, _context: ChannelContext) -> list[PlayedChannel]:
        return [shop]

    hub = build(settings_for(migrated_url, tmp_path), clock=clock, connectors={"played": connect})
    await hub.start()
    app = create_app(hub)
    app[PAGES].passwords = Passwords(CHEAP)
    server = TestServer(app)
    await server.start_server()
    found = Workspace(hub, clock, shop, app, server, [])
    yield found
    for client in found.browsers:
        await client.session.close()
    await server.close()
    await hub.stop()
