"""The settings together with what the record keeps of the same kind: what hub.toml says wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from crm_core.model.definitions import Catalogue
from crm_core.model.definitions import Section as Kept
from crm_core.model.line import Line, Recorded
from hub.settings import sections, telephony
from hub.settings.errors import Problem
from hub.settings.model import Settings
from hub.settings.reader import Section, Source

T = TypeVar("T")

_RECORD = "the record"


def with_kept(settings: Settings, catalogue: Catalogue, today: date) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings with the record's calendars, groups, lists, ladders and lines, and what of those can't be used."""
    problems: list[Problem] = []

    def of(kept: Kept, taken: frozenset[str], read: Callable[[Section], T]) -> tuple[T, ...]:
        found = []
        for each in catalogue.section(kept).values():
            if each.name in taken:
                continue
            source = Source(f"{_RECORD}: {kept.value} «{each.name}»")
            section = Section(_table(kept, each.name, each.record.body), (), source)
            made = read(section)
            section.finish()
            if source.problems:
                problems.extend(source.problems)
            else:
                found.append(made)
        return tuple(found)

    named = {
        Kept.HOURS: frozenset(each.name for each in settings.hours),
        Kept.GROUP: frozenset(each.name for each in settings.groups),
        Kept.LIST: frozenset(each.name for each in settings.lists),
        Kept.LADDER: frozenset(each.on.value for each in settings.ladders),
    }

    def lines() -> Iterator[Line]:
        taken = {(each.number, each.pbx) for each in settings.lines}
        for each in of(Kept.LINE, frozenset(), telephony.line(settings.region)):
            if (each.number, each.pbx) not in taken:  # of two that are written in two ways the first counts
                taken.add((each.number, each.pbx))
                yield each

    hours = settings.hours + of(Kept.HOURS, named[Kept.HOURS], sections.calendar(settings.time_zone, today))
    calendars = {each.name: each for each in hours}
    together = replace(
        settings,
        hours=hours,
        groups=settings.groups + of(Kept.GROUP, named[Kept.GROUP], telephony.group),
        lists=settings.lists + of(Kept.LIST, named[Kept.LIST], sections.special_list),
        lines=(*settings.lines, *lines()),
        ladders=settings.ladders + of(Kept.LADDER, named[Kept.LADDER], sections.ladder(calendars)),
    )
    return together, tuple(problems)


def _table(kept: Kept, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The table as hub.toml would have it."""
    match kept:
        case Kept.LADDER:
            return dict(body)
        case Kept.LINE:
            table = {key: value for key, value in body.items() if value not in (None, "", {})}
            if (recorded := table.pop("record", Recorded.PBX)) != Recorded.PBX:
                table["record"] = recorded == Recorded.YES
            return table
        case _:
            return {"name": name, **body}
