"""A sales department under test: pipelines, fields, templates; short ways to add rules and to let things happen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from crm_core.model.definitions import FORMS, Section
from crm_core.model.records import DealRecord, PipelineRecord, StageKind, StageRecord
from crm_core.services import defining
from crm_core.services.cards import stages
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.services.desk import Desk
from crm_core.services.firing import fire
from crm_core.storage import queues
from tests.integration.storage.world import OFFICE, World, world_on

STAGES = (
    ("Новая", StageKind.OPEN),
    ("В работе", StageKind.OPEN),
    ("Думает", StageKind.OPEN),
    ("Продано", StageKind.WON),
    ("Отказ", StageKind.LOST),
)
FIELDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("deal.sum", {"title": "Сумма замера", "type": "number"}),
    ("deal.until", {"title": "Лицензия до", "type": "date"}),
    ("deal.comment", {"title": "Комментарий"}),
    ("deal.city", {"title": "Город"}),
)


@dataclass
class Office:
    """The department: the world and the ids of its pipelines' stages."""

    world: World
    stage: dict[tuple[str, str], int]
    pipelines: dict[str, int]

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.world.clock.now()

    async def act(self, service: Callable[[Desk], Any], login: str = "ivan") -> Any:
        """Somebody does something."""

        def acting(desk: Desk) -> Any:
            desk.work.author = login
            return service(desk)

        return await self.world.store.run(acting)

    async def define(self, section: Section, name: str, **body: Any) -> int:
        """Add a definition; its id."""
        form = FORMS[section].model_validate(body)
        return int((await self.act(lambda desk: defining.add(desk, section, name, form, "head"))).id)

    async def rule(self, name: str, when: Any, then: Any, **more: Any) -> int:
        """Add a rule; its id. What follows from the adding itself is done."""
        rule_id = await self.define(Section.RULE, name, when=when, then=then, **more)
        await self.settle()
        return rule_id

    async def client(self, name: str = "Мария Орлова", **more: Any) -> int:
        """A client's id."""
        contact, _ = await self.act(lambda desk: create(desk, ContactChange(name=name, **more)))
        return int(contact.id)

    async def card(
        self, contact_id: int | None = None, pipeline: str = "Продажи", stage: str = "Новая", **more: Any
    ) -> int:
        """A card's id."""

        def service(desk: Desk) -> DealRecord:
            deal = DealRecord(
                desk.work.next_id(),
                contact_id,
                self.pipelines[pipeline],
                self.stage[pipeline, stage],
                more.pop("title", "Окна"),
                desk.now,
                desk.now,
                desk.now,
                manager=more.pop("manager", "ivan"),
                **more,
            )
            desk.work.put(deal)
            return deal

        return int((await self.act(service)).id)

    async def change(self, deal_id: int, **changes: Any) -> None:
        """Correct a card; `fields` are added."""

        def service(desk: Desk) -> None:
            deal, _ = desk.work.owned(DealRecord, deal_id)
            fields = {**deal.fields, **changes.pop("fields", {})}
            desk.work.put(deal._replace(fields=fields, **changes))

        await self.act(service)

    async def move(self, deal_id: int, stage: str) -> None:
        """Somebody moves a card."""

        def service(desk: Desk) -> None:
            deal, _ = desk.work.owned(DealRecord, deal_id)
            stages.enter(desk, deal, stage, by_person=False)

        await self.act(service)

    async def deal(self, deal_id: int) -> Any:
        """A card as it is."""
        return await self.world.row("deal", id=deal_id)

    async def where(self, deal_id: int) -> tuple[str, str]:
        """The pipeline and the stage on which a card stands."""
        stage_id = (await self.deal(deal_id)).stage_id
        return next(place for place, known in self.stage.items() if known == stage_id)

    async def runs(self) -> list[tuple[str, str, str]]:
        """What rules did: (rule, outcome, error), in the order of their time."""
        rows = await self.world.rows("rule_run")
        return [
            (row.rule, str(row.outcome.value), row.error) for row in sorted(rows, key=lambda row: (row.at, row.rule))
        ]

    async def settle(self) -> None:
        """Fire whatever is due now."""
        for _ in range(200):
            due = await self.world.store.read(partial(queues.due_deadlines, now=self.now, limit=50))
            if not due:
                return
            for each in due:
                await self.world.store.run(partial(fire, deadline=each))
        raise AssertionError("deadlines without an end")

    async def wait(self, **how_long: float) -> None:
        """Time passes, day by day; what comes due is fired."""
        left = timedelta(**how_long)
        while left > timedelta(0):
            step = min(left, timedelta(hours=6))
            self.world.clock.set(self.now + step)
            left -= step
            await self.settle()


@asynccontextmanager
async def office_on(url: str) -> AsyncIterator[Office]:
    """A department on an empty database."""
    async with world_on(url, replace(OFFICE, time_zone="Europe/Moscow")) as world:
        office = Office(world, {}, {})

        def build(desk: Desk) -> None:
            for position, (name, kind) in enumerate(
                (("Продажи", "deal"), ("Повторные", "deal"), ("Рекламации", "claim"))
            ):
                pipeline = PipelineRecord(desk.work.next_id(), name, position, type=kind)
                desk.work.put(pipeline)
                office.pipelines[name] = pipeline.id
                for number, (title, what) in enumerate(STAGES):
                    stage = StageRecord(desk.work.next_id(), pipeline.id, title, number, what)
                    desk.work.put(stage)
                    office.stage[name, title] = stage.id

        await world.store.run(build)
        await office.define(Section.RECORD_TYPE, "claim", title="Рекламация", titles="Рекламации")
        for name, body in FIELDS:
            of, key = name.split(".")
            await office.define(Section.FIELD, name, of=of, key=key, **body)
        await office.define(Section.TEMPLATE, "Привет", text="Здравствуйте, {{ contact.name }}!")
        yield office
