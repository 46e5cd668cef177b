"""Whatever belongs to a client follows them in a merge, table by table, and comes back when it is undone."""

from __future__ import annotations

from typing import Any

from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord, RunOutcome
from crm_core.model.conversation import ThreadRecord
from crm_core.model.definitions import FieldBody, Section
from crm_core.model.exchange import DocumentRecord, ExternalRefRecord
from crm_core.model.outreach import BroadcastRecord, BroadcastState, OptOutRecord, RecipientRecord, RecipientState
from crm_core.model.records import DealRecord, PipelineRecord, StageRecord
from crm_core.model.selling import (
    ClientScoreRecord,
    LinkRecord,
    NeedRecord,
    PaymentKind,
    PaymentRecord,
    SaleRecord,
)
from crm_core.model.task import TaskRecord, TaskState
from crm_core.services import defining
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.services.desk import Desk
from crm_core.services.duplicates import merging
from crm_core.storage import tables
from tests.integration.storage.world import Rows, World, at, left_by_merges, missed

# What says who looked at whom, or why a call was led where, stays as it was written down. The rest is followed.
_WRITTEN_DOWN = {"access_log", "route_decision"}
# Pairs of contacts are joined by a rule of their own, see test_suggestions; numbers of one call are those of a call.
_APART = {"suggestion", "callback", "dial"}
CLIENT = "tel:+79161234567"
_PASSING = {"updated_at", "version", "seq"}


async def _fill(world: World) -> tuple[int, int]:
    """Two clients; the second has something in every table. The survivor and the absorbed one."""

    def declare(desk: Desk) -> None:
        passport = FieldBody(of="contact", key="passport", title="Паспорт", unique=True, indexed=True)
        defining.add(desk, Section.FIELD, "contact.passport", passport, "head")

    def service(desk: Desk) -> tuple[int, int]:
        survivor, _ = create(desk, ContactChange(name="Анна", tags=["опт"]))
        absorbed = desk.work.contacts_by_identity([CLIENT])[CLIENT]
        desk.work.put(absorbed._replace(fields={"passport": "4510 123456"}))
        number, now, of = desk.work.next_id, desk.now, absorbed.id
        pipeline = PipelineRecord(number(), "Продажи")
        stage = StageRecord(number(), pipeline.id, "Новая", 0)
        deal = DealRecord(number(), of, pipeline.id, stage.id, "Окна", now, now, now)
        other = DealRecord(number(), survivor.id, pipeline.id, stage.id, "Двери", now, now, now)
        broadcast = BroadcastRecord(number(), "Весна", "все", "", BroadcastState.RUNNING, now, "ivan")
        rows: list[tuple[Any, ...]] = [
            *(pipeline, stage, deal, other, broadcast),
            TaskRecord(number(), "Позвонить", TaskState.OPEN, now, now, "ivan", contact_id=of),
            PaymentRecord(number(), deal.id, of, PaymentKind.RECEIVED, 100, "RUB", now, "ivan", at=now),
            SaleRecord(number(), "1c:1", of, None, None, "Окно", 1000, 100, "RUB", now, now),
            ClientScoreRecord(of, "постоянный", 1, 100, now),
            NeedRecord(number(), of, None, "Окно", 1000, 30, "2026-04-01", 50, now),
            DocumentRecord(number(), "Договор", 1, "Договор 1", now, "ivan", "1.pdf", "text/plain", 1, "0" * 64, of),
            LinkRecord(number(), "deal", other.id, "contact", of, "ЛПР", now, "ivan"),
            ChainRunRecord(number(), "Знакомство", of, None, ChainState.RUNNING, 0, now),
            ThreadRecord(number(), "email", "box", of, "Окна", now),
            OptOutRecord(CLIENT, of, now, "stop"),
            RecipientRecord(f"{broadcast.id}:{of}", broadcast.id, of, RecipientState.WAITING),
            RuleRunRecord(f"1:contact:{of}:once", "Тег", "contact", of, of, now, RunOutcome.DONE, "created"),
            RuleRunRecord(f"1:deal:{deal.id}:once", "Тег", "deal", deal.id, of, now, RunOutcome.DONE, "created"),
            ExternalRefRecord("contact:crm:5", "contact", of, now),
            ExternalRefRecord("contact:1c:6", "contact", of, now),
            ExternalRefRecord("contact:1c:7", "contact", survivor.id, now),
        ]
        for row in rows:
            desk.work.put(row)
        return survivor.id, of

    await world.take(missed("c1", CLIENT.removeprefix("tel:"), at(100)))
    await world.store.run(declare)
    return await world.store.run(service)


def _owned() -> list[str]:
    return sorted(name for name, table in tables.metadata.tables.items() if "contact_id" in table.c)


async def _dump(world: World) -> Rows:
    names = (*_owned(), "link", "external_ref", "field_value", "contact")
    return await left_by_merges(world, names, _PASSING)


async def test_every_table_that_names_a_client_is_followed(world: World) -> None:
    survivor, absorbed = await _fill(world)
    before = await _dump(world)
    filled = {name for name in _owned() if any(row["contact_id"] == absorbed for row in before[name])}
    owned = set(_owned()) - _WRITTEN_DOWN - _APART
    assert owned == filled, "fill it in above, and let it follow"

    def join(desk: Desk) -> None:
        both = desk.work.contacts([survivor, absorbed])
        merging.merge(desk, both[survivor], both[absorbed], "by hand", "ivan")

    await world.store.run(join)
    after = await _dump(world)
    left = {name for name in owned if any(row["contact_id"] == absorbed for row in after[name])}
    # Broadcasts know to whom they went (see test_broadcasts); cases and leads that ended with the merge are kept.
    assert left <= {"broadcast_recipient", "contact_case", "lead"}, left
    traces = {(row["kind"], row["subject_id"], row["contact_id"]) for row in after["rule_run"]}
    deal = next(row["id"] for row in before["deal"] if row["contact_id"] == absorbed)
    assert traces == {("contact", survivor, survivor), ("deal", deal, survivor)}
    known = {row["key"]: row["subject_id"] for row in after["external_ref"]}
    assert known == {"contact:crm:5": survivor, "contact:1c:6": absorbed, "contact:1c:7": survivor}
    assert [row["subject_id"] for row in after["field_value"]] == [survivor]
    assert [row["to_id"] for row in after["link"]] == [survivor]

    await world.store.run(lambda desk: merging.unmerge(desk, survivor, "ivan"))
    restored = await _dump(world)
    for name, rows in before.items():
        assert restored[name] == rows, name


async def test_what_came_since_stays_with_the_survivor(world: World) -> None:
    survivor, absorbed = await _fill(world)

    def join(desk: Desk) -> None:
        both = desk.work.contacts([survivor, absorbed])
        merging.merge(desk, both[survivor], both[absorbed], "by hand", "ivan")

    await world.store.run(join)

    def since(desk: Desk) -> None:
        trace = RuleRunRecord("2:x", "Иное", "contact", survivor, survivor, desk.now, RunOutcome.DONE, "created")
        desk.work.put(trace)
        desk.work.put(ExternalRefRecord("contact:vk:1", "contact", survivor, desk.now))

    await world.store.run(since)
    await world.store.run(lambda desk: merging.unmerge(desk, survivor, "ivan"))
    assert (await world.row("rule_run", key="2:x")).subject_id == survivor
    assert (await world.row("external_ref", key="contact:vk:1")).subject_id == survivor
