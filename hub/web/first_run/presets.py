"""The second step: a ready configuration of a whole company, looked at before it is applied, or none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache, partial

from aiohttp import web

from crm_core import presets as bundled
from crm_core.errors import InvalidInput
from crm_core.services.configuration import Configuration, Difference, applied, clashes, problems
from crm_core.services.desk import Desk
from hub.office.presets import parsed
from hub.web.first_run.steps import after_preset
from hub.web.first_run.words import section_word, verb_word
from hub.web.office.forms.labels import field_word
from hub.web.office.summaries import changed_said, difference_said
from hub.web.pages import Answer, Pages, access_here, field_of, user_here
from hub.web.tongues import ngettext

_LONGEST = 70


@dataclass(frozen=True, slots=True)
class _Look:
    """What applying a preset would do: `wrong` will not work, of that `broken` works now."""

    differences: tuple[Difference, ...]
    wrong: tuple[str, ...]
    broken: tuple[str, ...]


class Presets:
    """The pages of presets."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """All of them, with what each is for."""
        found = await asyncio.to_thread(lambda: [(name, _read(name)) for name in bundled.names()])
        return self._pages.render(request, "first_run/presets.html", presets=found)

    async def one(self, request: web.Request) -> Answer:
        """A preset, and what it would change here."""
        name, wanted = await _named(request)
        return self._shown(request, name, wanted, await self._look(request, wanted))

    async def apply(self, request: web.Request) -> Answer:
        """Bring the office to it; nothing is written where what is configured would break, unless somebody insists."""
        name, wanted = await _named(request)
        look = await self._look(request, wanted)
        if look.broken and not await field_of(request, "force"):
            return self._shown(request, name, wanted, look, status=409)
        login = user_here(request).login
        done = await self._pages.act(request, lambda desk: applied(desk, wanted, login))
        said = ngettext(
            "The configuration is applied: {count} change.", "The configuration is applied: {count} changes.", len(done)
        )
        raise self._pages.redirect(request, after_preset(access_here(request)), said.format(count=len(done)))

    async def _look(self, request: web.Request, wanted: Configuration) -> _Look:
        store, user = self._pages.hub.store, user_here(request)

        def act(desk: Desk) -> list[Difference]:
            desk.acts_for(user, request.remote or "")
            return applied(desk, wanted, user.login)

        before = await store.look(problems)
        differences, after = await store.rehearse(act, problems)
        return _Look(tuple(differences), after, clashes(wanted, before, after))

    def _shown(self, request: web.Request, name: str, wanted: Configuration, look: _Look, status: int = 200) -> Answer:
        return self._pages.render(
            request,
            "first_run/preset.html",
            status=status,
            name=name,
            preset=wanted,
            look=look,
            brief=changed_said,
            said=partial(difference_said, wanted),
            field_word=field_word,
            verb_word=verb_word,
            section_word=section_word,
        )


@cache
def _read(name: str) -> Configuration:
    return parsed(bundled.text(name), name)


async def _named(request: web.Request) -> tuple[str, Configuration]:
    name = request.match_info["name"]
    if name not in bundled.names():
        raise web.HTTPNotFound
    try:
        return name, await asyncio.to_thread(_read, name)
    except InvalidInput as err:
        raise InvalidInput("{name}: {why}", name=name, why=err) from err
