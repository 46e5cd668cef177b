"""Every inbound fact as it came."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from crm_core.model import records
from crm_core.storage.tables.columns import metadata, own_id
from crm_core.storage.types import EnumText, UtcDateTime, WordedText

journal = Table(
    "journal",
    metadata,
    own_id(),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("state", EnumText(records.JournalState), nullable=False),
    Column("what", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("raw_type", Text, nullable=False),
    Column("error", WordedText),
    Column("attempts", Integer, nullable=False),
    UniqueConstraint("channel", "account", "external_id"),
    Index(
        "ix_journal_failed",
        "id",
        postgresql_where=text("state = 'failed'"),
        sqlite_where=text("state = 'failed'"),
    ),
)
