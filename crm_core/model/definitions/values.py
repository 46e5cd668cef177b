"""The index of custom fields' values, by which records are filtered, sorted and kept apart."""

from __future__ import annotations

from typing import NamedTuple


class FieldValueRecord(NamedTuple):
    """A value in the index: `key` is `field:subject:position`, `text_key` the value casefolded, `number` the same as a
    number (a day as days since 1970, money in minor units); `unique_key`, where set, stands once a field."""

    key: str
    field_id: int
    subject_id: int
    text_key: str | None = None
    number: float | None = None
    unique_key: str | None = None
