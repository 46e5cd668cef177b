"""The people of the office, their tokens, and what they heard and took away."""

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

from crm_core.model.user import Role
from crm_core.storage.tables.columns import Id, metadata, own_id
from crm_core.storage.types import EnumText, UtcDateTime

app_user = Table(
    "app_user",
    metadata,
    own_id(),
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
    own_id(),
    Column("login", Text, ForeignKey("app_user.login"), nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

# Who heard or took away what is confidential.
access_log = Table(
    "access_log",
    metadata,
    own_id(),
    Column("at", UtcDateTime, nullable=False),
    Column("login", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("contact_id", Id),
    Column("remote", Text, nullable=False),
    # What else there is to say: of an export its filter and how many records it had.
    Column("detail", Text, nullable=False, server_default=""),
    Index("ix_access_log_what", "what", "subject_id"),
)
