"""A PBX account: answers who takes a call, keeps the AMI link, turns what it tells into facts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from channels.pbx.agi import AgiStats
from channels.pbx.agi_door import AgiDoor, AgiDoors, Desk
from channels.pbx.ami import AmiDownError, AmiLink, AmiRefusedError, AmiTimeoutError, LinkHandlers, LinkStats
from channels.pbx.ami_wire import AmiInjectionError, AmiMessage
from channels.pbx.astdb import MIRROR_EVENTS, Mirror, MirrorTiming
from channels.pbx.book import CallBook
from channels.pbx.cdr_day import cdr_sources, recorded
from channels.pbx.config import PbxConfig
from channels.pbx.delivery import Delivery
from channels.pbx.events import WANTED, DeviceChanged, ListingEnded, MemberPaused, Originated, parse_event
from channels.pbx.inbound import CallFactsReader
from channels.pbx.originate import action_id, linkedid_of, originate, stopping
from channels.pbx.presence import device_state
from channels.pbx.proof import prove
from channels.pbx.settle import Settler
from channels.pbx.side_tasks import forever
from crm_core.errors import PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import ChannelKey, DeliveryReceipt, InboundEvent, OutboundMessage, RouteDecision, RouteQuery
from crm_core.ports import ChannelContext, ChannelHealth, ChannelState, InboundSink, Lease, PlaceCall, RecordedCalls
from crm_core.wording import Joined, Sentence

log = logging.getLogger(__name__)

_DOORS = AgiDoors()
_NOT_OURS = Sentence("another node owns the link")


@dataclass(frozen=True, slots=True)
class PbxTiming:
    """Seconds: between looks at calls that are ending, between comparisons with the PBX's own list, for the intake to
    take what waits at the end, before something that failed is tried again.
    """

    sweep_s: float = 0.5
    compare_s: float = 300.0
    drain_s: float = 5.0
    again_s: float = 2.0
    mirror: MirrorTiming = field(default_factory=MirrorTiming)


@dataclass(frozen=True, slots=True)
class PbxStats:
    """Numbers for the metrics page: calls going on, facts waiting and let go, decisions, events."""

    calls: int
    waiting: int
    delivered: int
    dropped: int
    agi: AgiStats | None
    link: LinkStats


def create(config: PbxConfig, context: ChannelContext) -> PbxChannel:
    """The connector of one `[[pbx]]`; no I/O yet."""
    return PbxChannel(config, context)


class PbxChannel:
    """One PBX. Every node answers FastAGI; the AMI link belongs to the node that holds the lease `pbx:{name}`."""

    def __init__(self, config: PbxConfig, context: ChannelContext, timing: PbxTiming | None = None) -> None:
        self._config = config
        self._context = context
        self._timing = timing or PbxTiming()
        self._key = ChannelKey("pbx", config.name)
        self._book = CallBook(config.profile)
        self._facts = CallFactsReader(self._key, config.profile, context.region)
        self._delivery = Delivery(passing=lambda: map(self._facts.of_ringing, self._book.ringing()))
        handlers = LinkHandlers(self._message, self._link_ready, self._link_lost)
        self._link = AmiLink(config.ami, handlers, WANTED | MIRROR_EVENTS, timing=config.timing)
        self._lease: Lease | None = None
        self._door: AgiDoor | None = None
        self._sources = cdr_sources(config, context)
        self._settler = Settler(config, context, self._link, self._book, self._facts, self._delivery, self._sources)
        self._mirror = Mirror(config, context, self._link, self._timing.mirror)
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._troubles: dict[str, str] = {}
        self._standing_by = False
        self._stopped = False

    @property
    def key(self) -> ChannelKey:
        """`pbx:{name}`."""
        return self._key

    @property
    def health(self) -> ChannelHealth:
        """The link's state, and in words every trouble: of the link, the FastAGI server, the intake, the records.

        Where another node owns the link this one is `connecting`, ready to take over.
        """
        if self._stopped:
            return ChannelHealth(ChannelState.STOPPED)
        details = list(self._troubles.values())
        if self._delivery.trouble:
            details.append(
                Sentence(
                    "{count} transitions of calls wait for the intake: {why}",
                    count=len(self._delivery),
                    why=self._delivery.trouble,
                )
            )
        if self._standing_by:
            return ChannelHealth(ChannelState.CONNECTING, Joined((*details, _NOT_OURS)))
        link = self._link.health
        # a link that died of a fault is made again in a moment
        state = ChannelState.CONNECTING if link.state is ChannelState.STOPPED else link.state
        details = [each for each in (link.detail, self._settler.trouble, self._mirror.trouble, *details) if each]
        return ChannelHealth(state, Joined(details), trouble=state is ChannelState.CONNECTED and bool(details))

    @property
    def stats(self) -> PbxStats:
        """Numbers since the start."""
        delivery = self._delivery
        agi = self._door.server.stats if self._door is not None else None
        return PbxStats(len(self._book), len(delivery), delivery.delivered, delivery.dropped, agi, self._link.stats)

    def measurements(self) -> Mapping[str, float]:
        """The same numbers for the metrics page."""
        stats = self.stats
        numbers = {
            "calls_going_on": stats.calls,
            "transitions_waiting": stats.waiting,
            "transitions_dropped": stats.dropped,
            "ami_events": stats.link.events,
            "ami_connects": stats.link.connects,
            "ami_failures": stats.link.failures,
            "mirror_written": self._mirror.stats.written,
            "mirror_deleted": self._mirror.stats.deleted,
            "mirror_compared": self._mirror.stats.compared,
        }
        if stats.agi is not None:
            numbers |= {
                "agi_answered": stats.agi.answered,
                "agi_late": stats.agi.late,
                "agi_malformed": stats.agi.malformed,
                "agi_timed_out": stats.agi.timed_out,
                "agi_refused": stats.agi.refused,
                "agi_open": stats.agi.open,
            }
        return numbers

    @property
    def agi_address(self) -> tuple[str, int] | None:
        """Where FastAGI is answered, None while it is not."""
        return self._door.server.address if self._door is not None else None

    async def start(self, sink: InboundSink) -> None:
        """Answer calls and connect; connecting goes on in the background."""
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        await self._open_door()
        for name, work in (
            ("delivery", lambda: self._delivery.run(sink)),
            ("link", self._own_link),
            ("sweep", self._sweep),
            ("door", self._keep_door),
        ):
            kept = forever(f"{self._key}: {name}", work, partial(self._trouble, name), self._timing.again_s)
            self._tasks.append(asyncio.create_task(kept, name=f"{self._key}:{name}"))

    async def stop(self) -> None:
        """Leave the link, deliver what waits (as far as the intake takes it in time), stop answering. Idempotent."""
        self._stopped = True
        tasks, self._tasks = self._tasks, []
        delivering = [task for task in tasks if task.get_name().endswith(":delivery")]
        await _cancel([task for task in tasks if task not in delivering])
        if tasks:
            try:
                async with asyncio.timeout(self._timing.drain_s):
                    await self._delivery.drained()
            except TimeoutError:
                log.warning("%s: %d transitions stay with the call records", self._key, len(self._delivery))
        await _cancel(delivering)
        if self._door is not None:
            door, self._door = self._door, None
            await _DOORS.leave(door, self._config.name)
        if self._lease is not None:
            await self._lease.release()

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """A telephone carries no texts: always PermanentDeliveryError."""
        raise PermanentDeliveryError(
            "{account} carries no texts; message {message} can't go there",
            account=self._key,
            message=message.idempotency_key,
        )

    @property
    def controls(self) -> bool:
        """Whether this node owns the link and it is up."""
        return self._link.ready and self._lease is not None and self._lease.held

    async def place_call(self, call: PlaceCall) -> None:
        """Have the person rung, then the client; see `crm_core.ports.ControlsCalls`."""
        if not self.controls:
            raise TransientDeliveryError(
                "{account}: {why}", account=self._key, why=self.health.detail or Sentence("the link is down")
            )
        try:
            await self._link.act("Originate", originate(call), action_id=action_id(call.linkedid))
        except (AmiRefusedError, AmiInjectionError) as err:
            raise PermanentDeliveryError(str(err)) from err
        except (AmiDownError, AmiTimeoutError) as err:
            raise TransientDeliveryError(str(err), uncertain=True) from err

    async def stop_call(self, linkedid: str) -> None:
        """Have a placed call end before the client is dialled; see `crm_core.ports.ControlsCalls`."""
        if not self.controls:
            raise TransientDeliveryError(
                "{account}: {why}", account=self._key, why=self.health.detail or Sentence("the link is down")
            )
        try:
            await self._link.act("Setvar", stopping(linkedid))
        except (AmiRefusedError, AmiInjectionError) as err:
            raise PermanentDeliveryError(str(err)) from err
        except (AmiDownError, AmiTimeoutError) as err:
            raise TransientDeliveryError(str(err)) from err

    def reparse(self, external_id: str, raw: bytes, received_at: datetime) -> InboundEvent:
        """The fact of a raw one, for replay."""
        return self._facts.reparse(external_id, raw, received_at)

    @property
    def keeps_records(self) -> bool:
        """Whether call records can be read from here."""
        return bool(self._sources)

    async def recorded(self, since: datetime, until: datetime) -> AsyncIterator[RecordedCalls]:
        """Every recorded call that began in [since, until)."""
        try:
            async for portion in recorded(self._sources, self._facts, since, until):
                yield portion
        except OSError as err:
            raise TransientDeliveryError(
                "{account}: call records can't be read: {why}", account=self._key, why=err
            ) from err

    async def check(self) -> str:
        """One line of proof; raises ChannelAuthError or TransientDeliveryError with what is wrong."""
        return await prove(self._config, self._sources)

    def _trouble(self, name: str, error: str) -> None:
        self._troubles.pop(name, None)
        if error:
            self._troubles[name] = Sentence("{name} failed: {why}", name=name, why=error)

    # ------------------------------------------------------------ FastAGI

    async def _open_door(self) -> None:
        try:
            self._door = await _DOORS.join(Desk(self._config, self._context.call_router, self._noted))
            self._troubles.pop("agi", None)
        except (OSError, ValueError) as err:
            self._troubles["agi"] = (
                f"FastAGI can't be answered at {self._config.agi_host}:{self._config.agi_port}: {err}"
            )
            log.warning("%s: %s", self._key, self._troubles["agi"])

    async def _keep_door(self) -> None:
        while True:
            await asyncio.sleep(self._timing.again_s)
            if self._door is not None and not self._door.server.running:
                door, self._door = self._door, None
                await _DOORS.leave(door, self._config.name)
            if self._door is None:
                await self._open_door()

    def _noted(self, query: RouteQuery, decision: RouteDecision, took_ms: float) -> None:
        """In the server's thread, after the answer went out: the rest is the main loop's."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._context.route_journal.decided, query, decision, took_ms)

    # ------------------------------------------------------------ AMI

    async def _own_link(self) -> None:
        if self._lease is None:
            self._lease = self._context.lease(str(self._key))
        lease = self._lease
        self._standing_by = True
        await lease.acquire()
        self._standing_by = False
        owned = (self._link.run(), self._settle(), self._mirror.run(), lease.lost())
        work = [asyncio.create_task(each) for each in owned]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self._standing_by = True
            log.warning("%s: the link belongs to another node now", self._key)
        finally:
            await _cancel(work)

    def _message(self, message: AmiMessage) -> None:
        if message.event in MIRROR_EVENTS:
            self._mirror.heard(message)
            return
        match parse_event(message, self._context.clock.now()):
            case None:
                pass
            case Originated() as event:
                self._originated(event, message.raw)
            case DeviceChanged(_, device, state):
                self._context.presence.device(self._config.name, device, device_state(state))
            case MemberPaused(_, queue, interface, paused):
                self._context.presence.paused(self._config.name, interface, queue, paused=paused)
            case ListingEnded():
                self._settler.listed()
            case event:
                for transition in self._book.apply(event, message.raw):
                    self._delivery.put(self._facts.of_transition(transition))
                    if transition.call.finished and transition.call.guessed:
                        self._settler.wanted()
                if self._book.stirred:
                    self._delivery.stir()

    def _originated(self, event: Originated, raw: bytes) -> None:
        """A placed call that had a channel tells of itself; one that had none is told by this."""
        linkedid = linkedid_of(event)
        if linkedid is None or linkedid in self._book.live or self._book.finished(linkedid):
            return
        fact = self._facts.of_not_made(event, raw)
        if fact is not None:
            self._delivery.put(fact)

    async def _link_ready(self) -> None:
        self._book.linked()
        # they come behind what is asked here, but not only where it is granted
        self._settler.wanted()
        self._mirror.wanted()
        await self._link.act("DeviceStateList")
        try:
            await self._link.act("QueueStatus")
        except AmiRefusedError as err:
            log.info("%s: the PBX has no queues to ask for: %s", self._key, err)

    def _link_lost(self) -> None:
        # a telephone that may be busy or dead by now must not count as free
        self._context.presence.forget(self._config.name)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._timing.sweep_s)
            for transition in self._book.sweep(self._context.clock.monotonic()):
                self._delivery.put(self._facts.of_transition(transition))

    async def _settle(self) -> None:
        await self._settler.run(self._timing.compare_s, self._timing.again_s)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
