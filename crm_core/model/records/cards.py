"""Leads, and the cards that move through pipelines."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from crm_core.model.records.plain import Json


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
