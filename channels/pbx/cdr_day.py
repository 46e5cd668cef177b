"""All calls that a PBX recorded in some time, whole and each once, however many there are."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from channels.pbx.cdr import CdrRow
from channels.pbx.cdr_sources import CdrSource, CsvFile
from channels.pbx.cdr_table import CdrTable
from channels.pbx.config import PbxConfig
from channels.pbx.events import created_at
from channels.pbx.inbound import CallFactsReader
from crm_core.ports import ChannelContext, RecordedCalls

# So many records are held in memory at most; of a bigger day a part of the calls at a time.
MOST_ROWS = 20_000
_TOGETHER = 200


def cdr_sources(config: PbxConfig, context: ChannelContext) -> tuple[CdrSource, ...]:
    """The places where this PBX writes call records; ValueError where the address of a database is none."""
    found: list[CdrSource] = []
    if config.cdr_sql is not None and context.foreign is not None:
        found.append(CdrTable(context.foreign(config.cdr_sql, config.cdr_table), context.clock.now))
    if config.cdr is not None:
        found.append(CsvFile(config.cdr))
    return tuple(found)


async def recorded(
    sources: Sequence[CdrSource],
    facts: CallFactsReader,
    since: datetime,
    until: datetime,
    most_rows: int = MOST_ROWS,
) -> AsyncIterator[RecordedCalls]:
    """See `crm_core.ports.KeepsCallRecords`."""
    unreadable: list[str] = []
    calls, count = await _calls(sources, since, until, 0, 1, most_rows, unreadable)
    if unreadable:
        yield RecordedCalls((), unreadable=tuple(unreadable))
    parts = count // most_rows + 1
    for part in range(parts):
        if parts > 1:
            calls, _ = await _calls(sources, since, until, part, parts, None)
        whole = [sorted(rows.values(), key=lambda row: (row.start, row.sequence)) for rows in calls.values()]
        for begin in range(0, len(whole), _TOGETHER):
            yield _portion(whole[begin : begin + _TOGETHER], facts)
        calls = {}


def _portion(calls: Sequence[list[CdrRow]], facts: CallFactsReader) -> RecordedCalls:
    # with more records the call may look otherwise, and is another fact
    found = [facts.of_records(rows, f"reconciled-{len(rows)}") for rows in calls]
    events = tuple(event for event in found if event is not None)
    return RecordedCalls(events, len(found) - len(events))


async def _calls(
    sources: Sequence[CdrSource],
    since: datetime,
    until: datetime,
    part: int,
    parts: int,
    most_rows: int | None,
    unreadable: list[str] | None = None,
) -> tuple[dict[str, dict[tuple[object, ...], CdrRow]], int]:
    """The records of a part of the calls, by call, and how many; none where they are more than `most_rows`.

    Those that can't be read go to `unreadable`.
    """
    calls: dict[str, dict[tuple[object, ...], CdrRow]] = {}
    count = 0
    for source in sources:
        async for records in source.between(since, until):
            if unreadable is not None:
                unreadable.extend(records.unreadable)
            for row in records.rows:
                if not since <= created_at(row.linkedid, row.start) < until:
                    continue
                if parts > 1 and zlib.crc32(row.linkedid.encode()) % parts != part:
                    continue
                count += 1
                if most_rows is not None and count > most_rows:
                    calls.clear()
                    continue
                # file and table may both hold it
                calls.setdefault(row.linkedid, {})[row.uniqueid, row.partner, row.start] = row
    return calls, count
