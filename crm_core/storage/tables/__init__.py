"""The schema, one for both engines. Columns stand in the order of the record they hold (`crm_core.model.records`)."""

from __future__ import annotations

from sqlalchemy import Table

from crm_core.model import conversation, records
from crm_core.storage.tables.calls import call, callback, dial, reconciliation, recording, route_decision
from crm_core.storage.tables.clients import contact, contact_merge, identity, listed_number, suggestion
from crm_core.storage.tables.columns import metadata
from crm_core.storage.tables.journal import journal
from crm_core.storage.tables.keeping import (
    alarm,
    channel_cursor,
    deadline,
    feed,
    feed_position,
    id_block,
    idempotency,
    lease,
    outbox,
    revision,
)
from crm_core.storage.tables.sales import deal, lead, pipeline, stage
from crm_core.storage.tables.staff import access_log, api_token, app_user, assignee_load, user_group
from crm_core.storage.tables.timeline import (
    attachment,
    auto_answer,
    contact_case,
    message_ref,
    thread,
    thread_ref,
    timeline,
    upload,
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
    conversation.ThreadRecord: thread,
    conversation.ThreadRefRecord: thread_ref,
    conversation.MessageRefRecord: message_ref,
    conversation.AutoAnswerRecord: auto_answer,
    conversation.SuggestionRecord: suggestion,
}

__all__ = [
    "TABLE_OF",
    "access_log",
    "alarm",
    "api_token",
    "app_user",
    "assignee_load",
    "attachment",
    "auto_answer",
    "call",
    "callback",
    "channel_cursor",
    "contact",
    "contact_case",
    "contact_merge",
    "deadline",
    "deal",
    "dial",
    "feed",
    "feed_position",
    "id_block",
    "idempotency",
    "identity",
    "journal",
    "lead",
    "lease",
    "listed_number",
    "message_ref",
    "metadata",
    "outbox",
    "pipeline",
    "reconciliation",
    "recording",
    "revision",
    "route_decision",
    "stage",
    "suggestion",
    "thread",
    "thread_ref",
    "timeline",
    "upload",
    "user_group",
]
