"""What follows from where cards stand: stages that must still be there, deadlines that must be watched."""

from __future__ import annotations

from collections.abc import Sequence

from crm_core.errors import ConcurrentChange
from crm_core.model.history import Change
from crm_core.model.records import DealRecord
from crm_core.services.desk import Desk
from crm_core.services.watching.ladders import watch_deal


def hold(desk: Desk, changes: Sequence[Change]) -> None:
    """A stage that a card enters takes cards until the end of the transaction: one taken out of use at this very moment
    has the transaction done anew, with a catalogue that knows of it."""
    entered = {
        after.stage_id
        for before, after in changes
        if isinstance(after, DealRecord) and (before is None or before.stage_id != after.stage_id)
    }
    unknown = entered - desk.moves.held
    if not unknown:
        return
    known = {each for each in unknown if desk.catalogue.place(each) is not None}  # else made in this transaction
    if known and known - desk.work.hold_stages(known):
        raise ConcurrentChange("a stage was taken out of use at this moment")
    desk.moves.held.update(unknown)


def watch(desk: Desk, changes: Sequence[Change]) -> None:
    """The ladder of a card's due date begins anew where the date changed, and ends where the card is closed."""
    for before, after in changes:
        if not isinstance(after, DealRecord):
            continue
        was = (before.due_at, before.closed_at, before.deleted_at) if before is not None else (None, None, None)
        if was != (after.due_at, after.closed_at, after.deleted_at) and (
            before is not None or after.due_at is not None
        ):
            watch_deal(desk, after)
