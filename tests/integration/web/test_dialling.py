"""Dial lists on pages: filled with a segment, rung one after another, each client by one person."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from crm_core.model.definitions import Pipeline, PipelineSettings, Section, SegmentBody
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.records import StageKind
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.acts.pipeline_keeping import NewStage, PipelineChange, change_pipeline, create_pipeline
from crm_core.services.clients.contacts import ContactChange, create
from tests.integration.web.conftest import Browser, Workspace

STAGES = (
    NewStage("К обзвону"),
    NewStage("Недозвон"),
    NewStage("Встреча", StageKind.WON),
    NewStage("Не интересно", StageKind.LOST),
)


async def furnished(workspace: Workspace, clients: int) -> Pipeline:
    """A dial list with nobody on it, a segment of everybody, and so many clients with a telephone."""
    settings = PipelineSettings(dial_list=True, goal="Назначить встречу", loss_reasons=["дорого"])
    found = await workspace.hub.store.run(lambda desk: create_pipeline(desk, "Обзвон", STAGES, settings))
    await workspace.hub.store.run(lambda desk: defining.add(desk, Section.SEGMENT, "Все", SegmentBody(), "root"))
    for number in range(clients):
        given = ContactChange(name=f"Клиент {number}", identities=(Identity(IdentityKind.TEL, f"+7495123450{number}"),))
        await workspace.hub.store.run(partial(create, given=given))
    return found


async def next_of(browser: Browser, pipeline: Pipeline) -> str:
    """Where the next client is."""
    response = await browser.send(f"/dialling/{pipeline.id}/next", page="/dialling")
    assert response.status == 303
    return response.headers["Location"]


async def test_a_list_is_filled_once_and_rung_one_after_another(workspace: Workspace) -> None:
    pipeline = await furnished(workspace, 2)
    mila = await workspace.visitor("mila", Role.MARKETER)
    for _press in range(2):
        await mila.send(f"/dialling/{pipeline.id}/fill", page="/dialling", segment="Все")
    assert await workspace.scalar("SELECT count(*) FROM deal") == 2
    await mila.send(f"/dialling/{pipeline.id}/fill", page="/dialling", segment="Нет такого")
    assert "Выберите сегмент" in await mila.get("/dialling")
    refused = await mila.send(f"/dialling/{pipeline.id}/next", page="/dialling")
    assert refused.status == 403

    ivan = await workspace.visitor("ivan", Role.MANAGER)
    where = await next_of(ivan, pipeline)
    assert await next_of(ivan, pipeline) == where  # it is theirs already
    olga = await workspace.visitor("olga", Role.MANAGER)
    others = await next_of(olga, pipeline)
    assert others not in {where, "/dialling"}
    page = await ivan.get(where)
    assert "Клиент 0" in page
    assert "Назначить встречу" in page
    version = str(await workspace.scalar(f"SELECT version FROM deal WHERE id = {where.rpartition('/')[2]}"))
    assert f'name="version" value="{version}"' in page
    fields = {"outcome": str(pipeline.in_use[2].id), "note": "Ждёт в среду", "then": "next", "version": version}
    response = await ivan.send(where, page=where, **fields)
    assert response.status == 303
    assert response.headers["Location"] == "/dialling"
    page = await ivan.get("/dialling")
    assert "Встреча: 1" in page


async def test_what_is_refused_keeps_what_was_typed(workspace: Workspace) -> None:
    pipeline = await furnished(workspace, 1)
    boss = await workspace.visitor("boss", Role.HEAD)
    await boss.send(f"/dialling/{pipeline.id}/fill", page="/dialling", segment="Все")
    where = await next_of(boss, pipeline)
    for fields in (
        {"outcome": "again", "again_at": ""},
        {"outcome": "again", "again_at": "вчера"},
        {"outcome": str(pipeline.in_use[3].id)},  # lost, and no reason
        {"outcome": ""},
    ):
        response = await boss.send(where, page=where, note="Просил не забыть", **fields)
        assert response.status in {400, 409}, fields
        assert "Просил не забыть" in await response.text()
    assert await workspace.scalar("SELECT count(*) FROM timeline WHERE text = 'Просил не забыть'") == 0
    day = (workspace.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT12:00")
    response = await boss.send(where, page=where, outcome="again", again_at=day, then="next")
    assert response.status == 303
    assert response.headers["Location"] == "/dialling"
    page = " ".join((await boss.get("/dialling")).split())
    assert "<b>1</b>отложены на потом" in page
    assert await next_of(boss, pipeline) == "/dialling"


async def test_an_outcome_that_is_sent_twice_is_noted_once(workspace: Workspace) -> None:
    pipeline = await furnished(workspace, 1)
    boss = await workspace.visitor("boss", Role.HEAD)
    await boss.send(f"/dialling/{pipeline.id}/fill", page="/dialling", segment="Все")
    where = await next_of(boss, pipeline)
    token = await boss.token(where)
    version = str(await workspace.scalar("SELECT version FROM deal"))
    fields = {"outcome": str(pipeline.in_use[1].id), "note": "Не берёт трубку", "version": version}
    both = await asyncio.gather(*(boss.send(where, page="", csrf=token, **fields) for _press in range(2)))
    assert sorted(each.status for each in both) == [303, 409]
    assert await workspace.scalar("SELECT count(*) FROM timeline WHERE text = 'Не берёт трубку'") == 1


async def test_an_office_without_dial_lists_is_told_how_to_make_one(workspace: Workspace) -> None:
    browser = await workspace.visitor()
    assert "Обзвонов нет" in await browser.get("/dialling")
    await browser.get("/dialling/1/cards/1", status=404)


async def test_a_list_that_is_not_for_somebody_is_not_filled_by_them(workspace: Workspace) -> None:
    pipeline = await furnished(workspace, 2)
    settings = PipelineSettings(dial_list=True, roles=["manager"])
    change = PipelineChange(settings=settings)
    await workspace.hub.store.run(partial(change_pipeline, pipeline_id=pipeline.id, given=change))
    mila = await workspace.visitor("mila", Role.MARKETER)
    assert f"/dialling/{pipeline.id}/" not in await mila.get("/dialling")
    refused = await mila.send(f"/dialling/{pipeline.id}/fill", page="/me", segment="Все")
    assert refused.status == 404
    assert await workspace.scalar("SELECT count(*) FROM deal") == 0


async def test_a_list_that_two_people_fill_at_once_has_everybody_once(workspace: Workspace) -> None:
    pipeline = await furnished(workspace, 5)
    mila = await workspace.visitor("mila", Role.MARKETER)
    token, address = await mila.token("/dialling"), f"/dialling/{pipeline.id}/fill"
    presses = await asyncio.gather(*(mila.send(address, page="", csrf=token, segment="Все") for _press in range(4)))
    assert [each.status for each in presses] == [303] * 4
    assert await workspace.scalar("SELECT count(*) FROM deal") == 5
