"""Call records of Asterisk (`Master.csv`): read from where one left off, and turned into the calls they tell of."""

from __future__ import annotations

import csv
import glob
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from channels.pbx.call_facts import CAUSE_BUSY, PbxProfile, dialled_number
from channels.pbx.events import created_at, endpoint_of
from crm_core.model.call import CallLeg, CallSnapshot, CallState, Direction

log = logging.getLogger(__name__)

LINE_FIELD = "hub:"
# The same for calls that the hub placed: the line that the client was shown.
PLACED_FIELD = "hub-out:"
# Behind the line: the caller pressed the key for a callback, whether or not the hub was there to hear it.
WISH_MARK = "/callback"
# as Asterisk writes them, without and with peeraccount, linkedid and sequence
_COLUMNS = range(18, 22)
# A row that was torn has lost its end: the next one stands behind it in the same line.
_MOST_QUOTES = 256
_CHUNK = 8 * 1024 * 1024
_QUARTER = 900.0
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class CdrRow:
    """One record; `start`, `answer`, `end` are as written, in a zone that the file does not name."""

    source: str
    destination: str
    context: str
    channel: str
    partner: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    uniqueid: str
    linkedid: str
    userfield: str
    sequence: int
    raw: bytes
    talked_s: int = 0

    @property
    def answered(self) -> bool:
        """Whether somebody was reached; a channel that only heard an announcement was not."""
        return self.disposition == "ANSWERED" and self.answer is not None and bool(self.partner)


@dataclass(frozen=True, slots=True)
class CdrPlace:
    """A place in the file: which file it is (rotation changes that), and the byte after the last record read."""

    inode: int
    offset: int

    def __str__(self) -> str:
        return f"{self.inode}:{self.offset}"

    @classmethod
    def parse(cls, text: str | None) -> CdrPlace | None:
        """The place of its own text, None where it is none."""
        inode, _, offset = (text or "").partition(":")
        return cls(int(inode), int(offset)) if inode.isdigit() and offset.isdigit() else None


@dataclass(frozen=True, slots=True)
class CdrLine:
    """What one line of the file tells: one record, more where the end of one was lost, and what can't be read of it."""

    rows: tuple[CdrRow, ...] = ()
    unreadable: bytes = b""


@dataclass(frozen=True, slots=True)
class Records:
    """Some records, and in whole or part those that can't be read, as text."""

    rows: list[CdrRow]
    unreadable: tuple[str, ...] = ()


