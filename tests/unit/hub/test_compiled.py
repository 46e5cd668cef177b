"""Templates that several hubs of a process share."""

import jinja2
import pytest

from hub.web.compiled import CompiledTemplates


def drawn(compiled: CompiledTemplates, text: str, **names: str) -> str:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"page.html": text}), autoescape=True, bytecode_cache=compiled
    )
    environment.globals.update(names)
    return environment.get_template("page.html").render()


def test_a_template_is_compiled_once_and_drawn_with_what_each_environment_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled = CompiledTemplates()
    assert drawn(compiled, "{{ office }}", office="Sales") == "Sales"
    monkeypatch.delattr(jinja2.Environment, "_generate")
    assert drawn(compiled, "{{ office }}", office="Support") == "Support"


def test_another_text_is_another_template() -> None:
    compiled = CompiledTemplates()
    assert drawn(compiled, "one") == "one"
    assert drawn(compiled, "two") == "two"
