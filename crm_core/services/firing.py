"""What happens when a deadline comes."""

from __future__ import annotations

from crm_core.errors import NotFound
from crm_core.model.records import DeadlineKind, DeadlineRecord
from crm_core.services.desk import Desk
from crm_core.services.dials import dial_due
from crm_core.services.ladders import deal_due, lead_due, promise_due, rung_due

_FIRE = {
    DeadlineKind.CASE_RUNG: rung_due,
    DeadlineKind.CASE_PROMISE: promise_due,
    DeadlineKind.LEAD_RUNG: lead_due,
    DeadlineKind.DEAL_RUNG: deal_due,
    DeadlineKind.DIAL: dial_due,
}


def fire(desk: Desk, deadline: DeadlineRecord) -> None:
    """Do what a deadline is for; harmless where it was done, moved or made needless meanwhile."""
    try:
        _FIRE[deadline.kind](desk, deadline)
    except NotFound:
        desk.work.remove(DeadlineRecord, deadline.key)  # what it was about is gone, and so is its deadline
