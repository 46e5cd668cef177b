"""What follows from whatever a transaction changed, worked out at its end: nobody has to remember to say it.

Each step looks at the records that were put since the last round and may put more; the rounds end when none does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crm_core.model.definitions import DefinitionRecord
from crm_core.model.history import KIND_OF, Change, ChangeRecord, differences
from crm_core.model.records import CallRecord, CaseRecord, EntryRecord
from crm_core.services.automation import follow_rules
from crm_core.services.cards import criteria, standing
from crm_core.services.custom import rechecking, typed
from crm_core.services.custom.grading import settle_grades
from crm_core.services.desk import Desk
from crm_core.services.letters import chaining
from crm_core.services.money import items, paying
from crm_core.services.tasking.stage_tasks import give_stage_tasks
from crm_core.services.tasking.task_ladder import settle_tasks

Step = Callable[[Desk, Sequence[Change]], None]

# Steps that circle are stopped here; rules have a guard of their own, which says who it was.
_MOST_ROUNDS = 20
_WATCHED: tuple[type, ...] = (*KIND_OF, EntryRecord, CaseRecord, CallRecord, DefinitionRecord)

_VERSIONED = tuple(kind for kind in KIND_OF if "version" in kind._fields)  # type: ignore[attr-defined]  # named tuples

# In this order in every round.
STEPS: tuple[Step, ...] = (
    rechecking.noticed,
    rechecking.mended,
    items.settle_items,
    paying.settle_payments,
    typed.work_out,
    typed.index,
    settle_grades,
    criteria.let_in,
    standing.hold,
    standing.watch,
    give_stage_tasks,
    settle_tasks,
    follow_rules,
    chaining.follow,
)


def settle(desk: Desk) -> None:
    """Let everything follow that follows. Whoever shows a record within its transaction settles first; done anyway
    right before a transaction is written. Raises what a step raises: then the transaction is none."""
    # What follows is the hub's own doing, whatever the person may who began it.
    access, desk.access = desk.access, None
    try:
        for _ in range(_MOST_ROUNDS):
            changes = desk.work.take_changes(_WATCHED)
            if not changes:
                break
            for step in STEPS:
                step(desk, changes)
    finally:
        desk.access = access
    for (before, after), _author in desk.work.all_changes(_VERSIONED):
        if before is not None and after is not None and after.version == before.version and differences(before, after):
            desk.work.put(after._replace(version=before.version + 1))


def remember(desk: Desk) -> None:
    """Write the history: a row for every tracked record that is another one now; a new one begins with its making."""
    for (before, after), author in desk.work.changes_by_author():
        changes = differences(before, after)
        if changes:
            desk.work.put(ChangeRecord(desk.work.next_id(), KIND_OF[type(after)], after[0], desk.now, author, changes))
