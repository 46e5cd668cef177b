"""Companies, products, money and accounting's sales, and what is worked out from them."""

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

from crm_core.model.selling import PaymentKind
from crm_core.storage.tables.columns import Id, contact_column, metadata, only, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime

company = Table(
    "company",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("search", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("tax_id", Text),
    Column("manager", Text, ForeignKey("app_user.login")),
    Column("city", Text),
    Column("version", Integer, nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index("ix_company_name_key", "name_key"),
    Index("uq_company_tax_id", "tax_id", unique=True, **only("tax_id IS NOT NULL AND deleted_at IS NULL")),
)

link = Table(
    "link",
    metadata,
    own_id(),
    Column("from_kind", Text, nullable=False),
    Column("from_id", Id, nullable=False),
    Column("to_kind", Text, nullable=False),
    Column("to_id", Id, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    UniqueConstraint("from_kind", "from_id", "to_kind", "to_id", "role", name="uq_link_ends"),
    Index("ix_link_to", "to_kind", "to_id"),
)

product = Table(
    "product",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("sku", Text),
    Column("search", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("version", Integer, nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index("uq_product_sku", "sku", unique=True, **only("sku IS NOT NULL AND deleted_at IS NULL")),
)

line_item = Table(
    "line_item",
    metadata,
    own_id(),
    Column("deal_id", Id, ForeignKey("deal.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("product_id", Id, ForeignKey("product.id")),
    Column("discount", BigInteger, nullable=False),
    Column("unit", Text, nullable=False),
    Index("ix_line_item_deal_id", "deal_id"),
)

payment = Table(
    "payment",
    metadata,
    own_id(),
    Column("deal_id", Id, ForeignKey("deal.id"), nullable=False),
    contact_column(nullable=True),
    Column("kind", EnumText(PaymentKind), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", UtcDateTime),
    Column("due_on", Text),
    Column("settled_at", UtcDateTime),
    Column("broken_at", UtcDateTime),
    Column("note", Text, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index("ix_payment_deal_id", "deal_id"),
    Index("ix_payment_contact_id", "contact_id"),
    Index("ix_payment_at", "at", **only("kind = 'received' AND deleted_at IS NULL")),
    Index("ix_payment_due_on", "due_on", **only("settled_at IS NULL AND deleted_at IS NULL AND kind <> 'received'")),
)

sale = Table(
    "sale",
    metadata,
    own_id(),
    Column("ref", Text, nullable=False, unique=True),
    contact_column(nullable=True),
    Column("company_id", Id, ForeignKey("company.id")),
    Column("product_id", Id, ForeignKey("product.id")),
    Column("name", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("deal_id", Id),
    Index("ix_sale_contact_id_at", "contact_id", "at"),
    Index("ix_sale_company_id_at", "company_id", "at"),
    Index("ix_sale_at", "at"),
)

client_score = Table(
    "client_score",
    metadata,
    Column("contact_id", Id, ForeignKey("contact.id"), primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("revenue", BigInteger, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Column("first_sale_at", UtcDateTime),
    Column("last_sale_at", UtcDateTime),
    Column("abc", Text, nullable=False),
    Column("xyz", Text, nullable=False),
    Column("rfm", Text, nullable=False),
    Column("relation", Integer),
    Column("attraction", Integer),
)

need = Table(
    "need",
    metadata,
    own_id(),
    contact_column(),
    Column("product_id", Id, ForeignKey("product.id")),
    Column("name", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("period_days", Integer, nullable=False),
    Column("next_on", Text, nullable=False),
    Column("probability", Integer, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Column("hits", Integer, nullable=False, server_default=text("0")),
    Column("checks", Integer, nullable=False, server_default=text("0")),
    Column("explanation", Text, nullable=False),
    UniqueConstraint("contact_id", "name", name="uq_need_contact_id_name"),
    Index("ix_need_next_on", "next_on"),
)
