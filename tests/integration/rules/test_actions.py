"""What rules do, action by action."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.services.acts.listing import list_contact
from crm_core.services.letters.opting_out import opt_out
from tests.integration.rules.office import Office
from tests.integration.storage.world import at, message, talked

ENTERED = {"event": "stage_entered", "stages": "В работе"}


async def moved(office: Office, card: int) -> list[Any]:
    """The card enters the stage; what the rules' traces say."""
    await office.move(card, "В работе")
    await office.settle()
    return [(row.outcome.value, row.actions, row.error) for row in await office.world.rows("rule_run")]


async def test_fields_and_columns_are_set(office: Office) -> None:
    await office.rule(
        "Поля",
        ENTERED,
        [
            {"do": "set", "field": "fields.sum", "expression": "deal.amount * 2"},
            {"do": "set", "field": "Город", "value": "{{ contact.city }}"},
            {"do": "set", "field": "amount", "value": 1500.5},
            {"do": "set", "field": "title", "value": "Окна: {{ contact.name }}"},
            {"do": "set", "field": "due_at", "expression": "now + duration('24h')"},
            {"do": "set", "field": "until", "expression": "now + duration('7d')"},
            {"do": "set", "field": "comment", "value": "нет", "empty": True},
            {"do": "set", "field": "source"},
        ],
    )
    card = await office.card(await office.client(city="Тверь"), amount=10_000, source="vk", fields={"comment": "есть"})
    (trace,) = await moved(office, card)
    deal = await office.deal(card)
    assert trace[0] == "done", trace
    assert deal.fields == {"sum": 200, "city": "Тверь", "comment": "есть", "until": "2026-03-09"}
    assert (deal.amount, deal.title, deal.source) == (150_050, "Окна: Мария Орлова", None)
    assert deal.due_at == office.now + timedelta(hours=24)
    assert trace[1][6] == {"do": "set", "held_back": "something stands there already"}


async def test_a_task_for_a_role_with_working_hours(office: Office) -> None:
    await office.rule(
        "Задача",
        ENTERED,
        {
            "do": "task",
            "title": "Назвать замерщика: {{ deal.title }}",
            "text": "Что:  {{ deal.title }}\nКто: {{ contact.name }}\n",
            "to": "head",
            "due": "2h",
            "kind": "замер",
            "checklist": ["адрес"],
        },
    )
    card = await office.card(await office.client())
    await moved(office, card)
    task = await office.world.row("task")
    assert (task.title, task.assignee, task.deal_id, task.author) == (
        "Назвать замерщика: Окна",
        "head",
        card,
        "rule:Задача",
    )
    assert task.text == "Что: Окна\nКто: Мария Орлова"
    assert task.due_at == office.now + timedelta(hours=2)
    assert task.checklist == [{"text": "адрес", "done": False}]


async def test_cards_go_over_are_copied_and_made(office: Office) -> None:
    contact = await office.client()
    await office.rule("Копия", ENTERED, {"do": "copy", "pipeline": "Повторные", "stage": "Думает"})
    await office.rule(
        "Рекламация",
        ENTERED,
        {"do": "create", "pipeline": "Рекламации", "title": "По {{ deal.title }}", "unless_open": True},
    )
    await office.rule("Прочь", ENTERED, {"do": "move", "pipeline": "Повторные", "stage": "Отказ", "reason": "Дубль"})
    card = await office.card(contact)
    await moved(office, card)
    rows = {row.id: row for row in await office.world.rows("deal")}
    assert await office.where(card) == ("Повторные", "Отказ")
    others = [
        (row.type, row.title, row.source_id, await office.where(row.id)) for row in rows.values() if row.id != card
    ]
    assert sorted(others) == [
        ("claim", "По Окна", card, ("Рекламации", "Новая")),
        ("deal", "Окна", card, ("Повторные", "Думает")),
    ]


