"""`hub import list`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Run

CONFIG = """
[[list]]
name = "соискатели"
action = "route"
to = "PJSIP/150"
"""
Rows = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def office(folder: Path, hub: Run) -> Path:
    (folder / "hub.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "numbers.csv").write_text("номер;причина\n+79161234567;спам\n+74957654321;\n", encoding="cp1251")
    return folder


def test_a_file_is_tried_imported_and_repeated(office: Path, hub: Run, rows: Rows) -> None:
    tried = hub("import", "list", "соискатели", "numbers.csv", "--dry-run")
    assert (tried.code, tried.err) == (0, "")
    assert tried.out.startswith("Список «соискатели», проба, ничего не записано: новых 2,")
    assert rows("SELECT count(*) FROM listed_number") == [(0,)]
    done = hub("import", "list", "соискатели", "numbers.csv")
    assert done.out.startswith("Список «соискатели»: новых 2, из других списков 0,")
    assert rows("SELECT key, list_name, reason, author FROM listed_number ORDER BY key") == [
        ("tel:+74957654321", "соискатели", "импорт numbers.csv", "import"),
        ("tel:+79161234567", "соискатели", "спам", "import"),
    ]
    again = hub("import", "list", "соискатели", "numbers.csv", "--json").json
    assert (again["added"], again["same"], again["bad"]) == (0, 2, [])


def test_bad_lines_are_told_and_the_rest_is_imported(office: Path, hub: Run, rows: Rows) -> None:
    (office / "bad.csv").write_text("number,reason\n101,x\n+79161234567,y\nИванов,z\n", encoding="utf-8")
    done = hub("import", "list", "соискатели", "bad.csv")
    assert done.code == 1
    assert "новых 1" in done.out
    assert "строка 2: 101;x — короткий номер" in done.err
    assert "строка 4: Иванов;z — это не номер телефона" in done.err
    assert rows("SELECT count(*) FROM listed_number") == [(1,)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("соискатель", "numbers.csv"), "did you mean «соискатели»?"),
        (("соискатели", "none.csv"), "No such file or directory: none.csv"),
        (("соискатели", "numbers.csv", "--author", "nobody"), "there is no user «nobody»"),
    ],
)
def test_what_can_not_be(office: Path, hub: Run, arguments: tuple[str, ...], said: str) -> None:
    failed = hub("import", "list", *arguments)
    assert failed.code == 1
    assert said in failed.err


def test_the_author_is_kept(office: Path, hub: Run, rows: Rows) -> None:
    assert hub("user", "add", "--login", "ivan", "--name", "Иван", "--role", "manager").code == 0
    assert hub("import", "list", "соискатели", "numbers.csv", "--author", "ivan", "--reason", "из 1С").code == 0
    assert rows("SELECT DISTINCT author FROM listed_number") == [("ivan",)]
    assert rows("SELECT reason FROM listed_number ORDER BY key") == [("из 1С",), ("спам",)]
