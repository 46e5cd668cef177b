"""`hub preset`, from an empty folder."""

from __future__ import annotations

from pathlib import Path

from tests.integration.cli.conftest import Run
from tests.unit.crm_core.test_configuration import WHOLE


def test_a_file_is_looked_at_applied_and_given_out(hub: Run, folder: Path) -> None:
    (folder / "own.toml").write_text(WHOLE, encoding="utf-8")
    told = hub("preset", "apply", "own.toml", "--dry-run")
    assert (told.code, "Ничего не записано" in told.out) == (0, True)
    assert "добавить stage «Продажи / Сбор данных»" in told.out
    assert len(hub("preset", "apply", "own.toml", "--json").json) == len(hub_lines(told.out))
    assert "менять нечего" in hub("preset", "apply", "own.toml").out
    assert hub("preset", "export", "--to", "out.toml", "--title", "Окна").code == 0
    assert "менять нечего" in hub("preset", "apply", "out.toml").out
    assert (folder / "out.toml").read_text(encoding="utf-8").startswith('title = "Окна"')


def hub_lines(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("добавить")]


def test_a_fault_names_file_line_and_key(hub: Run, folder: Path) -> None:
    (folder / "own.toml").write_text(
        "[[pipeline]]\nname = 'x'\n[[pipeline.stage]]\nname = 'a'\ndeadlin = '1d'\n", encoding="utf-8"
    )
    told = hub("preset", "apply", "own.toml")
    assert told.code == 1
    assert "own.toml:5: pipeline[1].stage[1].deadlin: there is no such key; did you mean «deadline»?" in told.err


def test_what_names_nothing_is_told(hub: Run, folder: Path) -> None:
    rule = '[[rule]]\nname = "Спасибо"\nwhen = [{ event = "created" }]\n'
    rule += 'then = [{ do = "message", template = "Спасибо" }]\n'
    (folder / "own.toml").write_text(rule, encoding="utf-8")
    for more in (("--dry-run",), ()):
        told = hub("preset", "apply", "own.toml", *more)
        assert told.code == 0
        assert "Не сработает, поправьте: rule «Спасибо»: then.0: template: there is no template «Спасибо»" in told.err


def test_presets_that_mean_different_things_by_one_field_are_told_before_anything_is_written(hub: Run) -> None:
    assert hub("preset", "apply", "selling").code == 0
    dry = hub("preset", "apply", "windows", "--dry-run")
    clash = "Перестанет работать то, что уже настроено: scoring «Квалификация»: "
    clash += "grade.parts.0: «funds» has no option «Выделен»"
    assert (dry.code, clash in dry.err) == (0, True)
    told = hub("preset", "apply", "windows")
    assert told.code == 1
    assert clash in told.err
    assert "Ничего не записано" in told.err
    assert "менять нечего" in hub("preset", "apply", "selling").out
    assert hub("preset", "apply", "windows", "--force").code == 0


def test_nobody_is_told_by_a_group_or_a_field_that_is_not_there(hub: Run, folder: Path) -> None:
    text = '[[group]]\nname = "замерщики"\n'
    for key, kind in (("surveyor", "user"), ("city", "text")):
        text += f'[[field]]\nof = "deal"\nkey = "{key}"\ntitle = "{key}"\ntype = "{kind}"\n'
    targets = ("group:замерщики", "field:surveyor", "group:замерщеки", "field:surveyer", "field:city")
    for number, to in enumerate(targets):
        text += f'[[rule]]\nname = "Р{number}"\nwhen = [{{ event = "created" }}]\n'
        text += (
            f'then = [{{ do = "task", title = "x", to = "{to}" }}, {{ do = "notify", text = "x", to = ["{to}"] }}]\n'
        )
    (folder / "own.toml").write_text(text, encoding="utf-8")
    told = hub("preset", "apply", "own.toml", "--dry-run")
    assert told.code == 0
    assert [line.partition(": ")[2] for line in told.err.splitlines()] == [
        "rule «Р2»: then.0: to: there is no group «замерщеки», did you mean «замерщики»?",
        "rule «Р3»: then.0: to: a deal has no field «surveyer», did you mean «surveyor»?",
        "rule «Р4»: then.0: to: the field «city» of a deal names no person: it is one of type text",
    ]


def test_an_unknown_name_tells_the_known_ones(hub: Run) -> None:
    told = hub("preset", "apply", "windoos")
    assert told.code == 1
    assert "there is no preset «windoos»" in told.err


def test_presets_are_listed_and_shown(hub: Run) -> None:
    for each in hub("preset", "list", "--json").json:
        assert each["title"]
        assert f'title = "{each["title"]}"' in hub("preset", "show", each["name"]).out
