"""Which column of a file is what: by what somebody said, by what was remembered, by its heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Catalogue, Section
from crm_core.model.definitions.mappings import MappingBody, mapping_name
from crm_core.model.fields import FieldSet, fields_of
from crm_core.model.importing import Column, ImportKind, Plan
from crm_core.services.importing.headings import has_first_names, plain, recognised, target_of, targets
from crm_core.wording import Sentence

_FIELDS = "fields."
_WITHOUT_FIELDS = frozenset({ImportKind.SALES, ImportKind.PAYMENTS})
# What a file must tell of, that its lines can be called anything.
_NEEDED: dict[ImportKind, frozenset[str]] = {
    ImportKind.CONTACTS: frozenset(
        {"name", "first_name", "last_name", "phone", "email", "identifier", "telegram", "vk"}
    ),
    ImportKind.COMPANIES: frozenset({"name", "tax_id"}),
    ImportKind.LEADS: frozenset({"name", "first_name", "phone", "email", "identifier", "contact_id", "telegram", "vk"}),
    ImportKind.DEALS: frozenset({"title", "external_id", "phone", "email", "name", "contact_id", "hub_id"}),
    ImportKind.PRODUCTS: frozenset({"name", "sku"}),
    ImportKind.SALES: frozenset({"amount"}),
    ImportKind.PAYMENTS: frozenset({"amount"}),
    ImportKind.TASKS: frozenset({"title"}),
}
# What an export of ours tells besides.
_OURS = frozenset({"known as", "paid", "grade", "ref"})
# The column that failed lines are given.
_REASONS = frozenset({"почему", "why"})
# Of these the first column that means it counts, of others all do.
_SEVERAL = frozenset({"phone", "email", "identifier", "tags", "note", "skip", "telegram", "vk"})


def plan(
    catalogue: Catalogue,
    kind: ImportKind,
    headings: Sequence[str],
    given: Mapping[str, str] | None = None,
    system: str | None = None,
) -> Plan:
    """How the columns are understood; `given` names columns by heading and what they mean («skip» leaves one out).

    Raises InvalidInput for an unknown column or meaning, and where the file tells nothing of what it is to hold.
    """
    said = _said(kind, headings, given or {}, fields_of(catalogue, kind.of))
    kept = _remembered(catalogue, kind, headings)
    known = {each.heading: each.target for each in kept.columns} if kept is not None else {}
    fields = fields_of(catalogue, kind.of)
    columns: list[Column] = []
    taken: set[str] = set()
    for heading in headings:
        target = said.get(plain(heading))
        if target is None and kept is not None:
            target = known.get(heading)
        if target is None:
            target = _by_heading(kind, heading, fields, headings)
            if target in taken and target not in _SEVERAL:
                target = _field(kind, heading, fields)
        taken.add(target)
        columns.append(Column(heading, "" if target == "skip" else target))
    if not taken & _NEEDED[kind] or (kind is ImportKind.SALES and "at" not in taken):
        wanted = ", ".join(sorted(_NEEDED[kind] | ({"at"} if kind is ImportKind.SALES else set())))
        shown = ", ".join(f"«{each}»" for each in headings[:20])
        raise InvalidInput(
            "none of the columns {shown} tells what a line of {kind} is: name one of {wanted}, or map a column",
            shown=shown,
            kind=kind.value,
            wanted=wanted,
        )
    named = system or (kept.system if kept is not None else recognised(headings))
    return Plan(kind, tuple(columns), named, remembered=kept is not None)


def replaced(
    catalogue: Catalogue, kind: ImportKind, headings: Sequence[str], given: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """What stands for which words of the file, by meaning: as somebody says now, else as it was remembered."""
    kept = _remembered(catalogue, kind, headings)
    known = kept.values if kept is not None else {}
    return {name: {**known.get(name, {}), **given.get(name, {})} for name in (*known, *given)}


def _remembered(catalogue: Catalogue, kind: ImportKind, headings: Sequence[str]) -> MappingBody | None:
    """How such a file was mapped before; one of failed lines, with the reasons at its end, as the file they are of."""
    kept = catalogue.body(Section.MAPPING, mapping_name(kind, headings), MappingBody)
    if kept is None and headings and plain(headings[-1]) in _REASONS:
        kept = catalogue.body(Section.MAPPING, mapping_name(kind, headings[:-1]), MappingBody)
    return kept


def _said(kind: ImportKind, headings: Sequence[str], given: Mapping[str, str], fields: FieldSet) -> dict[str, str]:
    present = {plain(each) for each in headings}
    found: dict[str, str] = {}
    for heading, target in given.items():
        if plain(heading) not in present:
            near = get_close_matches(heading, headings, n=1)
            guess = Sentence("; did you mean «{name}»?", name=near[0]) if near else ""
            raise InvalidInput("map: the file has no column «{heading}»{guess}", heading=heading, guess=guess)
        found[plain(heading)] = checked(kind, target, fields)
    return found


def checked(kind: ImportKind, target: str, fields: FieldSet) -> str:
    """A meaning as somebody named it; raises InvalidInput with what there is."""
    name = target.strip()
    if name in {"", "skip"}:
        return "skip"
    if name in targets(kind):
        return name
    field = fields.named(name.removeprefix(_FIELDS))
    if field is not None:
        return f"{_FIELDS}{field.key}"
    if name.startswith(_FIELDS) and len(name) > len(_FIELDS):
        return name
    near = get_close_matches(name, targets(kind), n=1)
    guess = Sentence("; did you mean «{name}»?", name=near[0]) if near else ""
    raise InvalidInput(
        "map: «{name}» is none of {targets}, nor «fields.NAME»{guess}",
        name=name,
        targets=", ".join(sorted(targets(kind))),
        guess=guess,
    )


def _by_heading(kind: ImportKind, heading: str, fields: FieldSet, headings: Sequence[str]) -> str:
    # A field that the office declared is meant before a synonym of ours.
    declared = fields.named(heading)
    if declared is not None:
        return f"{_FIELDS}{declared.key}"
    if "hub id" in {plain(each) for each in headings} and plain(heading) in _OURS:
        return "skip"
    if has_first_names(kind, headings) and plain(heading) in {"имя", "name"}:
        return "first_name"
    return target_of(kind, heading) or _field(kind, heading, fields)


def _field(kind: ImportKind, heading: str, fields: FieldSet) -> str:
    if not heading or kind in _WITHOUT_FIELDS:
        return "skip"
    declared = fields.named(heading.removeprefix(_FIELDS))
    return f"{_FIELDS}{declared.key if declared is not None else heading.removeprefix(_FIELDS)}"
