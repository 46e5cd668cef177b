"""Cards from stage to stage: what a stage asks for is asked of whoever moves, and then they go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from crm_core.errors import CoreError, InvalidInput, Outdated, StorageUnavailable
from crm_core.model.definitions import Pipeline, Stage
from crm_core.model.fields import Field, fields_of
from crm_core.model.records import DealRecord, StageKind
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange, Placed
from crm_core.services.cards.pipelines import missing_keys, named_stage, place_of, required_keys, title_of
from crm_core.services.desk import Desk
from hub.web.board.acting import Acting
from hub.web.board.boards import Beside
from hub.web.board.editing import Form, change_of, ident_of, text_of
from hub.web.board.words import WORDS
from hub.web.doing import part
from hub.web.pages import Answer, local_path, number_in
from hub.web.returning import scripted
from hub.web.tongues import _

_TYPED = frozenset({"amount", "contact_id", "company_id", "manager", "source", "due_at", "title"})
"""Columns of a card that a person may fill in where a stage asks for them; the others are worked out."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a stage asks for: a custom field, or a column of the card; `typed` where a person can give it."""

    key: str
    title: str
    field: Field | None
    typed: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """What stands between a card and a stage: `needs` are to be filled in, a reason where it is `lost`, one of
    `reasons` where there are any; `said` is why it was refused."""

    deal: DealRecord
    pipeline: Pipeline
    stage: Stage
    needs: tuple[Need, ...]
    said: str

    @property
    def lost(self) -> bool:
        """Whether the card is to be lost."""
        return self.stage.record.kind is StageKind.LOST

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a card may be lost, any text where there are none."""
        return tuple(self.pipeline.settings.loss_reasons)

    @property
    def answerable(self) -> bool:
        """Whether there is something to ask for."""
        return self.lost or any(each.typed for each in self.needs)


def moved(desk: Desk, deal_id: int, stage: str, form: Form, zone: Any, version: int | None) -> Placed:
    """Fill in what a form brings along, and move: both or nothing. Raises what both raise."""
    before = deals.seen(desk, deal_id, version)
    given = change_of(form, fields_of(desk.catalogue, before.type), zone, before.currency)
    if given != DealChange():
        deals.change(desk, deal_id, given)
    return deals.move(desk, deal_id, stage, reason=text_of(form, "reason") or None)


def demand_of(desk: Desk, deal_id: int, stage: str, said: str) -> Demand:
    """What a stage asks of a card; raises NotFound, InvalidInput."""
    deal = deals.seen(desk, deal_id)
    pipeline, _now = place_of(desk, deal.stage_id)
    target = named_stage(pipeline, stage)
    known = fields_of(desk.catalogue, deal.type).by_key
    keys = missing_keys(desk, deal, required_keys(pipeline, target))
    needs = tuple(
        Need(each, title_of(desk, deal.type, each), known.get(each), each in known or each in _TYPED) for each in keys
    )
    return Demand(deal, pipeline, target, needs, said)


class Moving(Acting):
    """What moves cards."""

    async def move(self, request: web.Request) -> Answer:
        """Move a card; where its stage asks for something, so does the answer (422), which the same form answers."""
        deal_id, form = number_in(request), await request.post()
        stage = text_of(form, "stage")
        back = local_path(form.get("back"), f"/deals/{deal_id}")
        try:
            version = ident_of(text_of(form, "version"), "version")
            placed = await self.act(request, lambda desk: moved(desk, deal_id, stage, form, self.zone, version))
        except StorageUnavailable:
            raise
        except Outdated as err:
            return await self._outdated(request, err, back)
        except CoreError as err:
            return await self._refused(request, deal_id, stage, err, form, back)
        if not scripted(request):
            raise self.pages.redirect(request, back, _("Moved to «{stage}».").format(stage=placed.stage.name))
        return await self._done(request, placed)

    async def _done(self, request: web.Request, placed: Placed) -> Answer:
        """The card as it is now, for the place where it stands."""
        beside = await self.ask(request, lambda conn, asker: Beside.of(conn, asker, [placed.deal]))
        answer = self.pages.fragment(
            request,
            "board/moved.html",
            card=placed.deal,
            stage=placed.stage,
            pipeline=placed.pipeline,
            beside=beside,
            **WORDS,
        )
        return part(answer, HX_Trigger="card-moved", X_Stage=str(placed.stage.id), X_Version=str(placed.deal.version))

    async def _outdated(self, request: web.Request, err: Outdated, back: str) -> Answer:
        """Where the card stands now that somebody was faster."""
        now = err.current if isinstance(err.current, Placed) else None
        who = await self.ask(request, lambda _conn, asker: asker.staff)
        context = {"now": now, "said": str(err), "back": back, "staff": who, **WORDS}
        if scripted(request):
            return part(self.pages.fragment(request, "board/outdated.html", **context), 409)
        return self.pages.render(request, "board/stopped.html", status=409, part="board/outdated.html", **context)

    async def _refused(
        self, request: web.Request, deal_id: int, stage: str, err: CoreError, form: Form, back: str
    ) -> Answer:
        """What the stage asks for, as a form; the words alone where nothing can be filled in."""
        demand: Demand | None = None
        if isinstance(err, InvalidInput):
            try:
                demand = await self.look(request, lambda desk: demand_of(desk, deal_id, stage, str(err)))
            except InvalidInput:
                demand = None  # of a stage that is not there nothing is asked
        people = await self.ask(request, lambda _conn, asker: asker.staff)
        asked = demand is not None and demand.answerable
        status = 422 if asked else (400 if isinstance(err, InvalidInput) else 409)
        name = "board/demand.html" if asked else "board/refused.html"
        context = {"demand": demand, "said": str(err), "back": back, "form": form, "staff": people, **WORDS}
        if scripted(request):
            return part(self.pages.fragment(request, name, **context), status)
        return self.pages.render(request, "board/stopped.html", status=status, part=name, **context)
