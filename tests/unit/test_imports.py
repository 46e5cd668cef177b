"""What a start does not load: heavy libraries that most offices, or most starts, have no use for."""

import subprocess
import sys

import pytest

SELDOM = frozenset(
    {"aiogram", "alembic", "authlib", "cel", "docx", "holidays", "openpyxl", "prompt_toolkit", "redis", "weasyprint"}
)
# The command line alone asks neither the record nor the world.
NEVER_FOR_HELP = SELDOM | {"aiohttp", "sqlalchemy"}


@pytest.mark.parametrize(
    ("loading", "left_out"),
    [
        ("import hub.cli.running, hub.app", SELDOM),
        ("from hub.cli import main; main(['--help'])", NEVER_FOR_HELP),
    ],
    ids=["a hub", "its help"],
)
def test_heavy_libraries_wait_until_they_are_needed(loading: str, left_out: frozenset[str]) -> None:
    told = f"{loading}; import sys; print('loaded:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    assert loaded & left_out == set()
