"""The telephone directory: who is behind every number, held in memory so that a call never waits for the database.

Read whole at the start (some 200 bytes a number), then kept up by the change feed. Lookups come from other threads:
tables are replaced or set key by key, never changed in a way a reader could see half of.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

from crm_core.messages import DeviceState, RouteAction, RouteDecision, RouteQuery
from crm_core.model.identity import caller as caller_identity
from crm_core.model.office import Office
from crm_core.model.user import Staff
from crm_core.ports import Clock
from crm_core.storage import numbers
from crm_core.storage.database import Connection
from crm_core.storage.feed import FeedRow
from crm_core.storage.numbers import NumberRow
from crm_core.storage.staff import load_staff
from crm_core.storage.store import Store
from hub.live import Live
from hub.log import get_logger
from routing.dispatch import Caller, DispatchRules, Scene, dispatch
from routing.presence import Presence

log = get_logger(__name__)

_CALLS_REMEMBERED = 10_000
_NOBODY = Caller()
_MOVING = frozenset({"contact", "identity", "lead"})


class Directory:
    """The call router of the hub; see `crm_core.ports.CallRouter`."""

    def __init__(self, store: Store, live: Live, clock: Clock, presence: Presence, rules: DispatchRules) -> None:
        self._store = store
        self._live = live
        self._clock = clock
        self._presence = presence
        self._rules = rules
        self._callers: dict[str, Caller] = {}
        self._listed: dict[str, str] = {}
        self._staff = Staff({})
        self._given: OrderedDict[tuple[str, str], dict[int, RouteDecision]] = OrderedDict()
        self._given_lock = threading.Lock()
        live.listen(self._changed)

    async def start(self) -> None:
        """Read the directory; before this every number is a stranger's."""
        await self._store.read(self._load)
        log.info("directory read", numbers=len(self._callers))

    async def caught_up(self, position: int | None) -> bool:
        """Wait until what was committed at `position` decides on calls; False where that takes over a second."""
        return await self._live.reached(position)

    def route(self, query: RouteQuery) -> RouteDecision:
        """Decide on a call. The same question of the same call gets the same answer."""
        if not query.call_id:
            return self._decide(query, self._clock.now(), {})
        place = (query.pbx, query.call_id)
        with self._given_lock:
            given = self._given.setdefault(place, {})
            self._given.move_to_end(place)
            while len(self._given) > _CALLS_REMEMBERED:
                self._given.popitem(last=False)
        known = given.get(query.attempt)
        if known is None:
            known = self._decide(query, self._clock.now(), given)
            given[query.attempt] = known
        return known

    def explain(self, number: str, line: str, at: datetime | None = None, pbx: str = "") -> list[RouteDecision]:
        """What a call from `number` to `line` would get: each attempt in turn, without side effects."""
        decisions: dict[int, RouteDecision] = {}
        place = pbx or next(iter(self._office.dial), "")
        for attempt in range(10):
            decision = self._decide(RouteQuery(place, number, line, attempt), at or self._clock.now(), decisions)
            decisions[attempt] = decision
            if decision.action is not RouteAction.DIAL:
                break
        return list(decisions.values())

    @property
    def _office(self) -> Office:
        return self._store.office

    def _decide(self, query: RouteQuery, at: datetime, given: dict[int, RouteDecision]) -> RouteDecision:
        tried: set[str] = set()
        for attempt, decision in given.items():
            if attempt < query.attempt:
                tried.update(decision.endpoints)
        scene = Scene(self._office, self._staff, self._rules, self._device_of(query.pbx), at)
        caller = self._caller(query.number)
        if query.attempt and not given:
            # Nothing is remembered of the earlier attempts (a restart): they are worked out anew.
            for _ in range(query.attempt):
                tried.update(dispatch(query, caller, scene, frozenset(tried)).endpoints)
        return dispatch(query, caller, scene, frozenset(tried))

    def _caller(self, number: str) -> Caller:
        identity = caller_identity(number, self._office.region)
        if identity is None:
            return _NOBODY
        key = str(identity)
        known = self._callers.get(key, _NOBODY)
        listed = self._listed.get(key)
        if listed is not None and known.list_name is None:
            return Caller(known.contact_id, known.manager, listed)
        return known

    def _device_of(self, pbx: str) -> _Devices:
        return _Devices(self._presence, pbx)

    def _load(self, conn: Connection) -> None:
        callers: dict[str, Caller] = {}
        for page in numbers.all_numbers(conn):
            callers.update((row.key, _entry(row)) for row in page)
        self._callers = callers
        self._listed = numbers.listed(conn)
        self._staff = load_staff(conn)

    async def _changed(self, rows: list[FeedRow]) -> None:
        contacts: set[int] = set()
        staff = listed = False
        for row in rows:
            for table, _key, contact_id in row.changes:
                if table in _MOVING and contact_id is not None:
                    contacts.add(contact_id)
                elif table == "app_user":
                    staff = True
                elif table == "listed_number":
                    listed = True
                elif table == "identity.removed" and contact_id is not None:
                    self._forget(contact_id)
                    contacts.add(contact_id)
        if contacts:
            self._learn(await self._store.read(lambda conn: numbers.numbers_of(conn, contacts)))
        if staff:
            self._staff = await self._store.read(load_staff)
        if listed:
            self._listed = await self._store.read(numbers.listed)

    def _learn(self, rows: Iterable[NumberRow]) -> None:
        for row in rows:
            self._callers[row.key] = _entry(row)

    def _forget(self, contact_id: int) -> None:
        """Identities were taken from a contact; rare, so the directory is searched for it."""
        stale = [key for key, caller in list(self._callers.items()) if caller.contact_id == contact_id]
        for key in stale:
            self._callers.pop(key, None)


class _Devices:
    """The telephones of one PBX."""

    def __init__(self, presence: Presence, pbx: str) -> None:
        self._presence = presence
        self._pbx = pbx

    def __call__(self, endpoint: str) -> DeviceState:
        return self._presence.state(self._pbx, endpoint)


def _entry(row: NumberRow) -> Caller:
    return Caller(row.contact_id, row.manager, row.list_name)
