"""Places calls: works off callbacks that are due, and hands queued calls to the PBXs whose links this node owns.

A call is marked as sent in a transaction of its own before it is handed over, so that a worker that dies in between
rings nobody rather than somebody twice; what became of it is told by the PBX, or by its deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from crm_core.errors import Conflict, CoreError, InvalidInput, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import ChannelKey
from crm_core.model.callback import CallbackState, DialPurpose
from crm_core.model.office import Office
from crm_core.model.records import CallbackRecord, ContactRecord, DialRecord
from crm_core.model.user import Staff, User
from crm_core.model.zones import client_zone
from crm_core.ports import Channel, Clock, ControlsCalls, PlaceCall
from crm_core.services.calls import dials
from crm_core.services.desk import Desk
from crm_core.services.watching import callbacks
from crm_core.services.wording import Phrase, local_time, say
from crm_core.storage import dialling
from crm_core.storage.dialling import DueCallback
from crm_core.storage.feed import FeedRow
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.metrics import Metrics
from hub.nodes.live import Live
from hub.workers.loop import Worker
from routing.callback import Client, Floor, Later, Ring, Stop, Wait, choose
from routing.presence import Presence

log = get_logger(__name__)

_POLL_S = 1.0
_DUE_AT_ONCE = 1000
_SENT_AT_ONCE = 16
# Between the mark and the handing over: a node that was frozen must not ring anybody when it wakes up.
_FRESH_S = 5.0
_CONTENDED_PAUSE = timedelta(seconds=20)
_UNFIT_PAUSE = timedelta(minutes=10)
_WATCHED = frozenset({"dial", "callback"})
_WAITING_FOR = {
    Wait.HOURS: Phrase.WAITS_HOURS,
    Wait.TALKING: Phrase.WAITS_TALKING,
    Wait.PERSON: Phrase.WAITS_PERSON,
    Wait.NOBODY: Phrase.WAITS_NOBODY,
}

_WHY_STOPPED = {Stop.UNWANTED: Phrase.CALLBACK_UNWANTED, Stop.LISTED: Phrase.CALLBACK_LISTED}


class Dialler(Worker):
    """Runs on every node; only the owner of a PBX's link does anything for that PBX."""

    name = "dialler"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        channels: Mapping[ChannelKey, Channel],
        presence: Presence,
        live: Live,
        staff: Callable[[], Staff],
    ) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._channels = channels
        self._presence = presence
        self._staff = staff
        self._waited_for: frozenset[tuple[str, str]] = frozenset()
        self._handing_over: set[asyncio.Task[None]] = set()
        self._stopped: set[int] = set()
        live.listen(self._changed)
        presence.listen(self._heard)

    async def turn(self) -> float:
        """Look after what is due, hand over what is queued; seconds until there may be more."""
        mine = self._controlled()
        if not mine:
            return _POLL_S
        now = self._clock.now()
        due = await self._store.read(lambda conn: dialling.due_callbacks(conn, now, _DUE_AT_ONCE))
        await self._work_off([each for each in due if self._way_of(each.callback) in mine])
        await self._stop_unwanted(mine)
        handed = await self._hand_over(mine)
        if handed:
            return self.least_s
        next_at = await self._store.read(lambda conn: dialling.next_callback(conn, now))
        if next_at is None:
            return _POLL_S
        return min(max((next_at - self._clock.now()).total_seconds(), self.least_s), _POLL_S)

    async def stop(self) -> None:
        """Let what is being handed over end, as far as the PBX answers in time."""
        await super().stop()
        if self._handing_over:
            await asyncio.wait(tuple(self._handing_over), timeout=self.stop_s)
        for task in tuple(self._handing_over):
            task.cancel()
        await asyncio.gather(*self._handing_over, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is being handed over any more."""
        while self._handing_over:
            await asyncio.wait(tuple(self._handing_over))

    def _controlled(self) -> dict[str, ControlsCalls]:
        found: dict[str, ControlsCalls] = {}
        for key, channel in self._channels.items():
            able: object = channel
            if isinstance(able, ControlsCalls) and able.controls:
                found[key.account] = able
        return found

    async def _changed(self, rows: list[FeedRow]) -> None:
        if any(change[0] in _WATCHED for row in rows for change in row.changes):
            self.wake()

    def _heard(self, pbx: str, endpoint: str) -> None:
        if (pbx, endpoint) in self._waited_for:
            self.wake()

    # ------------------------------------------------------------ callbacks

    def _way_of(self, callback: CallbackRecord) -> str:
        """The PBX through which a client is rung back."""
        outward = self._store.office.outward
        if callback.pbx in outward:
            return callback.pbx or ""
        return outward[0] if outward else ""

    async def _work_off(self, due: list[DueCallback]) -> None:
        waited_for: set[tuple[str, str]] = set()
        for each in due:
            way, now = self._way_of(each.callback), self._clock.now()
            zone = client_zone(each.callback.number, each.city, ZoneInfo(self._store.office.time_zone), now)
            client = Client(each.manager, zone, each.listed, each.talking, each.group)
            choice = choose(each.callback, client, self._floor(way, self._staff(), now))
            match choice:
                case Later(until=None) as later:
                    # looked at again and again until somebody is free: nothing is written but what it waits for
                    endpoint = self._store.office.endpoint(later.user, way) if later.user is not None else None
                    if endpoint is not None:
                        waited_for.add((way, endpoint))
                    if each.callback.detail != _detail(self._store.office, later):
                        await self._settle(each.callback.id)
                case _:
                    await self._settle(each.callback.id)
        self._waited_for = frozenset(waited_for)

    def _floor(self, pbx: str, staff: Staff, at: datetime) -> Floor:
        return Floor(
            self._store.office,
            staff,
            pbx,
            lambda place, endpoint: self._presence.verdict(place, endpoint, at),
            at,
        )

    async def _settle(self, callback_id: int) -> None:
        """Decide once more, now that the client's record is locked, and do it."""
        try:
            placed = await self._store.run(lambda desk: self._decide(desk, callback_id))
        except CoreError as err:
            self._metrics.worker_errors.labels(self.name).inc()
            log.warning("a callback could not be looked after", callback=callback_id, error=str(err))
            return
        if placed is not None:
            self._metrics.dials.labels(placed.purpose.value, "queued").inc()

    def _decide(self, desk: Desk, callback_id: int) -> DialRecord | None:
        record, contact = desk.work.owned(CallbackRecord, callback_id)
        if contact is None or record.state is not CallbackState.WAITING or record.due_at > desk.now:
            return None
        talking = desk.work.talks_now(contact.id, desk.now - dialling.LONGEST_CALL)
        listed = contact.list_name is not None or bool(desk.work.listed_numbers([f"tel:{record.number}"]))
        case = desk.work.open_cases([contact.id]).get(contact.id)
        lead = desk.work.open_leads([contact.id]).get(contact.id)
        client = Client(
            contact.manager or (case.manager if case is not None else None) or (lead.manager if lead else None),
            callbacks.zone_of(desk, contact, record.number),
            listed,
            talking,
            lead.group_name if lead is not None else None,
        )
        match choose(record, client, self._floor(self._way_of(record), desk.work.staff, desk.now)):
            case Ring(user):
                return self._place(desk, record, contact, user)
            case Later() as later:
                callbacks.put_off(desk, record, later.until or record.due_at, _detail(desk.office, later))
            case Stop() as stop:
                callbacks.end_unwanted(desk, record, desk.say(_WHY_STOPPED[stop]))
        return None

    def _place(self, desk: Desk, record: CallbackRecord, contact: ContactRecord, user: User) -> DialRecord | None:
        purpose = DialPurpose(record.reason.value)
        try:
            return dials.place(
                desk, contact, user, purpose, author="robot", number=record.number, callback=record, confirmed=True
            )
        except Conflict as err:
            callbacks.put_off(desk, record, desk.now + _CONTENDED_PAUSE, str(err))
        except InvalidInput as err:
            callbacks.put_off(desk, record, desk.now + _UNFIT_PAUSE, str(err))
        return None

    # ------------------------------------------------------------ stopping and handing over

    async def _stop_unwanted(self, mine: dict[str, ControlsCalls]) -> None:
        """Keep calls under way from dialling clients who need not be rung any more."""
        unwanted = await self._store.read(lambda conn: dialling.unwanted_dials(conn, tuple(mine)))
        self._stopped &= {each.dial_id for each in unwanted}
        for each in unwanted:
            if each.dial_id in self._stopped:
                continue
            try:
                await mine[each.pbx].stop_call(each.linkedid)
            except TransientDeliveryError as err:
                log.warning("a call could not be stopped yet", dial=each.dial_id, error=str(err))
                continue
            except PermanentDeliveryError as err:
                log.info("a call to be stopped is over", dial=each.dial_id, error=str(err))
            self._stopped.add(each.dial_id)

    async def _hand_over(self, mine: dict[str, ControlsCalls]) -> int:
        """Mark queued calls as sent and hand them over, side by side; how many."""
        room = _SENT_AT_ONCE - len(self._handing_over)
        if room <= 0:
            return 0
        now = self._clock.now()
        queued = await self._store.read(lambda conn: dialling.queued_dials(conn, tuple(mine), now, room))
        for dial_id in queued:
            marked_at = self._clock.monotonic()
            taken = await self._store.run(partial(_taken, dial_id=dial_id))
            if taken is None:
                continue
            record, name = taken
            task = asyncio.create_task(
                self._place_call(mine[record.pbx], record, name, marked_at), name=f"dial {record.id}"
            )
            self._handing_over.add(task)
            task.add_done_callback(self._handed_over)
        return len(queued)

    def _handed_over(self, task: asyncio.Task[None]) -> None:
        self._handing_over.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a placed call was left to its deadline", dial=task.get_name(), error=str(task.exception()))
        self.wake()  # there is room for another

    async def _place_call(self, channel: ControlsCalls, record: DialRecord, name: str, marked_at: float) -> None:
        line = self._store.office.line(record.pbx, record.line)
        call = PlaceCall(
            linkedid=record.linkedid,
            endpoint=record.endpoint,
            number=record.number,
            line=record.line,
            caller_name=name,
            announce=record.announce,
            ring_s=self._store.office.robot.ring_s,
            sound=self._store.office.robot.sound,
            record=line.record if line is not None else None,
        )
        try:
            self._demand_fresh(channel, marked_at)
            await channel.place_call(call)
        except TransientDeliveryError as err:
            outcome = "unknown" if err.uncertain else "not_handed_over"
            log.warning("a call could not be placed", dial=record.id, error=str(err), uncertain=err.uncertain)
            if not err.uncertain:
                text = str(err)
                await self._store.run(lambda desk: dials.not_handed_over(desk, record.id, text))
        except PermanentDeliveryError as err:
            outcome, text = "refused", str(err)
            log.warning("the PBX refused a call", dial=record.id, error=text)
            await self._store.run(lambda desk: dials.refused(desk, record.id, text))
        else:
            outcome = "handed_over"
        self._metrics.dials.labels(record.purpose.value, outcome).inc()

    def _demand_fresh(self, channel: ControlsCalls, marked_at: float) -> None:
        if self._clock.monotonic() - marked_at > _FRESH_S or not channel.controls:
            raise TransientDeliveryError("the link was lost before the call could be handed over")


def _taken(desk: Desk, dial_id: int) -> tuple[DialRecord, str] | None:
    record = dials.take_to_send(desk, dial_id)
    if record is None:
        return None
    return record, desk.work.contact(record.contact_id).name


def _detail(office: Office, later: Later) -> str:
    """What a callback waits for, in words."""
    name = later.user.name if later.user is not None else ""
    time = local_time(later.until, office.time_zone) if later.until is not None else ""
    return say(office.language, _WAITING_FOR[later.why], name=name, time=time)
