"""The telephone directory: who is behind every number, held in memory so that a call never waits for the database.

Read whole at the start (some 200 bytes a number), then kept up by the change feed. Lookups come from other threads:
tables are replaced or set key by key, never changed in a way a reader could see half of.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from crm_core.messages import RouteAction, RouteDecision, RouteQuery, Verdict
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
from hub.log import get_logger
from hub.nodes.live import Live
from hub.settings.staffing import contradictions
from hub.telephony.tallies import Tallies
from routing.dispatch import Caller, DispatchRules, Outcome, Roster, Scene, decide
from routing.lines import NO_KEY
from routing.presence import Presence

log = get_logger(__name__)

_CALLS_REMEMBERED = 10_000
# How long a PBX may take to tell that a telephone rings; until then nobody else of a group's calls goes there.
_OFFERED_S = 2.0
_OFFERS_KEPT = 1000
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
        self._tallies = Tallies(store, clock)
        self._callers: dict[str, Caller] = {}
        self._listed: dict[str, str] = {}
        self._roster = Roster(store.office, Staff({}))
        self._given: OrderedDict[tuple[str, str], dict[tuple[int, str], RouteDecision]] = OrderedDict()
        self._given_lock = threading.Lock()
        self._counts = _Counts()
        live.listen(self._changed)

    async def start(self) -> None:
        """Read the directory; before this every number is a stranger's."""
        await self._store.read(self._load)
        await self._tallies.start()
        log.info("directory read", numbers=len(self._callers))
        for each in contradictions(self._office, self._roster.staff):
            log.warning("the configuration and the people of the office disagree", what=each)

    async def reconfigured(self) -> None:
        """The office is another one now: decide by it."""
        self._roster = Roster(self._office, self._roster.staff)
        await self._tallies.reconfigured()

    async def caught_up(self, position: int | None) -> bool:
        """Wait until what was committed at `position` decides on calls; False where that takes over a second."""
        return await self._live.reached(position)

    def route(self, query: RouteQuery) -> RouteDecision:
        """Decide on a call. The same question of the same call gets the same answer."""
        if not query.call_id:
            return self._decide(query, self._clock.now(), {}, self._counts).decision
        place, question = (query.pbx, query.call_id), (query.attempt, query.key)
        with self._given_lock:
            given = self._given.setdefault(place, {})
            self._given.move_to_end(place)
            while len(self._given) > _CALLS_REMEMBERED:
                self._given.popitem(last=False)
        known = given.get(question)
        if known is None:
            outcome = self._decide(query, self._clock.now(), given, self._counts)
            self._counts.note(query.pbx, outcome, self._clock.monotonic())
            known = given[question] = outcome.decision
        return known

    def explain(
        self, number: str, line: str, at: datetime | None = None, pbx: str = "", key: str = ""
    ) -> list[RouteDecision]:
        """What a call from `number` to `line` would get: each attempt in turn, without side effects.

        Where a voice menu is played first, the caller presses `key` there, or nothing. Telephones are as they are now.
        """
        decisions: dict[tuple[int, str], RouteDecision] = {}
        place, moment = pbx or self._pbx_of(line), at or self._clock.now()
        counts = self._counts.copy()
        pressed, attempt = "", 0
        while len(decisions) <= self._rules.most_attempts:
            outcome = self._decide(RouteQuery(place, number, line, attempt, key=pressed), moment, decisions, counts)
            counts.note(place, outcome, self._clock.monotonic())
            decision = decisions[attempt, pressed] = outcome.decision
            if decision.action is RouteAction.MENU:
                pressed = key or NO_KEY
            elif decision.action is RouteAction.DIAL:
                attempt += 1
            else:
                break
        return list(decisions.values())

    @property
    def staff(self) -> Staff:
        """Everybody of the office, as calls are decided by."""
        return self._roster.staff

    @property
    def _office(self) -> Office:
        return self._store.office

    def _decide(
        self, query: RouteQuery, at: datetime, given: Mapping[tuple[int, str], RouteDecision], counts: _Counts
    ) -> Outcome:
        tried: set[str] = set()
        for (attempt, _), decision in tuple(given.items()):
            if attempt < query.attempt:
                tried.update(decision.endpoints)
        phones = _Phones(self._presence, query.pbx, counts.offers, self._clock.monotonic())
        figures = self._tallies.figures(at)
        scene = Scene(self._office, self._roster, self._rules, phones, at, figures, counts.turns)
        caller = self._caller(query.number)
        if query.attempt and not given:
            # Nothing is remembered of the earlier attempts (a restart): they are worked out anew.
            for attempt in range(query.attempt):
                earlier = replace(query, attempt=attempt)
                tried.update(decide(earlier, caller, scene, frozenset(tried)).decision.endpoints)
        return decide(query, caller, scene, frozenset(tried))

    def _pbx_of(self, line: str) -> str:
        """The PBX that brings a line's calls; the first where none is named."""
        places = tuple(self._office.dial)
        return next(
            (place for place in places if self._office.line(place, line) is not None), places[0] if places else ""
        )

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

    def _load(self, conn: Connection) -> None:
        callers: dict[str, Caller] = {}
        for page in numbers.all_numbers(conn):
            callers.update((row.key, _entry(row)) for row in page)
        self._callers = callers
        self._listed = numbers.listed(conn)
        self._roster = Roster(self._office, load_staff(conn))

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
            self._roster = Roster(self._office, await self._store.read(load_staff))
        if listed:
            self._listed = await self._store.read(numbers.listed)
        await self._tallies.changed(rows)

    def _learn(self, rows: Iterable[NumberRow]) -> None:
        for row in rows:
            self._callers[row.key] = _entry(row)

    def _forget(self, contact_id: int) -> None:
        """Identities were taken from a contact; rare, so the directory is searched for it."""
        stale = [key for key, caller in list(self._callers.items()) if caller.contact_id == contact_id]
        for key in stale:
            self._callers.pop(key, None)


