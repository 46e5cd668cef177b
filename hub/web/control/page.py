"""The control list as it is read and drawn: its views with their numbers, and the lines of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from crm_core.model.access import Access, Right
from crm_core.model.recording import RecordingState
from crm_core.model.user import Staff, User
from crm_core.services.calls.recordings import may_hear
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.recordings import recordings_of
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.control.asking import control_counts, control_page
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, SubjectKind, View
from crm_core.storage.queries.workspace.control.words import VIEWS
from hub.web.control.layout import GROUPS, NEUTRAL, address_of, blocks_of, columns_of, group_title, hears
from hub.web.pages import Answer, Pages, access_here, user_here
from hub.web.shown import money
from hub.web.tongues import language

_ROWS: Final = 50
_TO_HEAR: Final = frozenset({RecordingState.STORED, RecordingState.REMOTE})


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of whose work: of a group, of a person; of all that one may see where both are empty. What names nobody whom the
    asker oversees is empty. `groups` and `people` are those who can be chosen."""

    group: str
    person: str
    groups: tuple[str, ...]
    people: tuple[User, ...]

    @classmethod
    def of(cls, asker: Asker, query: Mapping[str, str]) -> Chosen:
        """What the address of a page asks for."""
        logins = asker.logins()
        overseen = [each for each in asker.staff.by_login.values() if logins is None or each.login in logins]
        groups = tuple(sorted({each.group for each in overseen if each.group}))
        people = tuple(sorted((each for each in overseen if each.active), key=lambda each: each.name))
        group, person = query.get("group", ""), query.get("person", "")
        return cls(
            group if group in groups else "",
            person if person in {each.login for each in overseen} else "",
            groups if len(groups) > 1 else (),
            people if len(people) > 1 else (),
        )

    def address(self, path: str, **more: str) -> str:
        """A page with the same choice."""
        fields = {"group": self.group, "person": self.person, **more}
        said = urlencode({name: value for name, value in fields.items() if value})
        return f"{path}?{said}" if said else path


@dataclass(frozen=True, slots=True)
class ControlLines:
    """The lines of a view. `addresses` say where each leads, `playable` which calls can be heard by whoever asks, of
    `recorded` ones. `takers` are the people to whom something can be given."""

    view: View
    page: Page[ControlRow]
    chosen: Chosen
    staff: Staff
    takers: tuple[User, ...]
    addresses: tuple[str, ...]
    recorded: frozenset[int]
    playable: frozenset[int]


def control_lines(conn: Reading, asker: Asker, name: ControlView, query: Mapping[str, str], rows: int) -> ControlLines:
    """A page of a view; raises InvalidInput for a bad cursor."""
    chosen = Chosen.of(asker, query)
    where = Slice(query.get("after") or None, rows)
    page = control_page(conn, asker, name, where, group=chosen.group or None, person=chosen.person or None)
    takers = sorted((each for each in asker.staff.by_login.values() if each.active), key=lambda each: each.name)
    recorded, playable = _recordings(conn, asker.access, page.items)
    return ControlLines(
        view=VIEWS[name],
        page=page,
        chosen=chosen,
        staff=asker.staff,
        takers=tuple(takers),
        addresses=tuple(address_of(each, asker.catalogue) for each in page.items),
        recorded=recorded,
        playable=playable,
    )


def _recordings(conn: Reading, access: Access, rows: Any) -> tuple[frozenset[int], frozenset[int]]:
    calls = {row.call.id: row for row in rows if row.call is not None}
    found = recordings_of(conn, [row.call for row in calls.values()]) if calls else {}
    recorded = frozenset(number for number, each in found.items() if each.state in _TO_HEAR)
    heard = (
        number
        for number in recorded
        if may_hear(access, calls[number].call, calls[number].client.manager if calls[number].client else None)
    )
    return recorded, frozenset(heard)


class ControlPages:
    """The pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show_all(self, request: web.Request) -> Answer:
        """The views in their groups, each with its number; with `?part=tiles` only these."""
        hub, user, query = self._pages.hub, user_here(request), request.query

        def reading(conn: Reading) -> tuple[dict[ControlView, int], Chosen]:
            asker = hub.store.asker(conn, user)
            chosen = Chosen.of(asker, query)
            counted = control_counts(conn, asker, group=chosen.group or None, person=chosen.person or None)
            return counted, chosen

        counted, chosen = await hub.store.read(reading)
        context: dict[str, Any] = {
            "groups": [(group_title(name), [VIEWS[each] for each in views]) for name, views in GROUPS],
            "counted": counted,
            "chosen": chosen,
            "neutral": NEUTRAL,
            "here": "/control",
        }
        if query.get("part") == "tiles":
            return self._pages.fragment(request, "control/tiles.html", **context)
        return self._pages.render(request, "control/page.html", **context)

    async def show(self, request: web.Request) -> Answer:
        """The lines of one view; with `?part=lines` only these."""
        name, query = view_of(request), request.query
        hub, user = self._pages.hub, user_here(request)
        found = await hub.store.read(lambda conn: control_lines(conn, hub.store.asker(conn, user), name, query, _ROWS))
        context = self._context(request, found, query.get("after", ""))
        if query.get("part") == "lines":
            return self._pages.fragment(request, "control/lines.html", **context)
        return self._pages.render(request, "control/view.html", **context)

    def _context(self, request: web.Request, found: ControlLines, after: str) -> dict[str, Any]:
        access, rows = access_here(request), found.page.items
        here, name = f"/control/{found.view.name.value}", found.view.name
        return {
            "found": found,
            "chosen": found.chosen,
            "here": here,
            "back": found.chosen.address(here, after=after),
            "part": found.chosen.address(here, after=after, part="lines"),
            "more": found.chosen.address(here, after=found.page.next) if found.page.next else "",
            "paged": bool(after),
            "columns": columns_of(name, rows, language()),
            "blocks": blocks_of(name, rows, language()) if found.view.figures else (),
            "hears": hears(name),
            "checks": name is ControlView.REJECTIONS and access.may(Right.SEE_ALARMS),
            "keeps": access.may(Right.KEEP_SALES),
            "exports": access.may(Right.EXPORT),
            "export": found.chosen.address(f"{here}/export"),
            "gives": rows[0].kind.value if rows and rows[0].kind in _GIVEN else "",
            "money": money,
        }


_GIVEN: Final = frozenset({SubjectKind.LEAD, SubjectKind.DEAL, SubjectKind.TASK})


def view_of(request: web.Request) -> ControlView:
    """The view that an address names; 404 where there is none."""
    name = request.match_info["view"]
    if name not in set(ControlView):
        raise web.HTTPNotFound
    return ControlView(name)
