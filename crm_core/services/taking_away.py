"""Tables of figures and views, and lines of an import, that leave the house: whether whoever takes them may, and that
they did.

Tables of records go another way, see `crm_core.storage.exporting`.
"""

from __future__ import annotations

from crm_core.errors import Forbidden
from crm_core.model.rights import Right
from crm_core.services.auditing import note
from crm_core.services.desk import Desk


def take_report(desk: Desk, name: str, rows: int, *, names_clients: bool, detail: str = "") -> None:
    """Note that a report is taken away. Figures anybody takes who sees them; raises Forbidden where it names clients,
    some of whom may not be taken away."""
    if names_clients and not _all_seen(desk):
        raise Forbidden("this table names clients of more people than whose records may be taken away")
    note(desk, f"export.report.{name}", rows, detail=detail)


def take_view(desk: Desk, name: str, rows: int, *, figures: bool, detail: str = "") -> None:
    """Note that a view of control is taken away. Raises Forbidden, also for figures of everybody where not everybody's
    records may be."""
    desk.demand(Right.EXPORT)
    if figures and not _all_seen(desk):
        raise Forbidden("these figures are of more people than whose records may be taken away")
    note(desk, f"export.control.{name}", rows, detail=detail)


def take_lines(desk: Desk, import_id: int, rows: int) -> None:
    """Note that lines of an import are taken away again: those that failed, or what a rehearsal says of all. Raises
    Forbidden for whoever may bring nothing in."""
    desk.demand(Right.IMPORT)
    note(desk, "export.import", rows, detail=f"import {import_id}")


def _all_seen(desk: Desk) -> bool:
    return desk.access is None or desk.access.covers(Right.EXPORT, Right.SEE_REPORTS)
