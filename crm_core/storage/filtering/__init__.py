"""Filters (`crm_core.model.filters`) as conditions of SQL, the same on both engines and led by indexes.

What a term may name: a column of the record; `fields.key` of an indexed field; `tags`; of cards `pipeline`, `stage`,
`state` (open, won, lost); of contacts, leads and cards `client.status`, `client.abc` … (scores), `opted_out`,
`identity`, `last_contact_at`, `open_case` (the client waits for an answer); `open_task`, `overdue_task`, `next_step`
(true or false); `contact.…`, `company.…` of the record's contact and company; `deals`, `leads`, `tasks`, `sales` of a
client with `any` or `none` and a filter of those; `q`, what is typed to look for it. Sums are in major units, moments
as `crm_core.model.filters.span` reads them.
"""

from __future__ import annotations

from crm_core.storage.filtering.asking import Led, among, condition, count, led, matching
from crm_core.storage.filtering.custom import indexed_field
from crm_core.storage.filtering.place import HIDDEN, TABLES, Asking, Condition, living, table_of

__all__ = [
    "HIDDEN",
    "TABLES",
    "Asking",
    "Condition",
    "Led",
    "among",
    "condition",
    "count",
    "indexed_field",
    "led",
    "living",
    "matching",
    "table_of",
]