async def test_people_are_told_and_the_record_changes_hands(office: Office) -> None:
    await office.rule(
        "Кому", ENTERED, {"do": "notify", "to": ["manager", "head", "olga"], "text": "{{ deal.title }} в работе"}
    )
    await office.rule(
        "Чьё", ENTERED, [{"do": "assign", "login": "petr"}, {"do": "assign", "login": "ivan", "empty": True}]
    )
    await office.rule("Группе", {"event": "stage_entered", "stages": "Думает"}, {"do": "assign", "group": "нет такой"})
    card = await office.card(await office.client())
    await moved(office, card)
    rows = await office.world.rows("outbox", kind="notification")
    assert {(row.payload["login"], row.payload["text"]) for row in rows} == {
        (login, "Окна в работе") for login in ("ivan", "head", "olga")
    }
    assert (await office.deal(card)).manager == "petr"


async def test_a_lead_goes_to_whoever_has_least(office: Office) -> None:
    await office.rule("Раздать", {"event": "tag_added", "tags": "срочно"}, {"do": "assign", "login": "petr"}, on="lead")
    await office.rule(
        "Срочно", {"event": "message_in"}, {"do": "tag", "tags": ["срочно"]}, on="lead", only={"words": "срочно"}
    )
    await office.world.take(message(7, "a", at(5), "Срочно!"))
    assert (await office.world.row("lead")).manager == "petr"
    loads = {row.login: row.open_leads for row in await office.world.rows("assignee_load") if row.open_leads}
    assert loads == {"petr": 1}


async def test_the_callback_robot_and_other_programs(office: Office) -> None:
    await office.rule(
        "Перезвон",
        ENTERED,
        [
            {"do": "callback", "after": "5m"},
            {"do": "webhook", "event": "deal.taken", "data": {"title": "{{ deal.title }}"}},
        ],
    )
    await office.world.take(talked("1.1", "+79160000001", at(10)))
    card = await office.card((await office.world.row("contact")).id)
    (trace,) = await moved(office, card)
    callback = await office.world.row("callback")
    assert (callback.number, callback.manager, callback.author) == ("+79160000001", "ivan", "rule:Перезвон")
    assert callback.due_at == office.now + timedelta(minutes=5)
    assert trace[0] == "done"
    nobody = await office.card()
    await office.move(nobody, "В работе")
    held = next(row for row in await office.world.rows("rule_run") if row.subject_id == nobody)
    assert held.actions[0] == {"do": "callback", "held_back": "the record has no client"}


@pytest.mark.parametrize("who", ["writes", "listed", "opted_out", "nowhere"])
async def test_a_message_goes_out_once_and_never_to_whoever_wants_none(office: Office, who: str) -> None:
    await office.rule("Пишет", ENTERED, {"do": "message", "template": "Привет"})
    if who == "nowhere":
        contact = await office.client()
    else:
        await office.world.take(message(7, "a", at(5), "Добрый день"))
        contact = (await office.world.row("contact")).id
    if who == "listed":
        await office.act(lambda desk: list_contact(desk, contact, "чёрный список", "спам", "ivan"))
    if who == "opted_out":
        await office.act(lambda desk: opt_out(desk, contact, "asked"))
    card = await office.card(contact)
    (trace,) = await moved(office, card)
    out = [row.text for row in await office.world.rows("timeline", direction="out") if row.kind.value == "message"]
    assert out == (["Здравствуйте, User 7!"] if who == "writes" else [])
    assert trace[0] == "done"
    assert ("held_back" in trace[1][0]) is (who != "writes")


async def test_tasks_of_a_kind_are_closed_with_a_result(office: Office) -> None:
    begun = [{"do": "task", "title": "Позвонить", "kind": "звонок"}, {"do": "task", "title": "Написать"}]
    await office.rule("Дела", {"event": "stage_entered", "stages": "В работе"}, begun)
    await office.rule(
        "Дозвонились",
        {"event": "stage_entered", "stages": "Думает"},
        {"do": "close_tasks", "kind": "звонок", "result": "Решает: {{ deal.title }}"},
    )
    card, other = await office.card(title="Окна"), await office.card()
    for each in (card, other):
        await office.move(each, "В работе")
    await office.move(card, "Думает")
    tasks = await office.world.rows("task")
    told = sorted((row.title, row.state.value, row.result) for row in tasks if row.deal_id == card)
    assert told == [("Написать", "open", ""), ("Позвонить", "done", "Решает: Окна")]
    assert {row.state.value for row in tasks if row.deal_id == other} == {"open"}
