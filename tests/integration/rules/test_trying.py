"""Dry runs: what changed rules would have done with what happened, writing nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_core.errors import InvalidInput
from crm_core.model.definitions import RuleBody
from hub.office.rules_trial import Report, rules_in, try_rules
from tests.integration.rules.office import Office
from tests.integration.storage.world import message, missed, talked


def tag(name: str) -> dict[str, Any]:
    """The action that adds a tag."""
    return {"do": "tag", "tags": [name]}


async def month(office: Office) -> tuple[int, int, int]:
    """A month of a client's story: the ids of the client and of two cards."""
    await office.wait(hours=1)
    await office.world.take(message(7, "a", office.now + timedelta(seconds=1), "Сколько стоит курс Excel?"))
    contact = int((await office.world.row("contact")).id)
    await office.wait(hours=1)
    first, second = (
        await office.card(contact, title="Первая"),
        await office.card(contact, title="Вторая", stage="Думает"),
    )
    await office.wait(days=2)
    await office.change(first, fields={"sum": 5000}, tags=["vip"])
    await office.move(first, "В работе")
    await office.wait(days=3)
    await office.world.take(talked("1.1", "+79160000001", office.now + timedelta(seconds=1)))
    await office.world.take(missed("1.2", "+79160000001", office.now + timedelta(seconds=100)))
    await office.world.take(message(7, "b", office.now + timedelta(seconds=200), "Когда начало?"))
    await office.change(first, fields={"sum": 100}, tags=[])
    await office.wait(days=20)
    await office.move(second, "Отказ")
    await office.wait(days=1)
    return contact, first, second


async def tables(office: Office) -> dict[str, list[Any]]:
    """Everything that stands in the record."""
    names = (
        "rule_run",
        "deal",
        "contact",
        "lead",
        "task",
        "timeline",
        "outbox",
        "deadline",
        "change",
        "counter",
        "feed",
    )
    return {name: await office.world.rows(name) for name in names}


async def tried(office: Office, days: int = 30, **rules: dict[str, Any]) -> Report:
    """Rules tried on the last days."""
    bodies = [(name, RuleBody.model_validate(body)) for name, body in rules.items()]
    return await try_rules(office.world.store, None, office.now - timedelta(days=days), bodies or None)


async def test_what_would_have_happened_by_rule_and_record(office: Office) -> None:
    contact, first, second = await month(office)
    before = await tables(office)
    report = await tried(
        office,
        слова={"on": "lead", "when": {"event": "written"}, "only": {"words": "excel"}, "then": tag("excel")},
        карточка={"when": {"event": "written"}, "then": tag("пишет")},
        создана={"when": {"event": "created"}, "then": {"do": "notify", "text": "Новая: {{ deal.title }}"}},
        вошла={
            "when": {"event": "stage_entered", "stages": "В работе"},
            "condition": "deal.fields.sum > 1000",
            "then": tag("дорого"),
        },
        сумма={
            "when": {"event": "changed", "field": "fields.sum"},
            "condition": "new < 1000 && old > 1000",
            "then": tag("вниз"),
        },
        метка={"when": {"event": "tag_added", "tags": "vip"}, "then": tag("да")},
        думает={
            "when": {"event": "in_stage", "stages": "Думает", "after": "240h"},
            "then": {"do": "move", "stage": "Отказ"},
        },
        долго={
            "when": {"event": "in_stage", "stages": "Думает", "after": "720h"},
            "then": {"do": "move", "stage": "Отказ"},
        },
        пропущен={"on": "contact", "when": {"event": "call_missed"}, "then": tag("пропущен")},
        ежедневно={
            "when": {"event": "schedule", "every": "week", "at": "09:00"},
            "only": {"stages": "Думает"},
            "then": tag("ждёт"),
        },
        ошибка={"when": {"event": "created"}, "condition": "deal.title > 1", "then": tag("х")},
    )
    assert dict(report.counts) == {
        "слова": 1,
        "карточка": 2,
        "создана": 2,
        "вошла": 1,
        "сумма": 1,
        "метка": 1,
        "думает": 1,
        "долго": 0,
        "пропущен": 1,
        "ежедневно": 3,
        "ошибка": 2,
    }
    assert report.failed["ошибка"] == 2
    assert report.complete
    by_rule = {each.rule: each for each in report.trials}
    assert (by_rule["вошла"].kind, by_rule["вошла"].subject_id, by_rule["вошла"].contact_id) == ("deal", first, contact)
    assert (by_rule["думает"].subject_id, by_rule["думает"].actions) == (second, ({"do": "move", "stage": "Отказ"},))
    due = (await office.deal(second)).created_at + timedelta(hours=240)
    assert by_rule["думает"].at == due
    assert {each.actions[0]["text"] for each in report.trials if each.rule == "создана"} == {
        "Новая: Первая",
        "Новая: Вторая",
    }
    assert [each.at for each in report.trials] == sorted(each.at for each in report.trials)
    assert await tables(office) == before


