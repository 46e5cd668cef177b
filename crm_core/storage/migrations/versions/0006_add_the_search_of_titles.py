"""The search of titles: words of deals, leads, tasks and documents by an index; the last runs of rules by theirs."""

from __future__ import annotations

from alembic import op

from crm_core.storage.migrations import title_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_index("ix_rule_run_at", "rule_run", ["at"], unique=False)
    op.create_index("ix_document_number", "document", ["number"], unique=False)
    bind = op.get_bind()
    for statement in title_index.create(bind.dialect.name):
        bind.exec_driver_sql(statement)


def downgrade() -> None:
    """Back."""
    bind = op.get_bind()
    for statement in title_index.drop(bind.dialect.name):
        bind.exec_driver_sql(statement)
    op.drop_index("ix_document_number", table_name="document")
    op.drop_index("ix_rule_run_at", table_name="rule_run")
