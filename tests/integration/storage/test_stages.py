"""Cards and stages: criteria that let cards in, deadlines, tunnels, stages taken away under cards that move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_core.errors import Conflict, InvalidInput
from crm_core.messages import Utm
from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.definitions import StageSettings
from crm_core.model.definitions.pipelines import PipelineSettings
from crm_core.model.ladder import Ladder, LadderEvent, Ladders, LadderStep, Told
from crm_core.model.office import Office
from crm_core.model.policy import AccountPolicy
from crm_core.model.records import AttachmentRecord, DealRecord, FileState, StageKind
from crm_core.model.selling import LineItemRecord, LinkRecord
from crm_core.services.acts import deals
from crm_core.services.acts import pipeline_keeping as keeping
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.dial_lists import fill, next_call
from crm_core.services.acts.pipeline_keeping import NewStage
from crm_core.services.cards import stages, tunnels
from crm_core.services.cards.tunnels import Along
from crm_core.services.desk import Desk
from crm_core.services.watching.responsible import responsible
from crm_core.storage.queries import deals as queries
from crm_core.storage.queries.within import connection_of
from tests.integration.storage.test_statements import _for_ids
from tests.integration.storage.world import OFFICE, SHOP, SITE, World, at, form, message, talked, world_on
from tests.statements import statements

PHONE = "+79161234567"


async def pipeline(world: World, *stages_: NewStage, name: str = "Курсы", **settings: Any) -> int:
    """A pipeline of these stages; its id."""

    def made(desk: Desk) -> int:
        return keeping.create_pipeline(desk, name, stages_, PipelineSettings(**settings)).id

    return await world.store.run(made)


async def card(world: World, title: str = "Курс", **given: Any) -> DealRecord:
    """A card of the first pipeline, opened by Ivan."""

    def made(desk: Desk) -> DealRecord:
        desk.work.author = "ivan"
        return deals.create(desk, "ivan", DealChange(title=title, **given), None, None).deal

    return await world.store.run(made)


async def stage_of(world: World, deal_id: int) -> str:
    """Where a card stands."""
    deal = await world.row("deal", id=deal_id)
    return str((await world.row("stage", id=deal.stage_id)).name)


def by(login: str, act: Callable[[Desk], Any]) -> Callable[[Desk], Any]:
    """An act of a person."""

    def acting(desk: Desk) -> Any:
        desk.work.author = login
        return act(desk)

    return acting


def criteria() -> tuple[NewStage, ...]:
    return (
        NewStage("Заинтересованный"),
        NewStage("Заявка", settings=StageSettings(enter_when="fields.gorod != null && fields.kurs != null")),
        NewStage("Связались", settings=StageSettings(enter_when="reached")),
        NewStage("Подумает"),
        NewStage("Закрыто", StageKind.LOST),
    )


# ---------------------------------------------------------------- criteria


async def test_a_card_goes_where_its_criteria_hold(world: World) -> None:
    await pipeline(world, *criteria())
    await world.take(talked("before", PHONE, at(0)))
    client = (await world.row("contact")).id
    world.clock.set(at(1000))
    made = await card(world, contact_id=client)
    assert await stage_of(world, made.id) == "Заинтересованный"  # the talk before the card was opened tells nothing
    fields = DealChange(fields={"gorod": "Тверь", "kurs": "Шитьё"})
    await world.store.run(by("ivan", lambda desk: deals.change(desk, made.id, fields)))
    assert await stage_of(world, made.id) == "Заявка"
    await world.take(talked("after", PHONE, at(2000)))
    assert await stage_of(world, made.id) == "Связались"
    entries = [each.text for each in await world.rows("timeline", kind="stage")]
    assert entries == ["Этап: Заявка. Условия этапа выполнены", "Этап: Связались. Условия этапа выполнены"]
    # What a person moved back stays there as long as nothing new is heard of the client, and never is it moved back.
    await world.store.run(by("ivan", lambda desk: deals.move(desk, made.id, "Заинтересованный")))
    assert await stage_of(world, made.id) == "Заинтересованный"
    await world.store.run(by("ivan", lambda desk: deals.move(desk, made.id, "Подумает")))
    await world.take(talked("later", PHONE, at(3000)))
    assert await stage_of(world, made.id) == "Подумает"
    history = [each for each in await world.rows("change", subject_id=made.id) if each.changes[0][0] == "stage_id"]
    assert len(history) == 4


async def test_criteria_cost_nothing_where_there_are_none_and_the_same_for_many(database_url: str) -> None:
    policy = AccountPolicy(leads=False)
    async with world_on(database_url, replace(OFFICE, policies={SHOP: policy})) as world:
        await pipeline(world, NewStage("Новая"), NewStage("Дальше"))
        await world.take(*(message(1000 + n, f"m{n}", at(n)) for n in range(60)))

        async def cost(first: int, count: int, when: int) -> int:
            batch = [message(1000 + first + n, f"w{when}-{n}", at(when)) for n in range(count)]
            with statements(world.store) as seen:
                await world.take(*batch)
            return len([each for each in seen if not _for_ids(each)])

        await cost(0, 1, 5000)
        plain = await cost(0, 5, 6000)
        assert plain == await cost(5, 50, 7000)
        settings = StageSettings(enter_when="reached")
        stage = (await world.rows("stage"))[1]
        change = keeping.StageChange(settings=settings)
        await world.store.run(lambda desk: keeping.change_stage(desk, stage.pipeline_id, stage.id, change))
        await cost(0, 1, 8000)
        few, many = await cost(0, 5, 9000), await cost(5, 50, 10_000)
        assert few == many <= plain + 2


async def test_a_criterion_that_makes_no_sense_is_told_once_with_the_card(world: World) -> None:
    settings = StageSettings(enter_when="deal.title > 5")
    await pipeline(world, NewStage("Новая"), NewStage("Дальше", settings=settings))
    made = await card(world)
    await world.store.run(by("ivan", lambda desk: deals.change(desk, made.id, DealChange(title="Иначе"))))
    run = await world.row("rule_run")
    assert (run.outcome, run.subject_id) == ("failed", made.id)
    assert run.error
    assert await stage_of(world, made.id) == "Новая"


# ---------------------------------------------------------------- deadlines


WEEKDAYS = WorkingHours("будни", ZoneInfo("UTC"), dict.fromkeys(range(5), (DayHours(time(9), time(18)),)))
OVERDUE = Ladder(LadderEvent.DEAL_OVERDUE, (LadderStep(timedelta(0), (Told.HEAD,)),))


async def test_a_stage_gives_a_deadline_counted_in_its_hours(database_url: str) -> None:
    office = replace(OFFICE, calendars={"будни": WEEKDAYS}, ladders=Ladders.of((OVERDUE,)))
    async with world_on(database_url, office) as world:
        settings = StageSettings(deadline=timedelta(hours=18), hours="будни", owner="petr")
        await pipeline(world, NewStage("Новая"), NewStage("Замер", settings=settings), NewStage("Дальше"))
        made = await card(world)
        assert made.due_at is None
        moved = await world.store.run(by("ivan", lambda desk: deals.move(desk, made.id, "Замер").deal))
        assert moved.due_at == WEEKDAYS.add(world.clock.now(), timedelta(hours=18))
        (deadline,) = await world.deadlines()
        assert deadline.due_at == moved.due_at
        assert await world.store.run(lambda desk: stages_owner(desk, made.id)) == "petr"
        again = await world.store.run(by("ivan", lambda desk: deals.move(desk, made.id, "Дальше").deal))
        assert again.due_at is None
        assert await world.deadlines() == []


def stages_owner(desk: Desk, deal_id: int) -> str | None:
    """Who answers for a card."""
    return responsible(desk, desk.work.card(deal_id)[0])


# ---------------------------------------------------------------- tunnels


async def test_a_copy_has_links_lines_and_files(world: World) -> None:
    await pipeline(world, NewStage("Новая"))
    await pipeline(world, NewStage("Ждём"), name="Рассрочки")
    await world.take(message(1001, "m1", at(1)))
    client = (await world.row("contact")).id
    made = await card(world, contact_id=client, amount=1000)

    def furnish(desk: Desk) -> None:
        desk.work.card(made.id)
        entry = desk.note(client, "Договор", deal_id=made.id)
        file = AttachmentRecord(
            desk.work.next_id(), entry.id, 0, "act.pdf", "application/pdf", FileState.STORED, 7, "ab" * 32
        )
        desk.work.put(file)
        link = LinkRecord(desk.work.next_id(), "deal", made.id, "contact", client, "ЛПР", desk.now, "ivan")
        desk.work.put(link)
        desk.work.put(LineItemRecord(desk.work.next_id(), made.id, 0, "Окно", 1000, 1000, 1000))

    await world.store.run(furnish)

    def copy(desk: Desk) -> int:
        desk.work.author = "ivan"
        return deals.copy(desk, made.id, "Рассрочки", None, Along(items=True)).deal.id

    copied = await world.store.run(copy)
    files = await world.rows("attachment")
    assert [(each.name, each.sha256) for each in files] == [("act.pdf", "ab" * 32)] * 2
    entry = await world.row("timeline", id=files[1].entry_id)
    assert (entry.deal_id, entry.author) == (copied, "ivan")
    assert [each.from_id for each in await world.rows("link")] == [made.id, copied]
    assert [each.deal_id for each in await world.rows("line_item")] == [made.id, copied]
    row = await world.row("deal", id=copied)
    assert (row.source_id, row.amount, row.contact_id) == (made.id, 1000, client)


async def test_tunnels_do_not_circle_within_a_transaction(world: World) -> None:
    await pipeline(world, NewStage("Новая"))
    await pipeline(world, NewStage("Ждём"), name="Рассрочки")
    made = await card(world)

    def circle(desk: Desk) -> None:
        deal, _ = desk.work.card(made.id)
        over = tunnels.move_over(desk, deal, "Рассрочки")
        with pytest.raises(Conflict, match="по кругу"):
            tunnels.move_over(desk, over, "Курсы")
        copied = tunnels.copy(desk, over, "Рассрочки")
        with pytest.raises(Conflict, match="по кругу"):
            tunnels.copy(desk, copied, "Рассрочки")

    await world.store.run(circle)


# ---------------------------------------------------------------- enquiries that are at once deals


async def test_what_an_enquiry_brings_reaches_its_deal(database_url: str) -> None:
    policy = AccountPolicy(source="Сайт", leads=False, pipeline="Магазин")
    async with world_on(database_url, replace(OFFICE, policies={SITE: policy})) as world:
        await pipeline(world, NewStage("Новая", settings=StageSettings(deadline=timedelta(hours=4))), name="Магазин")
        marks = Utm(source="ya", campaign="весна")
        await world.take(form(at(1), phone=PHONE, name="Анна", utm=marks, fields=(("Цвет", "белый"),)))
        deal = await world.row("deal")
        assert (deal.source, deal.utm, deal.fields) == (
            "Сайт",
            {"source": "ya", "campaign": "весна"},
            {"Цвет": "белый"},
        )
        assert deal.due_at == world.clock.now() + timedelta(hours=4)
        assert deal.manager in {"ivan", "petr"}
        again = form(at(2), phone=PHONE, utm=Utm(source="vk"), fields=(("Цвет", "синий"), ("Размер", "5")))
        await world.take(again)
        deal = await world.row("deal")
        assert (deal.fields, deal.utm["source"]) == ({"Цвет": "белый", "Размер": "5"}, "ya")
        enquiries = [each for each in await world.rows("timeline") if each.journal_id is not None]
        assert [(each.deal_id, each.lead_id) for each in enquiries] == [(deal.id, None)] * 2
        others = [form(at(10 + n), phone=f"+791600000{n:02}", name=f"Клиент {n}") for n in range(4)]
        for each in others:
            await world.take(each)
        managers = [each.manager for each in await world.rows("deal")]
        assert sorted(managers[1:]) == ["ivan", "ivan", "petr", "petr"]


async def test_the_usual_pipeline_speaks_the_offices_language(database_url: str) -> None:
    async with world_on(database_url, Office(language="en")) as world:
        await card(world)
        assert [each.name for each in await world.rows("stage")] == ["New", "Won", "Lost"]
        assert (await world.row("pipeline")).name == "Sales"


# ---------------------------------------------------------------- several at once


async def test_a_stage_is_taken_away_while_cards_move_onto_it(world: World, second: World) -> None:
    number = await pipeline(world, NewStage("А"), NewStage("Б"), NewStage("В"))
    cards = [await card(world, f"Сделка {n}") for n in range(8)]
    a, b, c = (each.id for each in await world.rows("stage"))

    def closed(desk: Desk) -> None:
        desk.work.author = "head"
        desk.work.close_stage(b)
        keeping.close_stage(desk, number, b, c, queries.standing_on(connection_of(desk), None, b))

    async def move(on: World, deal_id: int) -> None:
        try:
            await on.store.run(by("ivan", lambda desk: deals.move(desk, deal_id, "Б")))
        except InvalidInput:
            return  # gone already

    async def remove() -> None:
        await second.store.run(closed)
        while await second.store.run(lambda desk: keeping.empty_stage(desk, b, c)) is not None:
            pass

    await asyncio.gather(*(move((world, second)[n % 2], each.id) for n, each in enumerate(cards)), remove())
    assert {each.stage_id for each in await world.rows("deal")} <= {a, c}


async def test_many_ask_a_dial_list_at_once(world: World, second: World) -> None:
    number = await pipeline(world, NewStage("Обзвонить"), NewStage("Встреча", StageKind.WON), dial_list=True)
    await world.take(*(talked(f"c{n}", f"+791612345{n:02}", at(n)) for n in range(6)))
    ids = [each.id for each in await world.rows("contact")]
    world.clock.set(at(100_000))
    assert await world.store.run(lambda desk: fill(desk, number, ids)) == 6

    def asked(login: str) -> Callable[[Desk], int | None]:
        def ask(desk: Desk) -> int | None:
            desk.work.author = login
            found = next_call(desk, number, login)
            return found.contact.id if found is not None else None

        return ask

    logins = ("ivan", "petr", "olga", "dir", "head")
    got = await asyncio.gather(*((world, second)[n % 2].store.run(asked(login)) for n, login in enumerate(logins)))
    assert None not in got
    assert len(set(got)) == len(logins)


async def test_a_move_costs_a_fixed_number_of_statements(world: World) -> None:
    await pipeline(world, *criteria())
    await world.take(*(message(1000 + n, f"m{n}", at(n)) for n in range(22)))
    clients = [each.id for each in await world.rows("contact")]
    cards = [await card(world, contact_id=each) for each in clients]

    async def cost(some: list[DealRecord], stage: str) -> int:
        def moved(desk: Desk) -> None:
            desk.work.author = "ivan"
            for each in desk.work.cards([one.id for one in some]):
                stages.enter(desk, each, stage, by_person=True)

        with statements(world.store) as seen:
            await world.store.run(moved)
        return len([each for each in seen if not each.startswith(("BEGIN", "COMMIT")) and not _for_ids(each)])

    await cost(cards[:1], "Подумает")
    one, many = await cost(cards[1:2], "Подумает"), await cost(cards[2:], "Подумает")
    assert one == many <= 12
