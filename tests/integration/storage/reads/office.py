"""Reads of calls and cases, of the staff, and of how the office and the machine are getting on."""

from __future__ import annotations

from crm_core.model.rights import Right
from crm_core.storage.queries.workspace import wall
from crm_core.storage.queries.workspace.control import asking
from crm_core.storage.queries.workspace.control.views import ControlView
from tests.integration.storage.reads import FIRST, Reads

READS: Reads = {
    Right.SEE_REPORTS: {
        "queries.workspace.control.asking.control_counts": lambda ask: asking.control_counts(ask.conn, ask.asker),
        "queries.workspace.control.asking.control_page": lambda ask: asking.control_page(
            ask.conn, ask.asker, next(iter(ControlView)), FIRST
        ),
        "queries.workspace.wall.wall": lambda ask: wall.wall(ask.conn, ask.asker),
    },
}
