"""What stands on a timeline."""

from __future__ import annotations

from enum import StrEnum


class EntryKind(StrEnum):
    """What a timeline entry is."""

    MESSAGE = "message"
    CALL = "call"
    EMAIL = "email"
    FORM = "form"
    NOTE = "note"
    TASK = "task"
    STAGE = "stage"
    SYSTEM = "system"


class Delivery(StrEnum):
    """The state of an outgoing message; it only moves forward."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class Trust(StrEnum):
    """Whether a message is from whom it says: proven by the provider's checks, not told, or contradicted by them."""

    PROVEN = "proven"
    UNKNOWN = "unknown"
    FORGED = "forged"
