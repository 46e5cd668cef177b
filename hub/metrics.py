"""What the hub counts, for Prometheus; one registry a hub, so that several can live in one process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LATENESS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)


class Metrics:
    """Every counter of the hub, by the name it has on the wire."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.facts = Counter(
            "hub_facts", "Inbound facts by outcome", ["channel", "account", "state"], registry=self.registry
        )
        self.batch = Histogram(
            "hub_intake_batch", "Facts a transaction", buckets=_BATCH_BUCKETS, registry=self.registry
        )
        self.commit_seconds = Histogram(
            "hub_intake_seconds", "From the door to the commit", buckets=_SECONDS, registry=self.registry
        )
        self.waiting = Gauge("hub_intake_waiting", "Facts waiting for their transaction", registry=self.registry)
        self.refused = Counter("hub_intake_refused", "Facts refused at the door", ["why"], registry=self.registry)
        self.outbox = Counter("hub_outbox", "Outbox rows by outcome", ["kind", "outcome"], registry=self.registry)
        self.deadlines = Counter("hub_deadlines", "Deadlines by outcome", ["kind", "outcome"], registry=self.registry)
        self.lateness = Histogram(
            "hub_deadline_lateness_seconds", "From due to done", buckets=_LATENESS, registry=self.registry
        )
        self.routes = Counter("hub_routes", "Decisions on calls", ["action", "reason"], registry=self.registry)
        self.route_seconds = Histogram(
            "hub_route_seconds", "From the question of the PBX to the answer", buckets=_SECONDS, registry=self.registry
        )
        self.decisions_lost = Counter(
            "hub_route_traces_dropped", "Traces of decisions that could not be kept", registry=self.registry
        )
        self.queues = Gauge("hub_queue_depth", "Rows in the durable queues", ["queue"], registry=self.registry)
        self.channels = Gauge(
            "hub_channel_up", "1 where a channel account is connected", ["channel", "account"], registry=self.registry
        )
        self.channel_numbers = Gauge(
            "hub_channel_number", "Numbers of a channel account", ["channel", "account", "name"], registry=self.registry
        )
        self.dials = Counter(
            "hub_dials", "Placed calls: queued, handed over or not", ["purpose", "outcome"], registry=self.registry
        )
        self.alarms = Gauge("hub_alarms_open", "Alarms that last", ["kind"], registry=self.registry)
        self.calls_missing = Gauge(
            "hub_calls_missing", "Calls of the last day reconciled that are missing", ["pbx"], registry=self.registry
        )
        self.recordings_free = Gauge(
            "hub_recordings_free_bytes", "Room beside the recordings of a PBX", ["pbx"], registry=self.registry
        )
        self.worker_errors = Counter(
            "hub_worker_errors", "Turns of a worker that failed", ["worker"], registry=self.registry
        )

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