async def test_what_a_rule_would_have_changed_brings_further_rules(office: Office) -> None:
    _contact, first, second = await month(office)
    before = await tables(office)
    report = await tried(
        office,
        вошла={"when": {"event": "stage_entered", "stages": "В работе"}, "then": [tag("взяли"), tag("vip")]},
        взяли={
            "when": {"event": "tag_added", "tags": "взяли"},
            "then": {"do": "set", "field": "city", "value": "Тверь"},
        },
        город={"when": {"event": "changed", "field": "fields.city"}, "then": {"do": "move", "stage": "Думает"}},
        думает={"when": {"event": "stage_entered", "stages": "Думает"}, "then": tag("думает")},
        дальше={"when": {"event": "tag_added", "tags": "думает"}, "then": tag("слишком глубоко")},
        круг={"when": {"event": "tag_added"}, "then": {"do": "notify", "text": "{{ deal.tags }}"}},
    )
    entered = {each.rule: each.at for each in report.trials if each.subject_id == first and each.rule != "круг"}
    assert list(entered) == ["вошла", "взяли", "город", "думает"]
    assert len(set(entered.values())) == 1, "all at the moment of the fact"
    # the second card was made on that stage; what its rule would have done has a consequence of its own
    told = [each.rule for each in report.trials if each.subject_id == second and each.rule != "круг"]
    assert told == ["думает", "дальше"]
    assert await tables(office) == before


async def test_the_client_of_a_new_card_came_by_an_account(office: Office) -> None:
    await month(office)
    rule = {"on": "lead", "when": {"event": "created"}, "then": tag("телеграм")}
    report = await tried(
        office,
        наш={**rule, "only": {"channels": "telegram", "accounts": "shop"}},
        чужой={**rule, "only": {"accounts": "иной"}},
    )
    assert dict(report.counts) == {"наш": 1, "чужой": 0}


async def test_the_rules_in_use_and_a_shorter_time(office: Office) -> None:
    await month(office)
    await office.rule("Новая", {"event": "created"}, tag("новая"))
    assert dict((await tried(office)).counts) == {"Новая": 2}
    assert dict((await tried(office, days=5)).counts) == {"Новая": 0}


async def test_silence_is_told_by_the_timeline(office: Office) -> None:
    await office.wait(hours=1)
    await office.world.take(talked("1.1", "+79160000001", office.now + timedelta(seconds=1)))
    contact = int((await office.world.row("contact")).id)
    await office.card(contact)
    await office.wait(days=12)
    await office.world.take(talked("1.2", "+79160000001", office.now + timedelta(seconds=1)))
    await office.wait(days=15)
    silence = {"when": {"event": "silence", "after": "10d"}, "then": tag("забыт")}
    report = await tried(office, молчит=silence)
    assert report.counts["молчит"] == 2
    assert (report.trials[1].at - report.trials[0].at) > timedelta(days=11)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]\n", "no TOML"),
        ("", "there are no rules"),
        ('[[rule]]\nwhen = {event = "created"}\nthen = {do = "tag", tags = "а"}', "name"),
        ('[[rule]]\nname = "х"\nwhen = {event = "created"}\nthen = {do = "летать"}', "then"),
        ('[[rule]]\nname = "х"\nwhen = {event = "in_stage"}\nthen = {do = "tag", tags = "а"}', "after"),
        (
            '[[rule]]\nname = "х"\nwhen = {event = "created"}\ncondition = "1 =="\nthen = {do = "tag", tags = "а"}',
            "character 5",
        ),
    ],
)
def test_a_file_that_makes_no_sense(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        rules_in(text)


async def test_rules_of_a_file_that_name_what_is_not_there(office: Office) -> None:
    text = (
        '[[rule]]\nname = "х"\nwhen = {event = "stage_entered", stages = "В раboте"}\nthen = {do = "tag", tags = "а"}'
    )
    with pytest.raises(InvalidInput, match=r"rule «х»: when\.0: stage: .* did you mean «В работе»"):
        await try_rules(office.world.store, None, office.now - timedelta(days=1), rules_in(text))
    with pytest.raises(InvalidInput, match="since"):
        await try_rules(office.world.store, None, office.now + timedelta(days=1))
