"""A folder of its own for each command line, and the log as it was afterwards."""

import io
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.cli import main


@dataclass(frozen=True)
class Told:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The output read as JSON."""
        return json.loads(self.out)


Run = Callable[..., Told]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the command runs in, and nothing configured."""
    monkeypatch.chdir(tmp_path)
    for name in ("HUB_CONFIG", "HUB_DATABASE_URL", "HUB_HTTP", "HUB_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def hub(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `hub …` with a text on standard input."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*arguments: str, stdin: str = "") -> Told:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(arguments)
        captured = capsys.readouterr()
        return Told(code, captured.out, captured.err)

    yield run
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def rows(folder: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """Asks the embedded database behind the command line's back."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(folder / "var" / "hub.sqlite3")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    return ask
