"""What happened with clients, and who of them waits."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from crm_core.messages import Delivery, EntryKind
from crm_core.model import records
from crm_core.model.call import Direction
from crm_core.model.case import CaseKind, CaseState, Signal
from crm_core.storage.tables.columns import Id, contact_column, metadata, only, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime, WordedText

contact_case = Table(
    "contact_case",
    metadata,
    own_id(),
    contact_column(),
    Column("kind", EnumText(CaseKind), nullable=False),
    Column("state", EnumText(CaseState), nullable=False),
    Column("facts", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("rung", Integer),
    Column("promised_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("reason", Text),
    Column("manager", Text, ForeignKey("app_user.login")),
    Column("misses", JsonText, nullable=False),
    Column("taken_at", UtcDateTime),
    Index("ix_contact_case_state_id", "state", "id"),
    Index("ix_contact_case_contact_id", "contact_id"),
    # Who waits for whom, and how soon those of today were answered.
    Index("ix_contact_case_open_manager", "manager", "id", **only("state = 'open'")),
    Index("ix_contact_case_opened_at", "opened_at"),
    Index(
        "uq_contact_case_open",
        "contact_id",
        unique=True,
        postgresql_where=text("state = 'open'"),
        sqlite_where=text("state = 'open'"),
    ),
)

timeline = Table(
    "timeline",
    metadata,
    own_id(),
    Column("seq", BigInteger, nullable=False),
    contact_column(),
    Column("kind", EnumText(EntryKind), nullable=False),
    Column("direction", EnumText(Direction), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("channel", Text),
    Column("account", Text),
    Column("conversation", Text),
    Column("lead_id", Id),
    Column("deal_id", Id),
    Column("call_id", Id),
    Column("journal_id", Id),
    Column("external_id", Text),
    Column("ref", Text, unique=True),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("subject", Text, nullable=False),
    Column("quoted", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("by_person", Boolean, nullable=False),
    Column("signal", EnumText(Signal)),
    Column("signal_at", UtcDateTime),
    Column("reason", Text),
    Column("delivery", EnumText(Delivery)),
    Column("delivery_error", WordedText),
    Column("location", JsonText),
    Column("versions", JsonText, nullable=False),
    Column("deleted_at", UtcDateTime),
    Column("thread_id", Id),
    Column("number", BigInteger),
    Column("album", Text),
    Column("offers", JsonText),
    Column("authenticity", JsonText),
    Column("reactions", JsonText, nullable=False, server_default="[]"),
    Column("answers", Text),
    # A provider's echo names our message by its number only.
    Index(
        "ix_timeline_number",
        "number",
        postgresql_where=text("number IS NOT NULL"),
        sqlite_where=text("number IS NOT NULL"),
    ),
    Index(
        "ix_timeline_thread_id",
        "thread_id",
        postgresql_where=text("thread_id IS NOT NULL"),
        sqlite_where=text("thread_id IS NOT NULL"),
    ),
    # Visitors of a website have no history of their own: they read it here.
    Index(
        "ix_timeline_visitor",
        "account",
        "conversation",
        "seq",
        postgresql_where=text("channel = 'web'"),
        sqlite_where=text("channel = 'web'"),
    ),
    Index("ix_timeline_contact_id_seq", "contact_id", "seq"),
    Index("ix_timeline_contact_id_occurred_at", "contact_id", "occurred_at", "sequence", "id"),
)

attachment = Table(
    "attachment",
    metadata,
    own_id(),
    Column("entry_id", Id, ForeignKey("timeline.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("state", EnumText(records.FileState), nullable=False),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("remote_id", Text),
    Column("error", WordedText),
    Column("cid", Text, nullable=False, server_default=""),
    Column("warning", Text, nullable=False, server_default=""),
    Index("ix_attachment_entry_id", "entry_id"),
)

thread = Table(
    "thread",
    metadata,
    own_id(),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    contact_column(),
    Column("subject", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("parent_id", Id, ForeignKey("thread.id")),
    Index("ix_thread_contact_id", "contact_id"),
    Index(
        "ix_thread_parent_id",
        "parent_id",
        postgresql_where=text("parent_id IS NOT NULL"),
        sqlite_where=text("parent_id IS NOT NULL"),
    ),
)

thread_ref = Table(
    "thread_ref",
    metadata,
    Column("key", Text, primary_key=True),
    Column("thread_id", Id, ForeignKey("thread.id"), nullable=False),
    Index("ix_thread_ref_thread_id", "thread_id"),
)

message_ref = Table(
    "message_ref",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("entry_id", Id, ForeignKey("timeline.id")),
    Column("delivery", EnumText(Delivery)),
    Column("detail", WordedText, nullable=False),
    Column("upto", Text, nullable=False),
    Index("ix_message_ref_at", "at"),
)

auto_answer = Table(
    "auto_answer",
    metadata,
    Column("key", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# Files uploaded for outgoing messages, before they belong to one.
upload = Table(
    "upload",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
