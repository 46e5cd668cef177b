"""The third step, a channel, and the last one, what comes next."""

from __future__ import annotations

from aiohttp import web

from crm_core.model.access import Access, Right
from crm_core.model.definitions.accounts import AccountKind
from crm_core.ports import ChannelState
from crm_core.storage.users import count_users
from hub.web.pages import Answer, Pages, access_here
from hub.web.tongues import language
from hub.web.upkeep.asked import PURPOSES
from hub.web.upkeep.standing import standings


def after_preset(access: Access) -> str:
    """The step behind the ready configuration: a channel, for those who may connect one."""
    return "/first-run/channel" if access.may(Right.CONFIGURE_CHANNELS) else "/first-run/done"


class Steps:
    """The pages of these steps."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def channels(self, request: web.Request) -> Answer:
        """Which channel is to be connected, and those that are."""
        hub, access, spoken = self._pages.hub, access_here(request), language()
        found = await hub.store.read(lambda conn: standings(hub, conn, access, spoken))
        connected = [each for each in found if each.health is not None]
        return self._pages.render(
            request,
            "first_run/channels.html",
            kinds={kind: PURPOSES[kind] for kind in AccountKind},
            found=connected,
            connected=ChannelState.CONNECTED,
        )

    async def done(self, request: web.Request) -> Answer:
        """What there is now, and what comes next."""
        hub, access = self._pages.hub, access_here(request)
        people = await hub.store.read(lambda conn: count_users(conn, access))
        well = sum(each.health.state is ChannelState.CONNECTED for each in hub.channels.values())
        return self._pages.render(request, "first_run/done.html", well=well, people=people)
