"""Configurations as plain data: what is read, what is refused and where."""

from __future__ import annotations

import pytest

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Section
from crm_core.model.records import StageKind
from crm_core.services.configuration import BadConfiguration, read
from hub.office.presets import parsed

WHOLE = """
title = "Окна"
[[pipeline]]
name = "Продажи"
loss_reasons = ["Дорого"]
[[pipeline.stage]]
name = "Сбор данных"
deadline = "3d"
required = ["address"]
[[pipeline.stage]]
name = "Успешная продажа"
kind = "won"
[[field]]
of = "deal"
key = "address"
title = "Адрес"
[[ladder]]
on = "deal.overdue"
steps = [{ after = "0s", tell = ["manager"] }, { after = "24h", tell = ["head"] }]
[[list]]
name = "Спам"
action = "reject"
"""


def test_a_whole_configuration() -> None:
    found = parsed(WHOLE, "windows.toml")
    (pipeline,) = found.pipelines
    assert (found.title, pipeline.name, pipeline.type) == ("Окна", "Продажи", "deal")
    assert [(each.name, each.kind) for each in pipeline.stages] == [
        ("Сбор данных", StageKind.OPEN),
        ("Успешная продажа", StageKind.WON),
    ]
    assert {section: list(bodies) for section, bodies in found.definitions.items()} == {
        Section.FIELD: ["deal.address"],
        Section.LADDER: ["deal.overdue"],
        Section.LIST: ["Спам"],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[pipline]]\nname = 'x'", "preset:1: pipline: there is no such section; did you mean «pipeline»?"),
        ("[[pipeline]]\nname = 'x'", "preset:1: pipeline[1].stage: a pipeline has at least one stage"),
        (
            "[[pipeline]]\nname = 'x'\n[[pipeline.stage]]\nname = 'a'\ndeadlin = '1d'",
            "preset:5: pipeline[1].stage[1].deadlin: there is no such key; did you mean «deadline»?",
        ),
        (
            "[[pipeline]]\nname = 'x'\n[[pipeline.stage]]\nname = 'a'\ndeadline = 'soon'",
            "preset:5: pipeline[1].stage[1].deadline: «soon» is not a duration",
        ),
        (
            "[[pipeline]]\nname = 'x'\n[[pipeline.stage]]\nname = 'a'\n[[pipeline.stage]]\nname = 'a'",
            "preset:6: pipeline[1].stage[2].name: «a» stands there twice",
        ),
        ("[[field]]\nof = 'deal'\nkey = 'a'\ntitle = 'А'\ntype = 'list'", "options: a list has values to choose from"),
        ("[[list]]\naction = 'reject'", "preset:1: list[1].name: give it a name"),
        ("[[list]]\nname = 'a'\naction = 'route'", 'to: action "route" needs one'),
        ("pipeline = 1", "preset:1: pipeline: expected a list of tables"),
        ("a = [", "preset: not valid TOML"),
        ("title = 1", "preset:1: title: expected a text"),
    ],
)
def test_faults_name_their_place(text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(text, "preset")
    assert told in str(caught.value)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(BadConfiguration) as caught:
        read({"pipeline": [{"name": ""}, {"name": "x", "stage": [{"kind": "open"}]}], "field": 3, "title": 4})
    assert len(caught.value.faults) == 5
