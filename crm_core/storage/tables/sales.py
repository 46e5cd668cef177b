"""What is to be sold: leads, pipelines, deals."""

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
    UniqueConstraint,
    false,
    text,
)

from crm_core.model import records
from crm_core.storage.tables.columns import Id, contact_column, metadata, only, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime

lead = Table(
    "lead",
    metadata,
    own_id(),
    contact_column(),
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
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("deleted_at", UtcDateTime),
    Index("ix_lead_status_id", "status", "id"),
    Index("ix_lead_contact_id", "contact_id"),
    # Rejections to be checked.
    Index("ix_lead_rejected", "closed_at", "id", **only("status = 'rejected' AND deleted_at IS NULL")),
    # One open lead a contact: two first messages at the same instant make one.
    Index(
        "uq_lead_open",
        "contact_id",
        unique=True,
        postgresql_where=text("status IN ('new', 'taken')"),
        sqlite_where=text("status IN ('new', 'taken')"),
    ),
)

pipeline = Table(
    "pipeline",
    metadata,
    own_id(),
    Column("name", Text, nullable=False, unique=True),
    Column("position", Integer, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("type", Text, nullable=False, server_default="deal"),
    Column("settings", JsonText, nullable=False, server_default="{}"),
)

stage = Table(
    "stage",
    metadata,
    own_id(),
    Column("pipeline_id", Id, ForeignKey("pipeline.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", EnumText(records.StageKind), nullable=False),
    Column("settings", JsonText, nullable=False, server_default="{}"),
    Column("archived", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("pipeline_id", "name"),
)

deal = Table(
    "deal",
    metadata,
    own_id(),
    contact_column(nullable=True),
    Column("pipeline_id", Id, ForeignKey("pipeline.id"), nullable=False),
    Column("stage_id", Id, ForeignKey("stage.id"), nullable=False),
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
    Column("type", Text, nullable=False, server_default="deal"),
    Column("company_id", Id),
    Column("lead_id", Id),
    Column("source_id", Id),
    Column("grade", Text),
    Column("paid", BigInteger, nullable=False, server_default=text("0")),
    Column("pay_by", UtcDateTime),
    Column("checklist", JsonText, nullable=False, server_default="[]"),
    Column("utm", JsonText, nullable=False, server_default="{}"),
    Column("deleted_at", UtcDateTime),
    Column("overdue_since", UtcDateTime),
    Index("ix_deal_pipeline_id_stage_id", "pipeline_id", "stage_id", "id"),
    Index("ix_deal_contact_id", "contact_id"),
    Index(
        "ix_deal_company_id",
        "company_id",
        postgresql_where=text("company_id IS NOT NULL"),
        sqlite_where=text("company_id IS NOT NULL"),
    ),
    # The board: the newest cards of a stage, and what all of them are worth, out of the index alone.
    Index(
        "ix_deal_board",
        *("pipeline_id", "stage_id", "updated_at", "id", "currency", "amount"),
        **only("closed_at IS NULL AND deleted_at IS NULL"),
    ),
    # How long cards stand on a stage, and which of them too long, out of the index alone.
    Index(
        "ix_deal_standing",
        *("pipeline_id", "stage_id", "stage_since", "due_at", "manager"),
        **only("closed_at IS NULL AND deleted_at IS NULL"),
    ),
    Index("ix_deal_created_at", "created_at", "id"),
    # Somebody's own cards, open and closed: what those see who see no others.
    Index("ix_deal_manager", "manager", "id"),
    Index(
        "ix_deal_manager_open",
        "manager",
        "id",
        postgresql_where=text("closed_at IS NULL"),
        sqlite_where=text("closed_at IS NULL"),
    ),
)
