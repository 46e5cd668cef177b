"""Cards asked for by custom fields that are in no index, each by its type, among a bounded number of cards."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from crm_core.model.definitions.fields import FieldBody, FieldType
from crm_core.storage.queries.workspace import unindexed
from tests.integration.web.conftest import Browser, Workspace
from tests.integration.web.test_board import card, declare, pipeline_of

FIELDS = (
    FieldBody(of="deal", key="size", title="Ширина", type=FieldType.NUMBER),
    FieldBody(of="deal", key="note", title="Пожелание"),
    FieldBody(of="deal", key="colour", title="Цвет", type=FieldType.LIST, options=["Белый", "Дуб"]),
    FieldBody(of="deal", key="extras", title="Добавки", type=FieldType.MULTI, options=["Сетка", "Отлив"]),
    FieldBody(of="deal", key="lift", title="Лифт", type=FieldType.FLAG),
    FieldBody(of="deal", key="measured", title="Замерено", type=FieldType.DATE),
    FieldBody(of="deal", key="budget", title="Бюджет", type=FieldType.MONEY),
)
WIDE = {"size": "140", "note": "Тёмный ДУБ", "colour": "Дуб", "extras": ["Сетка", "Отлив"], "lift": "да"}
SLIM = {"size": "60", "note": "как у соседа", "colour": "Белый", "extras": ["Отлив"], "lift": "нет"}


async def office(workspace: Workspace) -> tuple[Browser, str]:
    """Two cards that differ in every field, and one without any; the address of their board."""
    browser = await workspace.visitor()
    sales = await pipeline_of(workspace)
    for body in FIELDS:
        await declare(workspace, body)
    await card(workspace, sales, "Широкая", fields={**WIDE, "measured": "2026-03-01", "budget": "90 000"})
    await card(workspace, sales, "Узкая", fields={**SLIM, "measured": "2026-02-01", "budget": "30 000"})
    await card(workspace, sales, "Пустая")
    return browser, f"/deals/board/{sales.id}"


@pytest.mark.parametrize(
    "asked",
    [
        {"f.size.from": "100"},
        {"f.size.from": "100", "f.size.to": "200,5"},
        {"f.note": "дуб"},
        {"f.colour": "Дуб"},
        {"f.extras": "Сетка"},
        {"f.lift": "да"},
        {"f.measured.from": "2026-02-15"},
        {"f.budget.from": "50 000"},
        {"f.colour": "Дуб", "q": "Широкая"},
    ],
)
async def test_each_type_is_asked_for_in_its_own_way(workspace: Workspace, asked: dict[str, str]) -> None:
    browser, board = await office(workspace)
    for where in (board, "/deals/list"):
        page = await browser.get(f"{where}?{urlencode(asked)}")
        assert "Широкая" in page, where
        assert ">Узкая" not in page, where
        assert ">Пустая" not in page, where
        assert f'name="{next(iter(asked))}"' in page, "it stands in the form"
        assert "первые" not in page


async def test_what_makes_no_sense_is_said(workspace: Workspace) -> None:
    browser, board = await office(workspace)
    assert "Фильтр составлен неверно" in await browser.get(f"{board}?f.size.from=широко")
    assert "Пустая" in await browser.get(f"{board}?f.size.from=широко")


async def test_no_more_is_read_than_the_bound_and_that_is_said(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, board = await office(workspace)
    monkeypatch.setattr(unindexed, "MOST_READ", 2)
    page = await browser.get(f"{board}?{urlencode({'f.colour': 'Дуб'})}")
    assert ">Широкая" not in page, "the oldest was not read"
    assert "среди 5000 новейших" in page
    page = await browser.get(f"{board}?{urlencode({'f.colour': 'Дуб', 'q': 'Широкая'})}")
    assert "Широкая" in page, "what an index answers comes first"
    assert "среди 5000 новейших" not in page


async def test_a_table_that_goes_out_is_of_the_same_cards(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, board = await office(workspace)
    asked = urlencode({"f.colour": "Дуб", "pipeline": board.rpartition("/")[2]})
    table = await browser.get(f"/deals/export?{asked}")
    assert "Широкая" in table
    assert "Узкая" not in table
    assert "Пустая" not in table
    monkeypatch.setattr(unindexed, "MOST_READ", 2)
    await browser.get(f"/deals/export?{asked}", status=400)
