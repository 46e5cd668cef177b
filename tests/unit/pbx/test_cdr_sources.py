"""Call records from a table as from the file: the same calls, whatever columns, zones, rotations, sizes there are."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.pbx.call_facts import PbxProfile
from channels.pbx.cdr import CdrPlace, calls_of, parse_row, read_since, settled_call
from channels.pbx.cdr_day import recorded
from channels.pbx.cdr_sources import CdrSource, CsvFile
from channels.pbx.cdr_table import CdrTable
from channels.pbx.inbound import CallFactsReader
from crm_core.errors import StorageUnavailable
from crm_core.messages import CallChanged, ChannelKey
from crm_core.ports import RecordedCalls
from tests.fakes.foreign_rows import MemoryRows

FIXTURES = Path(__file__).parents[2] / "fixtures" / "pbx"
PROFILE = PbxProfile(inbound_contexts=("from-trunk", "in-"))
FACTS = CallFactsReader(ChannelKey("pbx", "office"), PROFILE, "RU")
NAMES = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata"),
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield"),
    *("peeraccount", "linkedid", "sequence"),
)
LINES = [line for path in sorted(FIXTURES.glob("*.cdr.csv")) for line in path.read_bytes().splitlines()]
DAY = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
FREEPBX = (
    *("calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration"),
    *("billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "did", "linkedid", "sequence"),
)


def now() -> datetime:
    return DAY[1]


def table_rows(ahead: timedelta = timedelta(0)) -> list[dict[str, Any]]:
    """The captured records as a table of FreePBX holds them, by a clock that is so far ahead of UTC."""
    found = []
    for fields in csv.reader(line.decode() for line in LINES):
        named: dict[str, Any] = dict(zip(NAMES, fields, strict=True))
        named["calldate"] = datetime.fromisoformat(named["start"]) + ahead
        named["did"] = "74951234567" if named["dcontext"] == "from-trunk" else ""
        named["duration"] = int(named["duration"])
        found.append({name: named[name] for name in FREEPBX})
    return found


async def all_of(source: CdrSource, *bounds: datetime, most_rows: int = 20_000) -> list[RecordedCalls]:
    since, until = bounds or DAY
    return [portion async for portion in recorded((source,), FACTS, since, until, most_rows)]


def calls(portions: list[RecordedCalls]) -> dict[str, Any]:
    found = {}
    for portion in portions:
        for event in portion.events:
            assert isinstance(event.payload, CallChanged)
            assert event.correlation_id not in found
            found[event.correlation_id] = event.payload.call
    return found


def from_the_file() -> dict[str, Any]:
    rows = [row for line in LINES if (row := parse_row(line)) is not None]
    found = {linkedid: settled_call(each, PROFILE) for linkedid, each in calls_of(rows).items()}
    return {linkedid: call for linkedid, call in found.items() if call is not None}


async def chunks(source: CdrSource, since: datetime, until: datetime) -> AsyncIterator[int]:
    async for rows in source.between(since, until):
        yield len(rows.rows)


@pytest.mark.parametrize("hours", [0, 3, -8, 5.5])
async def test_a_table_tells_what_the_file_tells_in_whatever_zone_it_is(hours: float) -> None:
    table = CdrTable(MemoryRows(table_rows(timedelta(hours=hours))), now)
    found, expected = calls(await all_of(table)), from_the_file()
    assert found.keys() == expected.keys()
    for linkedid, call in expected.items():
        other = found[linkedid]
        assert (other.state, other.direction, other.number, other.answered_by) == (
            *(call.state, call.direction, call.number, call.answered_by),
        )
        assert other.started_at == call.started_at
        # a table without the columns «answer» and «end» has them to the second
        assert other.finished_at is not None
        assert call.finished_at is not None
        assert abs(other.finished_at - call.finished_at) <= timedelta(seconds=1)


async def test_the_dialled_number_of_freepbx_is_the_line() -> None:
    found = calls(await all_of(CdrTable(MemoryRows(table_rows()), now)))
    assert "74951234567" in {call.line for call in found.values()}


async def test_what_a_table_lacks_is_told() -> None:
    rows = [{name: value for name, value in row.items() if name != "linkedid"} for row in table_rows()]
    table = CdrTable(MemoryRows(rows), now)
    assert "no column linkedid" in await table.proof()
    assert "userfield" not in await table.proof()
    assert len(calls(await all_of(table))) >= len(from_the_file()) - 1


async def test_a_table_that_holds_no_call_records_is_refused() -> None:
    table = CdrTable(MemoryRows([{"id": 1, "name": "x"}]), now)
    with pytest.raises(StorageUnavailable, match=r"no column src.*calldate"):
        await table.proof()


async def test_only_what_is_new_is_read_from_a_table() -> None:
    rows = table_rows(timedelta(hours=3))
    memory = MemoryRows([], FREEPBX)
    table = CdrTable(memory, now)
    assert (await table.since(None))[0] == []
    memory.rows = rows[:5]
    place = datetime(2026, 11, 22, 2, tzinfo=UTC).isoformat()
    first, place = await table.since(place)
    assert len(first) == 5
    later = (datetime.fromisoformat(place) + timedelta(hours=1)).isoformat()
    memory.rows = rows
    assert (await table.since(later))[0] == []


async def test_rows_that_make_no_sense_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    rows = table_rows()
    rows[0]["billsec"] = None
    rows[0]["src"] = 'x"\n,\r${SHELL(id)}\0'
    odd = [dict(rows[1], calldate="0000-00-00 00:00:00"), dict(rows[1], calldate="nonsense", uniqueid="")]
    memory = MemoryRows(rows)
    table = CdrTable(memory, now)
    assert len(calls(await all_of(table))) == len(from_the_file())
    assert all(_dropped(each) for each in odd)
    assert "without a time" in caplog.text


def _dropped(row: dict[str, Any]) -> bool:
    from channels.pbx.cdr_table import _row  # what one row of a table becomes

    return _row(row, "calldate") is None


async def test_a_day_is_read_from_all_files_that_once_were_it(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    thirds = [LINES[:5], LINES[5:9], LINES[9:]]
    with gzip.open(tmp_path / "Master.csv.2.gz", "wb") as file:
        file.write(b"\n".join(thirds[0]) + b"\n")
    (tmp_path / "Master.csv.1").write_bytes(b"\n".join(thirds[1]) + b"\n")
    path.write_bytes(b"\n".join(thirds[2]) + b"\n")
    assert calls(await all_of(CsvFile(path))).keys() == from_the_file().keys()


async def test_files_from_before_the_day_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(b"\n".join(LINES) + b"\n")
    old = tmp_path / "Master.csv.1"
    old.write_bytes(b"\n".join(LINES) + b"\n")
    before = (DAY[0] - timedelta(days=1)).timestamp()
    os.utime(old, (before, before))
    assert [size async for size in chunks(CsvFile(path), *DAY)] == [len(LINES)]


async def test_the_day_is_found_in_the_middle_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    start = datetime(2026, 11, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8") as file:
        for number in range(30 * 24 * 12):
            at = start + timedelta(minutes=5 * number)
            epoch, text = int(at.timestamp()), f"{at:%Y-%m-%d %H:%M:%S}"
            file.write(
                f'"","7916{number:07}","s","from-trunk","","PJSIP/trunk-{number}","","Dial","","{text}",,"{text}",0,0,'
                f'"NO ANSWER","","{epoch}.{number}","hub:+74951234567","","{epoch}.{number}",{number}\n'
            )
    found = calls(await all_of(CsvFile(path)))
    assert len(found) == 24 * 12
    assert min(call.started_at for call in found.values()) == DAY[0]
    read = sum([size async for size in chunks(CsvFile(path), *DAY)])
    assert read < 3 * 24 * 12, "far more than the day was read"


async def test_a_big_day_is_told_in_parts_and_each_call_once(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(b"\n".join(LINES) + b"\n")
    whole = calls(await all_of(CsvFile(path)))
    assert calls(await all_of(CsvFile(path), most_rows=3)) == whole


async def test_half_a_line_at_the_end_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(b"\n".join(LINES[:-1]) + b"\n" + LINES[-1][:40])
    assert sum([size async for size in chunks(CsvFile(path), *DAY)]) == len(LINES) - 1


async def test_what_was_rotated_twice_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(LINES[0] + b"\n")
    source = CsvFile(path)
    _, place = await source.since(None)
    with path.open("ab") as file:
        file.write(LINES[1] + b"\n")
    path.rename(tmp_path / "Master.csv-20261121")
    path.write_bytes(LINES[2] + b"\n")
    path.rename(tmp_path / "Master.csv-20261122")
    os.utime(tmp_path / "Master.csv-20261121", (1_000_000_000, 1_000_000_000))
    path.write_bytes(LINES[3] + b"\n")
    rows, _ = await source.since(place)
    assert [row.raw for row in rows] == LINES[1:4]


async def test_without_a_file_the_day_can_not_be_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await all_of(CsvFile(tmp_path / "Master.csv"))


async def test_half_a_row_without_its_end_does_not_swallow_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(b"\n".join(LINES[:5]) + b"\n" + LINES[3][:90] + b"\n".join(LINES[5:]) + b"\n")
    portions = await all_of(CsvFile(path))
    assert calls(portions).keys() == from_the_file().keys()
    assert [each for portion in portions for each in portion.unreadable] == [LINES[3][:90].decode()]
    rows, _ = read_since(path, CdrPlace(path.stat().st_ino, 0))
    assert [row.raw for row in rows] == LINES


async def test_what_can_not_be_read_is_told_once_of_its_own_day(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(b"\n".join(LINES[:5]) + b"\n\0\0 junk\n" + b"\n".join(LINES[5:]) + b"\n" + LINES[-1][:40])
    torn = ["\0\0 junk", LINES[-1][:40].decode()]
    for most_rows in (3, 1000):
        told = await all_of(CsvFile(path), most_rows=most_rows)
        assert [each for portion in told for each in portion.unreadable] == torn
    for before in (1, -1):
        day = (DAY[0] - timedelta(days=before), DAY[1] - timedelta(days=before))
        assert [each for portion in await all_of(CsvFile(path), *day) for each in portion.unreadable] == []


async def test_rows_of_a_table_that_can_not_be_read_are_told() -> None:
    rows = table_rows()
    rows.append(dict(rows[1], uniqueid="", linkedid=""))
    told = await all_of(CdrTable(MemoryRows(rows), now))
    assert len([each for portion in told for each in portion.unreadable]) == 1
    assert len(calls(told)) == len(from_the_file())
