"""Whatever a configuration names is there, or it is said what is missing, where, and what was probably meant."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from crm_core.errors import InvalidInput
from crm_core.model.definitions import FORMS, PipelineSettings, ScoringBody, Section, StageSettings
from crm_core.model.user import Role
from crm_core.services import defining
from crm_core.services.acts import pipeline_keeping as keeping
from crm_core.services.acts.pipeline_keeping import NewStage
from crm_core.services.configuration import problems
from crm_core.services.configuration.naming import check_scoring
from crm_core.services.desk import Desk
from tests.integration.storage.world import World

_LISTED = {"type": "list", "options": ["да", "нет"]}


async def _define(world: World, section: Section, name: str, **body: Any) -> None:
    form = FORMS[section].model_validate(body)
    await world.store.run(lambda desk: defining.add(desk, section, name, form, "head"))


@pytest.fixture(autouse=True)
async def fields(world: World) -> None:
    await _define(world, Section.FIELD, "lead.budget", of="lead", key="budget", title="Бюджет", **_LISTED)
    await _define(world, Section.FIELD, "deal.address", of="deal", key="address", title="Адрес")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"owner": "ivna"}, "owner: there is no user «ivna», did you mean «ivan»?"),
        ({"hours": "офис-2"}, "hours: there is no calendar «офис-2»"),
        ({"required": ["adress"]}, "required: a deal has no field «adress», did you mean «address»?"),
        ({"enter_when": "fields.adress == 'x'"}, "enter_when: «deal» has no field «adress», did you mean «address»?"),
        (
            {"tasks": [{"title": "Т", "assignee": "heda"}]},
            "tasks.0.assignee: there is nobody «heda», did you mean «head»",
        ),
        ({"tasks": [{"title": "Т", "hours": "ночь"}]}, "tasks.0.hours: there is no calendar «ночь»"),
    ],
)
async def test_what_a_stage_names_is_there(world: World, settings: Any, said: str) -> None:
    stage = NewStage("Новая", settings=StageSettings.model_validate(settings))
    with pytest.raises(InvalidInput) as refused:
        await world.store.run(lambda desk: keeping.create_pipeline(desk, "Продажи", [stage]))
    assert said in str(refused.value)


async def test_what_stands_is_told_of_all_at_once(world: World) -> None:
    """What a configuration brings is checked as a whole, after it is there."""

    def bare(desk: Desk) -> None:
        made = keeping.create_pipeline(desk, "Продажи", [NewStage("Новая")])
        settings = PipelineSettings(roles=["heda"]).model_dump(mode="json", exclude_defaults=True)
        desk.work.put(made.record._replace(settings=settings))
        desk.work.put(made.stages[0].record._replace(settings={"owner": "никто", "required": ["address", "amount"]}))

    await world.store.run(bare)
    parts = [{"field": "budget", "letters": {"да": "А", "может": "В"}}, {"field": "budgets", "letters": {"да": "А"}}]
    await _define(world, Section.SCORING, "BANT", grade={"of": "lead", "parts": parts})
    await _define(world, Section.SCORING, "Иное", grade={"of": "lead", "formula": "fields.bugdet"})
    relation = [{"field": "abc", "points": {"A": 5}}]
    await _define(world, Section.SCORING, "Клиенты", clients={"relation": relation})
    steps = [{"after": "5m", "tell": ["manager"]}]
    await _define(world, Section.LADDER, "call.missed", on="call.missed", steps=steps, hours="ночь")
    await _define(world, Section.GROUP, "продажи", hours="ночь")
    await _define(world, Section.TAG_GROUP, "Цвет", tags=["белый"], on=["deals"])
    found = await world.store.run(problems)
    roles = ", ".join(sorted(each.value for each in Role))
    assert sorted(found) == sorted(
        [
            f"pipeline «Продажи»: roles: there is no role «heda», only {roles}",
            "stage «Продажи / Новая»: owner: there is no user «никто»",
            "scoring «BANT»: grade.parts.0: «budget» has no option «может»",
            "scoring «Иное»: grade.formula: «lead» has no field «bugdet», did you mean «budget»?",
            "ladder «call.missed»: hours: there is no calendar «ночь» (none is configured)",
            "group «продажи»: hours: there is no calendar «ночь» (none is configured)",
            "tag_group «Цвет»: on: there is no kind of records «deals», did you mean «deal»?",
        ]
    )


async def test_a_scoring_of_nothing_is_refused(world: World) -> None:
    body = ScoringBody.model_validate({"grade": {"of": "order", "formula": "1"}})
    with pytest.raises(InvalidInput, match=r"grade\.of: there is no kind of records «order»"):
        await world.store.run(partial(check_scoring, scoring=body))
