"""Whether the hub is well: its parts, what is out of order, what waits to be done, who works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from crm_core.errors import StorageUnavailable
from crm_core.model.access import Access
from crm_core.model.records import AlarmRecord, OutboxKind
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.storage.queries.alarms import list_alarms
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.queued import Queued, outbox_by_state
from crm_core.storage.queues import depth
from hub.accounts.advice import advice
from hub.accounts.starting import Stands
from hub.http.health import parts_of
from hub.web.pages import Answer, Pages, access_here
from hub.web.tongues import NP_, language, pgettext
from hub.web.words import channel_word, link_word

_ALARMS = 100
_GOOD = frozenset({"connected", "open", "ok", "away"})

OUTBOX: Final[Mapping[str, str]] = {
    OutboxKind.MESSAGE: NP_("outbox", "messages to clients"),
    OutboxKind.NOTIFICATION: NP_("outbox", "notices to the staff"),
    OutboxKind.WEBHOOK: NP_("outbox", "events to other programs"),
    OutboxKind.FETCH: NP_("outbox", "files to be fetched"),
}
_WORKERS: Final[Mapping[str, str]] = {
    "watch": NP_("worker", "Watches over alarms"),
    "deadlines": NP_("worker", "Deadlines and ladders"),
    "dialler": NP_("worker", "Calls back and rings"),
    "imports": NP_("worker", "Imports"),
    "outbox": NP_("worker", "Sends what waits"),
    "payment-planner": NP_("worker", "Plans payments"),
    "reconciling": NP_("worker", "Compares calls with the PBX"),
    "recordings": NP_("worker", "Fetches recordings"),
    "scoring": NP_("worker", "Works clients out"),
    "silence": NP_("worker", "Watches for silence"),
    "starts": NP_("worker", "Starts channels"),
    "subscribers": NP_("worker", "Tells other programs"),
    "token-uses": NP_("worker", "Notes who uses tokens"),
    "traces": NP_("worker", "Keeps why it rang there"),
    "upkeep": NP_("worker", "Clears what is old"),
}
_PARTS: Final[Mapping[str, str]] = {
    "database": NP_("part", "Database"),
    "intake": NP_("part", "Intake"),
    "feed": NP_("part", "What changes"),
    "redis": NP_("part", "Redis"),
    "recordings": NP_("part", "Recordings"),
}
_STATES: Final[Mapping[str, str]] = {
    "open": NP_("part", "open"),
    "closed": NP_("part", "closed"),
    "unavailable": NP_("part", "does not answer"),
    "away": NP_("part", "on another node"),
    "trouble": NP_("part", "in trouble"),
}


@dataclass(frozen=True, slots=True)
class _Worker:
    """A worker: whether it runs, how many of its turns failed since the start."""

    name: str
    runs: bool
    failed: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A part and how it stands, since when (a channel's alone), and what to do where it is not well."""

    name: str
    state: str
    detail: str
    good: bool
    since: datetime | None
    mend: str


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the database says."""

    alarms: tuple[AlarmRecord, ...]
    queued: list[Queued]
    depth: dict[str, int]


class Health:
    """The page of the hub's own health."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """The page, or with `?part=live` what is refreshed of it; it is there also where the database is not."""
        hub, access = self._pages.hub, access_here(request)
        well, parts = await parts_of(hub)
        try:
            numbers = await hub.store.read(lambda conn: _numbers(conn, access))
        except StorageUnavailable:
            numbers = _Numbers((), [], {})
        # Turns that failed are counted for Prometheus; nobody else counts them.
        failed = {
            sample.labels["worker"]: int(sample.value)
            for metric in hub.metrics.worker_errors.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }
        hub.starts.look()
        links = {str(key): (channel.health, hub.starts.stands(key)) for key, channel in hub.channels.items()}
        workers = [_Worker(_worker_word(each.name), each.running, failed.get(each.name, 0)) for each in hub.workers]
        context: dict[str, Any] = {
            "well": well,
            "parts": [_part(name, part, links.get(name), language()) for name, part in parts.items()],
            "numbers": numbers,
            "workers": workers,
            "problems": hub.configured.problems,
            "node": hub.node,
            "outbox_word": _outbox_word,
            "part_word": _part_word,
            "state_word": _state_word,
        }
        if request.query.get("part") == "live":
            return self._pages.fragment(request, "upkeep/health_live.html", **context)
        return self._pages.render(request, "upkeep/health.html", **context)


def _worker_word(name: str) -> str:
    text = _WORKERS.get(name)
    return pgettext("worker", text) if text is not None else name


def _part(name: str, told: Mapping[str, str], link: tuple[ChannelHealth, Stands | None] | None, spoken: str) -> _Part:
    health, stands = link if link is not None else (None, None)
    good = told["state"] in _GOOD and not (health is not None and health.trouble)
    mend = advice(name.partition(":")[0], health, spoken) if health is not None and not good else ""
    return _Part(name, told["state"], told["detail"], good, stands.since if stands is not None else None, mend)


def _numbers(conn: Reading, access: Access) -> _Numbers:
    return _Numbers(
        tuple(list_alarms(conn, access, Slice(None, _ALARMS), lasting=True).items),
        outbox_by_state(conn, access),
        depth(conn, access),
    )


def _outbox_word(kind: str) -> str:
    return pgettext("outbox", OUTBOX[kind]) if kind in OUTBOX else kind


def _part_word(name: str) -> str:
    of, colon, account = name.partition(":")
    said = pgettext("part", _PARTS[of]) if of in _PARTS else channel_word(of)
    return f"{said}: {account}" if colon else said


def _state_word(state: str) -> str:
    if state in _STATES:
        return pgettext("part", _STATES[state])
    return link_word(ChannelState(state)) if state in set(ChannelState) else state
