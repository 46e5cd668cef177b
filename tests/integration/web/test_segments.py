"""Segments as rows of a form: what is typed becomes a filter, what rows can't say stays text, and who is in one."""

from __future__ import annotations

import json
from typing import Any

from crm_core.model.definitions import Catalogue, Section, SegmentBody
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.acts.pipeline_keeping import NewStage, create_pipeline
from crm_core.services.desk import Desk
from crm_core.services.letters.broadcasts import audience
from hub.web.office.segments import _fields, filter_of_rows, rows_of
from tests.integration.web.conftest import Workspace

_NEW = "/office/segments/new"


async def kept(workspace: Workspace) -> Any:
    """The filter of the last segment."""
    body = await workspace.scalar("SELECT body FROM definition WHERE section = 'segment' ORDER BY id DESC")
    known: Any = json.loads(body) if isinstance(body, str) else body
    return known["filter"]


async def test_rows_become_a_filter_and_come_back(workspace: Workspace) -> None:
    browser = await workspace.visitor("mila", Role.MARKETER)
    await workspace.write("Здравствуйте", client=3001, name="Анна", number="1")
    await workspace.write("Здравствуйте", client=3002, name="Пётр", number="2")
    rows = {
        "row.0.field": "name",
        "row.0.op": "contains",
        "row.0.value": "анн",
        "row.1.field": "",
        "row.1.op": "=",
        "row.1.value": "ничего",
        "row.2.field": "status",
        "row.2.op": "in",
        "row.2.value": "новый, ушедший",
        "row.3.field": "city",
        "row.3.op": "empty",
        "row.3.value": "",
    }
    response = await browser.send(_NEW, page=_NEW, name="Кто", of="contact", act="save", **rows)
    assert response.status == 303, await response.text()
    assert await kept(workspace) == {
        "all": [
            {"field": "name", "op": "contains", "value": "анн"},
            {"field": "status", "op": "in", "value": ["новый", "ушедший"]},
            {"field": "city", "op": "empty", "value": "да"},
        ]
    }
    one = await workspace.scalar("SELECT id FROM definition WHERE section = 'segment'")
    page = await browser.get(f"/office/segments/{one}")
    assert 'value="новый, ушедший"' in page
    assert 'name="row.4.field"' in page


async def test_who_is_in_it_is_shown_and_nothing_is_kept(workspace: Workspace) -> None:
    browser = await workspace.visitor("mila", Role.MARKETER)
    await workspace.write("Здравствуйте", client=3001, name="Анна", number="1")
    await workspace.write("Здравствуйте", client=3002, name="Пётр", number="2")
    rows = {"row.0.field": "name", "row.0.op": "contains", "row.0.value": "анн"}
    response = await browser.send(_NEW, page=_NEW, name="Кто", of="contact", act="who", **rows)
    text = await response.text()
    assert response.status == 200
    assert "В нём сейчас 1 клиент" in text
    assert "Анна" in text
    assert "Пётр" not in text
    assert await workspace.scalar("SELECT count(*) FROM definition WHERE section = 'segment'") == 0
    wrong = await browser.send(
        _NEW, page=_NEW, name="Кто", act="save", **(rows | {"row.0.op": ">", "row.0.field": "q"})
    )
    assert wrong.status == 400


async def test_a_filter_that_says_more_stays_text(workspace: Workspace) -> None:
    browser = await workspace.visitor("mila", Role.MARKETER)
    said = {"any": [{"field": "city", "value": "Омск"}, {"field": "city", "op": "empty"}]}
    body = SegmentBody.model_validate({"filter": said})
    await workspace.hub.store.run(lambda desk: defining.add(desk, Section.SEGMENT, "Два", body, "root"))
    one = await workspace.scalar("SELECT id FROM definition WHERE section = 'segment'")
    page = await browser.get(f"/office/segments/{one}")
    assert 'name="filter"' in page
    assert 'name="row.0.field"' not in page


def test_what_rows_say_is_said_back() -> None:
    flat = {"all": [{"field": "city", "op": "=", "value": "Омск"}, {"field": "deals", "op": "any", "value": {}}]}
    assert rows_of(flat) is None
    assert rows_of(None) == rows_of({}) == []
    rows = rows_of({"field": "fields.consent", "value": True})
    assert rows is not None
    assert [each.field for each in rows] == ["fields.consent"]
    assert rows_of({"not": {"field": "city", "value": "Омск"}}) is None
    assert rows_of({"all": [{"field": "city", "op": "in", "value": ["а, б"]}]}) is None
    once = rows_of({"all": flat["all"][:1]})
    assert once is not None
    assert filter_of_rows(once) == {"all": flat["all"][:1]}


async def test_every_field_that_is_offered_can_be_filtered_by(workspace: Workspace) -> None:
    await workspace.hub.store.run(lambda desk: create_pipeline(desk, "Продажи", stages=[NewStage("Новая")]))
    catalogue: Catalogue = await workspace.hub.store.look(lambda desk: desk.catalogue)
    pipeline = next(iter(catalogue.pipelines))
    values = {
        "pipeline": pipeline.name,
        "stage": pipeline.in_use[0].name,
        "state": "open",
        "open_case": "да",
        "open_task": "нет",
        **dict.fromkeys(("amount", "client.orders", "client.revenue"), "1"),
    }
    for of in ("contact", "lead", "deal"):
        for each in _fields(catalogue, of):
            value = "new" if (of, each.value) == ("lead", "status") else values.get(each.value, "today")
            found = filter_of_rows(rows_of({"field": each.value, "value": value}) or [])
            body = SegmentBody.model_validate({"of": of, "filter": found})

            def look(desk: Desk, body: SegmentBody = body) -> list[int]:
                return audience(desk, body)

            assert await workspace.hub.store.look(look) == [], each
