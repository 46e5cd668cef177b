"""API v1, operation by operation."""

from __future__ import annotations

from hub.http.api import belonging, files
from hub.http.api.clients import companies, contacts, handing_over, personal, scores, suggestions, tags, timeline
from hub.http.api.letters import broadcasts, segments, templates
from hub.http.api.office import accounts, configuration, roles, rules, tokens, users, webhooks
from hub.http.api.selling import boards, cards, deals, documents, leads, payments, pipelines, products, sales, tasks
from hub.http.api.telephony import (
    alarms,
    callbacks,
    calls,
    cases,
    dial_lists,
    dials,
    explain,
    lists,
    reconciliations,
    recordings,
    sounds,
)
from hub.http.api.upkeep import audit, exports, imports, journal
from hub.http.api.workspace import control, events, pages, presence, reports
from hub.http.operations import Operation

PREFIX = "/api/v1"

OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for module in (
        contacts,
        companies,
        belonging,
        suggestions,
        timeline,
        leads,
        deals,
        cards,
        tags,
        products,
        payments,
        sales,
        webhooks,
        pages,
        control,
        pipelines,
        boards,
        dial_lists,
        configuration,
        rules,
        templates,
        segments,
        broadcasts,
        documents,
        tasks,
        scores,
        calls,
        recordings,
        audit,
        sounds,
        dials,
        callbacks,
        cases,
        lists,
        alarms,
        accounts,
        reports,
        reconciliations,
        users,
        tokens,
        roles,
        presence,
        explain,
        journal,
        files,
        imports,
        handing_over,
        personal,
        exports,
        events,
    )
    for operation in module.OPERATIONS
)
