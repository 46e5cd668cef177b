"""The composition root: the only place that knows everyone. Tests and production call the same `build`."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from crm_core.errors import StorageUnavailable
from crm_core.messages import ChannelKey
from crm_core.ports import Channel, ChannelContext, Clock
from crm_core.storage import cursors
from crm_core.storage.database import Database
from crm_core.storage.foreign import ForeignTable
from crm_core.storage.migrate import migrate
from crm_core.storage.store import Store
from hub.access.secret_key import key_for
from hub.accounts.channels import Channels
from hub.accounts.kinds import alone_by_key
from hub.accounts.running import Accounts
from hub.accounts.starting import Make, Starts
from hub.clients.conversations import RecordedConversations
from hub.clients.nameless import RecordedNameless
from hub.clients.writing import PassedOnWriting
from hub.clock import SystemClock
from hub.connectors import Connect
from hub.connectors import connectors as own_connectors
from hub.documents.making import DocumentMaker
from hub.files import DiskFiles
from hub.inspection import FileInspector
from hub.intake import Intake
from hub.log import get_logger
from hub.metrics import Metrics
from hub.nodes.leases import DatabaseLease
from hub.nodes.live import Live
from hub.nodes.shared_presence import SharedPresence
from hub.nodes.wake import RedisWake
from hub.office.configured import Configured, record_of
from hub.previews.making import Previews
from hub.settings import Settings
from hub.telephony.directory import Directory
from hub.telephony.mirror import RecordedNumbers
from hub.webhooks import WebhookSender
from hub.workers import (
    DeadlineWorker,
    Dialler,
    ImportWorker,
    OutboxWorker,
    PaymentPlanner,
    ReconcilingWorker,
    RecordingKeeper,
    ScoringWorker,
    SilenceWatch,
    SubscriberWatch,
    TokenUses,
    TraceKeeper,
    Upkeep,
    Watch,
    Worker,
)
from hub.workers.acts import Acts
from routing.dispatch import DispatchRules
from routing.presence import Presence

log = get_logger(__name__)

_DATABASE_AGAIN_S = 2.0
_KEPT_CONNECTIONS = 10  # more, where they are allowed, are closed when they are not needed any more
_STOP_S = 15.0  # of a channel; what it took and did not write down was not acknowledged either


@dataclass(slots=True)
class Hub:
    """Everything that runs, put together. `start` returns when facts can be taken in."""

    settings: Settings
    clock: Clock
    store: Store
    files: DiskFiles
    documents: DocumentMaker
    previews: Previews
    metrics: Metrics
    live: Live
    configured: Configured
    directory: Directory
    presence: Presence
    channels: Channels
    context: ChannelContext
    makes: Mapping[ChannelKey, Make]
    starts: Starts
    accounts: Accounts
    intake: Intake
    deadlines: DeadlineWorker
    outbox: OutboxWorker
    dialler: Dialler
    traces: TraceKeeper
    upkeep: Upkeep
    watch: Watch
    silence: SilenceWatch
    recordings: RecordingKeeper
    reconciling: ReconcilingWorker
    scoring: ScoringWorker
    imports: ImportWorker
    webhooks: WebhookSender
    subscribers: SubscriberWatch
    planner: PaymentPlanner
    token_uses: TokenUses
    writing: PassedOnWriting
    wake: RedisWake | None
    shared_presence: SharedPresence | None
    node: str

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Whatever acts by itself, in the order of starting."""
        return (
            *(self.traces, self.deadlines, self.outbox, self.dialler, self.upkeep),
            *(self.watch, self.silence, self.recordings, self.reconciling, self.imports),
            *(self.subscribers, self.planner, self.scoring, self.token_uses, self.starts),
        )

    async def start(self) -> None:
        """Migrate, read the directory, open the door, start the workers, then the channels."""
        await self._reach_database()
        await self.live.start()
        await self.configured.start()
        await self.directory.start()
        if self.wake is not None:
            await self.wake.start()
        if self.shared_presence is not None:
            await self.shared_presence.start()
        await self.webhooks.start()
        self.intake.start()
        for worker in self.workers:
            worker.start()
        self.starts.serve(self.intake)
        for key, make in self.makes.items():
            await self.starts.begin(key, make)
        await self.accounts.start()
        log.info("hub started", node=self.node, channels=[str(key) for key in self.channels])

    async def stop(self) -> None:
        """Let what is being sent end, take nothing more in, write what was taken, close. Idempotent.

        The outbox comes first: what it began needs the channels, and what is queued now waits for the next start.
        """
        await self.outbox.stop()
        await self.accounts.stop()
        await self.starts.stop()
        await asyncio.gather(*(self._stop_channel(channel) for channel in self.channels.values()))
        await self.writing.stop()
        await self.intake.stop()
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        await self.webhooks.stop()
        if self.shared_presence is not None:
            await self.shared_presence.stop()
        if self.wake is not None:
            await self.wake.stop()
        await self.live.stop()
        await self.previews.stop()
        await self.store.database.stop()
        log.info("hub stopped", node=self.node)

    async def _reach_database(self) -> None:
        while True:
            try:
                await migrate(self.store.database)
            except StorageUnavailable as err:
                log.warning("waiting for the database", error=str(err))
                await asyncio.sleep(_DATABASE_AGAIN_S)
            else:
                return

    async def _stop_channel(self, channel: Channel) -> None:
        try:
            await asyncio.wait_for(channel.stop(), _STOP_S)
        except Exception:
            log.exception("a channel did not stop", channel=str(channel.key))


