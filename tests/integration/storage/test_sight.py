"""Which cards somebody sees: the condition of SQL says what the predicate says, on both engines, by an index."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, select

from crm_core.errors import Forbidden, NotFound
from crm_core.model.access import Access, People, Reach, Right, Sight
from crm_core.model.call import Direction
from crm_core.model.definitions import PipelineSettings, Section
from crm_core.model.definitions.roles import RoleBody
from crm_core.model.records import (
    AttachmentRecord,
    ContactRecord,
    DealRecord,
    EntryRecord,
    FileState,
    PipelineRecord,
    StageRecord,
)
from crm_core.model.task import TaskRecord, TaskState
from crm_core.model.timeline import EntryKind
from crm_core.model.user import Role, User
from crm_core.services import defining
from crm_core.services.acts import deals
from crm_core.services.desk import Desk
from crm_core.storage.queries import boards
from crm_core.storage.queries.boards import BoardFilter, BoardOrder
from crm_core.storage.queries.deals import DealFilter, deal_card, list_deals
from crm_core.storage.queries.files import one_attachment
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.seeing import seen_among
from crm_core.storage.sight import of_seen_card, seen_card, seen_in
from crm_core.storage.tables import deal, task
from tests.fakes.clock import START
from tests.integration.storage.world import World

IVAN, PETR, OLGA = "ivan", "petr", "olga"
MANAGERS = (None, IVAN, PETR, OLGA)
PIPELINES = 3
SIGHTS = [
    (people, reaches)
    for people in (
        People(IVAN, frozenset({IVAN}), frozenset({IVAN})),
        People(IVAN, frozenset({IVAN, PETR}), frozenset({IVAN, PETR})),
        People(IVAN, frozenset({IVAN}), frozenset({IVAN, OLGA})),
    )
    for reaches in product(Reach, repeat=PIPELINES)
]


async def filled(world: World, settings: dict[str, Any] | None = None) -> list[DealRecord]:
    """A card and a task on it for everybody and nobody in each of the pipelines."""

    def fill(desk: Desk) -> list[DealRecord]:
        cards = []
        for number in range(PIPELINES):
            pipeline = PipelineRecord(desk.work.next_id(), f"P{number}", number, settings=settings or {})
            stage = StageRecord(desk.work.next_id(), pipeline.id, "New", 0)
            desk.work.put(pipeline)
            desk.work.put(stage)
            for manager in MANAGERS:
                card = DealRecord(
                    id=desk.work.next_id(),
                    contact_id=None,
                    pipeline_id=pipeline.id,
                    stage_id=stage.id,
                    title=f"{number} {manager}",
                    created_at=START,
                    updated_at=START,
                    stage_since=START,
                    manager=manager,
                )
                desk.work.put(card)
                cards.append(card)
        for card in cards:
            desk.work.put(
                TaskRecord(desk.work.next_id(), "Call", TaskState.OPEN, START, START, "rule", deal_id=card.id)
            )
        return cards

    return await world.store.run(fill)


def sight_of(people: People, reaches: tuple[Reach, ...], ids: list[int]) -> Sight:
    by = {reach: frozenset(each for each, its in zip(ids, reaches, strict=True) if its is reach) for reach in Reach}
    return Sight(people, by[Reach.NONE], by[Reach.OWN], by[Reach.GROUP], by[Reach.ALL])


async def test_sql_and_predicate_agree(world: World) -> None:
    cards = await filled(world)
    ids = list(dict.fromkeys(card.pipeline_id for card in cards))

    def compare(conn: Connection) -> None:
        for people, reaches in SIGHTS:
            sight = sight_of(people, reaches, ids)
            wanted = {card.id for card in cards if sight.sees(card)}
            assert seen_among(conn, [card.id for card in cards], sight) == wanted, sight
            shown = seen_card(sight)
            listed = select(deal.c.id) if shown is None else select(deal.c.id).where(shown)
            assert {row[0] for row in conn.execute(listed)} == wanted, sight
            about = of_seen_card(task.c.deal_id, sight)
            tasks = select(task.c.deal_id) if about is None else select(task.c.deal_id).where(about)
            assert {row[0] for row in conn.execute(tasks)} == wanted, sight
            for pipeline in ids:
                inner = seen_in(sight, pipeline)
                own = select(deal.c.id).where(deal.c.pipeline_id == pipeline, *(() if inner is None else (inner,)))
                assert {row[0] for row in conn.execute(own)} == {
                    card.id for card in cards if card.pipeline_id == pipeline and sight.sees(card)
                }

    await world.store.database.read(compare, at_length=True)


def access_of(world: World, conn: Connection, login: str) -> Access:
    user = User(0, login, login, Role.MANAGER)
    return world.store.access(conn, user)


async def test_people_meet_only_what_they_see(world: World) -> None:
    cards = await filled(world, {"reach": {"manager": "own"}})
    theirs = {card.id for card in cards if card.manager == IVAN}
    other = next(card for card in cards if card.manager == OLGA)

    def listed(conn: Connection) -> set[int]:
        access = access_of(world, conn, IVAN)
        with pytest.raises(NotFound):
            deal_card(conn, access, other.id)
        found = {each.deal.id for each in list_deals(conn, access, DealFilter(), Slice()).items}
        for pipeline in world.store.catalogue(conn).pipelines:
            if pipeline.id in {card.pipeline_id for card in cards}:
                columns = boards.board(conn, access, pipeline, BoardFilter(), BoardOrder.UPDATED, limit=20)
                assert [each.count for each in columns] == [1]
        return found

    assert await world.store.read(listed) == theirs

    def moved(desk: Desk) -> None:
        desk.work.author = IVAN
        deals.move(desk, other.id, "New")

    with pytest.raises(NotFound):
        await world.store.run(moved)


async def test_a_file_of_what_tells_of_a_card_is_seen_by_those_who_see_the_card_or_did_it(world: World) -> None:
    cards = await filled(world, {"reach": {"manager": "own"}})
    of = {login: next(card for card in cards if card.manager == login) for login in (IVAN, OLGA)}

    def told(desk: Desk) -> dict[tuple[str, EntryKind], int]:
        client, found = ContactRecord(desk.work.next_id(), "Анна", START, START, "анна"), {}
        desk.work.put(client)

        def tell(kind: EntryKind, card: DealRecord, login: str) -> None:
            entry = EntryRecord(
                id=desk.work.next_id(),
                seq=0,
                contact_id=client.id,
                kind=kind,
                direction=Direction.IN,
                occurred_at=START,
                sequence=0,
                recorded_at=START,
                deal_id=card.id,
                author=login,
            )
            file = AttachmentRecord(desk.work.next_id(), entry.id, 0, "a.txt", "text/plain", FileState.PENDING)
            desk.work.put(entry)
            desk.work.put(file)
            found[login, kind] = file.id

        for kind, (login, card) in product((EntryKind.NOTE, EntryKind.MESSAGE), of.items()):
            tell(kind, card, login)
        for login in (IVAN, PETR):  # each has done a task about the card of another
            task_id, done = desk.work.next_id(), TaskState.DONE
            ended = TaskRecord(task_id, "Measure", done, START, START, "rule", login, done_at=START, done_by=login)
            desk.work.put(ended._replace(contact_id=client.id, deal_id=of[OLGA].id))
            tell(EntryKind.TASK, of[OLGA], login)
        return found

    ids = await world.store.run(told)

    def seen(conn: Connection, file: int) -> bool:
        try:
            return one_attachment(conn, access_of(world, conn, IVAN), file).id == file
        except NotFound:
            return False

    found = await world.store.read(lambda conn: {key for key, file in ids.items() if seen(conn, file)})
    assert set(ids) - found == {(OLGA, EntryKind.NOTE), (PETR, EntryKind.TASK)}


async def test_a_deletion_reaches_as_far_as_its_right(world: World) -> None:
    cards = await filled(world)
    body = RoleBody.model_validate({"rights": {"delete": "own"}})
    await world.store.run(lambda desk: defining.add(desk, Section.ROLE, "manager", body, "root"))

    def delete(desk: Desk, card: DealRecord) -> None:
        desk.acts_for(User(0, IVAN, IVAN, Role.MANAGER), "127.0.0.1")
        deals.put_away(desk, card.id)

    own, other = (next(card for card in cards if card.manager == login) for login in (IVAN, OLGA))
    await world.store.run(lambda desk: delete(desk, own))
    with pytest.raises(Forbidden):
        await world.store.run(lambda desk: delete(desk, other))
    noted = await world.rows("access_log", what="deleted.deal")
    assert [(row.login, row.subject_id, row.remote) for row in noted] == [(IVAN, own.id, "127.0.0.1")]


async def test_nobody_gives_themselves_a_wider_role(world: World) -> None:
    body = RoleBody.model_validate({"rights": {"delete": "all"}})

    def add(desk: Desk) -> None:
        desk.acts_for(User(0, "head", "Head", Role.HEAD))
        assert desk.access is not None
        assert desk.access.may(Right.CONFIGURE)
        defining.add(desk, Section.ROLE, "head", body, "head")

    with pytest.raises(Forbidden):
        await world.store.run(add)


def test_a_pipeline_names_no_reach_of_nothing() -> None:
    with pytest.raises(ValueError, match=r"reach\.manager"):
        PipelineSettings.model_validate({"reach": {"manager": "none"}})


@pytest.mark.parametrize("reach", [Reach.OWN, Reach.GROUP])
async def test_the_board_and_the_list_are_led_by_an_index(world: World, reach: Reach) -> None:
    await filled(world, {"reach": {"manager": reach.value}})
    plans: list[str] = []

    def explain(conn: Connection) -> None:
        sqlite = conn.dialect.name == "sqlite"
        if not sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")  # small tables are read whole otherwise
        sight = access_of(world, conn, IVAN).sight
        # Only what is to be seen: pipelines that other tests' worlds make by themselves are seen whole.
        sight = Sight(sight.people, own=sight.own, group=sight.group)
        pipeline = next(iter(sight.own | sight.group))
        board, listed = seen_in(sight, pipeline), seen_card(sight)
        assert board is not None
        assert listed is not None
        alive = (deal.c.deleted_at.is_(None),)
        for statement in (
            select(deal).where(deal.c.pipeline_id == pipeline, deal.c.closed_at.is_(None), *alive, board),
            select(deal).where(*alive, deal.c.type == "deal", listed).order_by(deal.c.id.desc()).limit(101),
        ):
            text = str(statement.compile(conn, compile_kwargs={"literal_binds": True}))
            prefix = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plans.append("\n".join(str(row[-1]) for row in conn.exec_driver_sql(prefix + text)))

    await world.store.database.read(explain, at_length=True)
    for plan in plans:
        assert "Seq Scan" not in plan
        assert "SCAN deal" not in plan or "USING INDEX" in plan, plan
