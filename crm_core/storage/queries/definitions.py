"""The office's configuration, as it is listed."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.errors import NotFound
from crm_core.model.definitions import DefinitionRecord, Section
from crm_core.storage import bulk


def list_definitions(conn: Connection, section: Section, *, archived: bool = False) -> list[DefinitionRecord]:
    """The definitions of a section in their order."""
    columns = bulk.select_list(DefinitionRecord, "t", conn.dialect.name)
    also = "" if archived else " AND NOT t.archived"
    sql = (
        f"SELECT {columns} FROM definition AS t WHERE t.section = {bulk.placeholder(conn, 1)}{also}"
        " ORDER BY t.position, t.id"
    )
    return bulk.read(conn, DefinitionRecord, sql, (section.value,))


def definition(conn: Connection, section: Section, definition_id: int) -> DefinitionRecord:
    """One definition; raises NotFound."""
    columns = bulk.select_list(DefinitionRecord, "t", conn.dialect.name)
    m = [bulk.placeholder(conn, position) for position in (1, 2)]
    sql = f"SELECT {columns} FROM definition AS t WHERE t.id = {m[0]} AND t.section = {m[1]}"
    found = bulk.read(conn, DefinitionRecord, sql, (definition_id, section.value))
    if not found:
        raise NotFound("there is no {section} {definition}", section=section.value, definition=definition_id)
    return found[0]
