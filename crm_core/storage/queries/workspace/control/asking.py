"""A view's first page and the next, and how many lines each view has."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_core.storage.queries.pages import Page, Slice
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.control.views import ControlRow, ControlView, Limits

_USUAL = Limits()


def control_page(
    conn: Connection,
    asker: Asker,
    view: ControlView,
    where: Slice,
    *,
    group: str | None = None,
    limits: Limits = _USUAL,
) -> Page[ControlRow]:
    """A page of a view, of one group where it is named; raises InvalidInput for a bad cursor. Three statements at most
    beside what the lines' clients take."""
    raise NotImplementedError


def control_counts(
    conn: Connection, asker: Asker, *, group: str | None = None, limits: Limits = _USUAL
) -> dict[ControlView, int]:
    """How many lines each view has, up to `inbox.MOST_COUNTED`; views of figures are left out. Two statements."""
    raise NotImplementedError
