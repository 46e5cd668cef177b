"""Decisions on calls with their trace, as they were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from crm_core.messages import RouteDecision, RouteQuery
from crm_core.storage.tables import route_decision


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, when it was given and how long it took, in milliseconds."""

    query: RouteQuery
    decision: RouteDecision
    at: datetime
    took_ms: float


def keep(conn: Connection, ids: Sequence[int], decided: Sequence[Decided]) -> None:
    """Write decisions down."""
    rows = [
        {
            "id": number,
            "pbx": each.query.pbx,
            "call_id": each.query.call_id,
            "attempt": each.query.attempt,
            "number": each.query.number,
            "line": each.query.line,
            "action": each.decision.action.value,
            "endpoints": list(each.decision.endpoints),
            "reason": each.decision.reason,
            "contact_id": each.decision.contact_id,
            "trace": [
                {"stage": step.stage.value, "verdict": step.verdict.value, "login": step.login, "detail": step.detail}
                for step in each.decision.trace
            ],
            "decided_at": each.at,
            "took_ms": each.took_ms,
        }
        for number, each in zip(ids, decided, strict=True)
    ]
    conn.execute(insert(route_decision), rows)
