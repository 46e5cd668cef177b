"""The form of an import as it is sent: how the file is read, what its columns mean, what stands for its words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from crm_core.errors import InvalidInput
from crm_core.model.importing import How, Policy
from hub.web.pages import field_of, user_here
from hub.web.tongues import N_, _

_MOST_TARGETS = 50
_LONGEST_WORD = 200
ENCODINGS = ("utf-8", "cp1251", "utf-16", "koi8-r", "cp866")
SEPARATORS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("", N_("as it is recognised")),
    "semicolon": (";", ";"),
    "comma": (",", ","),
    "tab": ("\t", N_("tab")),
    "bar": ("|", "|"),
}


async def mapping_of(request: web.Request) -> dict[str, str]:
    """What people said of the columns: the fields `column.N` with the headings `heading.N`."""
    posted = await request.post()
    found = {}
    for key, heading in posted.items():
        if key.startswith("heading.") and isinstance(heading, str):
            target = posted.get(f"column.{key.removeprefix('heading.')}")
            if isinstance(target, str) and heading:
                found[heading] = target or "skip"
    return found


async def how_of(request: web.Request) -> How:
    """How the form wants the file read and taken in. Raises InvalidInput."""
    posted = await request.post()
    named = await field_of(request, "separator", 10)
    if named not in SEPARATORS:
        raise InvalidInput(_("There is no such separator."))
    return How(
        policy=_policy_of(await field_of(request, "policy")),
        rules="rules" in posted,
        author=user_here(request).login,
        values=_values(posted),
        encoding=await field_of(request, "encoding", 40) or None,
        separator=SEPARATORS[named][0] or None,
        sheet=await field_of(request, "sheet", 200) or None,
        dry_run=True,
    )


def _values(posted: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """What stands for which words of the file: the fields `word.N.target`, `word.N.from`, `word.N.to`, `word.N.was`."""
    found: dict[str, dict[str, str]] = {}
    for key, text in posted.items():
        if not (key.startswith("word.") and key.endswith(".from") and isinstance(text, str)):
            continue
        target, to, was = (posted.get(f"{key.removesuffix('.from')}.{name}") for name in ("target", "to", "was"))
        if not isinstance(target, str) or not isinstance(to, str) or not text or len(found) > _MOST_TARGETS:
            continue
        if to.strip() or was:  # what was remembered and is emptied stands for itself again
            found.setdefault(target, {})[text[:_LONGEST_WORD]] = to.strip()[:_LONGEST_WORD] or text[:_LONGEST_WORD]
    return found


def as_fields(how: How) -> dict[str, str]:
    """The fields of the form that say how an import was read and what stands for its words."""
    separator = next((name for name, (sign, _word) in SEPARATORS.items() if sign == how.separator), "")
    found = {"sheet": how.sheet or "", "encoding": how.encoding or "", "separator": separator}
    words = ((target, text, to) for target, several in how.values.items() for text, to in several.items())
    for number, (target, text, to) in enumerate(words):
        found |= {f"word.{number}.target": target, f"word.{number}.from": text, f"word.{number}.to": to}
    return found


def _policy_of(text: str) -> Policy:
    return Policy(text) if text in set(Policy) else Policy.FILL