def end_of(path: Path) -> CdrPlace | None:
    """The place behind all that is written now; None where there is no file."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return CdrPlace(stat.st_ino, stat.st_size)


def read_since(path: Path, place: CdrPlace | None) -> tuple[list[CdrRow], CdrPlace | None]:
    """The records written since `place` (None: from the beginning), and the place behind them.

    A last line without its end is left for the next time. After a rotation the rest of the old file is read first
    (`Master.csv.1` or whatever stands beside it), then what was rotated after it; a file that was cut short is read
    from its beginning. Raises OSError where it can't be read.
    """
    now = end_of(path)
    rows: list[CdrRow] = []
    offset = 0
    if place is not None and now is not None and place.inode == now.inode:
        offset = place.offset if place.offset <= now.offset else 0
    elif place is not None:
        for rotated, begin in _rotated_since(path, place):
            rows.extend(_read(rotated, begin)[0])
    if now is None:
        return rows, place
    found, offset = _read(path, offset)
    return [*rows, *found], CdrPlace(now.inode, offset)


def beside(path: Path) -> list[Path]:
    """The files that once were this one, the oldest first."""
    found = [(each.stat().st_mtime, each) for each in path.parent.glob(f"{glob.escape(path.name)}?*") if each.is_file()]
    return [each for _, each in sorted(found)]


def _rotated_since(path: Path, place: CdrPlace) -> list[tuple[Path, int]]:
    """The file of a place and those rotated after it, each with where to begin; nothing where it is gone."""
    files = [each for each in beside(path) if each.suffix != ".gz"]
    for index, each in enumerate(files):
        if each.stat().st_ino == place.inode:
            return [(each, place.offset), *((later, 0) for later in files[index + 1 :])]
    return []


def _read(path: Path, offset: int) -> tuple[list[CdrRow], int]:
    rows: list[CdrRow] = []
    with path.open("rb") as file:
        file.seek(offset)
        while lines := file.readlines(_CHUNK):
            for line in lines:
                if not line.endswith(b"\n"):
                    return rows, offset
                offset += len(line)
                rows.extend(read_line(line).rows)
    return rows, offset


def parse_row(line: bytes) -> CdrRow | None:
    """The last record of a line of the file; None, and a warning, where there is none."""
    return (read_line(line).rows or (None,))[-1]


def read_line(line: bytes) -> CdrLine:
    """The records of a line of the file; a warning where something of it is none.

    A full disk or a power cut leaves half a row without its end, and the next row is written right behind it.
    """
    text = line.strip()
    if not text:
        return CdrLine()
    fields = _fields(text)
    if fields is not None:
        return CdrLine((_row(fields, text),))
    begin = _begin_of_last(text)
    if begin is None:
        log.warning("a call record was not understood: %.200r", line)
        return CdrLine(unreadable=text)
    torn, whole = text[:begin], text[begin:]
    last, before = _fields(whole) or [], _fields(torn)
    if before is not None and len(before) == len(last):
        return CdrLine((_row(before, torn), _row(last, whole)))  # nothing but its end was lost
    log.warning("a call record was torn, the one behind it was read: %.200r", torn)
    return CdrLine((_row(last, whole),), torn)


def _begin_of_last(text: bytes) -> int | None:
    """Where the last whole row of a line begins that is none itself: with a quote, as all do."""
    place = len(text)
    for _ in range(_MOST_QUOTES):
        place = text.rfind(b'"', 0, place)
        if place <= 0:
            return None
        if _fields(text[place:]) is not None:
            return place
    return None


def _fields(line: bytes) -> list[str] | None:
    """The fields of a line that is one record; None where it is none, or more than one."""
    text = line.decode("utf-8", "replace")
    try:
        fields = next(csv.reader([text], strict=True), [])
        start, _, end = (_time(each) for each in fields[9:12])
    except (ValueError, csv.Error):
        return None
    whole = len(fields) in _COLUMNS and start is not None and end is not None and bool(fields[16])
    return fields if whole else None


def _row(fields: Sequence[str], line: bytes) -> CdrRow:
    start, answer, end = (_time(each) for each in fields[9:12])
    if start is None or end is None:
        raise ValueError("a record without times")
    return CdrRow(
        source=fields[1],
        destination=fields[2],
        context=fields[3],
        channel=fields[5],
        partner=fields[6],
        start=start,
        answer=answer,
        end=end,
        disposition=fields[14],
        uniqueid=fields[16],
        linkedid=(fields[19] if len(fields) > 19 else "") or fields[16],
        userfield=fields[17],
        sequence=int(fields[20]) if len(fields) > 20 and fields[20].isdigit() else 0,
        raw=line,
        talked_s=int(fields[13]) if fields[13].isdigit() else 0,
    )


def in_utc(row: CdrRow) -> CdrRow:
    """The record with its times in UTC."""
    shift = _shift(row)
    if not shift:
        return row
    answer = row.answer - shift if row.answer is not None else None
    return replace(row, start=row.start - shift, answer=answer, end=row.end - shift)


def calls_of(rows: Iterable[CdrRow]) -> dict[str, tuple[CdrRow, ...]]:
    """The records of each call, in order."""
    calls: dict[str, list[CdrRow]] = defaultdict(list)
    for row in rows:
        calls[row.linkedid].append(row)
    return {
        linkedid: tuple(sorted(found, key=lambda row: (row.start, row.sequence))) for linkedid, found in calls.items()
    }


def settled_call(rows: Sequence[CdrRow], profile: PbxProfile) -> CallSnapshot | None:
    """The call that records tell of; None for one without a client. What they can't tell is `missed`."""
    first = rows[0]
    noted = any(row.userfield.startswith(LINE_FIELD) for row in rows)
    inbound = noted or profile.outside(endpoint_of(first.channel)) or profile.entrance(first.context)
    outside = [row for row in rows if profile.outside(endpoint_of(row.partner))]
    if not inbound and not outside:
        return None
    shift = _shift(first)
    reached = [row for row in (rows if inbound else outside) if row.answered]
    # of a telephone whose call was picked up elsewhere the record says answered too, but nobody talked there
    answered = next((row for row in reached if row.talked_s), reached[0] if reached else None)
    return CallSnapshot(
        linkedid=first.linkedid,
        direction=Direction.IN if inbound else Direction.OUT,
        number=first.source if inbound else dialled_number(outside[0].destination) or outside[0].source,
        line=_line(rows, LINE_FIELD) or dialled_number(first.destination) if inbound else _line(rows, PLACED_FIELD),
        state=_state(rows, answered, inbound=inbound),
        started_at=first.start - shift,
        answered_at=answered.answer - shift if answered is not None and answered.answer is not None else None,
        finished_at=max(row.end for row in rows) - shift,
        answered_by=endpoint_of(answered.partner if inbound else answered.channel) if answered is not None else None,
        legs=tuple(_leg(row, shift, talked=row is answered or bool(row.talked_s)) for row in rows if row.partner),
        wish_callback=inbound and any(row.userfield.endswith(WISH_MARK) for row in rows),
        settled=True,
    )


def _state(rows: Sequence[CdrRow], answered: CdrRow | None, *, inbound: bool) -> CallState:
    if answered is not None:
        return CallState.ANSWERED
    dialled = [row for row in rows if row.partner]
    if dialled and all(row.disposition == "BUSY" for row in dialled):
        return CallState.BUSY
    if inbound:
        return CallState.MISSED
    return CallState.FAILED if rows[-1].disposition in {"FAILED", "CONGESTION"} else CallState.NO_ANSWER


def _leg(row: CdrRow, shift: timedelta, *, talked: bool) -> CallLeg:
    answer = row.answer - shift if talked and row.answered and row.answer is not None else None
    cause = CAUSE_BUSY if row.disposition == "BUSY" else 0
    return CallLeg(endpoint_of(row.partner), row.start - shift, answer, row.end - shift, cause)


def _line(rows: Sequence[CdrRow], field: str) -> str:
    """The office's number as our dialplan noted it, empty where it did not."""
    for row in rows:
        if row.userfield.startswith(field):
            return dialled_number(row.userfield.removeprefix(field).removesuffix(WISH_MARK))
    return ""


def clock_ahead(row: CdrRow) -> timedelta | None:
    """How far the clock of the records is ahead of UTC; None where the record can't tell."""
    return _shift(row) if created_at(row.linkedid, _EPOCH) != _EPOCH else None


def _shift(first: CdrRow) -> timedelta:
    """How far the file's clock is ahead of UTC: the channel's id tells when it was created, to the second."""
    born = created_at(first.linkedid, _EPOCH)
    if born == _EPOCH:
        return timedelta(0)
    quarters = round((first.start - born).total_seconds() / _QUARTER)
    return timedelta(seconds=quarters * _QUARTER)


def _time(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if text else None
