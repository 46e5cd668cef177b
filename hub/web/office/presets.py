"""Whole offices by configuration: which there are, what one would change, applying it, and this office given out."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from crm_core import presets
from crm_core.errors import CoreError, Forbidden, NotFound, StorageUnavailable
from crm_core.model.rights import Right
from crm_core.services.configuration import Configuration, Difference, applied, clashes, given_out, problems
from crm_core.services.desk import Desk
from hub.office.presets import parsed, written
from hub.web.office.forms.filled import Sent
from hub.web.office.forms.labels import field_word
from hub.web.office.summaries import changed_said, difference_said
from hub.web.pages import Answer, Pages, access_here, user_here
from hub.web.routes import Route, does, shows
from hub.web.tongues import NP_, _, ngettext, pgettext
from hub.web.words import kind_word

_HOME = "/office/presets"
_VERBS = {"add": NP_("preset", "add"), "change": NP_("preset", "change"), "return": NP_("preset", "bring back")}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be changed, in words."""

    verb: str
    section: str
    name: str
    changes: tuple[tuple[str, str, str], ...]


class Presets:
    """The pages of presets."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> tuple[Route, ...]:
        """The routes of presets."""
        one = rf"{_HOME}/{{name:[a-z0-9-]{{1,60}}}}"
        return (
            shows(_HOME, self.show_all, Right.CONFIGURE),
            shows("/office/configuration.toml", self.give_out, Right.CONFIGURE),
            shows(one, self.show, Right.CONFIGURE),
            does(one, self.apply, Right.CONFIGURE),
        )

    async def show_all(self, request: web.Request) -> Answer:
        """Those that come with the hub."""
        found = []
        for name in presets.names():
            each = parsed(presets.text(name), name)
            found.append(
                {"name": name, "title": each.title, "description": each.description, "pipelines": len(each.pipelines)}
            )
        return self.pages.render(request, "office/presets.html", presets=found)

    async def show(self, request: web.Request) -> Answer:
        """What applying one would change; nothing is written."""
        name, wanted = _wanted(request)
        login, store = user_here(request).login, self.pages.hub.store

        def act(desk: Desk) -> list[Difference]:
            return applied(desk, wanted, login)

        before = await store.look(problems)
        differences, after = await store.rehearse(act, problems)
        broken = clashes(wanted, before, after)
        return self.pages.render(
            request,
            "office/preset.html",
            name=name,
            title=wanted.title,
            changes=[_shown(wanted, each) for each in differences],
            broken=broken,
            wrong=[each for each in after if each not in broken],
        )

    async def apply(self, request: web.Request) -> Answer:
        """Apply one; where it would break what is configured, only when that is wanted all the same."""
        name, wanted = _wanted(request)
        user, store = user_here(request), self.pages.hub.store
        anyway = Sent((await request.post()).items()).has("anyway")

        def act(desk: Desk) -> list[Difference]:
            desk.acts_for(user, request.remote or "")
            return applied(desk, wanted, user.login)

        try:
            before = await store.look(problems)
            _differences, after = await store.rehearse(act, problems)
            if clashes(wanted, before, after) and not anyway:
                said = _("It does not go together with what is configured: look below, nothing was written.")
                raise self.pages.redirect(request, f"{_HOME}/{name}", said)
            done = await store.run(act)
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            raise self.pages.redirect(request, f"{_HOME}/{name}", str(err)) from err
        said = ngettext("Applied: {count} change.", "Applied: {count} changes.", len(done))
        raise self.pages.redirect(request, "/office", said.format(count=len(done)))

    async def give_out(self, request: web.Request) -> Answer:
        """This office's configuration, as another hub takes it."""
        text = written(await self.pages.hub.store.look(lambda desk: given_out(desk, ""), access_here(request)))
        headers = {"Content-Disposition": 'attachment; filename="office.toml"'}
        return web.Response(text=text, content_type="application/toml", headers=headers)


def _wanted(request: web.Request) -> tuple[str, Configuration]:
    name = request.match_info["name"]
    if name not in presets.names():
        raise NotFound(_("There is no such preset."))
    return name, parsed(presets.text(name), name)


def _shown(wanted: Configuration, each: Difference) -> Change:
    changes = tuple(
        (field_word("", key), changed_said(key, old), changed_said(key, new)) for key, old, new in each.changes
    )
    return Change(
        pgettext("preset", _VERBS[each.verb.value]), kind_word(each.section), difference_said(wanted, each), changes
    )
