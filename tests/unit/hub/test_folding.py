"""What templates say with constants alone is put in as they are compiled."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from hub.web.folding import Folding
from hub.web.icons import icon
from hub.web.templating import Templates
from hub.web.tongues import speak


def compiled(text: str, pure: dict[str, Callable[..., Any]]) -> str:
    environment = jinja2.Environment(autoescape=True)
    source = environment.compile(Folding(pure).visit(environment.parse(text)), raw=True)
    assert isinstance(source, str)
    return source


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{{ shout("who") }}', "WHO"),
        ('<b title="{{ shout("who") }}">', '<b title="WHO">'),
        ('{{ shout("a & b") }}', "A &amp; B"),
        ('{% set word = shout("who") %}{{ word }}', "WHO"),
        ('{% for each in [shout("one"), shout("two")] %}{{ each }}{% endfor %}', "ONE"),
        ('{{ shout(shout("who")) }}', "WHO"),
    ],
)
def test_a_call_with_constants_is_done_at_once(text: str, said: str) -> None:
    source = compiled(text, {"shout": str.upper})
    assert said in source
    assert "shout" not in source


@pytest.mark.parametrize("text", ["{{ shout(name) }}", '{{ other("who") }}', '{{ shout(*["who"]) }}', "{{ shout }}"])
def test_what_is_known_only_when_it_is_drawn_stays(text: str) -> None:
    asked: list[object] = []
    compiled(text, {"shout": lambda *given: asked.append(given)})
    assert not asked


def test_each_language_has_its_own_words() -> None:
    templates = Templates(lambda name: f"/static/{name}")
    templates.filters["client"] = templates.filters["known_by"] = templates.filters["moment"] = str
    templates.filters["number"] = templates.filters["line"] = str
    said = []
    for language in ("ru", "en", "ru"):
        speak(language)
        said.append(templates.draw("search/quick.html", {"found": SimpleNamespace(typed="ab", empty=True)}).strip())
    russian, english, again = said
    assert "Nothing found." in english
    assert "Ничего не найдено" in russian
    assert russian == again


def test_an_icon_is_put_in_as_it_is() -> None:
    assert '<svg class="icon"' in compiled('{{ icon("inbox") }}', {"icon": icon})
    with pytest.raises(KeyError):
        compiled('{{ icon("nothing") }}', {"icon": icon})
