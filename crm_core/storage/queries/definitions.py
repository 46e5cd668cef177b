"""The office's configuration, as it is listed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.definitions import DefinitionRecord, Section
from crm_core.storage import bulk

_SEEN: Mapping[Section, Right] = {
    Section.WEBHOOK: Right.CONFIGURE,
    Section.MAPPING: Right.IMPORT,
    Section.LADDER: Right.CONFIGURE,
    Section.LIST: Right.CONFIGURE,
    Section.HOURS: Right.CONFIGURE,
    Section.GROUP: Right.CONFIGURE,
    Section.LINE: Right.CONFIGURE,
    Section.ACCOUNT: Right.CONFIGURE_CHANNELS,
    Section.ROLE: Right.SEE_STAFF,
}


def seen_by(section: Section) -> Right:
    """The right to see the definitions of a section: what sales are kept by is seen by whoever sees sales."""
    return _SEEN.get(section, Right.SEE_SALES)


def list_definitions(
    conn: Connection, access: Access, section: Section, *, archived: bool = False
) -> list[DefinitionRecord]:
    """The definitions of a section in their order. Raises Forbidden for whoever may not see them."""
    access.demand(seen_by(section))
    columns = bulk.select_list(DefinitionRecord, "t", conn.dialect.name)
    also = "" if archived else " AND NOT t.archived"
    sql = (
        f"SELECT {columns} FROM definition AS t WHERE t.section = {bulk.placeholder(conn, 1)}{also}"
        " ORDER BY t.position, t.id"
    )
    return bulk.read(conn, DefinitionRecord, sql, (section.value,))


def definition(conn: Connection, access: Access, section: Section, definition_id: int) -> DefinitionRecord:
    """One definition; raises NotFound, Forbidden."""
    access.demand(seen_by(section))
    columns = bulk.select_list(DefinitionRecord, "t", conn.dialect.name)
    m = [bulk.placeholder(conn, position) for position in (1, 2)]
    sql = f"SELECT {columns} FROM definition AS t WHERE t.id = {m[0]} AND t.section = {m[1]}"
    found = bulk.read(conn, DefinitionRecord, sql, (definition_id, section.value))
    if not found:
        raise NotFound("there is no {section} {definition}", section=section.value, definition=definition_id)
    return found[0]
