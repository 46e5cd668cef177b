"""What is to be done and what was done by itself: tasks, runs of rules and chains, broadcasts."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from crm_core.model.automation import ChainState, RunOutcome
from crm_core.model.outreach import BroadcastState, RecipientState
from crm_core.model.task import TaskState
from crm_core.storage.tables.columns import Id, contact_column, metadata, only, own_id
from crm_core.storage.types import EnumText, JsonText, UtcDateTime, WordedText

task = Table(
    "task",
    metadata,
    own_id(),
    Column("title", Text, nullable=False),
    Column("state", EnumText(TaskState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("assignee", Text, ForeignKey("app_user.login")),
    Column("due_at", UtcDateTime),
    contact_column(nullable=True),
    Column("lead_id", Id),
    Column("deal_id", Id),
    Column("company_id", Id),
    Column("text", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("done_at", UtcDateTime),
    Column("done_by", Text),
    Column("overdue_at", UtcDateTime),
    Column("recurrence", Text),
    Column("series_id", Id),
    Column("origin", Text, unique=True),
    Column("rung", Integer),
    Column("checklist", JsonText, nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("deleted_at", UtcDateTime),
    Index("ix_task_assignee_due_at", "assignee", "due_at", "id", **only("state = 'open'")),
    Index("ix_task_due_at", "due_at", "id", **only("state = 'open'")),
    Index("ix_task_deal_id", "deal_id", **only("deal_id IS NOT NULL")),
    Index("ix_task_lead_id", "lead_id", **only("lead_id IS NOT NULL")),
    Index("ix_task_contact_id", "contact_id"),
    Index("ix_task_state_id", "state", "id"),
    Index("ix_task_done_at", "done_at", **only("done_at IS NOT NULL")),
)

# A run of a rule on a record: its key is unique, so that no occasion acts twice.
rule_run = Table(
    "rule_run",
    metadata,
    Column("key", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("contact_id", Id),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", EnumText(RunOutcome), nullable=False),
    Column("why", Text, nullable=False),
    Column("actions", JsonText, nullable=False),
    Column("error", WordedText, nullable=False),
    Index("ix_rule_run_kind_subject_id_at", "kind", "subject_id", "at"),
    Index("ix_rule_run_rule_at", "rule", "at"),
    # Whatever ran last.
    Index("ix_rule_run_at", "at"),
    Index("ix_rule_run_contact_id", "contact_id"),
)

chain_run = Table(
    "chain_run",
    metadata,
    own_id(),
    Column("chain", Text, nullable=False),
    contact_column(),
    Column("deal_id", Id),
    Column("state", EnumText(ChainState), nullable=False),
    Column("step", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("reason", WordedText, nullable=False),
    Column("account", Text, nullable=False),
    Index("ix_chain_run_contact_id", "contact_id"),
    Index("uq_chain_run_running", "contact_id", "chain", unique=True, **only("state = 'running'")),
)

broadcast = Table(
    "broadcast",
    metadata,
    own_id(),
    Column("name", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("state", EnumText(BroadcastState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("author", Text, nullable=False),
    Column("channels", JsonText, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("start_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("filled_to", Id, nullable=False),
    Column("filled", Boolean, nullable=False),
    Column("filter", JsonText, nullable=False),
    Column("text", Text, nullable=False),
    Column("subject", Text, nullable=False),
)

broadcast_recipient = Table(
    "broadcast_recipient",
    metadata,
    Column("key", Text, primary_key=True),
    Column("broadcast_id", Id, ForeignKey("broadcast.id"), nullable=False),
    contact_column(),
    Column("state", EnumText(RecipientState), nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("entry_id", Id),
    Column("why", Text, nullable=False),
    Column("at", UtcDateTime),
    Index("ix_broadcast_recipient_broadcast_id", "broadcast_id", "state", "contact_id"),
    Index("ix_broadcast_recipient_contact_id", "contact_id"),
)

opt_out = Table(
    "opt_out",
    metadata,
    Column("key", Text, primary_key=True),
    contact_column(nullable=True),
    Column("at", UtcDateTime, nullable=False),
    Column("how", Text, nullable=False),
    Column("author", Text, nullable=False),
    Index("ix_opt_out_contact_id", "contact_id"),
)
