"""What the program imports is what an office is given: no import leans on a package that only the tests install."""

import ast
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
OWN = ("hub", "channels", "routing", "crm_core")


def test_every_import_of_the_program_is_in_the_lock_of_an_office() -> None:
    owners = importlib.metadata.packages_distributions()
    locked = _locked("requirements.lock")
    strangers = {
        f"{path.relative_to(CHECKOUT)}: {module}"
        for path, module in _imports()
        if module not in sys.stdlib_module_names
        and module not in OWN
        and not locked & {_normal(owner) for owner in owners.get(module, ())}
    }
    assert not strangers


def test_the_tests_run_on_the_very_versions_of_an_office() -> None:
    def versions(name: str) -> set[str]:
        return set((CHECKOUT / name).read_text(encoding="utf-8").splitlines())

    assert versions("requirements.lock") <= versions("requirements-dev.lock")


def test_a_lock_names_versions_and_no_place_to_fetch_them_from() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        for line in (CHECKOUT / name).read_text(encoding="utf-8").splitlines():
            assert not line or line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.!+]+", line), f"{name}: {line}"


def _imports() -> Iterator[tuple[Path, str]]:
    for package in OWN:
        for path in (CHECKOUT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from ((path, alias.name.partition(".")[0]) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield path, node.module.partition(".")[0]


def _locked(name: str) -> set[str]:
    lines = (CHECKOUT / name).read_text(encoding="utf-8").splitlines()
    return {_normal(line.partition("==")[0]) for line in lines if "==" in line}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
