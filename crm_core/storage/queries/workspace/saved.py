"""Filters of a page kept under a name: listed here, changed by `crm_core.storage.saving_views`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from crm_core.storage.queries.workspace.asker import Asker


@dataclass(frozen=True, slots=True)
class SavedView:
    """A kept filter: `query` is the page's query string without `?`. `own` says that it is the asker's, who alone
    changes it; others see it where it is `shared`."""

    id: int
    login: str
    page: str
    name: str
    query: str
    shared: bool
    position: int
    created_at: datetime
    own: bool


def views_of(conn: Connection, asker: Asker, page: str) -> tuple[SavedView, ...]:
    """The views of a page: one's own in their order, then those that others share, by name. One statement."""
    raise NotImplementedError
