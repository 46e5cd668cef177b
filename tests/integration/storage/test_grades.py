"""Grades follow the fields, in the column and in the title, and cost nothing where nothing is graded."""

from __future__ import annotations

from typing import Any

import pytest

from crm_core.model.definitions import ScoringBody, Section
from crm_core.model.records import LeadRecord
from crm_core.services import defining
from crm_core.services.clients.contacts import ContactChange, change, create
from crm_core.services.custom import rechecking
from crm_core.services.desk import Desk
from tests.integration.storage.test_field_changes import settle
from tests.integration.storage.world import World, at, form, message
from tests.statements import statements

LETTERS = {"да": "А", "нет": "В"}
BANT: dict[str, Any] = {
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


async def regraded(world: World, **grade: Any) -> int:
    """The scoring of leads is changed, and whoever was there is graded anew; how many slices it took."""
    definition = await world.row("definition", section="scoring")
    body = ScoringBody.model_validate({"grade": {**BANT, **grade}})
    await world.store.run(lambda desk: defining.change(desk, Section.SCORING, definition.id, "head", body=body))
    return await settle(world)


async def test_who_is_there_is_graded_anew_slice_by_slice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rechecking, "CHUNK", 2)
    for number in range(1, 6):
        await world.take(message(number, f"m{number}", at(number)))
    leads = await world.rows("lead")
    for lead in leads[:4]:
        await set_fields(world, lead.id, budget="да", need="да", term="нет")
    await set_fields(world, leads[4].id, budget="да")
    await graded(world, **BANT)  # those who came before it are graded, too
    assert await settle(world) == 3
    found = await world.rows("lead")
    assert [each.grade for each in found] == ["ААВ"] * 4 + [None]
    assert found[0].title == f"[ААВ] {leads[0].title}"
    history = await world.rows("change", subject_id=leads[0].id)
    assert history[-1].author == "scoring:lead"

    # Other letters: other grades, in the title, too; an answer that is not known has a letter now.
    parts = [{"field": name, "letters": {"да": "1", "нет": "3"}} for name in ("budget", "need", "term")]
    await regraded(world, parts=parts, unknown="0")
    found = await world.rows("lead")
    assert [each.grade for each in found] == ["113"] * 4 + ["100"]
    assert found[0].title == f"[113] {leads[0].title}"
    check = await world.row("field_check")
    assert (check.state, check.looked, check.changed, check.was["of"]) == ("done", 5, 5, "lead")
    versions = [each.version for each in found]

    # The same once more changes nothing.
    await regraded(world, parts=parts, unknown="0", in_title=True)
    assert [each.version for each in await world.rows("lead")] == versions


async def test_titles_that_keep_no_grade_any_more_lose_the_old_one(world: World) -> None:
    await graded(world, **BANT)
    await settle(world)
    await world.take(message(1, "m", at(0)))
    lead = await world.row("lead")
    await set_fields(world, lead.id, budget="да", need="да", term="да")
    assert (await world.row("lead")).title == f"[ААА] {lead.title}"
    await regraded(world, in_title=False)
    found = await world.row("lead")
    assert (found.grade, found.title) == ("ААА", lead.title)
    await regraded(world, in_title=True)
    assert (await world.row("lead")).title == f"[ААА] {lead.title}"


async def test_a_grade_goes_with_the_definition_that_gave_it_and_stays_where_a_person_did(world: World) -> None:
    await graded(world, **BANT)
    await settle(world)
    for number in (1, 2):
        await world.take(message(number, f"m{number}", at(number)))
    by_fields, by_hand = await world.rows("lead")
    await set_fields(world, by_fields.id, budget="да", need="да", term="да")

    def put(desk: Desk) -> None:
        found, _ = desk.work.owned(LeadRecord, by_hand.id)
        desk.work.put(found._replace(grade="ВВВ"))

    await world.store.run(put)
    more = [*BANT["parts"], {"field": "authority", "letters": LETTERS}]
    await regraded(world, parts=more)
    first, second = await world.rows("lead")
    assert (first.grade, first.title) == (None, by_fields.title)
    assert second.grade == "ВВВ"
    definition = await world.row("definition", section="scoring")
    await world.store.run(lambda desk: defining.put_away(desk, Section.SCORING, definition.id, "head"))
    assert await settle(world) == 0
    assert (await world.rows("lead"))[1].grade == "ВВВ"


async def test_a_formula_is_worked_out_for_many_with_the_same_statements(world: World) -> None:
    await graded(world, of="lead", formula="contact.name == '' ? 'B' : 'A'")
    await settle(world)
    for number in range(1, 4):
        await world.take(message(number, f"m{number}", at(number)))
    definition = await world.row("definition", section="scoring")

    async def cost(formula: str) -> int:
        body = ScoringBody.model_validate({"grade": {"of": "lead", "formula": formula}})
        await world.store.run(lambda desk: defining.change(desk, Section.SCORING, definition.id, "head", body=body))
        with statements(world.store) as seen:
            await settle(world)
        return len(seen)

    few = await cost("contact.name == '' ? 'B' : 'C'")
    for number in range(4, 30):
        await world.take(message(number, f"m{number}", at(number)))
    assert await cost("contact.name == '' ? 'B' : 'D'") == few
    assert {each.grade for each in await world.rows("lead")} == {"D"}
