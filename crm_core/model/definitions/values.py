"""The index of custom fields' values, by which records are filtered, sorted and kept apart."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

Json = Any


class FieldValueRecord(NamedTuple):
    """A value in the index: `key` is `field:subject:position`, `text_key` the value casefolded, `number` the same as a
    number (a day as days since 1970, money in minor units); `unique_key`, where set, stands once a field."""

    key: str
    field_id: int
    subject_id: int
    text_key: str | None = None
    number: float | None = None
    unique_key: str | None = None


class FieldCheckState(StrEnum):
    """Whether the records of a definition are still being looked through."""

    RUNNING = "running"
    DONE = "done"


class FieldCheckRecord(NamedTuple):
    """The records of a field or a scoring looked through anew after its definition changed; `was` is the type that the
    field had, or how the scoring graded, None for a new one. `upto` is the last id looked at, `looked` and `changed`
    how many records. `samples` are the first of the `problems`, values that do not fit:
    `[[record id, value as text, why], …]`."""

    definition_id: int
    state: FieldCheckState
    was: Json
    started_at: datetime
    upto: int = 0
    looked: int = 0
    changed: int = 0
    problems: int = 0
    samples: Json = []
    ended_at: datetime | None = None
