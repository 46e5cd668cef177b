"""The schema, one for both engines. Columns stand in the order of the record they hold (`crm_core.model.records`)."""

from __future__ import annotations

from sqlalchemy import Table

from crm_core.model import automation, conversation, history, outreach, records
from crm_core.model import exchange as exchanged
from crm_core.model import selling as sold
from crm_core.model import task as tasks
from crm_core.model.definitions.base import DefinitionRecord
from crm_core.model.definitions.values import FieldValueRecord
from crm_core.storage.tables.calls import call, callback, dial, reconciliation, recording, route_decision
from crm_core.storage.tables.clients import contact, contact_merge, identity, listed_number, suggestion
from crm_core.storage.tables.columns import metadata
from crm_core.storage.tables.configured import change, definition, field_value
from crm_core.storage.tables.doing import broadcast, broadcast_recipient, chain_run, opt_out, rule_run, task
from crm_core.storage.tables.exchange import (
    counter,
    document,
    external_ref,
    import_problem,
    import_run,
    webhook_delivery,
)
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
from crm_core.storage.tables.selling import client_score, company, line_item, link, need, payment, product, sale
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
    DefinitionRecord: definition,
    FieldValueRecord: field_value,
    history.ChangeRecord: change,
    sold.CompanyRecord: company,
    sold.LinkRecord: link,
    sold.ProductRecord: product,
    sold.LineItemRecord: line_item,
    sold.PaymentRecord: payment,
    sold.SaleRecord: sale,
    sold.ClientScoreRecord: client_score,
    sold.NeedRecord: need,
    tasks.TaskRecord: task,
    automation.RuleRunRecord: rule_run,
    automation.ChainRunRecord: chain_run,
    outreach.BroadcastRecord: broadcast,
    outreach.RecipientRecord: broadcast_recipient,
    outreach.OptOutRecord: opt_out,
    exchanged.ExternalRefRecord: external_ref,
    exchanged.ImportRecord: import_run,
    exchanged.ImportProblemRecord: import_problem,
    exchanged.DocumentRecord: document,
    exchanged.CounterRecord: counter,
    exchanged.WebhookDeliveryRecord: webhook_delivery,
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
    "broadcast",
    "broadcast_recipient",
    "call",
    "callback",
    "chain_run",
    "change",
    "channel_cursor",
    "client_score",
    "company",
    "contact",
    "contact_case",
    "contact_merge",
    "counter",
    "deadline",
    "deal",
    "definition",
    "dial",
    "document",
    "external_ref",
    "feed",
    "feed_position",
    "field_value",
    "id_block",
    "idempotency",
    "identity",
    "import_problem",
    "import_run",
    "journal",
    "lead",
    "lease",
    "line_item",
    "link",
    "listed_number",
    "message_ref",
    "metadata",
    "need",
    "opt_out",
    "outbox",
    "payment",
    "pipeline",
    "product",
    "reconciliation",
    "recording",
    "revision",
    "route_decision",
    "rule_run",
    "sale",
    "stage",
    "suggestion",
    "task",
    "thread",
    "thread_ref",
    "timeline",
    "upload",
    "user_group",
    "webhook_delivery",
]
