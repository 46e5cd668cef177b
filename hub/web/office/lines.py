"""Lines: the common editor; beside those of the record stand those of hub.toml, and whether calls come to one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiohttp import web

from crm_core.model.definitions import Body, LineBody
from crm_core.model.line import Line
from crm_core.model.office import Office
from crm_core.model.policy import AccountPolicy
from crm_core.ports import ChannelState
from crm_core.storage.queries.alarms import LineCalls, calls_by_slot
from hub.settings.checks import lines_without_pbx
from hub.web.office.drafts import Draft
from hub.web.office.editing import Editor
from hub.web.pages import Answer, access_here
from hub.web.tongues import _
from hub.web.words import link_word

_DAYS = 30


class Lines(Editor):
    """The pages of lines."""

    def beside(self) -> dict[str, Any]:
        """Those of hub.toml, and what calls can not come to."""
        hub = self.pages.hub
        own = len(hub.settings.lines)
        return {"file_lines": hub.settings.lines, "wrong": lines_without_pbx(hub.configured.settings, own)}

    async def other(self, request: web.Request, act: str, draft: Draft, body: Body) -> Answer:
        """Check a line: whether it would work, whether its PBX is connected, when a call came to that number."""
        await self.checked(draft, body)
        if not isinstance(body, LineBody):
            return await Editor.other(self, request, act, draft, body)
        hub, access = self.pages.hub, access_here(request)
        since = hub.clock.now() - timedelta(days=_DAYS)
        calls = await hub.store.read(lambda conn: calls_by_slot(conn, access, since))
        said = [_("Nothing is wrong with it. It is not saved yet."), *self._links(body), self._heard(body, calls)]
        draft.told = " ".join(said)
        return await self.drawn(request, draft)

    def _links(self, body: LineBody) -> list[str]:
        """How the PBXs that may bring its calls are connected."""
        found = []
        for each in self.pages.hub.channels.values():
            if each.key.channel not in {"pbx", "cti"} or body.pbx not in {None, each.key.account}:
                continue
            word = link_word(each.health.state)
            said = _("PBX «{name}»: {state}.").format(name=each.key.account, state=word)
            found.append(said)
            if each.health.state is not ChannelState.CONNECTED:
                found.append(_("No call comes by it now."))
        return found or [_("No PBX is connected: no call comes.")]

    def _heard(self, body: LineBody, calls: dict[tuple[str, str], LineCalls]) -> str:
        """When the last call came to that number."""
        office = Office(lines=(Line(body.number, body.pbx, AccountPolicy()),))
        mine = [found for (pbx, dialled), found in calls.items() if office.line(pbx, dialled) is not None]
        if not mine:
            return _("No call came to this number within {days} days: call it, and look here again.").format(days=_DAYS)
        last = max(each.last for each in mine).astimezone(self.pages.hub.settings.time_zone)
        count = sum(sum(each.slots.values()) for each in mine)
        said = _("Calls to this number within {days} days: {count}, the last one {moment}.")
        return said.format(days=_DAYS, count=count, moment=f"{last:%d.%m.%Y %H:%M}")
