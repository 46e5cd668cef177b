"""Watches for lines that usually ring and are silent; see `crm_core.model.silence` for when that is.

What was heard matters as much as what rang: how long each PBX could not be heard (its link was down, no hub was
running) is kept in the record, by whichever node hears it, and expects no calls. A line is judged only while every PBX
that brings it is heard, by any node; two that judge the same tell it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import orjson

from crm_core.messages import ChannelKey
from crm_core.model.alarm import AlarmKind
from crm_core.model.line import Line
from crm_core.model.records import AlarmRecord
from crm_core.model.silence import WEEKS, Habits, Rhythm, Silence, Span, rhythm_of, silence_of
from crm_core.ports import Channel, ChannelState, Clock
from crm_core.services.desk import Desk
from crm_core.services.watching.alarms import end_alarm, raise_alarm
from crm_core.services.wording import Phrase
from crm_core.storage import cursors, leases
from crm_core.storage.queries.alarms import LineCalls, calls_by_slot, list_alarms
from crm_core.storage.queries.pages import Slice
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

_EVERY = timedelta(minutes=1)
_DEAF_AFTER = 3 * _EVERY
_LEARN_EVERY = timedelta(hours=1)
_PAST = timedelta(weeks=WEEKS)
_MOST_SPANS = 500
_MOST_ALARMS = 1000
_PBX = "pbx"
_PUSHED = "cti"
_HEARD = "heard"

Place = tuple[str, str]
"""A PBX, and a number as dialled there."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Until when a PBX was heard, and the spans of the last weeks in which it was not."""

    until: datetime
    deaf: tuple[Span, ...] = ()

    def again(self, now: datetime) -> Heard:
        """It is heard now."""
        missed = ((self.until, now),) if now - self.until > _DEAF_AFTER else ()
        kept = tuple(span for span in (*self.deaf, *missed) if span[1] > now - _PAST)
        return Heard(max(now, self.until), kept[-_MOST_SPANS:])

    def text(self) -> str:
        """For the record."""
        return orjson.dumps({"until": self.until, "deaf": self.deaf}).decode()


