"""Reading a failed fact of the journal again: whoever asks for it may, and it is one that failed."""

from __future__ import annotations

from crm_core.errors import Conflict
from crm_core.model.records import JournalRecord, JournalState
from crm_core.model.rights import Right
from crm_core.services.desk import Desk


def to_be_read_again(desk: Desk, journal_id: int) -> JournalRecord:
    """The row of a fact that failed. Raises NotFound, Conflict for a row that did not fail, Forbidden.

    What comes of the fact then is the channel's and the hub's doing, not that of whoever had it read.
    """
    desk.demand(Right.KEEP_JOURNAL)
    record = desk.work.get(JournalRecord, journal_id)
    if record.state is not JournalState.FAILED:
        raise Conflict(
            "journal row {journal} is «{state}»: only failed rows are replayed",
            journal=journal_id,
            state=record.state,
        )
    return record
