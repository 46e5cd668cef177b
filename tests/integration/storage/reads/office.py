"""Reads of calls and cases, of the staff, and of how the office and the machine are getting on."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from crm_core.messages import ChannelKey
from crm_core.model.definitions import Section
from crm_core.model.rights import Right
from crm_core.storage import entering, queues, sessions, tokens, users
from crm_core.storage.queries import (
    alarms,
    audit,
    call_rows,
    calls,
    cases,
    definitions,
    dials,
    imports,
    journal,
    queued,
    reconciliation,
    recordings,
    webhooks,
)
from crm_core.storage.queries.audit import AuditFilter
from crm_core.storage.queries.call_rows import RowFilter
from crm_core.storage.queries.calls import CallFilter
from crm_core.storage.queries.cases import CaseFilter
from crm_core.storage.queries.dials import CallbackFilter, DialFilter
from crm_core.storage.queries.journal import JournalFilter
from crm_core.storage.queries.webhooks import DeliveryFilter
from crm_core.storage.queries.workspace import calls_now, wall
from crm_core.storage.queries.workspace.control import asking
from crm_core.storage.queries.workspace.control.views import ControlView
from crm_core.storage.reports.base import Wanted
from crm_core.storage.reports.forgotten import FORGOTTEN
from crm_core.storage.reports.reading import report_of
from tests.integration.storage.reads import FIRST, NOBODY, Ask, Read, Reads

THEN: Final = datetime(2026, 3, 2, tzinfo=UTC)
ACCOUNTS: Final = (ChannelKey("telegram", "bot"),)
SEEN_BY: Final = {
    Section.WEBHOOK: Right.CONFIGURE,
    Section.MAPPING: Right.IMPORT,
    Section.LADDER: Right.CONFIGURE,
    Section.LIST: Right.CONFIGURE,
    Section.HOURS: Right.CONFIGURE,
    Section.GROUP: Right.CONFIGURE,
    Section.LINE: Right.CONFIGURE,
    Section.ACCOUNT: Right.CONFIGURE_CHANNELS,
    Section.ROLE: Right.SEE_STAFF,
}
"""What whoever looks at a section of the configuration needs, where it is not the right to see sales."""


def _wanted(ask: Ask) -> Wanted:
    return Wanted(THEN, THEN, THEN, ask.desk.office)


def _listed(ask: Ask, section: Section) -> Any:
    return definitions.list_definitions(ask.conn, ask.access, section)


def _one(ask: Ask, section: Section) -> Any:
    return definitions.definition(ask.conn, ask.access, section, NOBODY)


def _of_sections(right: Right) -> dict[str, Read]:
    """The reads of those sections that ask for a right."""
    found: dict[str, Read] = {}
    for section in Section:
        if SEEN_BY.get(section, Right.SEE_SALES) is right:
            found[f"queries.definitions.list_definitions {section}"] = partial(_listed, section=section)
            found[f"queries.definitions.definition {section}"] = partial(_one, section=section)
    return found


READS: Reads = {
    Right.SEE_CALLS: {
        "queries.alarms.calls_by_slot": lambda ask: alarms.calls_by_slot(ask.conn, ask.anybody, THEN),
        "queries.call_rows.list_rows": lambda ask: call_rows.list_rows(ask.conn, ask.access, RowFilter(), FIRST),
        "queries.calls.list_calls": lambda ask: calls.list_calls(ask.conn, ask.access, CallFilter(), FIRST),
        "queries.calls.one_call": lambda ask: calls.one_call(ask.conn, ask.access, NOBODY),
        "queries.dials.list_callbacks": lambda ask: dials.list_callbacks(ask.conn, ask.access, CallbackFilter(), FIRST),
        "queries.dials.list_dials": lambda ask: dials.list_dials(ask.conn, ask.access, DialFilter(), FIRST),
        "queries.dials.one_callback": lambda ask: dials.one_callback(ask.conn, ask.access, NOBODY),
        "queries.dials.one_dial": lambda ask: dials.one_dial(ask.conn, ask.access, NOBODY),
        "queries.workspace.calls_now.calls_now": lambda ask: calls_now.calls_now(ask.conn, ask.access, THEN),
    },
    Right.HEAR_CALLS: {
        "queries.recordings.recording_of": lambda ask: recordings.recording_of(ask.conn, ask.access, NOBODY),
    },
    Right.SEE_CASES: {
        "queries.cases.case_card": lambda ask: cases.case_card(ask.conn, ask.access, NOBODY),
        "queries.cases.list_cases": lambda ask: cases.list_cases(ask.conn, ask.access, CaseFilter(), FIRST),
    },
    Right.SEE_SALES: _of_sections(Right.SEE_SALES),
    Right.SEE_REPORTS: {
        "queries.workspace.control.asking.control_counts": lambda ask: asking.control_counts(ask.conn, ask.asker),
        "queries.workspace.control.asking.control_page": lambda ask: asking.control_page(
            ask.conn, ask.asker, next(iter(ControlView)), FIRST
        ),
        "reports.reading.report_of": lambda ask: report_of(ask.conn, ask.access, FORGOTTEN, _wanted(ask)),
        "queries.workspace.wall.wall": lambda ask: wall.wall(ask.conn, ask.asker),
    },
    Right.SEE_ALARMS: {
        "queries.alarms.list_alarms": lambda ask: alarms.list_alarms(ask.conn, ask.anybody, FIRST, lasting=True),
        "queries.queued.outbox_by_state": lambda ask: queued.outbox_by_state(ask.conn, ask.access),
        "queries.queued.waiting_for": lambda ask: queued.waiting_for(ask.conn, ask.access, ACCOUNTS),
        "queries.reconciliation.list_reconciliations": lambda ask: reconciliation.list_reconciliations(
            ask.conn, ask.access, FIRST
        ),
        "queues.depth": lambda ask: queues.depth(ask.conn, ask.anybody),
    },
    Right.SEE_ACCESS: {
        "queries.audit.list_audit": lambda ask: audit.list_audit(ask.conn, ask.access, AuditFilter(), FIRST),
    },
    Right.SEE_STAFF: {
        "users.count_users": lambda ask: users.count_users(ask.conn, ask.anybody),
        "users.find_user": lambda ask: users.find_user(ask.conn, ask.anybody, "ivan"),
        "users.list_users": lambda ask: users.list_users(ask.conn, ask.anybody),
        **_of_sections(Right.SEE_STAFF),
    },
    Right.KEEP_STAFF: {
        "entering.factor_of somebody else": lambda ask: entering.factor_of(ask.conn, ask.anybody, "ivan"),
        "sessions.list_sessions of somebody else": lambda ask: sessions.list_sessions(
            ask.conn, ask.access, "ivan", THEN
        ),
    },
    Right.KEEP_TOKENS: {
        "tokens.list_tokens": lambda ask: tokens.list_tokens(ask.conn, ask.anybody),
    },
    Right.KEEP_JOURNAL: {
        "queries.journal.count_newer": lambda ask: journal.count_newer(ask.conn, ask.anybody, JournalFilter(), 0, 1),
        "queries.journal.failed_kinds": lambda ask: journal.failed_kinds(ask.conn, ask.access),
        "queries.journal.list_journal": lambda ask: journal.list_journal(ask.conn, ask.anybody, JournalFilter(), FIRST),
        "queries.journal.one_fact": lambda ask: journal.one_fact(ask.conn, ask.anybody, NOBODY),
    },
    Right.CONFIGURE: {
        "queries.webhooks.list_deliveries": lambda ask: webhooks.list_deliveries(
            ask.conn, ask.access, DeliveryFilter(), FIRST
        ),
        "queries.webhooks.one_delivery": lambda ask: webhooks.one_delivery(ask.conn, ask.anybody, NOBODY),
        "queries.webhooks.subscription_names": lambda ask: webhooks.subscription_names(ask.conn, ask.access),
        **_of_sections(Right.CONFIGURE),
    },
    Right.CONFIGURE_CHANNELS: _of_sections(Right.CONFIGURE_CHANNELS),
    Right.IMPORT: {
        "queries.imports.list_imports": lambda ask: imports.list_imports(ask.conn, ask.access, FIRST),
        "queries.imports.list_problems": lambda ask: imports.list_problems(ask.conn, ask.access, NOBODY, FIRST),
        "queries.imports.one_import": lambda ask: imports.one_import(ask.conn, ask.anybody, NOBODY),
        **_of_sections(Right.IMPORT),
    },
}
