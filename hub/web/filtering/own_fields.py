"""Own fields in the filter of a list: as they stand behind the `?` of its address, and what they ask of records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from multidict import MultiMapping

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.definitions.fields import FieldType
from crm_core.model.fields import Field
from crm_core.model.filters import Op
from crm_core.storage.queries.workspace.unindexed import Term

FIELD = "f."
"""Before the key of a field in an address."""

SPANNED = frozenset({FieldType.NUMBER, FieldType.MONEY, FieldType.DATE})
"""Fields that are asked for by a span, from and to."""

_LONGEST = 200
_CHOSEN = frozenset({FieldType.LIST, FieldType.MULTI, FieldType.USER, FieldType.LINK})


def fields_asked(query: MultiMapping[str]) -> Mapping[str, str]:
    """What an address asks of own fields, by `key`, `key.from`, `key.to`."""
    given = ((name.removeprefix(FIELD), plain(value)) for name, value in query.items() if name.startswith(FIELD))
    return {name: value for name, value in given if value}


def terms_of(asked: Mapping[str, str], fields: Sequence[Field]) -> Iterator[Term]:
    """The same as terms about these fields; one that is none of them was taken away since the view was kept."""
    known = {each.key: each for each in fields}
    for name, value in asked.items():
        key, _dot, side = name.partition(".")
        found = known.get(key)
        if found is None:
            continue
        if side:
            yield Term(found, Op.GE if side == "from" else Op.LE, value)
        elif found.type is FieldType.FLAG:
            yield Term(found, Op.EQ, written.flag(value))
        else:
            yield Term(found, Op.EQ if found.type in _CHOSEN else Op.CONTAINS, value)


def plain(text: str) -> str:
    """What was typed into a filter, in one line of a sensible length; raises InvalidInput for a NUL character."""
    if "\x00" in text:
        raise InvalidInput("a NUL character can't be asked for")
    return " ".join(text.split())[:_LONGEST]
