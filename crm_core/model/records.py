"""The rows of the record as values: one named tuple a table, columns in the table's order.

Changing a record means putting a changed copy (`record._replace(…)`) into the unit of work.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from crm_core.model.alarm import AlarmKind
from crm_core.model.call import CallState, Direction
from crm_core.model.callback import CallbackReason, CallbackState, DialOutcome, DialPurpose, DialState
from crm_core.model.case import CaseKind, CaseState, Signal
from crm_core.model.recording import RecordingState
from crm_core.model.timeline import Delivery, EntryKind

Json = Any  # what a JSON column holds: plain lists, dicts, strings, numbers


class JournalState(StrEnum):
    """What became of a journal row."""

    DONE = "done"
    FAILED = "failed"
    IGNORED = "ignored"


class JournalRecord(NamedTuple):
    """One inbound fact as it came. Unique by (channel, account, external_id)."""

    id: int
    channel: str
    account: str
    external_id: str
    state: JournalState
    what: str
    conversation: str
    occurred_at: datetime
    received_at: datetime
    correlation_id: str
    raw: bytes
    raw_type: str
    error: str | None = None
    attempts: int = 1


class ContactRecord(NamedTuple):
    """A client. `last_signal_at` and `last_contact_at` tell whether a fact is late and whether it was answered since.

    `merged_into` names the contact that took this one over; such a record is kept for undoing. `marks` tell which fact
    gave the name and the manager (see `crm_core.services.recognising.marks`). `name_key` is a whole name in the form in
    which names are compared (see `crm_core.model.likeness`). `company` is the name as it is shown, `company_id` the
    company itself where it is one of the record. `status` is worked out daily from sales.
    """

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    search: str
    manager: str | None = None
    company: str | None = None
    city: str | None = None
    status: str | None = None
    list_name: str | None = None
    last_signal_at: datetime | None = None
    last_contact_at: datetime | None = None
    merged_into: int | None = None
    fields: Json = {}
    tags: Json = []
    marks: Json = {}
    name_key: str = ""
    company_id: int | None = None
    version: int = 1
    deleted_at: datetime | None = None


class IdentityRecord(NamedTuple):
    """An identity `kind:value` of a contact, and on what evidence it is theirs. `handle` is what else the provider
    calls them by, as it was last seen."""

    key: str
    contact_id: int
    evidence: str
    created_at: datetime
    handle: str = ""


class LeadStatus(StrEnum):
    """Where a lead stands; the first two are open."""

    NEW = "new"
    TAKEN = "taken"
    CONVERTED = "converted"
    REJECTED = "rejected"


class LeadRecord(NamedTuple):
    """An enquiry. At most one open a contact. `first_fact_at` is the time of the earliest fact that belongs to it;
    `marks` tell which fact gave what (see `crm_core.services.recognising.marks`)."""

    id: int
    contact_id: int
    title: str
    status: LeadStatus
    created_at: datetime
    first_fact_at: datetime
    channel: str
    account: str
    source: str | None = None
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_content: str = ""
    utm_term: str = ""
    group_name: str | None = None
    manager: str | None = None
    grade: str | None = None
    reason: str | None = None
    taken_at: datetime | None = None
    closed_at: datetime | None = None
    fields: Json = {}
    tags: Json = []
    marks: Json = {}
    version: int = 1
    deleted_at: datetime | None = None


class CaseRecord(NamedTuple):
    """A client who waits. At most one open a contact. `facts` counts the missed
    calls and messages in it; `rung` is the last rung told, None before the first. `taken_at`: since when `manager`
    looks after it by their own word, None where they did not say so."""

    id: int
    contact_id: int
    kind: CaseKind
    state: CaseState
    facts: int
    opened_at: datetime
    channel: str
    account: str
    rung: int | None = None
    promised_at: datetime | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    manager: str | None = None
    misses: Json = []
    taken_at: datetime | None = None


class CallRecord(NamedTuple):
    """A telephone call, unique by (pbx, linkedid). `rung` holds the legs that were rung, `talks` who talked with the
    client one after another: `{endpoint, user, from, until, how}`."""

    id: int
    pbx: str
    linkedid: str
    contact_id: int | None
    entry_id: int | None
    direction: Direction
    number: str
    line: str
    state: CallState
    progress: int
    started_at: datetime
    answered_at: datetime | None = None
    finished_at: datetime | None = None
    answered_by: str | None = None
    endpoint: str | None = None
    wait_s: float = 0.0
    talk_s: float = 0.0
    cause: int = 0
    cause_text: str = ""
    hung_up_by: str = ""
    recording: str | None = None
    list_name: str | None = None
    wish_callback: bool = False
    rung: Json = []
    hold_s: float = 0.0
    talks: Json = []


class EntryRecord(NamedTuple):
    """A timeline entry. `seq` grows in commit order. `ref` is unique among messages: channel, account, conversation
    and the provider's id. `external_id` is None as long as only an edit or the deletion of it is known.
    `versions` are the texts of an edited message, oldest first: `{at, sequence, text}`. `number` is ours of an outgoing
    message, by which a provider's echo of it is known. `offers` is what stands under an automatic text:
    `{menu: [[item, text], …], contact: bool}`; `authenticity` `{trust, detail}`; `reactions`
    `[{who, emoji, at, sequence}, …]`, the emoji empty where somebody took theirs back. `answers` is the reference of
    the message that this one replies to."""

    id: int
    seq: int
    contact_id: int
    kind: EntryKind
    direction: Direction
    occurred_at: datetime
    sequence: int
    recorded_at: datetime
    channel: str | None = None
    account: str | None = None
    conversation: str | None = None
    lead_id: int | None = None
    deal_id: int | None = None
    call_id: int | None = None
    journal_id: int | None = None
    external_id: str | None = None
    ref: str | None = None
    text: str = ""
    html: str | None = None
    subject: str = ""
    quoted: str = ""
    author: str = ""
    by_person: bool = False
    signal: Signal | None = None
    signal_at: datetime | None = None
    reason: str | None = None
    delivery: Delivery | None = None
    delivery_error: str | None = None
    location: Json = None
    versions: Json = []
    deleted_at: datetime | None = None
    thread_id: int | None = None
    number: int | None = None
    album: str | None = None
    offers: Json = None
    authenticity: Json = None
    reactions: Json = []
    answers: str | None = None


class FileState(StrEnum):
    """Whether an attachment's content is here."""

    STORED = "stored"
    PENDING = "pending"
    FAILED = "failed"


