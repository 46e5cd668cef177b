"""What taking a fact in came to."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.messages import ReceiptState


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of the journal row, an error in words, an answer to whoever pressed a button."""

    state: ReceiptState = ReceiptState.DONE
    error: str | None = None
    answer: str = ""


DONE = Outcome()


def ignored(why: str) -> Outcome:
    """The fact is kept in the journal and changes nothing else."""
    return Outcome(ReceiptState.IGNORED, error=why)
