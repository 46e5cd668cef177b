"""Rules that wait for facts of a timeline and for changes of records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crm_core.messages import FormSubmitted, Utm
from crm_core.model.identity import parse_identity
from tests.integration.rules.office import Office
from tests.integration.storage.world import SITE, at, fact, message, missed, talked

TAG = {"do": "tag", "tags": ["метка"]}


async def written_by(office: Office, user: int, ref: str, text: str) -> int:
    """A client writes; their id."""
    seconds = (office.now - at(0)).total_seconds() + 1
    await office.world.take(message(user, ref, at(seconds), text))
    return int((await office.world.rows("contact"))[-1].id)


async def test_words_and_patterns_of_a_message_tag_lead_contact_and_card(office: Office) -> None:
    await office.rule(
        "Курс", {"event": "written"}, {"do": "tag", "tags": ["excel"]}, on="lead", only={"words": ["эксель", "excel"]}
    )
    await office.rule("Цена", {"event": "message_in"}, TAG, on="contact", only={"pattern": r"сколько\s+стоит"})
    await office.rule("Карточка", {"event": "written"}, TAG, only={"channels": ["telegram"], "accounts": ["shop"]})
    contact_id = await written_by(office, 7, "a", "Добрый день")
    card = await office.card(contact_id)
    claim = await office.card(contact_id, "Рекламации", type="claim")
    assert await office.runs() == []
    await written_by(office, 7, "b", "СКОЛЬКО  стоит курс по Excel?")
    assert (await office.world.row("lead")).tags == ["excel"]
    assert (await office.world.row("contact")).tags == ["метка"]
    assert (await office.deal(card)).tags == ["метка"]
    assert (await office.deal(claim)).tags == []
    assert [run[:2] for run in await office.runs()] == [("Карточка", "done"), ("Курс", "done"), ("Цена", "done")]
    trace = (await office.world.rows("rule_run", rule="Карточка"))[0]
    assert (trace.kind, trace.subject_id, trace.contact_id, trace.why) == ("deal", card, contact_id, "written")
    assert trace.actions == [{"do": "tag", "tags": ["метка"]}]


async def test_the_history_names_the_rule(office: Office) -> None:
    await office.rule("Метит", {"event": "stage_entered", "stages": "В работе"}, TAG)
    card = await office.card()
    await office.move(card, "В работе")
    changes = [
        (row.author, [change[0] for change in row.changes]) for row in await office.world.rows("change", kind="deal")
    ]
    assert changes == [("ivan", ["stage_id"]), ("rule:Метит", ["tags"])]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("call_missed", ["missed"]),
        ("call_answered", ["talked"]),
        ("call_in", ["missed", "talked"]),
        ("reached", ["talked"]),
    ],
)
async def test_calls(office: Office, event: str, expected: list[str]) -> None:
    await office.rule("Звонок", {"event": event}, TAG, on="contact")
    await office.world.take(missed("1.1", "+79160000001", at(10)))
    await office.world.take(talked("1.2", "+79160000002", at(200)))
    tags = {each.search[-1:]: each.tags for each in await office.world.rows("contact")}
    assert [name for name, digit in (("missed", "1"), ("talked", "2")) if tags[digit]] == expected


async def test_a_form_with_marks_of_a_campaign(office: Office) -> None:
    await office.rule(
        "Реклама", {"event": "created"}, TAG, on="lead", only={"utm": {"source": "yandex", "medium": ["CPC"]}}
    )
    payload = FormSubmitted(name="Анна", message="Хочу окна", utm=Utm(source="Yandex", medium="cpc"))
    await office.world.take(fact(SITE, payload, at(5), parse_identity("tel:+79161112233"), name="Анна"))
    assert (await office.world.row("lead")).tags == ["метка"]


async def test_a_message_is_no_occasion_twice_and_an_edit_is_none(office: Office) -> None:
    await office.rule(
        "Задача", {"event": "written"}, {"do": "task", "title": "Ответить: {{ contact.name }}"}, on="contact"
    )
    first = message(7, "a", at(5), "раз")
    await office.world.take(first)
    await office.world.take(replace(first))
    assert [row.title for row in await office.world.rows("task")] == ["Ответить: User 7"]
    assert len(await office.runs()) == 1


async def test_whoever_has_no_name_is_called_by_what_is_known_of_them(office: Office) -> None:
    await office.rule(
        "Задача", {"event": "written"}, {"do": "task", "title": "Ответить: {{ contact.called }}"}, on="contact"
    )
    await office.world.take(message(7, "a", at(5), "раз", name="Анна"), message(8, "b", at(6), "два", name=""))
    assert [row.title for row in await office.world.rows("task")] == ["Ответить: Анна", "Ответить: 8"]


async def test_fields_tags_and_stages(office: Office) -> None:
    def tag(name: str) -> dict[str, Any]:
        return {"do": "tag", "tags": [name]}

    await office.rule("Новая", {"event": "created"}, tag("новая"))
    await office.rule("Вошла", {"event": "stage_entered", "stages": ["В работе"]}, tag("вошла"))
    await office.rule("Вышла", {"event": "stage_left", "pipelines": "Продажи", "stages": ["В работе"]}, tag("вышла"))
    await office.rule(
        "Сумма",
        {"event": "changed", "field": "fields.sum"},
        tag("большая"),
        condition="new > 1000 && deal.fields.sum > 1000",
    )
    await office.rule("Москва", {"event": "changed", "field": "fields.city", "to": "Москва"}, tag("своя"))
    await office.rule(
        "По метке",
        {"event": "tag_added", "tags": ["вышла"]},
        {"do": "set", "field": "comment", "value": "{{ deal.title }} ушла"},
    )
    card = await office.card()
    assert (await office.deal(card)).tags == ["новая"]
    await office.change(card, fields={"sum": 500, "city": "Тверь"})
    assert (await office.deal(card)).tags == ["новая"]
    await office.change(card, fields={"sum": 5000, "city": "Москва"})
    assert (await office.deal(card)).tags == ["новая", "большая", "своя"]
    await office.move(card, "В работе")
    await office.move(card, "Думает")
    deal = await office.deal(card)
    assert deal.tags == ["новая", "большая", "своя", "вошла", "вышла"]
    assert deal.fields["comment"] == "Окна ушла"
    assert {outcome for _, outcome, _ in await office.runs()} == {"done"}


async def test_conditions_over_client_company_and_load(office: Office) -> None:
    await office.rule(
        "Клиент",
        {"event": "created"},
        {"do": "tag", "tags": ["а"]},
        condition='contact.name.startsWith("Мария") && "vip" in contact.tags',
    )
    await office.rule("Нагрузка", {"event": "created"}, {"do": "tag", "tags": ["б"]}, only={"load_below": 1})
    await office.rule(
        "Ничего",
        {"event": "created"},
        {"do": "tag", "tags": ["в"]},
        condition="company.city == 'Москва' || client.orders > 3",
    )
    await office.rule(
        "Часы",
        {"event": "created"},
        {"do": "tag", "tags": ["г"]},
        condition="now.getHours() >= 9 && now.getHours() < 21",
    )
    card = await office.card(await office.client("Мария", tags=["vip"]))
    assert (await office.deal(card)).tags == ["а", "б", "г"]
    assert (await office.deal(await office.card())).tags == ["б", "г"]
    assert [run for run in await office.runs() if run[1] != "done"] == []
