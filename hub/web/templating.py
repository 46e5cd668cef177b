"""The templates: read once, and cheap to import from one another; for each language what never changes in it is put
in as they are compiled.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context
from typing_extensions import override

from crm_core.wording import Sentence
from hub.web.compiled import COMPILED
from hub.web.folding import Folding
from hub.web.icons import icon
from hub.web.tongues import (
    LANGUAGES,
    gettext,
    language,
    ngettext,
    npgettext,
    pgettext,
    told,
    translations_of,
)

_TEMPLATES = Path(__file__).parent / "templates"


class Templates:
    """All templates of the pages, in each language; `asset` gives the address of a file that they load."""

    def __init__(self, asset: Callable[[str], str]) -> None:
        self.asset = asset
        plain = jinja2.Environment(autoescape=True)  # for what every environment has
        self.globals, self.filters = plain.globals, plain.filters
        self.globals.update(
            _=gettext,
            gettext=gettext,
            ngettext=ngettext,
            pgettext=pgettext,
            npgettext=npgettext,
            told=told,
            language=language,
            asset=asset,
            icon=icon,
        )
        self._spoken = {each: _Spoken(each, self.globals, self.filters) for each in LANGUAGES}

    def draw(self, template: str, context: MutableMapping[str, Any]) -> str:
        """A template in the language that is spoken."""
        return self._spoken[language()].get_template(template).render(context)


class _Context(Context):
    """Calls what templates call. None of it wants to be given the context itself: that is not looked for each time."""

    @override
    def call(
        __self,  # noqa: N805 — jinja2's name: a macro may be given a `self`
        __obj: Callable[..., Any],  # noqa: PYI063 — as above, by the base's signature
        *args: Any,
        _loop_vars: object = None,
        _block_vars: object = None,
        **kwargs: Any,
    ) -> Any:
        del _loop_vars, _block_vars
        return __obj(*args, **kwargs)


class _Spoken(jinja2.Environment):
    """The templates in one language. They never change while the hub runs, and all have the same globals: a part that
    is drawn for each of a hundred entries must not look for differences every time."""

    context_class = _Context

    def __init__(self, language: str, globals_: dict[str, Any], filters: dict[str, Callable[..., Any]]) -> None:
        super().__init__(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=COMPILED[language],
            auto_reload=False,
            cache_size=-1,
        )
        self.globals, self.filters = globals_, filters
        self._folding = Folding(
            {
                "_": lambda text: translations_of(language).gettext(text),  # read when there is something to say
                "pgettext": lambda which, text: translations_of(language).pgettext(which, text),
                "language": partial(str, language),
                "asset": globals_["asset"],
                "icon": icon,
            }
        )

    @override
    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = self._folding.visit(super()._parse(source, name, filename))
        return template

    @override
    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of a template: those of all, themselves and not a chain of two, where it has none of its own."""
        return super().make_globals(d) if d else self.globals


def _shown(value: object) -> object:
    return told(value) if isinstance(value, Sentence) else value
