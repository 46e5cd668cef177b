"""The pages of dial lists: all of them, and one client of one with what is to be said and what may come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.model.access import Right
from crm_core.model.definitions import Catalogue, Pipeline, Section, Stage
from crm_core.model.records import DealRecord, EntryRecord
from crm_core.services.acts import deals
from crm_core.services.cards.pipelines import place_of
from crm_core.services.desk import Desk
from crm_core.storage.queries.contacts import ContactCard, cards_of
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.within import connection_of
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.dialling import DialList, dial_lists
from crm_core.storage.queries.workspace.inbox import last_words
from hub.web.board.acting import Acting
from hub.web.doing import part
from hub.web.pages import Answer, access_here, number_in

_PARTS = {"list": "dialling/lists.html"}


@dataclass(frozen=True, slots=True)
class Ringing:
    """A card of a dial list before somebody: whose it is, where it stands, what the client said last."""

    deal: DealRecord
    pipeline: Pipeline
    stage: Stage
    client: ContactCard | None
    last: EntryRecord | None

    @property
    def outcomes(self) -> tuple[Stage, ...]:
        """To which stages it may move."""
        return tuple(each for each in self.pipeline.in_use if each.id != self.stage.id)


class DiallingPages(Acting):
    """What there is to see."""

    async def show_all(self, request: web.Request) -> Answer:
        """The dial lists; with `?part=list` only what refreshes by itself."""

        def query(conn: Reading, asker: Asker) -> tuple[list[DialList], Catalogue]:
            return dial_lists(conn, asker), asker.catalogue

        lists, catalogue = await self.ask(request, query)
        access = access_here(request)
        context: dict[str, Any] = {
            "lists": lists,
            "segments": list(catalogue.section(Section.SEGMENT)),
            "fills": access.may(Right.BROADCAST),
            "rings": access.may(Right.PLACE_CALLS),
        }
        part = _PARTS.get(request.query.get("part", ""))
        if part is not None:
            return self.pages.fragment(request, part, **context)
        return self.pages.render(request, "dialling/page.html", **context)

    async def show(self, request: web.Request) -> Answer:
        """One client of a list."""
        return await self.drawn(request, {})

    async def drawn(
        self, request: web.Request, typed: Mapping[str, str], problem: str = "", status: int = 200
    ) -> Answer:
        """The page of one client, with what was typed."""
        pipeline_id, card_id = number_in(request), number_in(request, "card_id")

        def looking(desk: Desk) -> Ringing:
            deal = deals.seen(desk, card_id)
            pipeline, stage = place_of(desk, deal.stage_id)
            if pipeline.id != pipeline_id or not pipeline.settings.dial_list:
                raise NotFound("there is no deal {deal}", deal=card_id)
            conn = connection_of(desk)
            owner = [deal.contact_id] if deal.contact_id is not None else []
            client, last = cards_of(conn, owner), last_words(conn, owner)
            whose = deal.contact_id or 0
            return Ringing(deal, pipeline, stage, client.get(whose), last.get(whose))

        view = await self.look(request, looking)
        answer = self.pages.render(
            request, "dialling/card.html", status=status, view=view, typed=typed, problem=problem
        )
        return part(answer)
