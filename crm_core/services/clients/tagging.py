"""Tags in groups: of an exclusive group a record carries one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crm_core.errors import Duplicate, InvalidInput
from crm_core.model.definitions import Catalogue, Section, TagGroupBody
from crm_core.model.definitions.base import DefinitionRecord
from crm_core.services import defining
from crm_core.services.desk import Desk

_MOST_TAGS = 500


def one_of_each_group(desk: Desk, kind: str, known: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """The tags that a record of `kind` is to carry: of an exclusive group the one that is new, else the last."""
    tags = list(dict.fromkeys(wanted))
    groups = desk.catalogue.made("exclusive tags", _exclusive)
    if not groups:
        return tags
    had = set(known)
    for name, (of, on) in groups.items():
        mine = [tag for tag in tags if tag in of]
        if len(mine) < 2 or (on and kind not in on):
            continue
        fresh = [tag for tag in mine if tag not in had]
        if len(fresh) > 1:
            raise InvalidInput(f"tags: «{fresh[0]}» and «{fresh[1]}» exclude each other (group «{name}»)")
        stays = fresh[0] if fresh else mine[-1]
        tags = [tag for tag in tags if tag == stays or tag not in of]
    return tags


def add_tag(desk: Desk, group: str, tag: str, login: str) -> DefinitionRecord:
    """Add a tag to a group, which is made where it is new; raises Duplicate where it stands in one."""
    for record in defining.of_section(desk, Section.TAG_GROUP):
        if not record.archived and tag in TagGroupBody.model_validate(record.body).tags:
            raise Duplicate(f"the tag «{tag}» stands in the group «{record.name}» already")
    known = next((each for each in defining.of_section(desk, Section.TAG_GROUP) if each.name == group), None)
    if known is None or known.archived:
        return defining.add(desk, Section.TAG_GROUP, group, TagGroupBody(tags=[tag]), login)
    body = TagGroupBody.model_validate(known.body)
    if len(body.tags) >= _MOST_TAGS:
        raise InvalidInput(f"the group «{group}» has {_MOST_TAGS} tags")
    whole = body.model_copy(update={"tags": [*body.tags, tag]})
    return defining.change(desk, Section.TAG_GROUP, known.id, login, body=whole)


def _exclusive(catalogue: Catalogue) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """The exclusive groups by name: their tags, and on what kinds of records they stand."""
    groups = catalogue.bodies(Section.TAG_GROUP, TagGroupBody)
    return {each.name: (frozenset(body.tags), frozenset(body.on)) for each, body in groups if body.exclusive}