class AttachmentRecord(NamedTuple):
    """A file of an entry. `size` in bytes. `cid` is how the entry's HTML names it; `warning` why to be careful."""

    id: int
    entry_id: int
    position: int
    name: str
    content_type: str
    state: FileState
    size: int | None = None
    sha256: str | None = None
    remote_id: str | None = None
    error: str | None = None
    cid: str = ""
    warning: str = ""


class DeadlineKind(StrEnum):
    """What happens when a deadline comes."""

    CASE_RUNG = "case.rung"
    CASE_PROMISE = "case.promise"
    LEAD_RUNG = "lead.rung"
    DEAL_RUNG = "deal.rung"
    DIAL = "dial"
    CALL = "call"
    RULE = "rule"
    SCHEDULE = "schedule"
    CHAIN = "chain"
    TASK = "task"
    PAYMENT = "payment"
    BROADCAST = "broadcast"
    FIELD = "field"


class DeadlineRecord(NamedTuple):
    """Something that must happen at `due_at`; `key` is `kind:subject_id`. `rung` is the ladder's next rung."""

    key: str
    kind: DeadlineKind
    subject_id: int
    due_at: datetime
    rung: int = 0
    attempts: int = 0
    error: str | None = None


class OutboxKind(StrEnum):
    """What a worker does with an outbox row."""

    MESSAGE = "message"
    NOTIFICATION = "notification"
    WEBHOOK = "webhook"
    FETCH = "fetch"


class OutboxState(StrEnum):
    """Where an outbox row stands. A failed one was given up and stays visible."""

    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class OutboxRecord(NamedTuple):
    """Something to be done outside. Rows of one `lane` are done one after another, in the order of their ids.

    `dedupe` is unique: the same cause never acts twice. `started` counts the tries begun since the last one whose end
    is known: 2 means that a worker died, or heard nothing, in the middle of an earlier one.
    """

    id: int
    kind: OutboxKind
    lane: str
    dedupe: str
    state: OutboxState
    created_at: datetime
    not_before: datetime
    payload: Json
    entry_id: int | None = None
    attempts: int = 0
    started: int = 0
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    error: str | None = None
    done_at: datetime | None = None


class PipelineRecord(NamedTuple):
    """A pipeline of the cards of one `type`: deals, or a custom type. `settings` as in
    `crm_core.model.definitions.pipelines.PipelineSettings`."""

    id: int
    name: str
    position: int = 0
    archived: bool = False
    type: str = "deal"
    settings: Json = {}


