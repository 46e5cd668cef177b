"""The form of a segment: clients found by a filter, saved under a name."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from crm_core.errors import InvalidInput
from crm_core.model.definitions.base import Body, Line, Slug
from crm_core.model.filters import Filter, bounded


class SegmentBody(Body):
    """Clients who are looked for among records of a kind: `contact`, or whose `deal`, `lead` or card of a custom type
    passes the filter."""

    of: Slug = "contact"
    filter: Filter = Filter()
    note: Line = ""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        try:
            bounded(self.filter)
        except InvalidInput as err:
            raise ValueError(str(err)) from err
        return self
