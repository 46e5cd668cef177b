"""What keeps the house running: queues, the change feed, leases, cursors, alarms."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from crm_core.model import records
from crm_core.model.alarm import AlarmKind
from crm_core.storage.tables.columns import Id, metadata, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime, WordedText

# A number that grows whenever something read at every batch (the staff) changes.
revision = Table(
    "revision",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

id_block = Table(
    "id_block",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
)

deadline = Table(
    "deadline",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", EnumText(records.DeadlineKind), nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("rung", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", WordedText),
    Index("ix_deadline_due_at", "due_at"),
)

outbox = Table(
    "outbox",
    metadata,
    own_id(),
    Column("kind", EnumText(records.OutboxKind), nullable=False),
    Column("lane", Text, nullable=False),
    Column("dedupe", Text, nullable=False, unique=True),
    Column("state", EnumText(records.OutboxState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("entry_id", Id),
    Column("attempts", Integer, nullable=False),
    Column("started", Integer, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    Column("error", WordedText),
    Column("done_at", UtcDateTime),
    Index(
        "ix_outbox_queued",
        "not_before",
        "id",
        postgresql_where=text("state = 'queued'"),
        sqlite_where=text("state = 'queued'"),
    ),
    Index(
        "ix_outbox_lane",
        "lane",
        "id",
        postgresql_where=text("state = 'queued'"),
        sqlite_where=text("state = 'queued'"),
    ),
    Index(
        "ix_outbox_entry_id",
        "entry_id",
        postgresql_where=text("entry_id IS NOT NULL"),
        sqlite_where=text("entry_id IS NOT NULL"),
    ),
)

# The position of the newest change; its row lock makes positions grow in commit order.
feed_position = Table(
    "feed_position",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

# What changed, one row a transaction: `[[table, id, contact_id], …]`.
feed = Table(
    "feed",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("changes", JsonText, nullable=False),
)

# A trouble of the installation that somebody must know of: a silent line, a PBX out of reach. Open while `ended_at` is
# empty; at most one open for each subject.
alarm = Table(
    "alarm",
    metadata,
    own_id(),
    Column("kind", EnumText(AlarmKind), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", WordedText, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Index(
        "uq_alarm_open",
        "kind",
        "subject",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
        sqlite_where=text("ended_at IS NULL"),
    ),
)

channel_cursor = Table(
    "channel_cursor",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# Who owns a link or a polling loop. `epoch` grows with each owner and fences one that wakes up late.
lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("login", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_idempotency_created_at", "created_at"),
)