class _Counts:
    """Whose turn it was last in each group, and which telephones were given a call just now."""

    def __init__(self) -> None:
        self.turns: dict[str, int] = {}
        self.offers: dict[tuple[str, str], float] = {}

    def copy(self) -> _Counts:
        """Counts that go on by themselves."""
        found = _Counts()
        found.turns, found.offers = dict(self.turns), dict(self.offers)
        return found

    def note(self, pbx: str, outcome: Outcome, now: float) -> None:
        """Count a decision."""
        if outcome.turn is not None:
            group, user_id = outcome.turn
            self.turns[group] = user_id
        if outcome.one_of_many:
            if len(self.offers) > _OFFERS_KEPT:
                self.offers = {place: at for place, at in self.offers.items() if now - at < _OFFERED_S}
            self.offers[pbx, outcome.decision.endpoints[0]] = now


class _Phones:
    """The telephones of one PBX; see `routing.scene.Telephones`."""

    __slots__ = ("_now", "_offers", "_pbx", "_presence")

    def __init__(self, presence: Presence, pbx: str, offers: Mapping[tuple[str, str], float], now: float) -> None:
        self._presence = presence
        self._pbx = pbx
        self._offers = offers
        self._now = now

    def passed_over(self, endpoint: str, at: datetime) -> Verdict | None:
        return self._presence.verdict(self._pbx, endpoint, at)

    def call_ended(self, endpoint: str) -> datetime | None:
        return self._presence.call_ended(self._pbx, endpoint)

    def offered(self, endpoint: str) -> bool:
        since = self._offers.get((self._pbx, endpoint))
        return since is not None and self._now - since < _OFFERED_S


def _entry(row: NumberRow) -> Caller:
    return Caller(row.contact_id, row.manager, row.list_name)
