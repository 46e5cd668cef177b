"""Who of the office can be rung, and peace for oneself: a part of the first page."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from crm_core.storage.users import UserChange, update_user
from hub.attendance import attendance
from hub.bootstrap import Hub
from hub.web.pages import Answer, Pages, field_of, local_path, user_here
from hub.web.tongues import _
from routing.reasons import state_words, verdict_words


@dataclass(frozen=True, slots=True)
class Colleague:
    """A line of the list: who, whether a call may ring them, and what they do or why not, in words."""

    name: str
    available: bool
    words: str


def colleagues(hub: Hub) -> tuple[Colleague, ...]:
    """Everybody who has a telephone, those who can answer first."""
    office = hub.store.office
    people = attendance(office, hub.directory.staff, hub.presence, hub.clock.now())
    found = [
        Colleague(
            each.user.name,
            each.available,
            state_words(each.state, office.language)
            if each.verdict is None
            else verdict_words(each.verdict, office.language),
        )
        for each in people
        if each.user.extension
    ]
    return tuple(sorted(found, key=lambda each: (not each.available, each.name)))


class People:
    """What is done there."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def peace(self, request: web.Request) -> Answer:
        """Calls pass the person of the session over, or come again; `on` is `1` or empty."""
        login, quiet = user_here(request).login, await field_of(request, "on") == "1"
        hub = self._pages.hub
        _done, position = await hub.store.run_at(
            lambda desk: update_user(desk, login, UserChange(do_not_disturb=quiet))
        )
        await hub.directory.caught_up(position)
        back = local_path(await field_of(request, "back"), "/")
        raise self._pages.redirect(
            request, back, _("Calls pass you over until you are back.") if quiet else _("You take calls again.")
        )
