"""Clients: who they are, how they are known, whom they were merged with."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from crm_core.model.records.plain import Json


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
