"""The events that other programs are told of, and how a subscription names those that it wants."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from enum import StrEnum

PATTERN = re.compile(r"\*|[a-z][a-z0-9_]{0,62}\.(\*|[a-z][a-z0-9_]{0,62})")
"""One event, all of a kind of record (`deal.*`), or all (`*`). Rules may tell of events of their own names."""


class WebhookEvent(StrEnum):
    """What the hub tells of by itself; records of custom types have `<type>.created` and so on besides."""

    CONTACT_CREATED = "contact.created"
    CONTACT_CHANGED = "contact.changed"
    CONTACT_DELETED = "contact.deleted"
    COMPANY_CREATED = "company.created"
    COMPANY_CHANGED = "company.changed"
    COMPANY_DELETED = "company.deleted"
    LEAD_CREATED = "lead.created"
    LEAD_CHANGED = "lead.changed"
    LEAD_CONVERTED = "lead.converted"
    LEAD_DELETED = "lead.deleted"
    DEAL_CREATED = "deal.created"
    DEAL_CHANGED = "deal.changed"
    DEAL_COPIED = "deal.copied"
    DEAL_MOVED = "deal.moved"
    DEAL_PAID = "deal.paid"
    DEAL_DELETED = "deal.deleted"
    TASK_CREATED = "task.created"
    TASK_CHANGED = "task.changed"
    TASK_DUE = "task.due"
    TASK_OVERDUE = "task.overdue"
    TASK_CLOSED = "task.closed"
    TASK_DELETED = "task.deleted"
    PAYMENT_CREATED = "payment.created"
    PAYMENT_CHANGED = "payment.changed"
    PAYMENT_RECEIVED = "payment.received"
    PAYMENT_OVERDUE = "payment.overdue"
    PAYMENT_BROKEN = "payment.broken"
    PAYMENT_DELETED = "payment.deleted"
    PRODUCT_CREATED = "product.created"
    PRODUCT_CHANGED = "product.changed"
    PRODUCT_DELETED = "product.deleted"
    MESSAGE_CREATED = "message.created"
    CALL_STARTED = "call.started"
    CALL_MISSED = "call.missed"
    CALL_FINISHED = "call.finished"
    CASE_OPENED = "case.opened"
    CASE_ESCALATED = "case.escalated"
    CASE_CLOSED = "case.closed"


def wants(patterns: Collection[str], event: str) -> bool:
    """Whether these patterns name an event."""
    return event in patterns or "*" in patterns or f"{event.partition('.')[0]}.*" in patterns


def mistyped(pattern: str) -> str:
    """What a pattern of a known kind of record that is no event was probably to be, in words; empty where it may be
    one: rules tell of events of their own, and office may have types of its own."""
    kind = pattern.partition(".")[0]
    known = [event.value for event in WebhookEvent]
    if pattern in known or pattern.endswith("*") or kind not in {each.partition(".")[0] for each in known}:
        return ""
    close = get_close_matches(pattern, known, n=1, cutoff=0.8)
    return f"did you mean «{close[0]}»?" if close else ""
