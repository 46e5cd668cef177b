"""What comes from and goes to other programs: external ids, imports, documents, deliveries of webhooks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from crm_core.model.exchange import DeliveryState, ImportState
from crm_core.storage.tables.columns import Id, contact_column, metadata, only, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime, WordedText

external_ref = Table(
    "external_ref",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_external_ref_kind_subject_id", "kind", "subject_id"),
)

import_run = Table(
    "import_run",
    metadata,
    own_id(),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("state", EnumText(ImportState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("total", Integer),
    Column("mapping", JsonText, nullable=False),
    Column("options", JsonText, nullable=False),
    Column("counts", JsonText, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("error", WordedText, nullable=False),
)

import_problem = Table(
    "import_problem",
    metadata,
    Column("key", Text, primary_key=True),
    Column("import_id", Id, ForeignKey("import_run.id"), nullable=False),
    Column("line", Integer, nullable=False),
    Column("error", WordedText, nullable=False),
    Column("cells", JsonText, nullable=False),
    Index("ix_import_problem_import_id_line", "import_id", "line"),
)

document = Table(
    "document",
    metadata,
    own_id(),
    Column("template", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    contact_column(nullable=True),
    Column("deal_id", Id),
    Column("entry_id", Id),
    UniqueConstraint("template", "number"),
    Index("ix_document_deal_id", "deal_id"),
    Index("ix_document_contact_id", "contact_id"),
    Index("ix_document_created_at", "created_at"),
    Index("ix_document_number", "number"),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    own_id(),
    Column("subscription", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("state", EnumText(DeliveryState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("delivery", Text, nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("status", Integer),
    Column("error", WordedText, nullable=False),
    Column("done_at", UtcDateTime),
    Index("ix_webhook_delivery_subscription_id", "subscription", "id"),
    Index("ix_webhook_delivery_created_at", "created_at"),
    Index("ix_webhook_delivery_waiting", "subscription", "created_at", **only("state = 'waiting'")),
)
