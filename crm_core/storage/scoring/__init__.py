"""What is worked out of the sales of all clients once a day, in a handful of statements whatever their number."""

from __future__ import annotations

from crm_core.storage.scoring.clients import score_clients
from crm_core.storage.scoring.days import Day
from crm_core.storage.scoring.needs import foresee_needs
from crm_core.storage.scoring.running import ScoreTally, run_scores, scores_due

__all__ = ["Day", "ScoreTally", "foresee_needs", "run_scores", "score_clients", "scores_due"]
