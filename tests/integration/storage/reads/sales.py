"""Reads of cards, tasks, money and what is sold, and of what goes on with them by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from crm_core.model.definitions import Pipeline, PipelineSettings
from crm_core.model.records import DealRecord, PipelineRecord
from crm_core.model.rights import Right
from crm_core.storage.queries import boards, broadcasts, deals, documents, leads, runs, scores, selling, tasks
from crm_core.storage.queries.boards import BoardFilter, BoardOrder
from crm_core.storage.queries.deals import DealFilter
from crm_core.storage.queries.leads import LeadFilter
from crm_core.storage.queries.runs import RunFilter
from crm_core.storage.queries.scores import Times
from crm_core.storage.queries.selling import PaymentFilter, ProductFilter, SaleFilter
from crm_core.storage.queries.tasks import TaskFilter
from tests.integration.storage.reads import FIRST, NOBODY, Reads

EMPTY = Pipeline(PipelineRecord(NOBODY, "Продажа", 0), PipelineSettings(), ())
THEN = datetime(2026, 3, 2, tzinfo=UTC)
CARD = DealRecord(
    id=NOBODY,
    contact_id=None,
    pipeline_id=NOBODY,
    stage_id=NOBODY,
    title="Окна",
    created_at=THEN,
    updated_at=THEN,
    stage_since=THEN,
)
TIMES = Times.of(THEN, ZoneInfo("Europe/Moscow"))

READS: Reads = {
    Right.SEE_SALES: {
        "queries.boards.board": lambda ask: boards.board(
            ask.conn, ask.access, EMPTY, BoardFilter(), BoardOrder.UPDATED, limit=1
        ),
        "queries.broadcasts.list_broadcasts": lambda ask: broadcasts.list_broadcasts(ask.conn, ask.access, FIRST),
        "queries.broadcasts.list_recipients": lambda ask: broadcasts.list_recipients(
            ask.conn, ask.access, NOBODY, None, FIRST
        ),
        "queries.broadcasts.one_broadcast": lambda ask: broadcasts.one_broadcast(ask.conn, ask.access, NOBODY),
        "queries.deals.deal_card": lambda ask: deals.deal_card(ask.conn, ask.access, NOBODY),
        "queries.deals.list_deals": lambda ask: deals.list_deals(ask.conn, ask.access, DealFilter(), FIRST),
        "queries.deals.list_pipelines": lambda ask: deals.list_pipelines(ask.conn, ask.access),
        "queries.deals.pipeline_card": lambda ask: deals.pipeline_card(ask.conn, ask.access, NOBODY),
        "queries.documents.list_documents": lambda ask: documents.list_documents(ask.conn, ask.access, FIRST),
        "queries.documents.one_document": lambda ask: documents.one_document(ask.conn, ask.access, NOBODY),
        "queries.leads.list_leads": lambda ask: leads.list_leads(ask.conn, ask.access, LeadFilter(), FIRST),
        "queries.leads.one_lead": lambda ask: leads.one_lead(ask.conn, ask.access, NOBODY),
        "queries.runs.list_chain_runs": lambda ask: runs.list_chain_runs(ask.conn, ask.access, FIRST),
        "queries.runs.list_runs": lambda ask: runs.list_runs(ask.conn, ask.access, RunFilter(), FIRST),
        "queries.scores.needs_of": lambda ask: scores.needs_of(ask.conn, ask.access, NOBODY),
        "queries.scores.score_of": lambda ask: scores.score_of(ask.conn, ask.access, NOBODY),
        "queries.scores.todays_clients": lambda ask: scores.todays_clients(ask.conn, ask.access, TIMES, None, 1),
        "queries.selling.lines_of": lambda ask: selling.lines_of(ask.conn, ask.access, CARD),
        "queries.selling.list_payments": lambda ask: selling.list_payments(
            ask.conn, ask.access, PaymentFilter(), FIRST
        ),
        "queries.selling.list_products": lambda ask: selling.list_products(
            ask.conn, ask.access, ProductFilter(), FIRST
        ),
        "queries.selling.list_sales": lambda ask: selling.list_sales(ask.conn, ask.access, SaleFilter(), FIRST),
        "queries.selling.one_payment": lambda ask: selling.one_payment(ask.conn, ask.access, NOBODY),
        "queries.selling.one_product": lambda ask: selling.one_product(ask.conn, ask.access, NOBODY),
        "queries.selling.payments_of": lambda ask: selling.payments_of(ask.conn, ask.access, CARD),
        "queries.tasks.list_tasks": lambda ask: tasks.list_tasks(ask.conn, ask.access, TaskFilter(), FIRST),
        "queries.tasks.one_task": lambda ask: tasks.one_task(ask.conn, ask.access, NOBODY),
    },
    Right.KEEP_PIPELINES: {
        "queries.deals.standing_on": lambda ask: deals.standing_on(ask.conn, ask.anybody, NOBODY),
    },
}
