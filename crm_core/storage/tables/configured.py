"""What the office configures in the record, the values of its custom fields, and the history of every record."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false

from crm_core.model.definitions.base import Section
from crm_core.model.definitions.values import FieldCheckState
from crm_core.storage.tables.columns import Id, metadata, only, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime

# Fields, rules, templates, segments …: `body` is what the section's own form says.
definition = Table(
    "definition",
    metadata,
    own_id(),
    Column("section", EnumText(Section), nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("updated_by", Text, nullable=False),
    UniqueConstraint("section", "name"),
)

# The values by which records are filtered, sorted and kept apart; the values themselves stand in the records' `fields`.
field_value = Table(
    "field_value",
    metadata,
    Column("key", Text, primary_key=True),
    Column("field_id", Id, ForeignKey("definition.id"), nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("text_key", Text),
    Column("number", Float),
    Column("unique_key", Text),
    Index("ix_field_value_text", "field_id", "text_key", "subject_id"),
    Index("ix_field_value_number", "field_id", "number", "subject_id"),
    Index("uq_field_value_unique", "field_id", "unique_key", unique=True, **only("unique_key IS NOT NULL")),
    Index("ix_field_value_subject_id", "subject_id"),
)

# The records of a field or a scoring looked through anew after its definition changed.
field_check = Table(
    "field_check",
    metadata,
    Column("definition_id", Id, ForeignKey("definition.id"), primary_key=True, autoincrement=False),
    Column("state", EnumText(FieldCheckState), nullable=False),
    Column("was", JsonText),
    Column("started_at", UtcDateTime, nullable=False),
    Column("upto", Id, nullable=False),
    Column("looked", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("problems", Integer, nullable=False),
    Column("samples", JsonText, nullable=False),
    Column("ended_at", UtcDateTime),
)

# Who changed what of a record: one row a record and transaction.
change = Table(
    "change",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("changes", JsonText, nullable=False),
    Index("ix_change_kind_subject_id", "kind", "subject_id", "id"),
    Index("ix_change_at", "at"),
)
