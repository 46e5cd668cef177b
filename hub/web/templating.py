"""The templates: read once, and cheap to import from one another."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import jinja2

from hub.web.compiled import COMPILED

_TEMPLATES = Path(__file__).parent / "templates"


class Templates(jinja2.Environment):
    """All templates of the pages. They never change while the hub runs, and all have the same globals: a part that is
    drawn for each of a hundred entries must not look for differences every time.
    """

    def __init__(self) -> None:
        super().__init__(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=COMPILED,
            auto_reload=False,
            cache_size=-1,
        )

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of a template: those of all, themselves and not a chain of two, where it has none of its own."""
        return super().make_globals(d) if d else self.globals
