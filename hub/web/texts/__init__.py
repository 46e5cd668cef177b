"""Every text of the pages, in Russian and in English, a module for each part of the workspace.

A part is a dataclass with one text a field, made once a language, so that a text which one language lacks does not
compile. Templates see the parts as one: `t.cases_title`. Braces are filled with `format`; forms are for 1, 2 and 5.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from hub.web.texts import call_list, calls, cases, clients, common, entering, identity, journal, people, reports

__all__ = ["EN", "PARTS", "RU", "Texts", "plural", "texts_of"]


# Without slots: classes that have them can't be put together.
@dataclass(frozen=True)
class Texts(
    common.CommonTexts,
    entering.EnteringTexts,
    cases.CaseTexts,
    clients.ClientTexts,
    identity.IdentityTexts,
    calls.CallTexts,
    call_list.CallListTexts,
    journal.JournalTexts,
    people.PeopleTexts,
    reports.ReportTexts,
):
    """The texts of one language."""


PARTS = (common, entering, cases, clients, identity, calls, call_list, journal, people, reports)


def _together(*parts: Any) -> Texts:
    found: dict[str, Any] = {}
    for part in parts:
        found.update({each.name: getattr(part, each.name) for each in dataclasses.fields(part)})
    return Texts(**found)


RU = _together(*(part.RU for part in PARTS))
EN = _together(*(part.EN for part in PARTS))


def texts_of(language: str) -> Texts:
    """The texts of a language, Russian where there are none of its own."""
    return EN if language == "en" else RU


def plural(count: int, forms: tuple[str, str, str]) -> str:
    """The form of a word that goes with a number, by the Russian rule (English uses the second form twice)."""
    tens, ones = count % 100, count % 10
    if ones == 1 and tens != 11 and (count == 1 or forms[1] != forms[2]):
        return forms[0]
    return forms[1] if 2 <= ones <= 4 and not 12 <= tens <= 14 else forms[2]
