"""The office at a glance: what there is of everything, and what is wrong; expressions checked as typed."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from crm_core.model.expressions import compiled
from crm_core.model.rights import Right
from crm_core.services.configuration import problems
from hub.web.office.sections import KEPT
from hub.web.pages import Answer, Pages, access_here, field_of
from hub.web.routes import Route, does, shows
from hub.web.tongues import N_, _, gettext


@dataclass(frozen=True, slots=True)
class Tile:
    """A way to a page: how much there is of it, how much of that is wrong."""

    path: str
    title: str
    about: str
    count: int | None = None
    wrong: int = 0


_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (N_("People and rights"), ("people", "roles", "groups", "hours")),
    (N_("Sales"), ("pipelines", "products", "fields", "types", "tags", "scorings")),
    (N_("What the hub does by itself"), ("rules", "chains", "runs", "ladders", "webhooks", "deliveries")),
    (N_("Letters and papers"), ("templates", "documents", "segments")),
    (N_("Calls and channels"), ("lines", "sounds", "lists", "channels")),
    (N_("Upkeep"), ("first-run", "presets", "health", "journal", "reconciliation", "audit", "imports")),
)


class Index:
    """The first page of the office."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> tuple[Route, ...]:
        """Its routes."""
        return (
            shows("/office", self.show, Right.CONFIGURE),
            does("/office/check", self.check, Right.CONFIGURE),
        )

    async def show(self, request: web.Request) -> Answer:
        """Tiles of everything somebody may keep, and what is wrong in words."""
        hub, access = self.pages.hub, access_here(request)
        catalogue, wrong, people = await hub.store.look(
            lambda desk: (desk.catalogue, problems(desk), sum(u.active for u in desk.work.staff.by_login.values()))
        )
        tiles: dict[str, Tile] = {}
        for each in KEPT:
            if access.may(each.right):
                of = f"{each.section.value} «"
                there = len(catalogue.section(each.section)) + len(each.set_by_file(hub))
                faulty = sum(text.startswith(of) for text in wrong)
                tiles[each.path] = Tile(f"/office/{each.path}", each.title, gettext(each.about), there, faulty)
        pipelines = [each for each in catalogue.pipelines if not each.record.archived]
        faulty = sum(text.startswith(("pipeline «", "stage «")) for text in wrong)
        others: tuple[tuple[Right, str, str, str, int | None], ...] = (
            (
                Right.KEEP_STAFF,
                "people",
                _("People"),
                _("Who works here, how they are reached, who stands in."),
                people,
            ),
            (Right.KEEP_STAFF, "roles", _("Roles"), _("Who may do what, and with whose records."), None),
            (Right.KEEP_PIPELINES, "pipelines", _("Pipelines"), _("Stages, deadlines, checklists."), len(pipelines)),
            (Right.KEEP_SOUNDS, "sounds", _("Sounds"), _("Greetings, menus, what robots say."), None),
            (Right.CONFIGURE, "deliveries", _("Deliveries"), _("What webhooks told, and what was not taken."), None),
            (Right.CONFIGURE, "presets", _("Presets"), _("Whole offices, ready to be applied."), None),
            (Right.CONFIGURE_CHANNELS, "channels", _("Channels"), _("Accounts, and whether they are well."), None),
            (Right.SEE_ALARMS, "health", _("Health of the hub"), _("Parts, alarms, queues, workers."), None),
            (Right.IMPORT, "imports", _("Import and export"), _("Tables that come in and go out."), None),
            (Right.SEE_ACCESS, "audit", _("Who did what"), _("Logins, recordings heard, exports."), None),
            (
                Right.KEEP_JOURNAL,
                "reconciliation",
                _("Reconciliation"),
                _("The calls of the PBX beside the hub's."),
                None,
            ),
        )
        for right, path, title, about, count in others:
            if access.may(right):
                tiles[path] = Tile(f"/office/{path}", title, about, count, faulty if path == "pipelines" else 0)
        if access.may(Right.SEE_SALES):
            about = _("What is sold, and for how much.")
            tiles["products"] = Tile("/products", _("Products"), about)
            about = _("What rules and chains did, when, with whom, and why they failed.")
            tiles["runs"] = Tile("/runs", _("What rules did"), about)
        if access.may(Right.KEEP_JOURNAL):
            tiles["journal"] = Tile("/journal", _("Journal"), _("What came in and was not understood."))
        if access.may(Right.CONFIGURE):
            about = _("A ready configuration, a first channel, people.")
            tiles["first-run"] = Tile("/first-run", _("First steps"), about)
        groups = [(gettext(name), [tiles[path] for path in paths if path in tiles]) for name, paths in _GROUPS]
        found = [*dict.fromkeys((*wrong, *hub.configured.problems))]
        return self.pages.render(request, "office/index.html", groups=groups, problems=found)

    async def check(self, request: web.Request) -> Answer:
        """Whether an expression that is being typed can be read: `{"problem": "in words, empty where it can"}`."""
        text = (await field_of(request, "expression", 4000)).strip()
        problem = ""
        if text:
            try:
                compiled(text)
            except ValueError as err:
                problem = str(err)
        return web.json_response({"problem": problem})
