"""The rows of the record as values: one named tuple a table, columns in the table's order.

Changing a record means putting a changed copy (`record._replace(…)`) into the unit of work.
"""

from __future__ import annotations

from crm_core.model.records.calls import CallbackRecord, CallRecord, DialRecord, RecordingRecord
from crm_core.model.records.cards import DealRecord, LeadRecord, LeadStatus, PipelineRecord, StageKind, StageRecord
from crm_core.model.records.clients import ContactRecord, IdentityRecord, ListedNumberRecord, MergeRecord
from crm_core.model.records.coming import (
    DeadlineKind,
    DeadlineRecord,
    JournalRecord,
    JournalState,
    OutboxKind,
    OutboxRecord,
    OutboxState,
)
from crm_core.model.records.entries import AttachmentRecord, CaseRecord, EntryRecord, FileState, beside
from crm_core.model.records.plain import Json
from crm_core.model.records.upkeep import AlarmRecord, ReconciliationRecord

__all__ = [
    "AlarmRecord",
    "AttachmentRecord",
    "CallRecord",
    "CallbackRecord",
    "CaseRecord",
    "ContactRecord",
    "DeadlineKind",
    "DeadlineRecord",
    "DealRecord",
    "DialRecord",
    "EntryRecord",
    "FileState",
    "IdentityRecord",
    "JournalRecord",
    "JournalState",
    "Json",
    "LeadRecord",
    "LeadStatus",
    "ListedNumberRecord",
    "MergeRecord",
    "OutboxKind",
    "OutboxRecord",
    "OutboxState",
    "PipelineRecord",
    "ReconciliationRecord",
    "RecordingRecord",
    "StageKind",
    "StageRecord",
    "beside",
]
