"""What is done with a dial list: the next client fetched, what came of a call noted, clients of a segment put on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.model.access import Right
from crm_core.model.definitions import Section, SegmentBody
from crm_core.services.acts import dial_lists
from crm_core.services.desk import Desk
from crm_core.services.letters.broadcasts import audience
from hub.web.board.editing import ident_of, text_of
from hub.web.dialling.pages import DiallingPages
from hub.web.doing import Refused, going_back, tried
from hub.web.moments import moment_of
from hub.web.pages import Answer, access_here, field_of, number_in, user_here
from hub.web.tongues import _, ngettext

_AT_ONCE = 1000
_MOST_PORTIONS = 100
_FIELDS = ("note", "reason", "again_at")


class DiallingActs(DiallingPages):
    """Each does one thing; whoever presses twice gets the same client again, for it is theirs already."""

    async def next_one(self, request: web.Request) -> Answer:
        """Go to the next client of a list."""
        with going_back(self.pages, request, "/dialling"):
            where = await self._next(request)
        if where is None:
            raise self.pages.redirect(request, "/dialling", _("There is nobody to ring on this list now."))
        raise self.pages.redirect(request, where)

    async def result(self, request: web.Request) -> Answer:
        """What came of a call: a stage, or a moment to ring again; then the next client where that is wanted."""
        form, card_id = await request.post(), number_in(request, "card_id")
        typed: Mapping[str, str] = {name: text_of(form, name) for name in _FIELDS}

        def service(desk: Desk) -> None:
            again = typed["again_at"] if text_of(form, "outcome") == "again" else ""
            if text_of(form, "outcome") == "again" and not again:
                raise InvalidInput(_("Say when to ring again."))
            dial_lists.result(
                desk,
                card_id,
                stage=str(ident_of(text_of(form, "outcome"), "outcome")) if not again else None,
                reason=typed["reason"] or None,
                again_at=moment_of(again, self.zone),
                note=typed["note"],
                version=ident_of(text_of(form, "version"), "version"),
            )

        noted = await tried(self.act(request, service))
        if isinstance(noted, Refused):
            return await self.drawn(request, typed, noted.text, noted.status)
        goes_on = text_of(form, "then") == "next" and access_here(request).may(Right.PLACE_CALLS)
        where = await self._next(request) if goes_on else None
        if where is not None:
            raise self.pages.redirect(request, where, _("Noted. This is the next one."))
        done = _("Noted. There is nobody else to ring now.") if goes_on else _("Noted.")
        raise self.pages.redirect(request, "/dialling", done)

    async def fill(self, request: web.Request) -> Answer:
        """Put everybody of a segment on the list who is not there yet, a portion at a time."""
        segment, pipeline_id = await field_of(request, "segment", 200), number_in(request)
        added, above = 0, 0

        def portion(desk: Desk, above: int) -> tuple[int, int | None]:
            body = desk.catalogue.body(Section.SEGMENT, segment, SegmentBody)
            if body is None:
                raise InvalidInput(_("Choose a segment: whom it is for."))
            ids = audience(desk, body, above=above, limit=_AT_ONCE)
            return dial_lists.fill(desk, pipeline_id, ids), ids[-1] if len(ids) == _AT_ONCE else None

        with going_back(self.pages, request, "/dialling"):
            for _turn in range(_MOST_PORTIONS):
                count, behind = await self.act(request, partial(portion, above=above))
                added += count
                if behind is None:
                    break
                above = behind
        said = ngettext("{count} client was put on the list.", "{count} clients were put on the list.", added)
        raise self.pages.redirect(
            request,
            "/dialling",
            said.format(count=added) if added else _("Nobody was added: all of them are on it, or on a special list."),
        )

    async def _next(self, request: web.Request) -> str | None:
        """Where the next client of the list is; None where there is none now."""
        pipeline_id, login = number_in(request), user_here(request).login
        found = await self.act(request, lambda desk: dial_lists.next_call(desk, pipeline_id, login))
        return f"/dialling/{pipeline_id}/cards/{found.card.deal.id}" if found is not None else None
