"""How the installation fares."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from crm_core.model.alarm import AlarmKind
from crm_core.model.records.plain import Json


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
