"""Grades follow the fields, in the column and in the title, and cost nothing where nothing is graded."""

from __future__ import annotations

from typing import Any

from crm_core.model.definitions import ScoringBody, Section
from crm_core.model.records import LeadRecord
from crm_core.services import defining
from crm_core.services.clients.contacts import ContactChange, change, create
from crm_core.services.desk import Desk
from tests.integration.storage.world import World, at, form, message

LETTERS = {"да": "А", "нет": "В"}
BANT = {
    "of": "lead",
    "parts": [{"field": name, "letters": LETTERS} for name in ("budget", "need", "term")],
}


async def graded(world: World, **grade: Any) -> None:
    """How something is graded."""
    body = ScoringBody.model_validate({"grade": grade})
    name = f"{grade['of']}"
    await world.store.run(lambda desk: defining.add(desk, Section.SCORING, name, body, "head"))


async def set_fields(world: World, lead_id: int, **fields: Any) -> None:
    """Somebody fills in fields of a lead."""

    def put(desk: Desk) -> None:
        lead, _ = desk.work.owned(LeadRecord, lead_id)
        desk.work.put(lead._replace(fields={**lead.fields, **fields}))

    await world.store.run(put)


async def test_a_lead_gets_its_grade_with_the_last_answer(world: World) -> None:
    await graded(world, **BANT)
    await world.take(message(1, "m", at(0)))
    lead = await world.row("lead")
    title = lead.title
    await set_fields(world, lead.id, budget="да", need="да")
    assert (await world.row("lead")).grade is None
    await set_fields(world, lead.id, term="нет")
    lead = await world.row("lead")
    assert (lead.grade, lead.title) == ("ААВ", f"[ААВ] {title}")
    await set_fields(world, lead.id, term="да")
    lead = await world.row("lead")
    assert (lead.grade, lead.title) == ("ААА", f"[ААА] {title}")
    await set_fields(world, lead.id, term=None)
    lead = await world.row("lead")
    assert (lead.grade, lead.title) == (None, title)
    changes = [each.changes for each in await world.rows("change", kind="lead")]
    assert ["grade", "ААВ", "ААА"] in changes[-2]


async def test_the_answers_of_a_form_make_the_grade(world: World) -> None:
    await graded(world, **BANT)
    fields = (("budget", "да"), ("need", "да"), ("term", "да"))
    await world.take(form(at(0), name="Анна", phone="+79161234567", fields=fields))
    lead = await world.row("lead")
    assert lead.grade == "ААА"
    assert lead.title.startswith("[ААА] ")


async def test_a_grade_by_hand_stays_as_long_as_the_fields_give_none(world: World) -> None:
    await graded(world, **BANT)
    await world.take(message(1, "m", at(0)))
    lead = await world.row("lead")

    def by_hand(desk: Desk) -> None:
        found, _ = desk.work.owned(LeadRecord, lead.id)
        desk.work.put(found._replace(grade="ВВВ"))

    await world.store.run(by_hand)
    await set_fields(world, lead.id, colour="красный")
    found = await world.row("lead")
    assert (found.grade, found.title) == ("ВВВ", f"[ВВВ] {lead.title}")


async def test_a_formula_and_a_client_without_a_column(world: World) -> None:
    formula = "contact.city == 'Москва' ? 'A' : 'B'"
    await graded(world, of="contact", formula=formula, into="class")
    contact, _ = await world.store.run(lambda desk: create(desk, ContactChange(name="Анна", city="Москва")))
    assert (await world.row("contact")).fields == {"class": "A"}
    await world.store.run(lambda desk: change(desk, contact.id, ContactChange(city="Тверь")))
    row = await world.row("contact")
    assert (row.fields, row.name) == ({"class": "B"}, "Анна")
