"""The unit of work: what one transaction has read and changed, written in a fixed number of statements at its end.

Records are immutable; `put` replaces the current version. `flush` writes every table once, set-based, counts the
assignees' loads and appends one row to the change feed, whose position grows in commit order.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import orjson

from crm_core.model.auditing import AccessRecord
from crm_core.model.automation import ChainRunRecord, ChainState, RuleRunRecord
from crm_core.model.callback import DialState
from crm_core.model.case import CaseState
from crm_core.model.conversation import (
    AutoAnswerRecord,
    MessageRefRecord,
    SuggestionRecord,
    ThreadRecord,
    ThreadRefRecord,
)
from crm_core.model.definitions.base import DefinitionRecord
from crm_core.model.definitions.values import FieldCheckRecord, FieldValueRecord
from crm_core.model.exchange import (
    CounterRecord,
    DocumentRecord,
    ExternalRefRecord,
    ImportProblemRecord,
    ImportRecord,
    WebhookDeliveryRecord,
)
from crm_core.model.history import ChangeRecord
from crm_core.model.outreach import BroadcastRecord, OptOutRecord, RecipientRecord
from crm_core.model.records import (
    AlarmRecord,
    AttachmentRecord,
    CallbackRecord,
    CallRecord,
    CaseRecord,
    ContactRecord,
    DeadlineRecord,
    DealRecord,
    DialRecord,
    EntryRecord,
    IdentityRecord,
    JournalRecord,
    JournalState,
    LeadRecord,
    LeadStatus,
    ListedNumberRecord,
    MergeRecord,
    OutboxRecord,
    PipelineRecord,
    ReconciliationRecord,
    RecordingRecord,
    StageRecord,
)
from crm_core.model.selling import (
    ClientScoreRecord,
    CompanyRecord,
    LineItemRecord,
    LinkRecord,
    NeedRecord,
    PaymentRecord,
    ProductRecord,
    SaleRecord,
)
from crm_core.model.task import TaskRecord
from crm_core.storage import bulk
from crm_core.storage.catalogue import PARTS, touch_catalogue
from crm_core.storage.feed import FAILED_FACTS
from crm_core.storage.held import OWNER_COLUMN
from crm_core.storage.reading import Reading
from crm_core.storage.tables import TABLE_OF
from crm_core.storage.types import to_micros

# Referred to before referring.
_WRITE_ORDER: tuple[type, ...] = (
    DefinitionRecord,
    CompanyRecord,
    ContactRecord,
    IdentityRecord,
    PipelineRecord,
    StageRecord,
    JournalRecord,
    LeadRecord,
    DealRecord,
    ProductRecord,
    LineItemRecord,
    PaymentRecord,
    SaleRecord,
    NeedRecord,
    ClientScoreRecord,
    TaskRecord,
    LinkRecord,
    FieldValueRecord,
    FieldCheckRecord,
    ChangeRecord,
    RuleRunRecord,
    ChainRunRecord,
    BroadcastRecord,
    RecipientRecord,
    OptOutRecord,
    ExternalRefRecord,
    ImportRecord,
    ImportProblemRecord,
    DocumentRecord,
    CounterRecord,
    WebhookDeliveryRecord,
    CallRecord,
    RecordingRecord,
    CaseRecord,
    ThreadRecord,
    ThreadRefRecord,
    EntryRecord,
    AttachmentRecord,
    MessageRefRecord,
    AutoAnswerRecord,
    SuggestionRecord,
    CallbackRecord,
    DialRecord,
    DeadlineRecord,
    OutboxRecord,
    MergeRecord,
    ListedNumberRecord,
    AlarmRecord,
    ReconciliationRecord,
    AccessRecord,
)
_UNFED = frozenset(
    {
        *(IdentityRecord, JournalRecord, AttachmentRecord, DeadlineRecord, OutboxRecord, MergeRecord),
        *(ThreadRecord, ThreadRefRecord, MessageRefRecord, AutoAnswerRecord),
        *(FieldValueRecord, FieldCheckRecord, ChangeRecord, RecipientRecord, ExternalRefRecord),
        *(ImportProblemRecord, CounterRecord, AccessRecord),
        *(SaleRecord, NeedRecord, ClientScoreRecord, RuleRunRecord, WebhookDeliveryRecord),
    }
)
_HINTED = (JournalRecord, RuleRunRecord)
_OPEN = frozenset({LeadStatus.NEW, LeadStatus.TAKEN})


class SqlWork(Reading):
    """A unit of work over a connection; see `crm_core.ports.UnitOfWork` for what services use."""

    def flush(self) -> None:
        """Write everything that was put or removed; the last thing before the commit."""
        for kind in reversed(_WRITE_ORDER):
            bulk.delete(self.conn, kind, list(self._removed.get(kind, ())))
        if any(self._dirty.get(kind) or self._removed.get(kind) for kind in PARTS):
            touch_catalogue(self.conn)
        loads = self._load_changes()
        self._take_position(loads)
        for kind in _WRITE_ORDER:
            dirty = self._dirty.get(kind)
            if not dirty:
                continue
            if kind is FieldValueRecord:
                self._write_values()
                continue
            if kind is DeadlineRecord:
                bulk.upsert(self.conn, sorted((self._current[kind][key] for key in dirty), key=itemgetter(0)))
                continue
            fresh = [self._current[kind][key] for key in dirty if key not in self._original[kind]]
            stale = [
                record
                for key in dirty
                if key in self._original[kind] and (record := self._current[kind][key]) != self._original[kind][key]
            ]
            # In the order of their keys two writers can't wait for each other. What is open once a contact is closed
            # before another opens.
            taken = _names_taken(kind, stale, self._original[kind])
            closed = [record for record in stale if _is_closed(record) or (taken and _gives_way(record, taken))]
            bulk.update(self.conn, sorted(closed, key=itemgetter(0)))
            bulk.insert(self.conn, sorted(fresh, key=itemgetter(0)))
            gone = {record[0] for record in closed}
            bulk.update(self.conn, sorted((record for record in stale if record[0] not in gone), key=itemgetter(0)))

    def _write_values(self) -> None:
        """The index of fields: rows are written over, as it was worked out without reading them; unique values are
        taken out first, so that two records may change places."""
        rows = sorted(self._pending(FieldValueRecord), key=itemgetter(0))
        bulk.delete(self.conn, FieldValueRecord, [row.key for row in rows if row.unique_key is not None])
        bulk.upsert(self.conn, rows)

    def _take_position(self, loads: dict[str, list[int]]) -> None:
        """Number the new entries and tell the feed; from here to the commit, transactions stand in line."""
        entries = [key for key in self._dirty.get(EntryRecord, ()) if key not in self._original[EntryRecord]]
        changes = self._feed_changes()
        if not changes and not loads:
            return
        step = max(len(entries), 1)
        mark = "?" if self.sqlite else "$1"
        sql = f"UPDATE feed_position SET position = position + {mark} WHERE id = 1 RETURNING position"
        self.position = int(self.conn.exec_driver_sql(sql, (step,)).scalar_one())
        for number, key in enumerate(entries, start=self.position - step + 1):
            entry = self._current[EntryRecord][key]
            self._current[EntryRecord][key] = EntryRecord(entry[0], number, *entry[2:])  # _replace, but fast
        self._write_loads(loads, self.position)
        at: Any = to_micros(self.now) if self.sqlite else self.now
        marks = "?, ?, ?" if self.sqlite else "$1, $2, $3::text::jsonb"
        self.conn.exec_driver_sql(
            f"INSERT INTO feed (position, at, changes) VALUES ({marks})",
            (self.position, at, orjson.dumps(changes).decode()),
        )

    def _feed_changes(self) -> list[list[Any]]:
        changes: list[list[Any]] = list(self._topics)
        for kind, dirty in self._dirty.items():
            if kind in _UNFED:
                continue
            name = TABLE_OF[kind].name
            column = 0 if kind is ContactRecord else OWNER_COLUMN[kind]
            current = self._current[kind]
            changes.extend([name, key, current[key][column] if column is not None else None] for key in dirty)
        changes.extend(["identity", 0, record.contact_id] for record in self._pending(IdentityRecord))
        for kind, removed in self._removed.items():
            if kind not in _UNFED:
                changes.extend([TABLE_OF[kind].name, key, None] for key in removed)
        return changes + self._hints()

    def _hints(self) -> list[list[Any]]:
        """See `crm_core.storage.feed.HINTS`."""
        found: list[list[Any]] = [[TABLE_OF[kind].name, 0, None] for kind in _HINTED if self._dirty.get(kind)]
        current, original = self._current[JournalRecord], self._original[JournalRecord]
        facts = ((current[key], original.get(key)) for key in self._dirty.get(JournalRecord, ()))
        if any(each is not None and each.state is JournalState.FAILED for fact in facts for each in fact):
            found.append([FAILED_FACTS, 0, None])
        return found

    def _load_changes(self) -> dict[str, list[int]]:
        """Per login: how the number of open leads changes, and whether something new was assigned."""
        loads: dict[str, list[int]] = {}
        for key in self._dirty.get(LeadRecord, ()):
            before: LeadRecord | None = self._original[LeadRecord].get(key)
            after: LeadRecord = self._current[LeadRecord][key]
            old = before.manager if before is not None and before.status in _OPEN else None
            new = after.manager if after.status in _OPEN else None
            if old == new:
                continue
            if old is not None:
                loads.setdefault(old, [0, 0])[0] -= 1
            if new is not None:
                entry = loads.setdefault(new, [0, 0])
                entry[0] += 1
                entry[1] = 1
        for key in self._dirty.get(DealRecord, ()):
            deal: DealRecord = self._current[DealRecord][key]
            # An enquiry that is at once a deal was somebody's turn; it is no open lead.
            if key not in self._original[DealRecord] and deal.manager and deal.lead_id is None and not deal.source_id:
                loads.setdefault(deal.manager, [0, 0])[1] = 1
        return loads

    def _write_loads(self, loads: dict[str, list[int]], position: int) -> None:
        if not loads:
            return
        rows = [(login, delta, position * assigned) for login, (delta, assigned) in sorted(loads.items())]
        conflict = (
            " ON CONFLICT (login) DO UPDATE SET open_leads = assignee_load.open_leads + excluded.open_leads,"
            " last_assigned = CASE WHEN excluded.last_assigned > 0 THEN excluded.last_assigned"
            " ELSE assignee_load.last_assigned END"
        )
        columns = "INSERT INTO assignee_load (login, open_leads, last_assigned)"
        if self.sqlite:
            self.conn.exec_driver_sql(f"{columns} VALUES (?, ?, ?){conflict}", rows)
            return
        source = " SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])"
        self.conn.exec_driver_sql(columns + source + conflict, tuple(list(each) for each in zip(*rows, strict=True)))


def _names_taken(kind: type, stale: list[tuple[Any, ...]], original: dict[Any, Any]) -> dict[str, Any]:
    """The numbers that stand once a table and were somebody else's until now, and whose; by what they were."""
    column = {ProductRecord: "sku", CompanyRecord: "tax_id"}.get(kind)
    if column is None:
        return {}
    changed = (each for each in stale if getattr(each, column) != getattr(original[each[0]], column))
    return {old: each[0] for each in changed if (old := getattr(original[each[0]], column)) is not None}


def _gives_way(record: tuple[Any, ...], taken: dict[str, Any]) -> bool:
    """Whether a record is written first, for its old number goes to another and its new one was nobody's here."""
    number = getattr(record, "sku", None) if isinstance(record, ProductRecord) else getattr(record, "tax_id", None)
    return record[0] in taken.values() and taken.get(number, record[0]) == record[0] if number else True


def _is_closed(record: tuple[Any, ...]) -> bool:
    match record:
        case LeadRecord(status=status):
            return status not in _OPEN
        case CaseRecord(state=state):
            return state is CaseState.CLOSED
        case CallbackRecord(state=callback):
            return not callback.active
        case DialRecord(state=dial):
            return dial is DialState.ENDED
        case ChainRunRecord(state=chain):
            return chain is not ChainState.RUNNING
        case _:
            return False
