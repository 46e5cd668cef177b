"""Clients: contacts, their identities, merges, special lists."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from crm_core.model.conversation import SuggestionReason, SuggestionState
from crm_core.storage.tables.columns import Id, contact_column, metadata, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime, WordedText

contact = Table(
    "contact",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("search", Text, nullable=False),
    Column("manager", Text, ForeignKey("app_user.login")),
    Column("company", Text),
    Column("city", Text),
    Column("status", Text),
    Column("list_name", Text),
    Column("last_signal_at", UtcDateTime),
    Column("last_contact_at", UtcDateTime),
    # Checked at the commit: both contacts of a merge may be new.
    Column("merged_into", Id, ForeignKey("contact.id", deferrable=True, initially="DEFERRED")),
    Column("fields", JsonText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("marks", JsonText, nullable=False),
    Column("name_key", Text, nullable=False, server_default=""),
    Column("company_id", Id),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("deleted_at", UtcDateTime),
    Index("ix_contact_manager", "manager"),
    Index(
        "ix_contact_company_id",
        "company_id",
        postgresql_where=text("company_id IS NOT NULL"),
        sqlite_where=text("company_id IS NOT NULL"),
    ),
    # Namesakes of a new client are looked for by it.
    Index(
        "ix_contact_name_key",
        "name_key",
        postgresql_where=text("name_key <> ''"),
        sqlite_where=text("name_key <> ''"),
    ),
    # Whose names are still to be asked for.
    Index("ix_contact_nameless", "id", postgresql_where=text("name = ''"), sqlite_where=text("name = ''")),
)

identity = Table(
    "identity",
    metadata,
    Column("key", Text, primary_key=True),
    contact_column(),
    Column("evidence", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("handle", Text, nullable=False, server_default=""),
    Index("ix_identity_contact_id", "contact_id"),
    Index("ix_identity_handle", "handle", postgresql_where=text("handle <> ''"), sqlite_where=text("handle <> ''")),
)

suggestion = Table(
    "suggestion",
    metadata,
    own_id(),
    contact_column(),
    Column("other_id", Id, ForeignKey("contact.id"), nullable=False),
    Column("reason", EnumText(SuggestionReason), nullable=False),
    Column("confidence", Integer, nullable=False),
    Column("evidence", WordedText, nullable=False),
    Column("state", EnumText(SuggestionState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", Text),
    UniqueConstraint("contact_id", "other_id", name="uq_suggestion_contact_id_other_id"),
    CheckConstraint("contact_id < other_id", name="ck_suggestion_pair"),
    Index("ix_suggestion_other_id", "other_id"),
    Index("ix_suggestion_state_id", "state", "id"),
)

contact_merge = Table(
    "contact_merge",
    metadata,
    own_id(),
    Column("survivor_id", Id, ForeignKey("contact.id"), nullable=False),
    Column("absorbed_id", Id, ForeignKey("contact.id"), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("merged_at", UtcDateTime, nullable=False),
    Column("moved", JsonText, nullable=False),
    Column("undone_at", UtcDateTime),
    Index("ix_contact_merge_survivor_id", "survivor_id"),
)

listed_number = Table(
    "listed_number",
    metadata,
    Column("key", Text, primary_key=True),
    Column("list_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
