"""What is kept of who did what that is confidential, dangerous or decides on rights; never what was in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Act(StrEnum):
    """What was done to the record. Exports are `export.KIND`, deletions `deleted.KIND`, returns `restored.KIND`; coming
    in, and keys of people, have names of their own (`login`, `factor.set`, `token.issued` …)."""

    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    RECORDING_PLAYED = "recording.played"
    HANDED_OVER = "handed_over"
    CONTACT_ERASED = "contact.erased"
    CONTACT_GIVEN = "contact.given"
    CONFIGURED = "configured"


class AccessRecord(NamedTuple):
    """Somebody did something. `remote` is the address they asked from, `detail` what else there is to say: of an export
    its filter, of a configured thing its section and name (what it was before is in its history)."""

    id: int
    at: datetime
    login: str
    what: str
    subject_id: int
    contact_id: int | None = None
    remote: str = ""
    detail: str = ""
