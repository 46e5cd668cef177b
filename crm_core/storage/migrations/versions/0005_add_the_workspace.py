"""The workspace: a second factor, what a token opens, how people like their pages, filters kept under a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_core.storage.types import JsonText, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["app_user.login"], name="fk_saved_view_login"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sa.UniqueConstraint("login", "page", "name", name="uq_saved_view_name"),
    )
    op.create_index("ix_saved_view_page", "saved_view", ["page", "shared"], unique=False)
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("remote", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["app_user.login"], name="fk_user_session_login"),
        sa.PrimaryKeyConstraint("id", name="pk_user_session"),
        sa.UniqueConstraint("digest", name="uq_user_session_digest"),
    )
    op.create_index("ix_user_session_login", "user_session", ["login", "seen_at"], unique=False)
    op.create_index("ix_user_session_expires_at", "user_session", ["expires_at"], unique=False)
    op.create_table(
        "unsent_form",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["app_user.login"], name="fk_unsent_form_login"),
        sa.PrimaryKeyConstraint("id", name="pk_unsent_form"),
    )
    op.create_index("ix_unsent_form_login", "unsent_form", ["login", "digest"], unique=False)
    op.create_index("ix_unsent_form_expires_at", "unsent_form", ["expires_at"], unique=False)
    op.create_index("ix_deal_manager", "deal", ["manager", "id"], unique=False)
    open_cards = sa.text("closed_at IS NULL AND deleted_at IS NULL")
    open_case, rejected = sa.text("state = 'open'"), sa.text("status = 'rejected' AND deleted_at IS NULL")
    op.create_index(
        "ix_deal_standing",
        "deal",
        ["pipeline_id", "stage_id", "stage_since", "due_at", "manager"],
        unique=False,
        postgresql_where=open_cards,
        sqlite_where=open_cards,
    )
    op.create_index("ix_deal_created_at", "deal", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_lead_rejected",
        "lead",
        ["closed_at", "id"],
        unique=False,
        postgresql_where=rejected,
        sqlite_where=rejected,
    )
    op.create_index(
        "ix_contact_case_open_manager",
        "contact_case",
        ["manager", "id"],
        unique=False,
        postgresql_where=open_case,
        sqlite_where=open_case,
    )
    op.create_index("ix_contact_case_opened_at", "contact_case", ["opened_at"], unique=False)
    op.add_column("contact_case", sa.Column("taken_at", UtcDateTime(), nullable=True))
    done, received = sa.text("done_at IS NOT NULL"), sa.text("kind = 'received' AND deleted_at IS NULL")
    op.create_index("ix_task_done_at", "task", ["done_at"], unique=False, postgresql_where=done, sqlite_where=done)
    op.create_index("ix_document_created_at", "document", ["created_at"], unique=False)
    op.create_index("ix_payment_at", "payment", ["at"], unique=False, postgresql_where=received, sqlite_where=received)
    op.create_index("ix_access_log_login", "access_log", ["login", "at", "id"], unique=False)
    op.create_index("ix_access_log_at", "access_log", ["at", "id"], unique=False)
    op.add_column("api_token", sa.Column("name", sa.Text(), server_default="", nullable=False))
    op.add_column("api_token", sa.Column("scopes", JsonText(), nullable=True))
    op.add_column("api_token", sa.Column("expires_at", UtcDateTime(), nullable=True))
    op.add_column("api_token", sa.Column("last_used_at", UtcDateTime(), nullable=True))
    op.create_index("ix_api_token_login", "api_token", ["login"], unique=False)
    op.add_column("app_user", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("app_user", sa.Column("totp_used", sa.BigInteger(), nullable=True))
    op.add_column("app_user", sa.Column("recovery_codes", JsonText(), nullable=True))
    op.add_column("app_user", sa.Column("session_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("app_user", sa.Column("oidc_subject", sa.Text(), nullable=True))
    op.add_column("app_user", sa.Column("tastes", JsonText(), nullable=True))
    op.create_index("uq_app_user_oidc_subject", "app_user", ["oidc_subject"], unique=True)


def downgrade() -> None:
    """Back."""
    op.drop_table("unsent_form")
    op.drop_table("user_session")
    op.drop_index("uq_app_user_oidc_subject", table_name="app_user")
    op.drop_column("app_user", "tastes")
    op.drop_column("app_user", "oidc_subject")
    op.drop_column("app_user", "session_epoch")
    op.drop_column("app_user", "recovery_codes")
    op.drop_column("app_user", "totp_used")
    op.drop_column("app_user", "totp_secret")
    op.drop_index("ix_api_token_login", table_name="api_token")
    op.drop_column("api_token", "last_used_at")
    op.drop_column("api_token", "expires_at")
    op.drop_column("api_token", "scopes")
    op.drop_column("api_token", "name")
    op.drop_index("ix_deal_manager", table_name="deal")
    op.drop_index("ix_payment_at", table_name="payment")
    op.drop_index("ix_document_created_at", table_name="document")
    op.drop_index("ix_task_done_at", table_name="task")
    op.drop_column("contact_case", "taken_at")
    op.drop_index("ix_contact_case_opened_at", table_name="contact_case")
    op.drop_index("ix_contact_case_open_manager", table_name="contact_case")
    op.drop_index("ix_lead_rejected", table_name="lead")
    op.drop_index("ix_deal_created_at", table_name="deal")
    op.drop_index("ix_deal_standing", table_name="deal")
    op.drop_index("ix_access_log_at", table_name="access_log")
    op.drop_index("ix_access_log_login", table_name="access_log")
    op.drop_index("ix_saved_view_page", table_name="saved_view")
    op.drop_table("saved_view")
