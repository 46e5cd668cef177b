"""What happens when a deadline comes."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.errors import NotFound
from crm_core.model.records import DeadlineKind, DeadlineRecord
from crm_core.services.automation import rule_due, rules_due, schedule_due
from crm_core.services.calls.dials import dial_due
from crm_core.services.custom.rechecking import check_due
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive
from crm_core.services.intake.silent_calls import unheard
from crm_core.services.letters.broadcasts import broadcast_due
from crm_core.services.letters.chaining import chain_due
from crm_core.services.money.paying import payment_due
from crm_core.services.tasking.task_ladder import task_due
from crm_core.services.watching.ladders import deal_due, lead_due, promise_due, rung_due

_PUSHED = "cti"  # the channel whose calls are told moment by moment


def _call_due(desk: Desk, deadline: DeadlineRecord) -> None:
    """Nothing was heard of the end of a pushed call: that is a fact like any other."""
    event = unheard(desk, deadline, _PUSHED)
    if event is not None:
        receive(desk.work, [event], desk.office, desk.policies)


_FIRE = {
    DeadlineKind.FIELD: check_due,
    DeadlineKind.CASE_RUNG: rung_due,
    DeadlineKind.CASE_PROMISE: promise_due,
    DeadlineKind.LEAD_RUNG: lead_due,
    DeadlineKind.DEAL_RUNG: deal_due,
    DeadlineKind.DIAL: dial_due,
    DeadlineKind.CALL: _call_due,
    DeadlineKind.RULE: rule_due,
    DeadlineKind.SCHEDULE: schedule_due,
    DeadlineKind.CHAIN: chain_due,
    DeadlineKind.TASK: task_due,
    DeadlineKind.BROADCAST: broadcast_due,
    DeadlineKind.PAYMENT: payment_due,
}


def fire_all(desk: Desk, due: Sequence[DeadlineRecord]) -> None:
    """Do what several deadlines are for; the timed rules of records together, which takes as many statements as one."""
    timed = [each for each in due if each.kind is DeadlineKind.RULE]
    if timed:
        rules_due(desk, timed)
    for deadline in sorted(due, key=lambda each: each.subject_id):
        if deadline.kind is not DeadlineKind.RULE:
            fire(desk, deadline)


def fire(desk: Desk, deadline: DeadlineRecord) -> None:
    """Do what a deadline is for; harmless where it was done, moved or made needless meanwhile."""
    try:
        _FIRE[deadline.kind](desk, deadline)
    except NotFound:
        desk.work.remove(DeadlineRecord, deadline.key)  # what it was about is gone, and so is its deadline
