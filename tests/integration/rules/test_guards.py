"""What keeps rules from doing harm: circles, rates, errors of their own; and what a move costs where many wait."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from crm_core.model.definitions import Section
from crm_core.services import defining
from tests.integration.rules.office import Office
from tests.integration.storage.world import at, message
from tests.statements import statements


def tag(*names: str) -> dict[str, Any]:
    """The action that adds tags."""
    return {"do": "tag", "tags": list(names)}


def untag(*names: str) -> dict[str, Any]:
    """The action that takes tags off."""
    return {"do": "untag", "tags": list(names)}


async def test_rules_that_call_each_other_in_a_circle_are_stopped_and_named(office: Office) -> None:
    await office.rule("Туда", {"event": "tag_added", "tags": "а"}, [untag("а"), tag("б")])
    await office.rule("Обратно", {"event": "tag_added", "tags": "б"}, [untag("б"), tag("а")])
    card = await office.card()
    await office.change(card, tags=["а"])
    runs = await office.runs()
    assert sorted(run[:2] for run in runs) == [
        ("Обратно", "done"),
        ("Обратно", "done"),
        ("Туда", "done"),
        ("Туда", "done"),
        ("Туда", "held_back"),
    ]
    (error,) = [run[2] for run in runs if run[1] == "held_back"]
    assert error == "rules call each other in a circle: «Туда» → «Обратно» → «Туда» → «Обратно» → «Туда»"
    assert (await office.deal(card)).tags == ["а"]
    await office.change(card, title="Другое")  # the next transaction begins anew, and is not disturbed
    assert len(await office.runs()) == 5


async def test_moves_in_a_circle_and_a_rule_that_calls_itself(office: Office) -> None:
    await office.rule("Вперёд", {"event": "stage_entered", "stages": "В работе"}, {"do": "move", "stage": "Думает"})
    await office.rule("Назад", {"event": "stage_entered", "stages": "Думает"}, {"do": "move", "stage": "В работе"})
    await office.rule(
        "Сам себя",
        {"event": "changed", "field": "fields.sum"},
        {"do": "set", "field": "sum", "expression": "deal.fields.sum + 1"},
    )
    card = await office.card()
    await office.move(card, "В работе")
    await office.change(card, fields={"sum": 1})
    held = {run[0]: run[2] for run in await office.runs() if run[1] == "held_back"}
    assert held["Вперёд"].endswith("«Вперёд» → «Назад» → «Вперёд» → «Назад» → «Вперёд»")
    assert held["Сам себя"].endswith("«Сам себя» → «Сам себя» → «Сам себя»")
    assert (await office.deal(card)).fields == {"sum": 3}


async def test_many_rules_about_one_change_are_no_circle(office: Office) -> None:
    for number in range(30):
        await office.rule(f"Правило {number}", {"event": "stage_entered", "stages": "В работе"}, tag(str(number)))
    card = await office.card()
    await office.move(card, "В работе")
    assert len((await office.deal(card)).tags) == 30
    assert {run[1] for run in await office.runs()} == {"done"}


async def test_rules_that_make_cards_for_ever_are_stopped(office: Office) -> None:
    await office.rule("Плодит", {"event": "created"}, {"do": "create", "pipeline": "Продажи", "title": "Ещё"})
    await office.card()
    assert len(await office.world.rows("deal")) == 3
    assert [run[1] for run in await office.runs()].count("held_back") == 1


async def test_so_often_an_hour_and_no_more(office: Office) -> None:
    await office.rule("Часто", {"event": "changed", "field": "title"}, {"do": "task", "title": "Взглянуть"}, per_hour=3)
    card = await office.card()
    for number in range(6):
        await office.change(card, title=f"Окна {number}")
    assert len(await office.world.rows("task")) == 3
    runs = [run for run in await office.runs() if run[1] == "held_back"]
    assert [run[2] for run in runs] == ["rules acted on this record too often: 3 times within an hour"]  # said once
    await office.wait(hours=2)
    await office.change(card, title="Двери")
    assert len(await office.world.rows("task")) == 4


async def test_whose_card_it_is_stands_also_where_a_rule_did_not_act(office: Office) -> None:
    await office.world.take(message(7, "a", at(0), "Добрый день"))
    contact = (await office.world.row("contact")).id
    card = await office.card(contact)
    once = {"do": "task", "title": "Взглянуть"}
    await office.rule("Часто", {"event": "changed", "field": "title"}, once, per_hour=1)
    await office.rule(
        "Дорогая", {"event": "in_stage", "stages": "Новая", "after": "1h"}, once, condition="deal.amount > 1000"
    )
    for number in range(2):
        await office.change(card, title=f"Окна {number}")
    await office.wait(hours=2)
    runs = {str(row.outcome.value): row.contact_id for row in await office.world.rows("rule_run")}
    assert runs == {"done": contact, "held_back": contact, "unmet": contact}


async def test_all_rules_together_are_bounded_by_the_hour(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_core.services.ruling.MOST_AN_HOUR", 5)
    for number in range(4):
        await office.rule(f"Правило {number}", {"event": "changed", "field": "title"}, {"do": "notify", "text": "!"})
    card = await office.card()
    for title in ("а", "б", "в"):
        await office.change(card, title=title)
    assert [run[1] for run in await office.runs()].count("done") == 5
    other = await office.card()
    await office.change(other, title="г")
    assert [run[1] for run in await office.runs()].count("done") == 10


async def test_once_for_ever(office: Office) -> None:
    await office.rule(
        "Однажды", {"event": "stage_entered", "stages": "В работе"}, {"do": "task", "title": "!"}, once=True
    )
    card = await office.card()
    for stage in ("В работе", "Думает", "В работе"):
        await office.move(card, stage)
    assert len(await office.world.rows("task")) == 1


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"condition": "deal.title > 5"}, "values of kinds that don't go together in «deal.title > 5»"),
        ({"condition": "deal.title"}, "«deal.title» is no condition: it gives a text"),
        ({"condition": 'deal.title.matches("(" + deal.title)'}, "can't be read: missing )"),
        (
            {
                "then": [
                    tag("да"),
                    {"do": "set", "field": "sum", "expression": "1 / (deal.amount - deal.amount)"},
                    tag("нет"),
                ]
            },
            "set: division by zero",
        ),
        ({"then": [tag("да"), {"do": "set", "field": "sum", "value": "много"}]}, "set: "),
        (
            {"then": [tag("да"), {"do": "move", "stage": "Нет такой"}]},
            "move: stage: the pipeline has no stage «Нет такой»",
        ),
        ({"then": [tag("да"), {"do": "assign", "login": "никто"}]}, "assign: login: «никто» is nobody who works here"),
        ({"then": [tag("да"), {"do": "message", "template": "Нет такого"}]}, "message: "),
        ({"then": [tag("да"), {"do": "notify", "text": "{% if %}"}]}, "notify: "),
        ({"then": [tag("да"), {"do": "start_chain", "chain": "Нет"}]}, "start_chain: chain: there is no chain «Нет»"),
    ],
)
async def test_the_error_of_a_rule_is_its_own(
    office: Office, more: dict[str, Any], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    more = {"then": [tag("да")], **more}
    await office.rule("Сломано", {"event": "written"}, **more)
    await office.rule("Цело", {"event": "written"}, tag("цело"))
    await office.world.take(message(7, "a", at(5), "раз"))
    card = await office.card((await office.world.row("contact")).id)
    with caplog.at_level(logging.WARNING):
        await office.world.take(message(7, "b", at(10), "два"))
    assert len(await office.world.rows("timeline", kind="message")) == 2  # the fact was taken in
    runs = {run[0]: run[1:] for run in await office.runs()}
    assert runs["Цело"] == ("done", "")
    assert runs["Сломано"][0] == "failed"
    assert error in runs["Сломано"][1]
    assert (await office.deal(card)).tags == (["цело"] if "condition" in more else ["да", "цело"])
    assert "Сломано" in caplog.text
    alarm = await office.world.row("alarm")
    assert (alarm.kind.value, alarm.subject, alarm.ended_at) == ("rule", "Сломано", None)
    rules = {row.name: row.id for row in await office.world.rows("definition", section="rule")}
    await office.act(lambda desk: defining.put_away(desk, Section.RULE, rules["Сломано"], "head"))
    assert (await office.world.row("alarm")).ended_at is not None


async def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_no_time(office: Office) -> None:
    await office.rule("Шаблон", {"event": "written"}, tag("да"), on="contact", only={"pattern": "^(а+)+$"})
    await office.rule("Выражение", {"event": "written"}, tag("да"), on="contact", condition='text.matches("(а|а)*б$")')
    await office.world.take(message(7, "a", at(5), "а" * 30_000 + "!"))
    assert await office.runs() == []
    assert len(await office.world.rows("timeline", kind="message")) == 1


async def test_a_move_costs_the_same_whether_six_or_fifty_six_rules_act(office: Office) -> None:
    contact = await office.client(tags=["vip"])
    costs: list[int] = []
    for many in (1, 6, 56):
        while len(await office.world.rows("definition", section="rule")) < many:
            number = len(await office.world.rows("definition", section="rule"))
            await office.rule(
                f"Правило {number}",
                {"event": "stage_entered", "stages": "В работе"},
                [tag(f"метка {number}"), {"do": "set", "field": "comment", "value": f"{number}"}],
                condition='"vip" in contact.tags && deal.open && client.orders == null',
            )
        card = await office.card(contact)
        await office.move(card, "Думает")
        with statements(office.world.store) as seen:
            await office.move(card, "В работе")
        costs.append(len(seen))
        assert len((await office.deal(card)).tags) == many
    assert costs[0] == costs[1] == costs[2]


async def test_rules_about_something_else_cost_nothing(office: Office) -> None:
    await office.world.take(message(7, "a", at(1)))
    card = await office.card((await office.world.row("contact")).id)

    async def cost() -> tuple[int, int]:
        with statements(office.world.store) as move:
            await office.move(card, "Думает" if (await office.where(card))[1] != "Думает" else "В работе")
        seconds = (office.now - at(0)).total_seconds() + 5
        with statements(office.world.store) as fact:
            await office.world.take(message(7, f"m{seconds}", at(seconds)))
        return len(move), len(fact)

    await cost()
    before = await cost()
    for number in range(20):
        await office.rule(f"Лид {number}", {"event": "tag_added", "tags": f"{number}"}, tag("х"), on="lead")
        await office.rule(f"Письмо {number}", {"event": "mail_in"}, tag("х"), condition="client.orders > 1")
        await office.rule(f"Звонок {number}", {"event": "call_missed"}, tag("х"))
        await office.rule(f"Этап {number}", {"event": "stage_entered", "pipelines": "Повторные"}, tag("х"))
    await cost()  # the catalogue is read anew
    after = await cost()
    assert after == before


async def test_a_rule_at_rest_or_put_away_does_nothing(office: Office) -> None:
    await office.rule("Спит", {"event": "created"}, tag("спит"), enabled=False)
    rule = await office.rule("Убрано", {"event": "created"}, tag("убрано"))
    await office.act(lambda desk: defining.put_away(desk, Section.RULE, rule, "head"))
    assert (await office.deal(await office.card())).tags == []


async def test_what_is_brought_in_at_once_is_heard_by_no_rule_but_time(office: Office) -> None:
    await office.rule("Новая", {"event": "created"}, tag("новая"))
    await office.rule("Ждёт", {"event": "in_stage", "after": "24h"}, tag("ждёт"))

    def brought(desk: Any) -> None:
        desk.quiet = True

    original = office.act

    async def quiet(service: Any, login: str = "ivan") -> Any:
        def acting(desk: Any) -> Any:
            brought(desk)
            return service(desk)

        return await original(acting, login)

    office.act = quiet  # type: ignore[method-assign] # watched
    card = await office.card()
    office.act = original  # type: ignore[method-assign] # as it was
    assert (await office.deal(card)).tags == []
    await office.wait(hours=25)
    assert (await office.deal(card)).tags == ["ждёт"]
