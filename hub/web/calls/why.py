"""Where a call would go, and why: asked of the router for a number, a line and a moment; nobody's telephone rings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.messages import RouteAction, RouteDecision
from crm_core.model.rights import Right
from crm_core.model.user import Staff
from crm_core.storage.queries.workspace.clients import clients_named
from hub.web.moments import moment_of
from hub.web.pages import Answer, Pages, access_here
from hub.web.shown import called
from hub.web.tongues import _, language
from routing.reasons import decision_words, step_words

_ASKED: Final = ("number", "line", "pbx", "at", "key")
_LONGEST: Final = 100
_KEYS: Final = frozenset("0123456789*#-")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is done at one turn. `number` counts the turns at which somebody is rung, None of a voice menu; `endpoints`
    ring together for `ring_s`; `why` is every consideration."""

    number: int | None
    words: str
    endpoints: tuple[str, ...]
    ring_s: int
    sound: str
    keys: str
    why: tuple[str, ...]


class Why:
    """The page that asks."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The form; below it the answer, where a call is described."""
        hub, query = self._pages.hub, _asked(request.query)
        office, problem = hub.store.office, ""
        decisions: list[RouteDecision] = []
        if any(request.query.get(name) is not None for name in _ASKED):
            try:
                at = moment_of(query["at"], hub.settings.time_zone)
                key = query["key"] if query["key"] in _KEYS else ""
                decisions = hub.directory.explain(query["number"], query["line"], at, query["pbx"], key)
            except InvalidInput as err:
                problem = str(err)
        client = next((each.contact_id for each in decisions if each.contact_id is not None), None)
        access = access_here(request)
        named = [client] if client is not None and access.may(Right.SEE_CLIENTS) else []
        known = await hub.store.read(lambda conn: clients_named(conn, access, named)) if named else {}
        places = [query["pbx"]] if query["pbx"] else [*office.dial, ""]
        line = next((found for each in places if (found := office.line(each, query["line"]))), None)
        return self._pages.render(
            request,
            "calls/why.html",
            status=422 if problem else 200,
            query=query,
            problem=problem,
            attempts=list(_attempts(decisions, hub.directory.staff)),
            client=client,
            client_name=called(known[client]) if client in known else "",
            line=line,
            lines=list(dict.fromkeys(each.number for each in office.lines)),
            pbxs=list(office.dial),
            menu=any(each.action is RouteAction.MENU for each in decisions),
            configures=access.may(Right.CONFIGURE),
        )


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    return {name: " ".join(query.get(name, "").replace("\x00", "").split())[:_LONGEST] for name in _ASKED}


def _attempts(decisions: Iterable[RouteDecision], staff: Staff) -> Iterable[Attempt]:
    number, tongue = 0, language()
    for each in decisions:
        dials = each.action is RouteAction.DIAL
        number += dials
        yield Attempt(
            number if dials else None,
            decision_words(replace(each, endpoints=(), keys=""), tongue),
            each.endpoints,
            each.ring_s,
            each.sound,
            each.keys,
            tuple(step_words(replace(step, login=_name(staff, step.login)), tongue) for step in each.trace)
            or (_("nothing had to be considered"),),
        )


def _name(staff: Staff, login: str) -> str:
    person = staff.get(login)
    return person.name if person is not None else login
