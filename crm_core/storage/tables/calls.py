"""Telephone calls: how they went, how they were given out, who is rung back, recordings, reconciliations."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from crm_core.model.call import CallState, Direction
from crm_core.model.callback import CallbackReason, CallbackState, DialOutcome, DialPurpose, DialState
from crm_core.model.recording import RecordingState
from crm_core.storage.tables.columns import Id, contact_column, metadata, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime, WordedText

call = Table(
    "call",
    metadata,
    own_id(),
    Column("pbx", Text, nullable=False),
    Column("linkedid", Text, nullable=False),
    contact_column(nullable=True),
    Column("entry_id", Id),
    Column("direction", EnumText(Direction), nullable=False),
    Column("number", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("state", EnumText(CallState), nullable=False),
    Column("progress", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("answered_by", Text),
    Column("endpoint", Text),
    Column("wait_s", Float, nullable=False),
    Column("talk_s", Float, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("cause_text", Text, nullable=False),
    Column("hung_up_by", Text, nullable=False),
    Column("recording", Text),
    Column("list_name", Text),
    Column("wish_callback", Boolean, nullable=False),
    Column("rung", JsonText, nullable=False),
    Column("hold_s", Float, nullable=False, server_default=text("0")),
    Column("talks", JsonText, nullable=False, server_default=text("'[]'")),
    UniqueConstraint("linkedid", "pbx"),
    Index("ix_call_started_at", "started_at"),
    Index("ix_call_contact_id_started_at", "contact_id", "started_at"),
    Index("ix_call_line_started_at", "line", "started_at"),
    Index(
        "ix_call_going_on",
        "pbx",
        postgresql_where=text("finished_at IS NULL"),
        sqlite_where=text("finished_at IS NULL"),
    ),
)

route_decision = Table(
    "route_decision",
    metadata,
    own_id(),
    Column("pbx", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("endpoints", JsonText, nullable=False),
    Column("reason", Text, nullable=False),
    Column("contact_id", Id),
    Column("trace", JsonText, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("took_ms", Float, nullable=False),
    Index("ix_route_decision_pbx_call_id", "pbx", "call_id", "attempt"),
)

# A client who is to be rung back: what a robot works off. One at a time a contact.
callback = Table(
    "callback",
    metadata,
    own_id(),
    contact_column(),
    Column("number", Text, nullable=False),
    Column("reason", EnumText(CallbackReason), nullable=False),
    Column("state", EnumText(CallbackState), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("manager", Text, ForeignKey("app_user.login")),
    Column("pbx", Text),
    Column("line", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("detail", WordedText, nullable=False),
    Column("ended_at", UtcDateTime),
    Index(
        "ix_callback_due_at",
        "due_at",
        "id",
        postgresql_where=text("state = 'waiting'"),
        sqlite_where=text("state = 'waiting'"),
    ),
    Index("ix_callback_contact_id", "contact_id"),
    Index(
        "uq_callback_active",
        "contact_id",
        unique=True,
        postgresql_where=text("state IN ('waiting', 'dialling')"),
        sqlite_where=text("state IN ('waiting', 'dialling')"),
    ),
)

# A call that the hub places: first a person of the office, then the client. Never two at a time for one client, nor
# for one person.
dial = Table(
    "dial",
    metadata,
    own_id(),
    contact_column(),
    Column("number", Text, nullable=False),
    Column("pbx", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("login", Text, ForeignKey("app_user.login"), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("purpose", EnumText(DialPurpose), nullable=False),
    Column("state", EnumText(DialState), nullable=False),
    Column("linkedid", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("announce", Boolean, nullable=False),
    Column("author", Text, nullable=False),
    Column("outcome", EnumText(DialOutcome)),
    Column("sent_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("callback_id", Id, ForeignKey("callback.id")),
    Column("call_id", Id),
    Column("detail", WordedText, nullable=False),
    Index("ix_dial_contact_id", "contact_id"),
    Index(
        "ix_dial_active",
        "pbx",
        "state",
        "id",
        postgresql_where=text("state <> 'ended'"),
        sqlite_where=text("state <> 'ended'"),
    ),
    Index(
        "uq_dial_active_contact",
        "contact_id",
        unique=True,
        postgresql_where=text("state <> 'ended'"),
        sqlite_where=text("state <> 'ended'"),
    ),
    Index(
        "uq_dial_active_login",
        "login",
        unique=True,
        postgresql_where=text("state <> 'ended'"),
        sqlite_where=text("state <> 'ended'"),
    ),
)

# What became of the recording of a call. `look_at`: when it is looked for (again), or put away, or deleted.
recording = Table(
    "recording",
    metadata,
    Column("call_id", Id, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    Column("pbx", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", EnumText(RecordingState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("look_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("size", BigInteger),
    Column("duration_s", Float),
    Column("place", Text),
    Column("checked_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("error", WordedText),
    Index(
        "ix_recording_look_at",
        "look_at",
        postgresql_where=text("look_at IS NOT NULL"),
        sqlite_where=text("look_at IS NOT NULL"),
    ),
)

# The proof for one day of one PBX that no call of its records is missing here. `day` is a date of the office's zone.
reconciliation = Table(
    "reconciliation",
    metadata,
    own_id(),
    Column("pbx", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("equal", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("details", JsonText, nullable=False),
    Index("ix_reconciliation_pbx_day", "pbx", "day", "id"),
)
