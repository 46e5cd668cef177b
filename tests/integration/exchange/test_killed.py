"""An import whose process is killed goes on where it stopped, and nothing is taken in twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

LINES = 6000


def _run(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    return subprocess.Popen(
        [sys.executable, "-m", "hub", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _taken(folder: Path) -> int:
    path = folder / "var" / "hub.sqlite3"
    if not path.exists():
        return 0
    connection = sqlite3.connect(path, timeout=20)
    try:
        found = connection.execute("SELECT line FROM import_run").fetchone()
        return int(found[0]) if found is not None else 0
    except sqlite3.OperationalError:  # the tables are just being made
        return 0
    finally:
        connection.close()


def test_a_killed_import_goes_on(tmp_path: Path) -> None:
    table = "id;имя;телефон\n" + "".join(f"{n};Клиент {n};+7916{n:07d}\n" for n in range(LINES))
    (tmp_path / "people.csv").write_text(table, encoding="cp1251")
    with _run(tmp_path, "import", "contacts", "people.csv", "--system", "1c") as first:
        while (place := _taken(tmp_path)) == 0 and first.poll() is None:
            pass
        os.kill(first.pid, signal.SIGKILL)
        first.wait(60)
    assert 0 < place < LINES
    assert first.returncode == -signal.SIGKILL
    # what the dead process owned is free again when its lease has run out
    connection = sqlite3.connect(tmp_path / "var" / "hub.sqlite3")
    connection.execute("UPDATE lease SET expires_at = 0 WHERE name LIKE 'import:%'")
    connection.commit()
    connection.close()
    with _run(tmp_path, "import", "contacts", "people.csv", "--system", "1c") as second:
        out, _ = second.communicate(timeout=300)
    assert second.returncode == 0, out.decode()
    assert "Продолжаем загрузку" in out.decode()
    assert f"создано {LINES}, изменено 0, без изменений 0, не принято 0" in out.decode()
    # whose numbers stand in it may ask to be erased: the hub keeps no copy of the file
    assert not [path for path in (tmp_path / "var" / "files").rglob("*") if path.is_file()]
    connection = sqlite3.connect(tmp_path / "var" / "hub.sqlite3")
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM contact), (SELECT count(*) FROM identity), (SELECT count(*) FROM import_run)"
    ).fetchone()
    connection.close()
    assert counts == (LINES, LINES, 1)


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_the_command_line_says_what_would_be(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.csv").write_text("название;телефон\nООО Ромашка;+74957654321\n;\n", encoding="utf-8")
    mapping = ("--map", "название=name")
    with _run(tmp_path, "import", kind, "a.csv", "--dry-run", *mapping, "--json") as tried:
        out, _ = tried.communicate(timeout=120)
    assert b'"created": 1' in out
    assert _taken(tmp_path) == 0
