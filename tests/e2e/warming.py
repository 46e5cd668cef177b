"""What a hub compiles at its first use, templates and statements above all, made before hubs are split off."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from crm_core.messages import ChannelKey, EntryKind, InboundEvent, MessageReceived, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import new_token, token_digest
from hub.app import create_app
from hub.bootstrap import Hub, build
from hub.settings import DatabaseEngine, DatabaseUrl, Settings
from hub.web.pages import PAGES

_LOGIN, _PASSWORD = "root", "длинный пароль"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(_PASSWORD)
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
# Where most tests go. What these answer is no matter here: the tests look at that.
_PAGES = ("/", "/contacts", "/deals", "/tasks", "/wall", "/calls", "/me", "/control", "/journal", "/companies")
_SPOKEN = "ru"
_OPERATIONS = ("/contacts", "/deals", "/cases", "/tasks")


async def warm() -> None:
    """Have a hub without accounts take one message in, answer once, and end; what it compiled stays."""
    with capture_logs(), tempfile.TemporaryDirectory() as found:
        folder, token = Path(found), new_token()
        url = DatabaseUrl(DatabaseEngine.SQLITE, f"sqlite+aiosqlite:///{folder}/hub.sqlite3", "of nobody")
        hub = build(Settings(folder=folder, database_url=url, files=folder / "files"))
        await hub.start()

        def hire(desk: Desk) -> None:
            add_user(desk, NewUser(_LOGIN, "Администратор", Role.ADMIN, password_hash=_HASH))
            add_token(desk, _LOGIN, token_digest(token))

        await hub.store.run(hire)
        await hub.intake.receive(_message(hub))
        app = create_app(hub)
        _compile(app)
        async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as client:
            api = {"Authorization": f"Bearer {token}"}
            await _visit(client, [f"/api/v1{path}" for path in _OPERATIONS], api)
            held = await client.get("/api/v1/contacts", headers=api)
            cards = [f"/contacts/{each['id']}" for each in (await held.json())["items"]]
            pages = {"Accept": "text/html", "Accept-Language": _SPOKEN}
            await _enter(client, pages)
            await _visit(client, [*_PAGES, *cards], pages)
        await hub.stop()


def _compile(app: Application) -> None:
    """All templates, as most browsers of tests are told to speak: each hub would compile those that it needs first."""
    spoken = app[PAGES].templates._spoken[_SPOKEN]
    for name in spoken.list_templates():
        spoken.get_template(name)


def _message(hub: Hub) -> InboundEvent:
    """A client writes."""
    return InboundEvent(
        key=ChannelKey("telegram", "nobody"),
        external_id="1",
        conversation="1",
        occurred_at=hub.clock.now(),
        sender=Sender((Identity(IdentityKind.TG, "1"),), "Анна"),
        payload=MessageReceived(EntryKind.MESSAGE, "Здравствуйте!", "1"),
        raw=b"{}",
    )


async def _enter(client: TestClient[Request, Application], headers: dict[str, str]) -> None:
    csrf = _CSRF.search(await (await client.get("/login", headers=headers)).text())
    form = {"csrf": csrf[1] if csrf else "", "login": _LOGIN, "password": _PASSWORD, "next": "/"}
    await client.post("/login", data=form, headers=headers, allow_redirects=False)


async def _visit(client: TestClient[Request, Application], paths: Sequence[str], headers: dict[str, str]) -> None:
    for path in paths:
        await (await client.get(path, headers=headers)).read()
