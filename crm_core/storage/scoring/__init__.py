"""What is worked out of the sales of all clients once a day: one look at everybody, then a slice of them at a time."""

from __future__ import annotations

from crm_core.storage.scoring.clients import score_clients
from crm_core.storage.scoring.days import Day
from crm_core.storage.scoring.edges import Edges, find_edges
from crm_core.storage.scoring.needs import foresee_needs
from crm_core.storage.scoring.running import ScoreTally, run_scores, scores_due
from crm_core.storage.scoring.slices import Slice, next_slice

__all__ = [
    "Day",
    "Edges",
    "ScoreTally",
    "Slice",
    "find_edges",
    "foresee_needs",
    "next_slice",
    "run_scores",
    "score_clients",
    "scores_due",
]
