"""Stages give tasks when a card enters them, once an entry; some lapse when it leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.model.definitions.pipelines import StageSettings, StageTask
from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.services import defining
from crm_core.services.acts.deals import DealChange, create, move
from crm_core.services.desk import Desk
from crm_core.services.tasking.stage_tasks import doer_of
from tests.integration.storage.test_tasks import by, client
from tests.integration.storage.world import World, at
from tests.statements import statements

MEASURING = StageSettings(
    owner="olga",
    tasks=[
        StageTask(title="Назначить замерщика", delay=timedelta(hours=4), checklist=["адрес"]),
        StageTask(title="Позвонить", assignee="manager", lapses=True),
        StageTask(title="Проверить", assignee="head", delay=timedelta(days=2)),
        StageTask(title="Выслать", assignee="petr"),
    ],
)


@pytest.fixture
async def office(world: World) -> World:
    """A pipeline of three stages, the second of which gives tasks."""

    def make(desk: Desk) -> None:
        pipeline = PipelineRecord(desk.work.next_id(), "Окна")
        desk.work.put(pipeline)
        for position, (name, settings) in enumerate(
            (("Сбор данных", StageSettings()), ("Замер", MEASURING), ("Договор", StageSettings()))
        ):
            settled = defining.as_json(settings)
            desk.work.put(StageRecord(desk.work.next_id(), pipeline.id, name, position, settings=settled))

    await world.store.run(make)
    return world


async def opened(world: World, contact_id: int | None, stage: str | None = None) -> DealRecord:
    """A deal of Ivan's."""
    placed = await by(
        world, "ivan", lambda desk: create(desk, "ivan", DealChange(title="Окна", contact_id=contact_id), None, stage)
    )
    deal: DealRecord = placed.deal
    return deal


async def titles(world: World, **where: Any) -> dict[str, str | None]:
    """Tasks by title, and whose they are."""
    return {row.title: row.assignee for row in await world.rows("task", **where)}


async def test_a_stage_gives_its_tasks_once_an_entry(office: World) -> None:
    contact_id = await client(office)
    deal = await opened(office, contact_id)
    assert await titles(office) == {}
    await by(office, "ivan", lambda desk: move(desk, deal.id, "Замер"))
    assert await titles(office) == {
        "Назначить замерщика": "olga",
        "Позвонить": "ivan",
        "Проверить": "head",
        "Выслать": "petr",
    }
    rows = {row.title: row for row in await office.rows("task")}
    assert {row.contact_id for row in rows.values()} == {contact_id}
    assert {row.deal_id for row in rows.values()} == {deal.id}
    assert rows["Назначить замерщика"].due_at == at(4 * 3600)
    assert rows["Позвонить"].due_at is None
    assert rows["Назначить замерщика"].checklist == [{"text": "адрес", "done": False}]
    told = [row.payload["login"] for row in await office.rows("outbox", kind="notification")]
    assert sorted(told) == ["head", "olga", "petr"]  # Ivan moved the card himself
    # Another change of the card on this stage gives nothing anew.
    await by(office, "ivan", lambda desk: move(desk, deal.id, "Замер"))
    assert len(await office.rows("task")) == 4


async def test_what_lapses_is_cancelled_and_a_second_entry_gives_anew(office: World) -> None:
    deal = await opened(office, None, "Замер")
    assert len(await titles(office, state="open")) == 4
    office.clock.set(at(60))
    await by(office, "ivan", lambda desk: move(desk, deal.id, "Договор"))
    assert set(await titles(office, state="cancelled")) == {"Позвонить"}
    assert (await office.row("task", state="cancelled")).result == "Карточка ушла с этапа"
    office.clock.set(at(120))
    await by(office, "ivan", lambda desk: move(desk, deal.id, "Замер"))
    assert len(await office.rows("task", state="open")) == 7


async def test_who_is_meant(office: World) -> None:
    def who(desk: Desk) -> list[str | None]:
        return [
            doer_of(desk, "owner", "ivan", "olga"),
            doer_of(desk, "owner", "ivan"),
            doer_of(desk, "manager", None),
            doer_of(desk, "director", "ivan"),
            doer_of(desk, "controller", "ivan"),
            doer_of(desk, "nobody", "ivan"),
        ]

    assert await office.store.run(who) == ["olga", "ivan", None, "dir", "olga", None]

    def dismissed(conn: Any) -> None:
        from crm_core.storage.staff import touch_staff

        conn.exec_driver_sql("UPDATE app_user SET active = (1 = 0) WHERE login = 'ivan'")
        touch_staff(conn)

    await office.store.database.write(dismissed)
    assert await office.store.run(lambda desk: doer_of(desk, "manager", "ivan")) == "petr"


async def test_many_cards_cost_as_much_as_few(office: World) -> None:
    contact_id = await client(office)
    deals = [await opened(office, contact_id) for _ in range(30)]

    async def cost(some: list[DealRecord]) -> int:
        def moving(desk: Desk) -> None:
            desk.work.author = "ivan"
            measuring = next(each for each in desk.catalogue.pipelines[0].stages if each.name == "Замер")
            for deal in desk.work.cards([each.id for each in some]):
                desk.work.put(deal._replace(stage_id=measuring.id, stage_since=desk.now))

        with statements(office.store) as seen:
            await office.store.run(moving)
        return len([each for each in seen if "nextval" not in each and "id_block" not in each])

    few, many = await cost(deals[:6]), await cost(deals[6:])
    assert few == many
    assert len(await office.rows("task")) == 120
