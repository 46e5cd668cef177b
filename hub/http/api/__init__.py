"""API v1, operation by operation."""

from __future__ import annotations

from hub.http.api import (
    alarms,
    broadcasts,
    callbacks,
    calls,
    cases,
    configuration,
    contacts,
    deals,
    dials,
    events,
    exports,
    explain,
    files,
    imports,
    journal,
    leads,
    lists,
    payments,
    pipelines,
    presence,
    products,
    reconciliations,
    recordings,
    reports,
    sales,
    sales,
    sounds,
    suggestions,
    tasks,
    templates,
    timeline,
    users,
)
from hub.http.operations import Operation

PREFIX = "/api/v1"

OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for module in (
        contacts,
        suggestions,
        timeline,
        leads,
        deals,
        products,
        payments,
        sales,
        sales,
        pipelines,
        configuration,
        templates,
        broadcasts,
        tasks,
        calls,
        recordings,
        sounds,
        dials,
        callbacks,
        cases,
        lists,
        alarms,
        reports,
        reconciliations,
        users,
        presence,
        explain,
        journal,
        files,
        imports,
        exports,
        events,
    )
    for operation in module.OPERATIONS
)
