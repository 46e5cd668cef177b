"""Where call records are read from: the csv file with what was rotated away, and a table of a database."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from channels.pbx.cdr import CdrPlace, CdrRow, Records, beside, end_of, in_utc, parse_row, read_line, read_since

# A record is written when its channel is gone: a call that began today may be written down so much later.
LONGEST_CALL = timedelta(hours=12)
_BATCH = 1000


class CdrSource(Protocol):
    """A place where the PBX writes call records."""

    @property
    def cursor(self) -> str:
        """The name under which the place is kept to which it was read."""

    async def since(self, place: str | None) -> tuple[list[CdrRow], str]:
        """The records written since a place (None: nothing but the place behind everything), and the place behind them.

        Raises OSError or StorageUnavailable.
        """

    def between(self, since: datetime, until: datetime) -> AsyncIterator[Records]:
        """Records in UTC, a batch at a time: at least all of the calls that began in [since, until).

        What can't be read is told where it was written in that time, as far as that is known.
        """


class CsvFile:
    """`Master.csv` and the files beside it that once were it, also compressed ones."""

    cursor = "cdr"

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    async def since(self, place: str | None) -> tuple[list[CdrRow], str]:
        """What was written since; what was before the hub came is history."""
        known = CdrPlace.parse(place)
        if known is None:
            # a file that is still to come will be read from its beginning
            return [], str(await asyncio.to_thread(end_of, self._path) or CdrPlace(0, 0))
        rows, behind = await asyncio.to_thread(read_since, self._path, known)
        return rows, str(behind or known)

    async def between(self, since: datetime, until: datetime) -> AsyncIterator[Records]:
        """Records in UTC; a file is entered where the time begins, and left where it is surely over."""
        for path in await asyncio.to_thread(self._files, since):
            batches = _batches(path, since, until)
            while (found := await asyncio.to_thread(next, batches, None)) is not None:
                yield found

    def _files(self, since: datetime) -> list[Path]:
        files = [*beside(self._path), *((self._path,) if self._path.exists() else ())]
        if not files:
            raise FileNotFoundError(f"{self._path} is not there")
        return [each for each in files if each.stat().st_mtime >= since.timestamp()]


def _batches(path: Path, since: datetime, until: datetime) -> Iterator[Records]:
    with _opened(path) as file:
        if path.suffix != ".gz":
            file.seek(_place_of(file, path.stat().st_size, since))
        rows: list[CdrRow] = []
        torn: list[str] = []
        waiting: list[str] = []  # what stands before the first record that can be read
        last: datetime | None = None
        for line in file:
            found = read_line(line)
            ended = [in_utc(row) for row in found.rows]
            last = ended[-1].end if ended else last
            if found.unreadable:
                waiting.append(found.unreadable.decode("utf-8", "replace"))
            if last is not None:
                # records stand in the order of their ends: one that tells no time ended about when its neighbour did
                torn.extend(waiting if since <= last < until else ())
                waiting.clear()
            if last is not None and last > until + LONGEST_CALL:
                break
            if line.endswith(b"\n"):  # else it is being written, or was cut off
                rows.extend(ended)
            if len(rows) >= _BATCH:
                yield Records(rows, tuple(torn))
                rows, torn = [], []
        torn.extend(waiting)
        if rows or torn:
            yield Records(rows, tuple(torn))


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _place_of(file: BinaryIO, size: int, since: datetime) -> int:
    """A byte before the first record that ended at `since` or later: records stand in the order of their ends."""
    low, high = 0, size
    while high - low > 64 * 1024:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        row = next((found for line in file if (found := parse_row(line)) is not None), None)
        # batches are written in a little disorder
        if row is None or in_utc(row).end >= since - timedelta(hours=1):
            high = middle
        else:
            low = middle
    file.seek(low)
    if low:
        file.readline()
    return file.tell()


def epoch(text: str) -> datetime | None:
    """A moment as it was written down; None where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
