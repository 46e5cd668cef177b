"""A lead on the client's card becomes a deal where somebody chooses."""

from __future__ import annotations

from crm_core.model.user import Role
from tests.integration.web.conftest import Workspace
from tests.integration.web.test_board import pipeline_of, stage_id


async def test_a_lead_becomes_a_deal_on_the_stage_that_is_chosen(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    first, second = await pipeline_of(workspace), await pipeline_of(workspace, "Опт")
    client = await workspace.write("Хочу купить")
    lead = await workspace.scalar("SELECT id FROM lead")
    where, chosen = f"/contacts/{client}", stage_id(second, "Предложение")
    page = await browser.get(where)
    for pipeline in (first, second):
        assert f'<option value="{stage_id(pipeline, "Предложение")}">{pipeline.name}: Предложение' in page
    assert f'<option value="{stage_id(first, "Оплачена")}"' not in page, "a deal is not won from the start"
    convert = f"{where}/leads/{lead}/convert"
    await browser.send(convert, page=where, stage="999999")
    assert "Такого этапа уже нет" in await browser.get(where)
    await browser.send(convert, page=where, stage=str(chosen), title="  Окна   на Ленина ")
    assert await workspace.scalar("SELECT stage_id FROM deal") == chosen
    assert await workspace.scalar("SELECT title FROM deal") == "Окна на Ленина"
    assert await workspace.scalar("SELECT status FROM lead") == "converted"


async def test_without_a_choice_it_is_the_first_stage(workspace: Workspace) -> None:
    browser = await workspace.visitor("ivan", Role.MANAGER)
    first = await pipeline_of(workspace)
    client = await workspace.write("Хочу купить")
    lead = await workspace.scalar("SELECT id FROM lead")
    where = f"/contacts/{client}"
    await browser.send(f"{where}/leads/{lead}/convert", page=where)
    assert await workspace.scalar("SELECT stage_id FROM deal") == stage_id(first, "Новая")
