"""All accounts with channels: how each stands, what to do about it, and another try."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from crm_core.messages import ChannelKey
from crm_core.model.definitions.accounts import AccountKind
from crm_core.ports import ChannelState
from hub.accounts.findings import Findings
from hub.accounts.kinds import accounts_of, key_of
from hub.accounts.trying import try_configured
from hub.bootstrap import Hub
from hub.web.pages import Answer, Pages, access_here, field_of
from hub.web.returning import scripted
from hub.web.tongues import language
from hub.web.upkeep.asked import PURPOSES
from hub.web.upkeep.standing import standings


async def begun_again(hub: Hub, key: ChannelKey, found: Findings) -> None:
    """Start an account that is down anew, where trying it out showed that it would work now."""
    channel = hub.channels.get(key)
    if found.ok and channel is not None and channel.health.state is not ChannelState.CONNECTED:
        await hub.starts.again(key)


class ChannelPages:
    """The page of all accounts."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The page, or with `?part=list` what is kept live of it."""
        hub, access = self._pages.hub, access_here(request)
        hub.starts.look()
        spoken = language()  # the read runs on a thread of its own
        found = await hub.store.read(lambda conn: standings(hub, conn, access, spoken))
        context: dict[str, Any] = {"standings": found, "connected": ChannelState.CONNECTED}
        if request.query.get("part") == "list":
            return self._pages.fragment(request, "upkeep/standings.html", **context)
        return self._pages.render(request, "upkeep/channels.html", kinds=PURPOSES, **context)

    async def tried(self, request: web.Request) -> Answer:
        """Try an account of hub.toml as it stands there."""
        hub = self._pages.hub
        channel, name = await field_of(request, "channel", 100), await field_of(request, "name", 100)
        if channel not in set(AccountKind):
            raise web.HTTPNotFound
        kind = AccountKind(channel)
        account = next((each for each in accounts_of(hub.settings, kind) if each.name == name), None)
        if account is None:
            raise web.HTTPNotFound
        found = await try_configured(hub, kind, account, hub.configured.settings, language())
        await begun_again(hub, key_of(kind, name), found)
        template = "upkeep/findings.html" if scripted(request) else "upkeep/tried.html"
        return self._pages.render(request, template, findings=found, titles={}, channel=channel, name=name)
