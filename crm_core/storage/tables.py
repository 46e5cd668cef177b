"""The schema, one for both engines. Columns stand in the order of the record they hold (`crm_core.model.records`)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from crm_core.messages import Delivery, EntryKind
from crm_core.model import records
from crm_core.model.alarm import AlarmKind
from crm_core.model.call import CallState, Direction
from crm_core.model.callback import CallbackReason, CallbackState, DialOutcome, DialPurpose, DialState
from crm_core.model.case import CaseKind, CaseState, Signal
from crm_core.model.recording import RecordingState
from crm_core.model.user import Role
from crm_core.storage.types import EnumText, JsonText, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# PostgreSQL's source of ids, a block at a time; SQLite's is the table `id_block`.
Sequence("hub_id", start=2000, increment=1000, metadata=metadata)

# BIGINT would not be the rowid on SQLite.
_Id = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=False)


def _contact(*, nullable: bool = False) -> Column[int]:
    return Column("contact_id", _Id, ForeignKey("contact.id"), nullable=nullable)


app_user = Table(
    "app_user",
    metadata,
    _id(),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", EnumText(Role), nullable=False),
    Column("extension", Text),
    Column("telegram_id", BigInteger),
    Column("email", Text),
    Column("group_name", Text, ForeignKey("user_group.name")),
    Column("deputy", Text, ForeignKey("app_user.login")),
    Column("controller", Text, ForeignKey("app_user.login")),
    Column("absent_since", UtcDateTime),
    Column("absent_until", UtcDateTime),
    Column("do_not_disturb", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("hours", Text),
    Column("password_hash", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_app_user_telegram_id", "telegram_id", unique=True),
)

user_group = Table("user_group", metadata, Column("name", Text, primary_key=True))

assignee_load = Table(
    "assignee_load",
    metadata,
    Column("login", Text, ForeignKey("app_user.login"), primary_key=True),
    Column("open_leads", Integer, nullable=False, server_default=text("0")),
    Column("last_assigned", BigInteger, nullable=False, server_default=text("0")),
)

api_token = Table(
    "api_token",
    metadata,
    _id(),
    Column("login", Text, ForeignKey("app_user.login"), nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

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

journal = Table(
    "journal",
    metadata,
    _id(),
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
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    UniqueConstraint("channel", "account", "external_id"),
    Index(
        "ix_journal_failed",
        "id",
        postgresql_where=text("state = 'failed'"),
        sqlite_where=text("state = 'failed'"),
    ),
)

contact = Table(
    "contact",
    metadata,
    _id(),
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
    Column("merged_into", _Id, ForeignKey("contact.id", deferrable=True, initially="DEFERRED")),
    Column("fields", JsonText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("marks", JsonText, nullable=False),
    Index("ix_contact_manager", "manager"),
)

identity = Table(
    "identity",
    metadata,
    Column("key", Text, primary_key=True),
    _contact(),
    Column("evidence", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_identity_contact_id", "contact_id"),
)

lead = Table(
    "lead",
    metadata,
    _id(),
    _contact(),
    Column("title", Text, nullable=False),
    Column("status", EnumText(records.LeadStatus), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("first_fact_at", UtcDateTime, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("source", Text),
    Column("utm_source", Text, nullable=False),
    Column("utm_medium", Text, nullable=False),
    Column("utm_campaign", Text, nullable=False),
    Column("utm_content", Text, nullable=False),
    Column("utm_term", Text, nullable=False),
    Column("group_name", Text),
    Column("manager", Text, ForeignKey("app_user.login")),
    Column("grade", Text),
    Column("reason", Text),
    Column("taken_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("fields", JsonText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("marks", JsonText, nullable=False),
    Index("ix_lead_status_id", "status", "id"),
    Index("ix_lead_contact_id", "contact_id"),
    # One open lead a contact: two first messages at the same instant make one.
    Index(
        "uq_lead_open",
        "contact_id",
        unique=True,
        postgresql_where=text("status IN ('new', 'taken')"),
        sqlite_where=text("status IN ('new', 'taken')"),
    ),
)

contact_case = Table(
    "contact_case",
    metadata,
    _id(),
    _contact(),
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
    Index("ix_contact_case_state_id", "state", "id"),
    Index("ix_contact_case_contact_id", "contact_id"),
    Index(
        "uq_contact_case_open",
        "contact_id",
        unique=True,
        postgresql_where=text("state = 'open'"),
        sqlite_where=text("state = 'open'"),
    ),
)

call = Table(
    "call",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("linkedid", Text, nullable=False),
    _contact(nullable=True),
    Column("entry_id", _Id),
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

timeline = Table(
    "timeline",
    metadata,
    _id(),
    Column("seq", BigInteger, nullable=False),
    _contact(),
    Column("kind", EnumText(EntryKind), nullable=False),
    Column("direction", EnumText(Direction), nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("channel", Text),
    Column("account", Text),
    Column("conversation", Text),
    Column("lead_id", _Id),
    Column("deal_id", _Id),
    Column("call_id", _Id),
    Column("journal_id", _Id),
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
    Column("delivery_error", Text),
    Column("location", JsonText),
    Column("versions", JsonText, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index("ix_timeline_contact_id_seq", "contact_id", "seq"),
    Index("ix_timeline_contact_id_occurred_at", "contact_id", "occurred_at", "sequence", "id"),
)

attachment = Table(
    "attachment",
    metadata,
    _id(),
    Column("entry_id", _Id, ForeignKey("timeline.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("state", EnumText(records.FileState), nullable=False),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("remote_id", Text),
    Column("error", Text),
    Index("ix_attachment_entry_id", "entry_id"),
)

# Files uploaded for outgoing messages, before they belong to one.
upload = Table(
    "upload",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

deadline = Table(
    "deadline",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", EnumText(records.DeadlineKind), nullable=False),
    Column("subject_id", _Id, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("rung", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Index("ix_deadline_due_at", "due_at"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("kind", EnumText(records.OutboxKind), nullable=False),
    Column("lane", Text, nullable=False),
    Column("dedupe", Text, nullable=False, unique=True),
    Column("state", EnumText(records.OutboxState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("entry_id", _Id),
    Column("attempts", Integer, nullable=False),
    Column("started", Integer, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    Column("error", Text),
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

route_decision = Table(
    "route_decision",
    metadata,
    _id(),
    Column("pbx", Text, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("endpoints", JsonText, nullable=False),
    Column("reason", Text, nullable=False),
    Column("contact_id", _Id),
    Column("trace", JsonText, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("took_ms", Float, nullable=False),
    Index("ix_route_decision_pbx_call_id", "pbx", "call_id", "attempt"),
)

pipeline = Table(
    "pipeline",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("position", Integer, nullable=False),
    Column("archived", Boolean, nullable=False),
)

stage = Table(
    "stage",
    metadata,
    _id(),
    Column("pipeline_id", _Id, ForeignKey("pipeline.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", EnumText(records.StageKind), nullable=False),
    UniqueConstraint("pipeline_id", "name"),
)

deal = Table(
    "deal",
    metadata,
    _id(),
    _contact(nullable=True),
    Column("pipeline_id", _Id, ForeignKey("pipeline.id"), nullable=False),
    Column("stage_id", _Id, ForeignKey("stage.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("stage_since", UtcDateTime, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("manager", Text, ForeignKey("app_user.login")),
    Column("source", Text),
    Column("due_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Index("ix_deal_pipeline_id_stage_id", "pipeline_id", "stage_id", "id"),
    Index("ix_deal_contact_id", "contact_id"),
)

contact_merge = Table(
    "contact_merge",
    metadata,
    _id(),
    Column("survivor_id", _Id, ForeignKey("contact.id"), nullable=False),
    Column("absorbed_id", _Id, ForeignKey("contact.id"), nullable=False),
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

# A client who is to be rung back: what a robot works off. One at a time a contact.
callback = Table(
    "callback",
    metadata,
    _id(),
    _contact(),
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
    Column("detail", Text, nullable=False),
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
    _id(),
    _contact(),
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
    Column("callback_id", _Id, ForeignKey("callback.id")),
    Column("call_id", _Id),
    Column("detail", Text, nullable=False),
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
    Column("call_id", _Id, ForeignKey("call.id"), primary_key=True, autoincrement=False),
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
    Column("error", Text),
    Index(
        "ix_recording_look_at",
        "look_at",
        postgresql_where=text("look_at IS NOT NULL"),
        sqlite_where=text("look_at IS NOT NULL"),
    ),
)

# Who heard or took away what is confidential.
access_log = Table(
    "access_log",
    metadata,
    _id(),
    Column("at", UtcDateTime, nullable=False),
    Column("login", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject_id", _Id, nullable=False),
    Column("contact_id", _Id),
    Column("remote", Text, nullable=False),
    Index("ix_access_log_what", "what", "subject_id"),
)

# A trouble of the installation that somebody must know of: a silent line, a PBX out of reach. Open while `ended_at` is
# empty; at most one open for each subject.
alarm = Table(
    "alarm",
    metadata,
    _id(),
    Column("kind", EnumText(AlarmKind), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
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

# The proof for one day of one PBX that no call of its records is missing here. `day` is a date of the office's zone.
reconciliation = Table(
    "reconciliation",
    metadata,
    _id(),
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

TABLE_OF: dict[type, Table] = {
    records.JournalRecord: journal,
    records.ContactRecord: contact,
    records.IdentityRecord: identity,
    records.LeadRecord: lead,
    records.CaseRecord: contact_case,
    records.CallRecord: call,
    records.EntryRecord: timeline,
    records.AttachmentRecord: attachment,
    records.DeadlineRecord: deadline,
    records.OutboxRecord: outbox,
    records.PipelineRecord: pipeline,
    records.StageRecord: stage,
    records.DealRecord: deal,
    records.MergeRecord: contact_merge,
    records.ListedNumberRecord: listed_number,
    records.CallbackRecord: callback,
    records.DialRecord: dial,
    records.RecordingRecord: recording,
    records.AlarmRecord: alarm,
    records.ReconciliationRecord: reconciliation,
}