class _Cursors:
    """See `crm_core.ports.CursorStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, key: ChannelKey, name: str) -> str | None:
        """The place last saved."""
        return await self._database.read(lambda conn: cursors.load(conn, key, name))

    async def save(self, key: ChannelKey, name: str, value: str) -> None:
        """Keep the place."""
        await self._database.write(lambda conn: cursors.save(conn, key, name, value))


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    connectors: Mapping[str, Connect] | None = None,
) -> Hub:
    """Put a hub together; no I/O yet. `connectors` replaces those of `hub.connectors`."""
    clock = clock or SystemClock()
    node = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    metrics = Metrics()
    kept = min(settings.database_connections, _KEPT_CONNECTIONS)
    database = Database(settings.database_url.reveal(), pool_size=kept, overflow=settings.database_connections - kept)
    store = record_of(settings, database, clock)
    files = DiskFiles(settings.files)
    inspector = FileInspector(files)
    presence = Presence(clock, _wraps(settings))
    live = Live(store)
    configured = Configured(settings, store, live, clock)
    rules = DispatchRules(settings.routing.fallback, settings.routing.ring_s)
    directory = Directory(store, live, clock, presence, rules)
    configured.listen(directory.reconfigured)
    traces = TraceKeeper(store, clock, metrics)
    writing = PassedOnWriting(store, clock)
    context = ChannelContext(
        clock=clock,
        files=files,
        cursors=_Cursors(database),
        lease=lambda name: DatabaseLease(database, clock, name, node),
        public_url=settings.base_url,
        region=settings.region,
        time_zone=settings.time_zone.key,
        call_router=directory,
        route_journal=traces,
        presence=presence,
        numbers=RecordedNumbers(store, live, clock),
        foreign=ForeignTable,
        conversations=RecordedConversations(store, live),
        nameless=RecordedNameless(store),
        secret=lambda purpose: key_for(settings, purpose),
        writing=writing,
    )
    connectors = connectors or own_connectors()
    channels, makes = _connected(connectors, settings, context)
    writing.serve(channels)
    starts = Starts(metrics, clock, channels)
    webhooks = WebhookSender(store.office, clock)
    acts = Acts(store, channels, files, webhooks, inspector)
    deadlines = DeadlineWorker(store, clock, metrics)
    outbox = OutboxWorker(store, clock, metrics, acts, node)
    intake = Intake(store, metrics, channels, inspector=inspector)
    reconciling = ReconcilingWorker(store, clock, metrics, channels, intake, context.lease, settings.time_zone)
    recordings = RecordingKeeper(store, clock, metrics, settings)
    followers = (lambda now: presence.rests(_wraps(now)), recordings.serve)
    accounts = Accounts(configured, channels, starts, context, connectors, followers)
    wake = _wake(settings, node, store, (live.wake, deadlines.wake, outbox.wake))
    return Hub(
        settings=settings,
        clock=clock,
        store=store,
        files=files,
        documents=DocumentMaker(files),
        previews=Previews(files),
        metrics=metrics,
        live=live,
        configured=configured,
        directory=directory,
        presence=presence,
        channels=channels,
        context=context,
        makes=makes,
        starts=starts,
        accounts=accounts,
        intake=intake,
        deadlines=deadlines,
        outbox=outbox,
        dialler=Dialler(store, clock, metrics, channels, presence, live, lambda: directory.staff),
        traces=traces,
        upkeep=Upkeep(store, clock, metrics, channels, node),
        watch=Watch(store, clock, metrics, channels, node, settings.alarms.link_after),
        silence=SilenceWatch(store, clock, metrics, channels, node, wanted=settings.alarms.silence),
        recordings=recordings,
        reconciling=reconciling,
        scoring=ScoringWorker(store, clock, metrics, context.lease),
        imports=ImportWorker(store, clock, metrics, files, node),
        webhooks=webhooks,
        subscribers=SubscriberWatch(store, clock, metrics),
        planner=PaymentPlanner(store, metrics),
        token_uses=TokenUses(store, clock, metrics),
        writing=writing,
        wake=wake,
        shared_presence=_sharing(settings, node, presence),
        node=node,
    )


def _connected(
    connectors: Mapping[str, Connect], settings: Settings, context: ChannelContext
) -> tuple[Channels, dict[ChannelKey, Make]]:
    """The connectors of hub.toml, and what makes each of them once more.

    It alone: making an account makes it known to what it shares with others, which run, and stay as they are.
    """
    channels: dict[ChannelKey, Channel] = {}
    makes: dict[ChannelKey, Make] = {}

    def once_more(connect: Connect, key: ChannelKey) -> Channel:
        return next(each for each in connect(alone_by_key(settings, key), context) if each.key == key)

    for connect in connectors.values():
        for channel in connect(settings, context):
            channels[channel.key] = channel
            makes[channel.key] = partial(once_more, connect, channel.key)
    return Channels(channels), makes


def _wraps(settings: Settings) -> dict[str, timedelta]:
    return {pbx.name: pbx.wrap for pbx in settings.pbx}


def _wake(settings: Settings, node: str, store: Store, heard: tuple[Callable[[], None], ...]) -> RedisWake | None:
    if settings.redis_url is None:
        return None

    def everybody() -> None:
        for wake in heard:
            wake()

    wake = RedisWake(settings.redis_url.reveal(), node, everybody)
    store.on_commit(wake.committed)
    return wake


def _sharing(settings: Settings, node: str, presence: Presence) -> SharedPresence | None:
    return SharedPresence(settings.redis_url.reveal(), node, presence) if settings.redis_url is not None else None
