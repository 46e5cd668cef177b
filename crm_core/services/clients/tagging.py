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
    """The tags that a record of `kind` is to carry, as a person wants it: of an exclusive group the one that is new,
    else the last. Raises InvalidInput where two are new."""
    tags = list(dict.fromkeys(wanted))
    had = set(known)
    for name, of in _groups(desk, kind):
        mine = [tag for tag in tags if tag in of]
        if len(mine) < 2:
            continue
        fresh = [tag for tag in mine if tag not in had]
        if len(fresh) > 1:
            raise InvalidInput(
                "tags: «{fresh}» and «{second}» exclude each other (group «{name}»)",
                fresh=fresh[0],
                second=fresh[1],
                name=name,
            )
        stays = fresh[0] if fresh else mine[-1]
        tags = [tag for tag in tags if tag == stays or tag not in of]
    return tags


def put_tags(desk: Desk, kind: str, known: Sequence[str], put: Iterable[str]) -> list[str]:
    """The tags of a record of `kind` with further ones, each of which takes the place of what it excludes."""
    groups, tags = _groups(desk, kind), list(known)
    for tag in put:
        if tag not in tags:
            excluded = {each for _, of in groups if tag in of for each in of}
            tags = [*(each for each in tags if each not in excluded), tag]
    return tags


def joined_tags(desk: Desk, kind: str, known: Iterable[str], others: Iterable[str]) -> list[str]:
    """The tags of a record of `kind` with further ones, those left out that exclude one which stands there already."""
    groups, tags = _groups(desk, kind), list(dict.fromkeys(known))
    for tag in others:
        excluded = {each for _, of in groups if tag in of for each in of}
        if tag not in tags and excluded.isdisjoint(tags):
            tags.append(tag)
    return tags


def add_tag(desk: Desk, group: str, tag: str, login: str) -> DefinitionRecord:
    """Add a tag to a group, which is made where it is new; raises Duplicate where it stands in one."""
    for record in defining.of_section(desk, Section.TAG_GROUP):
        if not record.archived and tag in TagGroupBody.model_validate(record.body).tags:
            raise Duplicate("the tag «{tag}» stands in the group «{record}» already", tag=tag, record=record.name)
    known = next((each for each in defining.of_section(desk, Section.TAG_GROUP) if each.name == group), None)
    if known is None or known.archived:
        return defining.add(desk, Section.TAG_GROUP, group, TagGroupBody(tags=[tag]), login)
    body = TagGroupBody.model_validate(known.body)
    if len(body.tags) >= _MOST_TAGS:
        raise InvalidInput("the group «{group}» has {most} tags", group=group, most=_MOST_TAGS)
    whole = body.model_copy(update={"tags": [*body.tags, tag]})
    return defining.change(desk, Section.TAG_GROUP, known.id, login, body=whole)


def _groups(desk: Desk, kind: str) -> list[tuple[str, frozenset[str]]]:
    """The exclusive groups that stand on records of a kind, by name."""
    groups = desk.catalogue.made("exclusive tags", _exclusive)
    return [(name, of) for name, (of, on) in groups.items() if not on or kind in on]


def _exclusive(catalogue: Catalogue) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """The exclusive groups by name: their tags, and on what kinds of records they stand."""
    groups = catalogue.bodies(Section.TAG_GROUP, TagGroupBody)
    return {each.name: (frozenset(body.tags), frozenset(body.on)) for each, body in groups if body.exclusive}
