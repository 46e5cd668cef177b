"""The form of a remembered mapping: how the columns of a file with these headings are understood."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from crm_core.model.definitions.base import Body, Line, Name
from crm_core.model.importing import ImportKind


class MappingColumn(Body):
    """A column: its heading as it stands in the file, and what it means; empty: it is left out."""

    heading: Line
    target: Line = ""


class MappingBody(Body):
    """What the columns of a file mean. The definition's name is `kind:digest of the headings`; `system` names the
    program whose ids the file has, `values` replaces values: `{"stage": {"В работе": "Новая"}}`."""

    kind: ImportKind
    columns: Annotated[list[MappingColumn], Field(max_length=1000)]
    system: Line = "file"
    values: Annotated[dict[Name, dict[Line, Line]], Field(max_length=50)] = {}


def mapping_name(kind: ImportKind, headings: Sequence[str]) -> str:
    """The name under which the mapping of these headings is remembered."""
    plain = "\n".join(" ".join(each.casefold().split()) for each in headings)
    return f"{kind.value}:{hashlib.sha256(plain.encode()).hexdigest()[:32]}"
