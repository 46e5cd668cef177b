"""Call records in a table, as cdr_pgsql, cdr_adaptive_odbc, cdr_sqlite3_custom and FreePBX name its columns."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.pbx.cdr import LINE_FIELD, CdrRow, Records, clock_ahead, in_utc, parse_row
from channels.pbx.cdr_sources import LONGEST_CALL, epoch
from crm_core.errors import StorageUnavailable
from crm_core.ports import ForeignRows

log = logging.getLogger(__name__)

_NEEDED = ("src", "dst", "dcontext", "channel", "dstchannel", "duration", "billsec", "disposition", "uniqueid")
_HELPFUL = ("clid", "lastapp", "lastdata", "answer", "end", "linkedid", "userfield", "sequence", "did")
_STARTS = ("start", "calldate")
# No zone is further from UTC, and which one the table is in is found out from its rows.
_ANY_ZONE = timedelta(hours=15)
_DAYLIGHT = timedelta(hours=1)
# Asterisk may write records in batches.
_LATE = timedelta(minutes=10)
_WORDS = {"0": "NO ANSWER", "1": "NO ANSWER", "2": "FAILED", "4": "BUSY", "8": "ANSWERED", "16": "CONGESTION"}
_WRITTEN = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class _Shape:
    start: str
    columns: tuple[str, ...]


class CdrTable:
    """See `channels.pbx.cdr_sources.CdrSource`."""

    cursor = "cdr_sql"

    def __init__(self, rows: ForeignRows, now: Callable[[], datetime]) -> None:
        self._rows = rows
        self._now = now
        self._shape: _Shape | None = None
        self._ahead: timedelta | None = None

    def __str__(self) -> str:
        return self._rows.name

    async def proof(self) -> str:
        """What can be read, and what is missing for all of it; raises StorageUnavailable."""
        columns = (await self._known()).columns
        missing = [
            f"no column {name}: {loss}"
            for name, loss in (
                ("linkedid", "the rows of a call that was transferred or rang several can't be joined"),
                ("userfield", "the number dialled may be unknown"),
            )
            if name not in columns
        ]
        return "; ".join((str(self), *missing))

    async def since(self, place: str | None) -> tuple[list[CdrRow], str]:
        """The records whose end lies behind the place, or a little before it."""
        await self._known()
        known = epoch(place or "")
        if known is None:
            return [], self._now().isoformat()
        found: list[CdrRow] = []
        async for records in self.between(known - LONGEST_CALL, self._now() + _LATE):
            found.extend(row for row in records.rows if row.end > known - _LATE)
        newest = max((row.end for row in found), default=known)
        return found, max(newest, known).isoformat()

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[Records]:
        """Records in UTC of the calls that began in [since, until), and some more."""
        shape = await self._known()
        ahead = await self._clock(shape, since, until)
        begin, end = since + ahead - _DAYLIGHT, until + ahead + LONGEST_CALL
        async for rows in self._rows.between(shape.columns, shape.start, begin, end):
            found: list[CdrRow] = []
            unreadable: list[str] = []
            for each in rows:
                row = _row(each, shape.start)
                if row is not None:
                    found.append(in_utc(row))
                elif _began(each, shape.start, since + ahead, until + ahead):
                    unreadable.append(str(dict(each)))
            if found or unreadable:
                self._ahead = next(
                    (
                        far
                        for each in reversed(rows)
                        if (row := _row(each, shape.start)) and (far := clock_ahead(row)) is not None
                    ),
                    self._ahead,
                )
                yield Records(found, tuple(unreadable))

    async def _clock(self, shape: _Shape, since: datetime, until: datetime) -> timedelta:
        """How far the clock of the table is ahead of UTC."""
        if self._ahead is None:
            pieces = self._rows.between(shape.columns, shape.start, since - _ANY_ZONE, until + _ANY_ZONE)
            async for rows in pieces:
                for each in rows:
                    row = _row(each, shape.start)
                    far = clock_ahead(row) if row is not None else None
                    if far is not None:
                        self._ahead = far
                        return far
        return self._ahead or timedelta(0)

    async def _known(self) -> _Shape:
        if self._shape is None:
            columns = await self._rows.columns()
            start = next((name for name in _STARTS if name in columns), None)
            missing = [name for name in _NEEDED if name not in columns]
            if start is None:
                missing.append("calldate")
            if missing or start is None:
                raise StorageUnavailable(f"{self._rows.name} has no column {', '.join(missing)}")
            wanted = (start, *_NEEDED, *(name for name in _HELPFUL if name in columns))
            self._shape = _Shape(start, wanted)
            log.info("call records are read from %s", await self.proof())
        return self._shape


def _began(each: Mapping[str, Any], start_column: str, since: datetime, until: datetime) -> bool:
    """Whether a row that can't be read is of a time, or of nobody knows which."""
    begin = _moment(each[start_column])
    return begin is None or since <= begin < until


def _row(each: Mapping[str, Any], start_column: str) -> CdrRow | None:
    """A row in the form of the csv file, whose reader knows what it means."""
    begin = _moment(each[start_column])
    if begin is None:
        log.warning("a call record without a time was passed over: %.200r", dict(each))
        return None
    end = _moment(each.get("end")) or begin + timedelta(seconds=_number(each["duration"]))
    talked = _number(each["billsec"])
    answer = _moment(each.get("answer"))
    disposition = _text(each["disposition"])
    disposition = _WORDS.get(disposition, disposition)
    if answer is None and disposition == "ANSWERED":
        answer = end - timedelta(seconds=talked)
    userfield = _text(each.get("userfield"))
    if not userfield.startswith(LINE_FIELD) and (did := _text(each.get("did"))):
        userfield = f"{LINE_FIELD}{did}"
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(
        (
            *("", _text(each["src"]), _text(each["dst"]), _text(each["dcontext"]), _text(each.get("clid"))),
            *(_text(each["channel"]), _text(each["dstchannel"])),
            *(_text(each.get("lastapp")), _text(each.get("lastdata"))),
            *(_written(begin), _written(answer), _written(end)),
            *(_number(each["duration"]), talked, disposition, "", _text(each["uniqueid"]), userfield, ""),
            *(_text(each.get("linkedid")) or _text(each["uniqueid"]), _number(each.get("sequence"))),
        )
    )
    return parse_row(line.getvalue().replace("\n", " ").replace("\r", " ").encode("utf-8", "replace"))


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        # an aware one is certain, and brought into the form of the others by its zone
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    found = epoch(_text(value))
    return found if found is not None and found.year > 1970 else None


def _written(at: datetime | None) -> str:
    return at.strftime(_WRITTEN) if at is not None else ""


def _text(value: object) -> str:
    return str(value).replace("\0", "") if value is not None else ""


def _number(value: object) -> int:
    try:
        return int(float(_text(value) or 0))
    except ValueError:
        return 0
