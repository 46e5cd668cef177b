"""The catalogue of what is configured, read again only when somebody changed it."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Connection

from crm_core.model.definitions import FORMS, Catalogue, DefinitionRecord
from crm_core.model.records import PipelineRecord, StageRecord
from crm_core.storage import bulk
from crm_core.storage.tables import TABLE_OF

Record = TypeVar("Record", bound=tuple[Any, ...])

# What the catalogue is made of: whoever writes one of these makes a new revision.
PARTS: tuple[type, ...] = (DefinitionRecord, PipelineRecord, StageRecord)


class CatalogueCache:
    """The catalogue as of the last revision seen; safe to share between threads (replaced whole)."""

    def __init__(self) -> None:
        self._known = Catalogue(revision=-1)

    def current(self, conn: Connection, revision: int) -> Catalogue:
        """The catalogue as this transaction sees it."""
        known = self._known
        if known.revision == revision:
            return known
        self._known = known = load_catalogue(conn, revision)
        return known


def load_catalogue(conn: Connection, revision: int) -> Catalogue:
    """Everything configured; `revision` as read in this very transaction."""
    return Catalogue.of(
        revision, FORMS, _all(conn, DefinitionRecord), _all(conn, PipelineRecord), _all(conn, StageRecord)
    )


def touch_catalogue(conn: Connection) -> None:
    """Say that something configured changed; part of the transaction that changes it."""
    conn.exec_driver_sql("UPDATE revision SET value = value + 1 WHERE name = 'catalogue'")


def _all(conn: Connection, kind: type[Record]) -> list[Record]:
    columns = bulk.select_list(kind, "t", conn.dialect.name)
    return bulk.read(conn, kind, f'SELECT {columns} FROM "{TABLE_OF[kind].name}" AS t')
