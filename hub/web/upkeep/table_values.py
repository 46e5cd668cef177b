"""The words of a file that are to be ours: stages, pipelines, people, fields with choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from crm_core.model.definitions import Catalogue
from crm_core.model.fields import fields_of
from crm_core.model.importing import Column, ImportKind, Line
from crm_core.model.user import Staff

MOST_LINES: Final = 20_000
"""So many lines are looked through for their words; further ones are told by the rehearsal."""

_MOST_WORDS: Final = 60
_LONGEST: Final = 200
_FIELDS: Final = "fields."


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the file; `ours` says what stands for it, empty: it is taken as it is. `known`: it is ours already."""

    text: str
    count: int
    ours: str
    known: bool


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a column that means `target`, the most frequent first; `choices` are ours, `more` are not shown."""

    target: str
    heading: str
    words: tuple[Word, ...]
    choices: tuple[str, ...]
    more: int = 0

    @property
    def strange(self) -> int:
        """How many of them are neither ours nor replaced."""
        return sum(not each.known and not each.ours for each in self.words)


def words_of_columns(
    kind: ImportKind,
    columns: Sequence[Column],
    lines: Iterable[Line],
    catalogue: Catalogue,
    staff: Staff,
    replaced: Mapping[str, Mapping[str, str]],
) -> tuple[Words, ...]:
    """The words of all columns that take only some. Reads the lines, which may raise InvalidInput."""
    choices = {each.target: _choices(kind, each.target, catalogue, staff) for each in columns}
    wanted = [(place, each) for place, each in enumerate(columns) if choices[each.target] is not None]
    if not wanted:
        return ()
    counts: dict[int, dict[str, int]] = {place: {} for place, _each in wanted}
    for line in islice(lines, MOST_LINES):
        for place, _each in wanted:
            text = line.cells[place].strip()[:_LONGEST] if place < len(line.cells) else ""
            if text:
                counts[place][text] = counts[place].get(text, 0) + 1
    found = []
    for place, each in wanted:
        ours = choices[each.target] or ()
        plain = {choice.casefold() for choice in ours}
        instead = replaced.get(each.target, {})
        told = sorted(counts[place].items(), key=lambda pair: (-pair[1], pair[0]))
        words = tuple(
            Word(text, count, instead.get(text, ""), text.casefold() in plain) for text, count in told[:_MOST_WORDS]
        )
        found.append(Words(each.target, each.heading, words, ours, max(len(told) - _MOST_WORDS, 0)))
    return tuple(found)


def _choices(kind: ImportKind, target: str, catalogue: Catalogue, staff: Staff) -> tuple[str, ...] | None:
    """Our words for a meaning, None where any word will do."""
    pipelines = [each for each in catalogue.pipelines if not each.record.archived]
    match target:
        case "stage":
            names = [stage.name for each in pipelines for stage in each.stages]
            return tuple(dict.fromkeys(names))
        case "pipeline":
            return tuple(each.record.name for each in pipelines)
        case "manager":
            people = [each for each in staff.by_login.values() if each.active]
            return tuple(dict.fromkeys(text for each in people for text in (each.name, each.login)))
        case _ if target.startswith(_FIELDS):
            field = fields_of(catalogue, kind.of).by_key.get(target.removeprefix(_FIELDS))
            return tuple(field.options.values()) if field is not None and field.options else None
        case _:
            return None
