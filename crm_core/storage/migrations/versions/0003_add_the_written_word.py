"""The written word: threads of mail, reactions, automatic answers, guesses that two clients are one."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from crm_core.model.likeness import full_name
from crm_core.storage.types import JsonText, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _only(condition: str) -> dict[str, Any]:
    """The condition of a partial index, for both engines."""
    return {f"{engine}_where": sa.text(condition) for engine in ("postgresql", "sqlite")}


# A mail is the same one whatever conversation it stands in: its reference names none any more. Of several copies the
# first is the mail, unless one of them stood in no conversation and has that reference already.
_MAIL_REF = "substr(ref, length(channel) + length(account) + length(conversation) + 4)"
_MAILS_TO_NEW = f"""
UPDATE timeline SET ref = channel || ':' || account || '::' || {_MAIL_REF}
WHERE conversation <> '' AND id IN (
  SELECT MIN(id) FROM timeline WHERE channel = 'email' AND ref IS NOT NULL AND conversation IS NOT NULL
  GROUP BY channel, account, {_MAIL_REF} HAVING MIN(length(conversation)) > 0)
"""
_MAILS_TO_OLD = """
UPDATE timeline SET ref = channel || ':' || account || ':' || conversation || ':'
  || substr(ref, length(channel) + length(account) + 4)
WHERE channel = 'email' AND conversation <> '' AND substr(ref, length(channel) + length(account) + 2, 2) = '::'
"""


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "auto_answer",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_auto_answer")),
    )
    op.create_table(
        "suggestion",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("other_id", _ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.CheckConstraint("contact_id < other_id", name="ck_suggestion_pair"),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_suggestion_contact_id")),
        sa.ForeignKeyConstraint(["other_id"], ["contact.id"], name=op.f("fk_suggestion_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
        sa.UniqueConstraint("contact_id", "other_id", name="uq_suggestion_contact_id_other_id"),
    )
    op.create_index("ix_suggestion_other_id", "suggestion", ["other_id"], unique=False)
    op.create_index("ix_suggestion_state_id", "suggestion", ["state", "id"], unique=False)
    op.create_table(
        "thread",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("contact_id", _ID, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("parent_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_thread_contact_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["thread.id"], name=op.f("fk_thread_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread")),
    )
    op.create_index("ix_thread_contact_id", "thread", ["contact_id"], unique=False)
    op.create_index("ix_thread_parent_id", "thread", ["parent_id"], unique=False, **_only("parent_id IS NOT NULL"))
    op.create_table(
        "thread_ref",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("thread_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["thread_id"], ["thread.id"], name=op.f("fk_thread_ref_thread_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_thread_ref")),
    )
    op.create_index("ix_thread_ref_thread_id", "thread_ref", ["thread_id"], unique=False)
    op.create_table(
        "message_ref",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("entry_id", _ID, nullable=True),
        sa.Column("delivery", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("upto", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["timeline.id"], name=op.f("fk_message_ref_entry_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_message_ref")),
    )
    op.create_index("ix_message_ref_at", "message_ref", ["at"], unique=False)
    op.add_column("attachment", sa.Column("cid", sa.Text(), server_default="", nullable=False))
    op.add_column("attachment", sa.Column("warning", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_contact_nameless", "contact", ["id"], unique=False, **_only("name = ''"))
    op.add_column("contact", sa.Column("name_key", sa.Text(), server_default="", nullable=False))
    _fill_name_keys()
    op.create_index("ix_contact_name_key", "contact", ["name_key"], unique=False, **_only("name_key <> ''"))
    op.add_column("identity", sa.Column("handle", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_identity_handle", "identity", ["handle"], unique=False, **_only("handle <> ''"))
    op.add_column("timeline", sa.Column("thread_id", _ID, nullable=True))
    op.add_column("timeline", sa.Column("number", sa.BigInteger(), nullable=True))
    op.add_column("timeline", sa.Column("album", sa.Text(), nullable=True))
    op.add_column("timeline", sa.Column("offers", JsonText(), nullable=True))
    op.add_column("timeline", sa.Column("authenticity", JsonText(), nullable=True))
    op.add_column("timeline", sa.Column("reactions", JsonText(), server_default="[]", nullable=False))
    op.add_column("timeline", sa.Column("answers", sa.Text(), nullable=True))
    op.create_index("ix_timeline_number", "timeline", ["number"], unique=False, **_only("number IS NOT NULL"))
    op.create_index("ix_timeline_thread_id", "timeline", ["thread_id"], unique=False, **_only("thread_id IS NOT NULL"))
    op.create_index(
        "ix_timeline_visitor", "timeline", ["account", "conversation", "seq"], unique=False, **_only("channel = 'web'")
    )
    op.execute(_MAILS_TO_NEW)


def _fill_name_keys() -> None:
    """Whole names of the clients known so far, a thousand at a time."""
    contact = sa.table("contact", sa.column("id", _ID), sa.column("name", sa.Text()), sa.column("name_key", sa.Text()))
    change = contact.update().where(contact.c.id == sa.bindparam("at")).values(name_key=sa.bindparam("key"))
    conn, last = op.get_bind(), 0
    while True:
        piece = sa.select(contact.c.id, contact.c.name).where(contact.c.id > last).order_by(contact.c.id).limit(1000)
        rows = conn.execute(piece).all()
        if not rows:
            return
        last = rows[-1].id
        found = [{"at": row.id, "key": key} for row in rows if (key := full_name(row.name))]
        if found:
            conn.execute(change, found)


def downgrade() -> None:
    """Back."""
    op.execute(_MAILS_TO_OLD)
    op.drop_index("ix_timeline_visitor", table_name="timeline", **_only("channel = 'web'"))
    op.drop_index("ix_timeline_thread_id", table_name="timeline", **_only("thread_id IS NOT NULL"))
    op.drop_index("ix_timeline_number", table_name="timeline", **_only("number IS NOT NULL"))
    op.drop_column("timeline", "answers")
    op.drop_column("timeline", "reactions")
    op.drop_column("timeline", "authenticity")
    op.drop_column("timeline", "offers")
    op.drop_column("timeline", "album")
    op.drop_column("timeline", "number")
    op.drop_column("timeline", "thread_id")
    op.drop_index("ix_identity_handle", table_name="identity", **_only("handle <> ''"))
    op.drop_column("identity", "handle")
    op.drop_index("ix_contact_name_key", table_name="contact", **_only("name_key <> ''"))
    op.drop_column("contact", "name_key")
    op.drop_index("ix_contact_nameless", table_name="contact", **_only("name = ''"))
    op.drop_column("attachment", "warning")
    op.drop_column("attachment", "cid")
    op.drop_index("ix_message_ref_at", table_name="message_ref")
    op.drop_table("message_ref")
    op.drop_index("ix_thread_ref_thread_id", table_name="thread_ref")
    op.drop_table("thread_ref")
    op.drop_index("ix_thread_parent_id", table_name="thread", **_only("parent_id IS NOT NULL"))
    op.drop_index("ix_thread_contact_id", table_name="thread")
    op.drop_table("thread")
    op.drop_index("ix_suggestion_state_id", table_name="suggestion")
    op.drop_index("ix_suggestion_other_id", table_name="suggestion")
    op.drop_table("suggestion")
    op.drop_table("auto_answer")
