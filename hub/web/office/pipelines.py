"""Pipelines and their stages: set up, put in order, taken out of use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from crm_core.errors import Conflict, CoreError, Forbidden, InvalidInput, NotFound, StorageUnavailable
from crm_core.model.definitions import Pipeline, PipelineSettings, RecordTypeBody, Section, Stage, StageSettings
from crm_core.model.definitions.base import Name
from crm_core.model.fields import fields_of
from crm_core.model.records import PipelineRecord, StageKind
from crm_core.model.rights import Right
from crm_core.services.acts import pipeline_keeping as services
from crm_core.services.acts.pipeline_keeping import NewStage, PipelineChange, StageChange
from crm_core.services.cards.pipelines import pipeline_of
from crm_core.services.desk import Desk
from crm_core.storage.queries import deals as queries
from hub.office.stages import remove_stage
from hub.web.doing import part
from hub.web.office.forms.filled import Faults, Sent, Values, fault_in, faults_of, pressed, values_of
from hub.web.office.forms.inputs import drawn
from hub.web.office.forms.offers import offers_of
from hub.web.office.forms.seals import demand_same, seal
from hub.web.pages import Answer, Pages, access_here, number_in, user_here
from hub.web.routes import Route, does, shows
from hub.web.tongues import _, ngettext

Form = TypeVar("Form", bound=BaseModel)

_HOME = "/office/pipelines"
_DEAL = "deal"
_BUTTONS = ("add:", "drop:", "up:", "show")


class PipelineForm(PipelineSettings):
    """A pipeline as the page takes it."""

    name: Name


class StageForm(StageSettings):
    """A stage as the page takes it."""

    name: Name
    kind: StageKind = StageKind.OPEN


class Pipelines:
    """The pages of pipelines."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def routes(self) -> tuple[Route, ...]:
        """The routes of pipelines."""
        right = Right.KEEP_PIPELINES
        one = rf"{_HOME}/{{id:\d+}}"
        stage = rf"{one}/stages/{{stage_id:\d+}}"
        return (
            shows(_HOME, self.show_all, right),
            does(_HOME, self.add, right),
            shows(one, self.show, right),
            does(one, self.change, right),
            does(f"{one}/order", self.order, right),
            does(f"{one}/archive", self.archive, right),
            does(f"{one}/stages", self.add_stage, right),
            shows(stage, self.show_stage, right),
            does(stage, self.change_stage, right),
            does(f"{stage}/remove", self.remove_stage, right),
        )

    async def show_all(self, request: web.Request) -> Answer:
        """The pipelines there are."""
        store = self.pages.hub.store
        catalogue = await store.look(lambda desk: desk.catalogue)
        types = [(each.name, body.titles) for each, body in catalogue.bodies(Section.RECORD_TYPE, RecordTypeBody)]
        found = [(each, services.warnings(each)) for each in catalogue.pipelines]
        return self.pages.render(request, "office/pipelines.html", pipelines=found, types=types)

    async def add(self, request: web.Request) -> Answer:
        """Add a pipeline, with three stages to begin with."""
        sent = Sent((await request.post()).items())
        name, of_type = " ".join(sent.one("name").split()), sent.one("type") or _DEAL
        stages = [
            NewStage(_("New"), StageKind.OPEN),
            NewStage(_("Won"), StageKind.WON),
            NewStage(_("Lost"), StageKind.LOST),
        ]

        def service(desk: Desk) -> int:
            if not name or len(name) > 200:
                raise InvalidInput(_("Name the pipeline."))
            return services.create_pipeline(desk, name, stages, PipelineSettings(), of_type).id

        made = await self._done(request, service, _HOME)
        raise self.pages.redirect(request, f"{_HOME}/{made}", _("The pipeline is added."))

    async def show(self, request: web.Request) -> Answer:
        """One pipeline with its stages."""
        found = await self._pipeline(request)
        return await self._drawn(request, found, _of_pipeline(found), {})

    async def change(self, request: web.Request) -> Answer:
        """Change how a pipeline is set up."""
        found = await self._pipeline(request)
        sent = Sent((await request.post()).items())
        values = values_of(PipelineForm, sent)
        if (act := sent.one("act")).startswith(_BUTTONS):
            return await self._drawn(request, found, pressed(PipelineForm, values, act), {})
        form, faults = _read(PipelineForm, values)
        if form is None:
            return await self._drawn(request, found, values, faults, status=400)
        settings = PipelineSettings.model_validate(form.model_dump(exclude={"name"}))
        change = PipelineChange(name=form.name, settings=settings)

        def service(desk: Desk) -> None:
            demand_same(sent.one("seen"), _of_pipeline(pipeline_of(desk, found.id)))
            services.change_pipeline(desk, found.id, change)

        try:
            await self.pages.act(request, service)
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            status = 409 if isinstance(err, Conflict) else 400
            fresh = await self._pipeline(request)
            return await self._drawn(request, fresh, values, fault_in(PipelineForm, str(err)), status=status)
        raise self.pages.redirect(request, f"{_HOME}/{found.id}", _("The pipeline is saved."))

    async def order(self, request: web.Request) -> Answer:
        """Put the stages into another order: as it was dragged, or one of them a place higher."""
        ident = number_in(request)
        sent = Sent((await request.post()).items())
        order = [int(each) for each in sent.one("order").split(",") if each.isdigit() and len(each) < 19]
        up = sent.one("up")
        if up.isdigit() and int(up) in order and (place := order.index(int(up))):
            order[place - 1], order[place] = order[place], order[place - 1]
        await self._done(
            request,
            lambda desk: services.change_pipeline(desk, ident, PipelineChange(stages=order)),
            f"{_HOME}/{ident}",
        )
        raise self.pages.redirect(request, f"{_HOME}/{ident}", _("The order is saved."))

    async def archive(self, request: web.Request) -> Answer:
        """Put a pipeline away, or bring it back."""
        ident = number_in(request)
        archived = Sent((await request.post()).items()).one("archived") == "1"
        await self._done(
            request,
            lambda desk: services.change_pipeline(desk, ident, PipelineChange(archived=archived)),
            f"{_HOME}/{ident}",
        )
        said = _("It takes no new cards any more; those in it stay.") if archived else _("It is in use again.")
        raise self.pages.redirect(request, f"{_HOME}/{ident}", said)

    async def add_stage(self, request: web.Request) -> Answer:
        """Add a stage before those that close cards."""
        ident = number_in(request)
        name = " ".join(Sent((await request.post()).items()).one("name").split())

        def service(desk: Desk) -> int:
            if not name or len(name) > 200:
                raise InvalidInput(_("Name the stage."))
            before = pipeline_of(desk, ident)
            made = services.add_stage(desk, ident, NewStage(name))
            still = [each.id for each in before.in_use if each.open]
            closing = [each.id for each in before.in_use if not each.open]
            services.change_pipeline(desk, ident, PipelineChange(stages=[*still, made.id, *closing]))
            return made.id

        made = await self._done(request, service, f"{_HOME}/{ident}")
        raise self.pages.redirect(request, f"{_HOME}/{ident}/stages/{made}", _("The stage is added."))

    async def show_stage(self, request: web.Request) -> Answer:
        """One stage."""
        found, stage = await self._stage(request)
        return await self._drawn_stage(request, found, stage, _of_stage(stage), {})

    async def change_stage(self, request: web.Request) -> Answer:
        """Change how a stage is set up."""
        found, stage = await self._stage(request)
        sent = Sent((await request.post()).items())
        values = values_of(StageForm, sent)
        if (act := sent.one("act")).startswith(_BUTTONS):
            return await self._drawn_stage(request, found, stage, pressed(StageForm, values, act), {})
        form, faults = _read(StageForm, values)
        if form is None:
            return await self._drawn_stage(request, found, stage, values, faults, status=400)
        settings = StageSettings.model_validate(form.model_dump(exclude={"name", "kind"}))
        change = StageChange(name=form.name, kind=form.kind, settings=settings)

        def service(desk: Desk) -> None:
            now = next(each for each in pipeline_of(desk, found.id).stages if each.id == stage.id)
            demand_same(sent.one("seen"), _of_stage(now))
            services.change_stage(desk, found.id, stage.id, change)

        try:
            await self.pages.act(request, service)
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            status = 409 if isinstance(err, Conflict) else 400
            found, stage = await self._stage(request)
            faults = fault_in(StageForm, str(err))
            return await self._drawn_stage(request, found, stage, values, faults, status=status)
        raise self.pages.redirect(request, f"{_HOME}/{found.id}", _("«{name}» is saved.").format(name=form.name))

    async def remove_stage(self, request: web.Request) -> Answer:
        """Take a stage out of use; its cards go where the form says."""
        found, stage = await self._stage(request)
        goal = Sent((await request.post()).items()).one("move_to")
        move_to = int(goal) if goal.isdigit() and len(goal) < 19 else None
        login, remote = user_here(request), request.remote or ""
        try:
            moved = await remove_stage(self.pages.hub.store, found.id, stage.id, move_to, login, remote)
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            raise self.pages.redirect(request, f"{_HOME}/{found.id}/stages/{stage.id}", str(err)) from err
        said = ngettext(
            "The stage is removed; {count} card moved.", "The stage is removed; {count} cards moved.", moved
        )
        raise self.pages.redirect(request, f"{_HOME}/{found.id}", said.format(count=moved))

    # ------------------------------------------------------------ inside

    async def _pipeline(self, request: web.Request) -> Pipeline:
        ident = number_in(request)
        catalogue = await self.pages.hub.store.look(lambda desk: desk.catalogue)
        found = catalogue.pipeline(ident)
        if found is None:
            raise NotFound("there is no pipeline {pipeline}", pipeline=ident)
        return found

    async def _stage(self, request: web.Request) -> tuple[Pipeline, Stage]:
        found, ident = await self._pipeline(request), number_in(request, "stage_id")
        stage = next((each for each in found.stages if each.id == ident), None)
        if stage is None:
            raise NotFound("pipeline {found} has no stage {ident}", found=found.id, ident=ident)
        return found, stage

    async def _done(self, request: web.Request, service: Callable[[Desk], Any], back: str) -> Any:
        try:
            return await self.pages.act(request, service)
        except (StorageUnavailable, Forbidden):
            raise
        except CoreError as err:
            raise self.pages.redirect(request, back, str(err)) from err

    async def _drawn(
        self, request: web.Request, found: Pipeline, values: Values, faults: Faults, *, status: int = 200
    ) -> Answer:
        of_type = found.record.type
        offers, fields = await self.pages.hub.store.look(
            lambda desk: (offers_of(desk, of_type), fields_of(desk.catalogue, of_type))
        )
        usual, more = drawn(PipelineForm, values, faults, offers)
        return part(
            self.pages.render(
                request,
                "office/pipeline.html",
                status=status,
                pipeline=found,
                usual=usual,
                more=more,
                others=faults.get("", []),
                seen=seal(_of_pipeline(found)),
                warnings=services.warnings(found),
                field_titles={key: each.title for key, each in fields.by_key.items()},
            )
        )

    async def _drawn_stage(
        self, request: web.Request, found: Pipeline, stage: Stage, values: Values, faults: Faults, *, status: int = 200
    ) -> Answer:
        store, access = self.pages.hub.store, access_here(request)
        offers = await store.look(lambda desk: offers_of(desk, found.record.type))
        standing = await store.read(lambda conn: queries.standing_on(conn, access, stage.id))
        usual, more = drawn(StageForm, values, faults, offers)
        return part(
            self.pages.render(
                request,
                "office/stage.html",
                status=status,
                pipeline=found,
                stage=stage,
                usual=usual,
                more=more,
                others=faults.get("", []),
                seen=seal(_of_stage(stage)),
                standing=standing,
                goals=[each for each in found.in_use if each.id != stage.id],
            )
        )


def _of_pipeline(found: Pipeline) -> Values:
    record: PipelineRecord = found.record
    return {**record.settings, "name": record.name}


def _of_stage(stage: Stage) -> Values:
    return {**stage.record.settings, "name": stage.name, "kind": stage.record.kind.value}


def _read(form: type[Form], values: Values) -> tuple[Form | None, Faults]:
    try:
        return form.model_validate(values), {}
    except ValidationError as err:
        return None, faults_of(form, err)
