"""Filters and orders of lists as they stand behind the `?`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from crm_core.model.access import Sight
from crm_core.model.filters import filter_of
from crm_core.storage.filtering import Asking, condition
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.selling import known_by
from crm_core.storage.queries.sorting import EVERYTHING, More
from crm_core.storage.store import Store
from hub.http.types import Named, PageQuery


class FilterQuery(PageQuery):
    """`filter`: a filter as JSON, e.g. `{"all": [{"field": "city", "value": "Москва"}, {"field": "fields.size", "op":
    ">", "value": 5}]}`. `sort`: a column or `fields.key` of an indexed field, with `-` before it the largest first.
    `external` finds the record that another program knows by an id, `system:id`."""

    filter: Annotated[str | None, Field(max_length=20_000)] = None
    external: Named | None = None
    sort: Annotated[str | None, Field(pattern=r"^-?[a-z_]+(\.[a-z0-9_]+)?$", max_length=100)] = None

    def more(self, conn: Reading, store: Store, kind: str, sight: Sight) -> More:
        """The same for the record, as somebody with this sight asks. Raises InvalidInput that says what makes no
        sense."""
        if self.filter is None and self.sort is None and self.external is None:
            return EVERYTHING
        asking = replace(asking_of(conn, store), sight=sight)
        if self.filter is not None and self.sort is None and self.external is None and kind != "task":
            return More.of(kind, filter_of(self.filter), asking)  # tasks have an order of their own
        wanted = condition(kind, filter_of(self.filter), asking) if self.filter is not None else None
        if self.external is not None:
            known = known_by(kind, self.external)
            wanted = known if wanted is None else wanted & known
        return More(wanted, self.sort, asking)


def asking_of(conn: Reading, store: Store) -> Asking:
    """What filters are read with, as of now."""
    office = store.office
    return Asking(store.catalogue(conn), store.clock.now(), ZoneInfo(office.time_zone), office.region)
