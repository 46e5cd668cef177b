"""What every role may do, and of whose records: the table of rights, as it is in force."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from crm_core.errors import CoreError, Forbidden, StorageUnavailable
from crm_core.model.access import reaches_of
from crm_core.model.definitions import RoleBody, Section
from crm_core.model.rights import CONFIGURABLE, REACHING, TABLE, Reach, Right
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.configuration.naming import check_role
from crm_core.services.desk import Desk
from hub.web.office.forms.filled import Sent
from hub.web.pages import Answer, Pages, user_here
from hub.web.routes import Route, does, shows
from hub.web.tongues import NP_, _, pgettext, say_values

_HOME = "/office/roles"
RIGHTS: Mapping[Right, str] = {
    Right.SEE_CLIENTS: NP_("right", "see clients"),
    Right.KEEP_CLIENTS: NP_("right", "work with clients"),
    Right.SEE_SALES: NP_("right", "see deals, leads and tasks"),
    Right.KEEP_SALES: NP_("right", "work with deals, leads and tasks"),
    Right.KEEP_PIPELINES: NP_("right", "set up pipelines"),
    Right.CONFIGURE: NP_("right", "set up the office"),
    Right.CONFIGURE_CHANNELS: NP_("right", "connect channels"),
    Right.BROADCAST: NP_("right", "keep templates and mailings"),
    Right.SEE_CALLS: NP_("right", "see calls"),
    Right.SEE_CASES: NP_("right", "see who waits for an answer"),
    Right.SETTLE_CASES: NP_("right", "close what waits for an answer"),
    Right.SEE_STAFF: NP_("right", "see the people of the office"),
    Right.KEEP_STAFF: NP_("right", "keep people and roles"),
    Right.KEEP_LISTS: NP_("right", "put clients on special lists"),
    Right.KEEP_SOUNDS: NP_("right", "upload sounds"),
    Right.PLACE_CALLS: NP_("right", "call from the page"),
    Right.RING_OTHERS: NP_("right", "ring the telephones of others"),
    Right.SEE_ALARMS: NP_("right", "see alarms, health and reconciliation; check rejections"),
    Right.SEE_REPORTS: NP_("right", "see reports"),
    Right.HEAR_CALLS: NP_("right", "hear recordings"),
    Right.SEE_ACCESS: NP_("right", "see who did what"),
    Right.EXPLAIN: NP_("right", "see why a call rang where it did"),
    Right.KEEP_JOURNAL: NP_("right", "look after the journal"),
    Right.RUN_SCORES: NP_("right", "work out scores of all clients"),
    Right.DELETE: NP_("right", "delete records"),
    Right.EXCHANGE: NP_("right", "bring in data of other programs"),
    Right.IMPORT: NP_("right", "bring in tables"),
    Right.EXPORT: NP_("right", "take the base away"),
    Right.EXPORT_AUDIENCE: NP_("right", "take audiences for advertising away"),
    Right.HAND_OVER: NP_("right", "hand over what is somebody's"),
    Right.ERASE: NP_("right", "erase what is known of a person"),
    Right.KEEP_TOKENS: NP_("right", "make API tokens of their own"),
}
_ROLES = tuple(each for each in Role if each is not Role.ADMIN)
_NAMES = frozenset(each.value for each in Right)


class Roles:
    """The table, shown and changed."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> tuple[Route, ...]:
        """The routes of the table."""
        return (shows(_HOME, self.show, Right.KEEP_STAFF), does(_HOME, self.save, Right.KEEP_STAFF))

    async def show(self, request: web.Request) -> Answer:
        """All rights by all roles."""
        catalogue = await self.pages.hub.store.look(lambda desk: desk.catalogue)
        now = {role: reaches_of(role, catalogue) for role in Role}
        rows = [
            {
                "right": right,
                "word": right_word(right),
                "fixed": right not in CONFIGURABLE,
                "reaches": [each.value for each in (Reach if right in REACHING else (Reach.NONE, Reach.ALL))],
                "cells": [
                    {
                        "role": role.value,
                        "reach": now[role][right].value,
                        "changed": now[role][right] is not TABLE[right][role],
                    }
                    for role in Role
                ],
            }
            for right in Right
        ]
        return self.pages.render(request, "office/roles.html", rows=rows, roles=list(Role))

    async def save(self, request: web.Request) -> Answer:
        """Keep the reaches that are not the usual ones; those as usual are kept nowhere."""
        sent, login = Sent((await request.post()).items()), user_here(request).login

        def service(desk: Desk) -> int:
            changed = 0
            known = {each.name: each for each in defining.of_section(desk, Section.ROLE)}
            for role in _ROLES:
                before = reaches_of(role, desk.catalogue)
                wanted = {right: _given(sent, role, right) or before[right] for right in CONFIGURABLE}
                rights = {right.slug: reach for right, reach in wanted.items() if reach is not TABLE[right][role]}
                if all(before[right] is reach for right, reach in wanted.items()):
                    continue
                check_role(role.value)
                body = RoleBody.model_validate({"rights": rights})
                record = known.get(role.value)
                changed += 1
                if record is None or record.archived:
                    defining.add(desk, Section.ROLE, role.value, body, login)
                else:
                    defining.change(desk, Section.ROLE, record.id, login, body=body)
            return changed

        try:
            changed = await self.pages.act(request, service)
        except (StorageUnavailable, Forbidden):
            raise
        except (CoreError, ValueError) as err:
            raise self.pages.redirect(request, _HOME, str(err)) from err
        raise self.pages.redirect(request, _HOME, _("The rights are saved.") if changed else _("Nothing was changed."))


def right_word(right: Right) -> str:
    """A right in words."""
    return pgettext("right", RIGHTS[right])


def _given(sent: Sent, role: Role, right: Right) -> Reach | None:
    text = sent.one(f"{right.slug}:{role.value}")
    return Reach(text) if text in list(Reach) else None


say_values({"right": lambda right: right_word(Right(right)) if right in _NAMES else right})
