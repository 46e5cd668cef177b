"""Keeping what the office configures in the record: definitions of every section, added, changed, put away."""

from __future__ import annotations

from typing import Any

from crm_core.errors import Conflict, Duplicate, InvalidInput, NotFound
from crm_core.model.auditing import Act
from crm_core.model.definitions import Body, DefinitionRecord, Section
from crm_core.model.rights import Right
from crm_core.services import auditing
from crm_core.services.desk import Desk
from crm_core.services.using import brief, users_of
from crm_core.wording import Sentence

_MOST = 5000  # of one section


def add(
    desk: Desk, section: Section, name: str, body: Body, login: str, position: int | None = None
) -> DefinitionRecord:
    """Add a definition; one of that name that was put away comes back. Raises Duplicate, Conflict."""
    desk.demand(keeps(section))
    known = of_section(desk, section)
    before = next((each for each in known if each.name == name), None)
    if before is not None and not before.archived:
        raise Duplicate("there is a {section} «{name}» already", section=section.value, name=name)
    if len(known) >= _MOST:
        raise Conflict(
            "there are {most} of section «{section}»: put some away first", most=_MOST, section=section.value
        )
    place = position if position is not None else max((each.position for each in known), default=-1) + 1
    record = DefinitionRecord(
        id=before.id if before is not None else desk.work.next_id(),
        section=section,
        name=name,
        position=place,
        body=as_json(body),
        version=before.version + 1 if before is not None else 1,
        archived=False,
        updated_at=desk.now,
        updated_by=login,
    )
    desk.work.put(record)
    _noted(desk, record, login)
    return record


def change(
    desk: Desk,
    section: Section,
    definition_id: int,
    login: str,
    *,
    name: str | None = None,
    body: Body | None = None,
    position: int | None = None,
    version: int | None = None,
) -> DefinitionRecord:
    """Change a definition; raises NotFound, Duplicate, Conflict where it is no longer the `version` that was seen, or
    where it is to have another name and something else means it by this one."""
    desk.demand(keeps(section))
    before = one(desk, section, definition_id)
    if version is not None and version != before.version:
        raise Conflict(
            "it was changed meanwhile: it is at version {now}, not {version}", now=before.version, version=version
        )
    if name is not None and name != before.name and any(each.name == name for each in of_section(desk, section)):
        raise Duplicate("there is a {section} «{name}» already", section=section.value, name=name)
    if name is not None and name != before.name:
        _demand_unused(desk, before, Sentence("have another name"))
    after = before._replace(
        name=name if name is not None else before.name,
        body=as_json(body) if body is not None else before.body,
        position=position if position is not None else before.position,
    )
    if after != before:
        after = after._replace(version=before.version + 1, updated_at=desk.now, updated_by=login)
        desk.work.put(after)
        _noted(desk, after, login)
    return after


def put_away(desk: Desk, section: Section, definition_id: int, login: str) -> None:
    """Take a definition out of use; what it did stays. Raises NotFound, Conflict that says what else needs it."""
    desk.demand(keeps(section))
    before = one(desk, section, definition_id)
    if not before.archived:
        _demand_unused(desk, before, Sentence("go"))
        _noted(desk, before, login)
        desk.work.put(before._replace(archived=True, version=before.version + 1, updated_at=desk.now, updated_by=login))


def keeps(section: Section) -> Right:
    """What somebody must be allowed to do to change definitions of a section."""
    return _KEEPS.get(section, Right.CONFIGURE)


def _noted(desk: Desk, record: DefinitionRecord, login: str) -> None:
    auditing.note(desk, Act.CONFIGURED, record.id, login=login, detail=f"{record.section.value} «{record.name}»")


_KEEPS = {
    Section.TEMPLATE: Right.BROADCAST,
    Section.SEGMENT: Right.BROADCAST,
    Section.MAPPING: Right.IMPORT,
    Section.ROLE: Right.KEEP_STAFF,
    Section.ACCOUNT: Right.CONFIGURE_CHANNELS,
}


def one(desk: Desk, section: Section, definition_id: int) -> DefinitionRecord:
    """A definition of this section; raises NotFound."""
    record = desk.work.get(DefinitionRecord, definition_id)
    if record.section is not section:
        raise NotFound("there is no {section} {definition}", section=section.value, definition=definition_id)
    return record


def of_section(desk: Desk, section: Section) -> list[DefinitionRecord]:
    """All definitions of a section, also those put away, in their order."""
    found = (each for each in desk.work.everything(DefinitionRecord) if each.section is section)
    return sorted(found, key=lambda each: (each.position, each.id))


def _demand_unused(desk: Desk, record: DefinitionRecord, what: str) -> None:
    users = users_of(desk.catalogue, record.section, record.name) if not record.archived else []
    if users:
        raise Conflict(
            "the {section} «{name}» can't {what}, it is named by {users}: change that first",
            section=record.section.value.replace("_", " "),
            name=record.name,
            what=what,
            users=brief(users),
        )


def as_json(body: Body) -> Any:
    """A body as it is stored: what has its usual value is left out."""
    found = body.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    if len(str(found)) > _LONGEST:
        raise InvalidInput("the definition is longer than {most} characters", most=_LONGEST)
    return found


_LONGEST = 400_000
