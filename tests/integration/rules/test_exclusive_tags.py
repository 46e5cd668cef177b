"""Of an exclusive group of tags a record carries one, whoever puts it there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from crm_core.errors import InvalidInput
from crm_core.messages import Utm
from crm_core.model.definitions import Section
from crm_core.model.importing import Policy
from crm_core.model.records import DealRecord
from crm_core.services.acts import conversion, deals, lead_cards
from crm_core.services.acts.conversion import Conversion
from crm_core.services.acts.deals import DealChange
from crm_core.services.acts.lead_cards import LeadChange
from crm_core.services.cards import tunnels
from crm_core.services.clients.tagging import joined_tags, put_tags
from crm_core.services.desk import Desk
from crm_core.services.duplicates import merging
from crm_core.services.importing.batch import Batch
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask, TaskChange
from tests.integration.rules.office import Office

WARM, HOT, COLD = "тёплый", "горячий", "холодный"


@pytest.fixture(autouse=True)
async def group(office: Office) -> None:
    await office.define(Section.TAG_GROUP, "Температура", tags=[WARM, HOT, COLD], exclusive=True)


async def test_people_choose_one_for_cards_leads_and_tasks(office: Office) -> None:
    client = await office.client()
    card = await office.card(client, tags=["vip", WARM])
    done = await office.act(lambda desk: deals.change(desk, card, DealChange(tags=["vip", WARM, HOT])))
    assert done.deal.tags == ["vip", HOT]
    with pytest.raises(InvalidInput, match="exclude each other"):
        await office.act(lambda desk: deals.change(desk, card, DealChange(tags=[WARM, COLD])))

    new = LeadChange(title="Окна", tags=[WARM])
    lead = await office.act(lambda desk: lead_cards.create(desk, "ivan", client, new, Utm()))
    hot = LeadChange(tags=[WARM, HOT])
    assert (await office.act(lambda desk: lead_cards.change(desk, lead.id, "ivan", hot))).tags == [HOT]
    task = await office.act(lambda desk: tasks.make(desk, NewTask(title="Позвонить", tags=[WARM])))
    cold = TaskChange(tags=[WARM, COLD])
    assert (await office.act(lambda desk: tasks.change(desk, task.id, cold))).tags == [COLD]


async def test_what_a_rule_puts_takes_the_place_of_what_it_excludes(office: Office) -> None:
    await office.rule(
        "Горячий", {"event": "stage_entered", "stages": "В работе"}, {"do": "tag", "tags": ["новый", HOT]}
    )
    card = await office.card(await office.client(), tags=[WARM, "vip"])
    await office.move(card, "В работе")
    assert (await office.deal(card)).tags == ["vip", "новый", HOT]


async def test_of_a_lead_and_a_copied_card_one_tag_comes_along(office: Office) -> None:
    """Where the group stands on deals alone, leads may carry several."""
    await office.define(Section.TAG_GROUP, "Цвет", tags=["белый", "чёрный"], exclusive=True, on=["deal"])
    client = await office.client()
    new = LeadChange(title="Окна", tags=["белый", "чёрный", "vip"])
    lead = await office.act(lambda desk: lead_cards.create(desk, "ivan", client, new, Utm()))
    assert lead.tags == ["белый", "чёрный", "vip"]
    became = await office.act(lambda desk: conversion.convert(desk, lead.id, "ivan", Conversion("Продажи")))
    assert became.card.deal.tags == ["белый", "vip"]
    card = await office.card(client, tags=[COLD, HOT])

    def copied(desk: Desk) -> DealRecord:
        return tunnels.copy(desk, desk.work.card(card)[0], "Продажи")

    assert (await office.act(copied)).tags == [COLD]


async def test_who_takes_another_over_keeps_their_own_tag(office: Office) -> None:
    survivor, absorbed = await office.client(tags=[HOT]), await office.client("Мария", tags=[COLD, "vip"])

    def joined(desk: Desk) -> Any:
        both = desk.work.contacts([survivor, absorbed])
        return merging.merge(desk, both[survivor], both[absorbed], "test", "ivan").tags

    assert await office.act(joined) == [HOT, "vip"]
    await office.act(lambda desk: merging.unmerge(desk, survivor, "ivan"))
    assert (await office.world.row("contact", id=survivor)).tags == [HOT]


@pytest.mark.parametrize(
    ("policy", "tags"), [(Policy.FILL, [WARM, "vip"]), (Policy.OVERWRITE, [HOT, "vip"]), (Policy.SKIP, [WARM])]
)
async def test_a_file_is_read_by_its_policy(office: Office, policy: Policy, tags: list[str]) -> None:
    card = await office.card(tags=[WARM])

    def brought(desk: Desk) -> Any:
        reading = cast(Batch, SimpleNamespace(desk=desk, how=SimpleNamespace(policy=policy)))
        return Batch.with_tags(reading, desk.work.card(card)[0], [HOT, "vip"])

    assert (await office.act(brought)).tags == tags


async def test_tags_of_no_group_are_left_alone(office: Office) -> None:
    def both(desk: Desk) -> Any:
        return put_tags(desk, "deal", ["а"], ["б", "а"]), joined_tags(desk, "deal", ["а", "а"], ["б"])

    assert await office.act(both) == (["а", "б"], ["а", "б"])
