"""A client's timeline as a page shows it: from any place both ways, by kinds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from crm_core.model.timeline import EntryKind
from crm_core.storage.queries.timeline import EntryCard
from crm_core.storage.queries.workspace.asker import Asker


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a timeline in display order: oldest first, the newest at the end. `older` is the cursor with which
    the stretch before begins, None where this is the beginning; `newer` that of the stretch behind, None at the end."""

    entries: tuple[EntryCard, ...]
    older: str | None
    newer: str | None


def stretch(
    conn: Connection,
    asker: Asker,
    contact_id: int,
    *,
    older: str | None = None,
    newer: str | None = None,
    around: int | None = None,
    kinds: frozenset[EntryKind] = frozenset(),
    limit: int = 50,
) -> Stretch:
    """The newest entries of a client; those before the cursor `older`, behind the cursor `newer`, or around an entry's
    id. `kinds` narrows. Raises InvalidInput for a bad cursor, NotFound for an entry that is not this client's. Nine
    statements at most."""
    raise NotImplementedError


def count_by_kind(conn: Connection, asker: Asker, contact_id: int) -> dict[EntryKind, int]:
    """How many entries of each kind stand on a timeline, each up to 1,000. One statement."""
    raise NotImplementedError
