"""The examples of the page on selling are configurations that the hub reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.office.presets import parsed

PAGE = Path(__file__).parents[3] / "docs" / "selling.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_read(example: str) -> None:
    found = parsed(example, "selling.md")
    assert found.pipelines or found.definitions


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2
