"""Reads of cards, tasks, money and what is sold, and of what goes on with them by itself."""

from __future__ import annotations

from crm_core.model.definitions import Pipeline, PipelineSettings
from crm_core.model.records import PipelineRecord
from crm_core.model.rights import Right
from crm_core.storage.queries import boards
from crm_core.storage.queries.boards import BoardFilter, BoardOrder
from tests.integration.storage.reads import NOBODY, Reads

EMPTY = Pipeline(PipelineRecord(NOBODY, "Продажа", 0), PipelineSettings(), ())

READS: Reads = {
    Right.SEE_SALES: {
        "queries.boards.board": lambda ask: boards.board(
            ask.conn, ask.access, EMPTY, BoardFilter(), BoardOrder.UPDATED, limit=1
        ),
    },
}