class StageKind(StrEnum):
    """What a stage means for its deals."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class StageRecord(NamedTuple):
    """A stage of a pipeline, unique by (pipeline_id, name). `settings` as in
    `crm_core.model.definitions.pipelines.StageSettings`; an archived one takes no cards any more."""

    id: int
    pipeline_id: int
    name: str
    position: int
    kind: StageKind = StageKind.OPEN
    settings: Json = {}
    archived: bool = False


class DealRecord(NamedTuple):
    """A card that moves through a pipeline: a sale in progress, or a record of a custom `type`, which is kept out of
    revenue. `amount`, `paid` in minor units of `currency`; `pay_by` when the next unpaid instalment is due,
    `overdue_since` the same where that has passed; `version` grows with every change; `source_id` is the card that it
    was copied from."""

    id: int
    contact_id: int | None
    pipeline_id: int
    stage_id: int
    title: str
    created_at: datetime
    updated_at: datetime
    stage_since: datetime
    amount: int = 0
    currency: str = "RUB"
    manager: str | None = None
    source: str | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    version: int = 1
    fields: Json = {}
    tags: Json = []
    type: str = "deal"
    company_id: int | None = None
    lead_id: int | None = None
    source_id: int | None = None
    grade: str | None = None
    paid: int = 0
    pay_by: datetime | None = None
    checklist: Json = []
    utm: Json = {}
    deleted_at: datetime | None = None
    overdue_since: datetime | None = None


class MergeRecord(NamedTuple):
    """The taking over of one contact by another; `moved` names every row that changed hands, for undoing it."""

    id: int
    survivor_id: int
    absorbed_id: int
    evidence: str
    author: str
    merged_at: datetime
    moved: Json
    undone_at: datetime | None = None


class ListedNumberRecord(NamedTuple):
    """A number on a special list, and who put it there and why."""

    key: str
    list_name: str
    reason: str
    author: str
    created_at: datetime


class CallbackRecord(NamedTuple):
    """A client who is to be rung back by a robot. At most one waiting or being dialled a contact.

    `number` is E.164; `due_at` when it is looked at next; `manager` whom it rings first; `line` the office's number
    that the client sees; `detail` what it waits for, or why it ended, in words.
    """

    id: int
    contact_id: int
    number: str
    reason: CallbackReason
    state: CallbackState
    due_at: datetime
    created_at: datetime
    author: str
    manager: str | None = None
    pbx: str | None = None
    line: str = ""
    attempts: int = 0
    detail: str = ""
    ended_at: datetime | None = None


class DialRecord(NamedTuple):
    """A call that the hub places: `login` at `endpoint` first, then the client. At most one going on a client, and one
    a person. `linkedid` is given by the hub, so that the PBX refuses to place the call twice. After `expires_at` a call
    that was not placed is placed no more."""

    id: int
    contact_id: int
    number: str
    pbx: str
    line: str
    login: str
    endpoint: str
    purpose: DialPurpose
    state: DialState
    linkedid: str
    created_at: datetime
    expires_at: datetime
    announce: bool = False
    author: str = ""
    outcome: DialOutcome | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    callback_id: int | None = None
    call_id: int | None = None
    detail: str = ""


class RecordingRecord(NamedTuple):
    """The recording of a call, by the call's id. `name` is the file's within the PBX's folder; `size` in bytes;
    `place` the key in the object storage, None on disk; `look_at` when it is looked for again, put away or deleted."""

    call_id: int
    pbx: str
    name: str
    state: RecordingState
    created_at: datetime
    look_at: datetime | None = None
    attempts: int = 0
    size: int | None = None
    duration_s: float | None = None
    place: str | None = None
    checked_at: datetime | None = None
    expires_at: datetime | None = None
    error: str | None = None


class AlarmRecord(NamedTuple):
    """A trouble of the installation, open while `ended_at` is None; `told_at` when its people were told of it."""

    id: int
    kind: AlarmKind
    subject: str
    detail: str
    since: datetime
    told_at: datetime | None = None
    ended_at: datetime | None = None


class ReconciliationRecord(NamedTuple):
    """A day (`YYYY-MM-DD`, office's zone) of a PBX compared with its call records: how many calls they tell of, how
    many the hub had, settled now, still misses; `details` names those that were not equal."""

    id: int
    pbx: str
    day: str
    at: datetime
    calls: int
    equal: int
    settled: int
    missing: int
    details: Json = []
