"""What acts later: loops over deadlines and the outbox, woken by commits and polling anyway."""

from hub.workers.alarms import Watch
from hub.workers.deadlines import DeadlineWorker
from hub.workers.dialler import Dialler
from hub.workers.importing import ImportWorker
from hub.workers.loop import Worker
from hub.workers.outbox import OutboxWorker
from hub.workers.planner import PaymentPlanner
from hub.workers.reconciling import ReconcilingWorker
from hub.workers.recordings import RecordingKeeper
from hub.workers.scoring import ScoringWorker
from hub.workers.silence import SilenceWatch
from hub.workers.subscribers import SubscriberWatch
from hub.workers.token_uses import TokenUses
from hub.workers.traces import TraceKeeper
from hub.workers.upkeep import Upkeep

__all__ = [
    "DeadlineWorker",
    "Dialler",
    "ImportWorker",
    "OutboxWorker",
    "PaymentPlanner",
    "ReconcilingWorker",
    "RecordingKeeper",
    "ScoringWorker",
    "SilenceWatch",
    "SubscriberWatch",
    "TokenUses",
    "TraceKeeper",
    "Upkeep",
    "Watch",
    "Worker",
]
