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
    UniqueConstraint,
    text,
)

from crm_core.model.user import Role
from crm_core.storage.tables.columns import Id, metadata, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime

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
    # The second factor: its sealed secret, the last step of time that was used, digests of codes for a lost telephone.
    Column("totp_secret", Text),
    Column("totp_used", BigInteger),
    Column("recovery_codes", JsonText),
    # How many times they signed out everywhere: every session remembers the number it began with.
    Column("session_epoch", Integer, nullable=False, server_default=text("0")),
    # Who they are at the office's own place of logging in: issuer and subject.
    Column("oidc_subject", Text),
    # How they like the pages: language, theme, sound, notifications.
    Column("tastes", JsonText),
    Index("uq_app_user_telegram_id", "telegram_id", unique=True),
    Index("uq_app_user_oidc_subject", "oidc_subject", unique=True),
)

# Filters of a page kept under a name, by whoever made them, for themselves or for everybody.
saved_view = Table(
    "saved_view",
    metadata,
    own_id(),
    Column("login", Text, ForeignKey("app_user.login"), nullable=False),
    Column("page", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("login", "page", "name", name="uq_saved_view_name"),
    Index("ix_saved_view_page", "page", "shared"),
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
    # What people call it, what it opens (all that its person may, where there is nothing), and until when.
    Column("name", Text, nullable=False, server_default=""),
    Column("scopes", JsonText),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Index("ix_api_token_login", "login"),
)

# Who is logged in at the pages, and where from; of the key that a browser brings the digest.
user_session = Table(
    "user_session",
    metadata,
    own_id(),
    Column("login", Text, ForeignKey("app_user.login"), nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("remote", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("ix_user_session_login", "login", "seen_at"),
    Index("ix_user_session_expires_at", "expires_at"),
)

# What somebody sent after their session had ended, sealed, until they have logged in again; by the digest of a key
# that their browser keeps.
unsent_form = Table(
    "unsent_form",
    metadata,
    own_id(),
    Column("login", Text, ForeignKey("app_user.login"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_unsent_form_login", "login", "digest"),
    Index("ix_unsent_form_expires_at", "expires_at"),
)

# Who heard, took away, deleted, handed over, configured, came in or tried to.
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
    Index("ix_access_log_login", "login", "at", "id"),
    Index("ix_access_log_at", "at", "id"),
)
