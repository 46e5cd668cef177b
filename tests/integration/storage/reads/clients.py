"""Reads of clients and companies, of what was said to them, and of what waits."""

from __future__ import annotations

from crm_core.model.rights import Right
from crm_core.storage.queries.workspace import search
from tests.integration.storage.reads import Reads

READS: Reads = {
    Right.SEE_CLIENTS: {
        "queries.workspace.search.search": lambda ask: search.search(ask.conn, ask.asker, "Анна"),
    },
}
