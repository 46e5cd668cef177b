"""What the presets say to and of a client whose name nobody knows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from crm_core import presets
from crm_core.model.templates import rendered

PHONE = "+79161234567"
NAMELESS = {"name": "", "phone": PHONE, "called": PHONE, "fields": {}}
# A greeting without whom it greets, a sentence that begins or ends with nothing.
TORN = re.compile(r", !|, \.|^\W*,|: $", re.MULTILINE)


def texts(part: Any) -> Iterator[str]:
    match part:
        case dict():
            for each in part.values():
                yield from texts(each)
        case list():
            for each in part:
                yield from texts(each)
        case str() if "{{ contact." in part:
            yield part


@pytest.mark.parametrize("name", presets.names())
def test_nobody_is_greeted_by_an_empty_name(name: str) -> None:
    for text in texts(tomllib.loads(presets.text(name))):
        deal = {"stage": "Этап", "title": "Сделка", "fields": {}}
        said = rendered(text, {"contact": NAMELESS, "deal": deal, "lead": deal, "task": deal})
        assert not TORN.search(said), said
