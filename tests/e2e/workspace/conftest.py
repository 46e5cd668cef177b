"""A hub in a process of its own, a strict messenger, Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser

from crm_core.model.user import Role
from hub.demo.peers.bot_api.server import BotApiServer
from tests.e2e.hub_process import HubProcess, staffed
from tests.e2e.workspace.office import Workspace, at_work, person
from tests.peers.browsing import _function_scoped_runner, browsing, chromium

__all__ = ["_function_scoped_runner", "browsing", "chromium"]

_TOKEN = "1001:workspace-bot"
_CONFIG = """
[[telegram]]
name = "shop"
token = "{token}"
api_base = "{base}"
{account}
[[web]]
name = "site"
key = "site-key"
[[ladder]]
on = "message.unanswered"
steps = [ {{ after = "1s", tell = ["manager"] }}, {{ after = "3s", tell = ["controller", "director"] }} ]
hours = "any"
"""


@pytest.fixture
def account() -> str:
    """What else hub.toml says of the messenger's account."""
    return ""


@pytest.fixture
async def workspace(tmp_path: Path, furnished_sqlite: str, chromium: Browser, account: str) -> AsyncIterator[Workspace]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(BotApiServer())
        bot = server.bot(_TOKEN)
        token = await staffed(
            furnished_sqlite,
            person("root", "Главный Администратор", Role.ADMIN),
            person("ivan", "Иван Петров", Role.MANAGER),
            person("olga", "Ольга Сергеева", Role.MANAGER),
            person("head", "Елена Начальникова", Role.HEAD),
        )
        hub = HubProcess(tmp_path, furnished_sqlite, _CONFIG.format(token=_TOKEN, base=server.url, account=account))
        yield await stack.enter_async_context(at_work(hub, chromium, token, bot))