def parse_heard(text: str | None, now: datetime) -> Heard:
    """What was noted; where there is nothing, nobody has listened so far."""
    if text is None:
        return Heard(now - _DEAF_AFTER, ((now - _PAST, now),))
    found = orjson.loads(text)
    spans = tuple((datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in found["deaf"])
    return Heard(datetime.fromisoformat(found["until"]), spans)


@dataclass(frozen=True, slots=True)
class _Usual:
    """A line that is watched: the numbers under which it is dialled, its rhythm (None: there is none), its hours."""

    places: frozenset[Place]
    rhythm: Rhythm | None
    habits: Habits
    last: datetime


class SilenceWatch(Worker):
    """Judges every line once a minute, and learns their rhythms once an hour."""

    name = "silence"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        channels: Mapping[ChannelKey, Channel],
        node: str,
        *,
        wanted: bool = True,
    ) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._channels = channels
        self._node = node
        self._wanted = wanted
        self._learned_at: datetime | None = None
        self._usual: dict[str, _Usual] = {}

    async def turn(self) -> float:
        """Judge every line."""
        now = self._clock.now()
        if self._wanted and (self._learned_at is None or now - self._learned_at >= _LEARN_EVERY):
            await self._learn(now)
        elif not self._wanted:
            self._usual = {}
        heard = await self._listen(now)
        since = self._learned_at or now
        recent = await self._store.read(lambda conn: calls_by_slot(conn, None, since)) if self._usual else {}
        alarms = await self._store.read(
            lambda conn: list_alarms(conn, None, Slice(limit=_MOST_ALARMS), lasting=True).items
        )
        lasting = {alarm.subject: alarm.since for alarm in alarms if alarm.kind is AlarmKind.SILENT_LINE}
        for subject, usual in self._usual.items():
            if all(_hears(heard, place, now) for place in usual.places):
                await self._judge(subject, usual, recent, heard, lasting.get(subject), now)
        for subject in lasting.keys() - self._usual.keys():
            await self._drop(subject)
        return _EVERY.total_seconds()

    async def _judge(
        self,
        subject: str,
        usual: _Usual,
        recent: Mapping[Place, LineCalls],
        heard: Mapping[str, Heard],
        alarmed: datetime | None,
        now: datetime,
    ) -> None:
        calls = [recent[place].last for place in usual.places if place in recent]
        last = max((usual.last, *calls))
        if alarmed is not None and last > alarmed:
            await self._store.run(lambda desk: end_alarm(desk, AlarmKind.SILENT_LINE, subject))
            log.info("a line rings again", line=subject)
            return
        deaf = [span for pbx, _ in usual.places if pbx in heard for span in heard[pbx].deaf]
        silence = silence_of(usual.rhythm, last, now, usual.habits, deaf) if usual.rhythm is not None else None
        if silence is not None:
            alarm = await self._store.run(lambda desk: _raised(desk, subject, silence))
            if alarmed is None:
                log.warning("a line is silent", line=subject, since=alarm.since.isoformat(), missed=silence.expected)

    async def _learn(self, now: datetime) -> None:
        """Read the calls of the last weeks, and put together the numbers under which one line is dialled."""
        past = await self._store.read(lambda conn: calls_by_slot(conn, None, now - _PAST))
        lines: dict[str, set[Place]] = {}
        configured: dict[str, Line | None] = {}
        known = {key.account for key in self._channels if key.channel in {_PBX, _PUSHED}}
        for pbx, number in past:
            if pbx not in known:
                continue  # it is not configured any more: nobody could hear it
            line = self._store.office.line(pbx, number)
            if line is not None and not line.silence:
                continue
            subject = self._subject(line) if line is not None else number
            lines.setdefault(subject, set()).add((pbx, number))
            configured[subject] = line
        usual: dict[str, _Usual] = {}
        for subject, places in lines.items():
            counts: dict[int, int] = {}
            for place in places:
                for slot, count in past[place].slots.items():
                    counts[slot] = counts.get(slot, 0) + count
            habits = self._habits(configured[subject])
            rhythm = rhythm_of(counts, now, habits)
            last = max(past[place].last for place in places)
            usual[subject] = _Usual(frozenset(places), rhythm, habits, last)
        self._usual, self._learned_at = usual, now

    def _subject(self, line: Line) -> str:
        """A line's name: its number, with the PBX where two of them share it."""
        same = [each for each in self._store.office.lines if each.number == line.number]
        return f"{line.number} ({line.pbx})" if len(same) > 1 and line.pbx else line.number

    def _habits(self, line: Line | None) -> Habits:
        """The days off of the line's calendar; of all calendars of the office where the line names none."""
        office = self._store.office
        if line is not None and line.hours is not None:
            calendar = office.calendar(line.hours)
            return Habits(calendar.zone, calendar.days_off)
        days = frozenset(day for calendar in office.calendars.values() for day in calendar.days_off)
        return Habits(ZoneInfo(office.time_zone), days)

    async def _listen(self, now: datetime) -> dict[str, Heard]:
        """Note which PBXs this node hears now; what is known of every one, by its name.

        What pushes its calls has no link: it is heard as long as the hub runs.
        """
        owners = await self._store.read(leases.owners)
        linked = {key.account for key in self._channels if key.channel == _PBX}
        names = linked | {pbx for usual in self._usual.values() for pbx, _ in usual.places}
        found: dict[str, Heard] = {}
        for name in sorted(names):
            key = ChannelKey(_PBX, name)
            noted = await self._noted(key, now)
            owned = owners.get(str(key), self._node) == self._node
            if name not in linked or (owned and self._channels[key].health.state is ChannelState.CONNECTED):
                noted = noted.again(now)
                await self._note(key, noted)
            found[name] = noted
        return found

    async def _noted(self, key: ChannelKey, now: datetime) -> Heard:
        return parse_heard(await self._store.read(lambda conn: cursors.load(conn, key, _HEARD)), now)

    async def _note(self, key: ChannelKey, heard: Heard) -> None:
        text = heard.text()
        await self._store.database.write(lambda conn: cursors.save(conn, key, _HEARD, text))

    async def _drop(self, subject: str) -> None:
        """The line is not watched any more: that is no end worth telling."""
        await self._store.run(lambda desk: end_alarm(desk, AlarmKind.SILENT_LINE, subject, quietly=True))


def _hears(heard: Mapping[str, Heard], place: Place, now: datetime) -> bool:
    known = heard.get(place[0])
    return known is not None and now - known.until < _DEAF_AFTER


def _raised(desk: Desk, subject: str, silence: Silence) -> AlarmRecord:
    detail = desk.say(Phrase.ALARM_SILENCE_DETAIL, count=round(silence.expected))
    return raise_alarm(desk, AlarmKind.SILENT_LINE, subject, detail, since=silence.since)
