"""Call records: nine real calls, files that rotate and end in the middle, clocks of other zones."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from channels.pbx.call_facts import PbxProfile
from channels.pbx.cdr import CdrPlace, calls_of, end_of, parse_row, read_line, read_since, settled_call
from crm_core.model.call import CallSnapshot, CallState, Direction
from tests.unit.pbx.streams import FIXTURES, STREAMS, replay

RECORDS = {name: (FIXTURES / f"{name}.cdr.csv").read_bytes() for name in STREAMS}
NOT_ALIKE = {
    "callback_manager_no_answer",  # a call whose client was never dialled leaves a record without one
    "caller_abandons_ringing",  # records can't tell a caller who gave up from nobody who answered
}


def _settled(data: bytes) -> CallSnapshot | None:
    rows = [row for line in data.splitlines() if (row := parse_row(line)) is not None]
    ((_, records),) = calls_of(rows).items()
    return settled_call(records, PbxProfile())


@pytest.mark.parametrize("name", sorted(set(STREAMS) - NOT_ALIKE))
def test_records_tell_what_the_events_told(name: str) -> None:
    seen = replay(name)[1][-1].call
    told = _settled(RECORDS[name])
    assert told is not None
    assert told.settled
    assert (told.linkedid, told.direction, told.number) == (seen.linkedid, seen.direction, seen.number)
    assert (told.state, told.answered_by) == (seen.state, seen.answered_by)
    assert abs(told.started_at - seen.started_at) < timedelta(seconds=1)
    assert told.finished_at is not None
    assert seen.finished_at is not None
    assert abs(told.finished_at - seen.finished_at) < timedelta(seconds=1.1)
    assert told.progress == 2 < seen.progress


def test_what_records_cannot_tell_is_missed() -> None:
    told = _settled(RECORDS["caller_abandons_ringing"])
    assert told is not None
    assert told.state is CallState.MISSED
    assert _settled(RECORDS["callback_manager_no_answer"]) is None


def test_two_rows_of_a_missed_call_are_one_call() -> None:
    told = _settled(RECORDS["inbound_noanswer_timeout"])
    assert told is not None
    assert (told.state, len(told.legs), told.line) == (CallState.MISSED, 1, "1000")


def test_an_announcement_that_answered_is_nobody() -> None:
    row = RECORDS["inbound_answered_caller_hangs_up"].replace(b'"PJSIP/101-00000009"', b'""')
    told = _settled(row)
    assert told is not None
    assert (told.state, told.answered_at) == (CallState.MISSED, None)


def test_the_line_is_what_the_dialplan_noted() -> None:
    told = _settled(RECORDS["inbound_answered_caller_hangs_up"].replace(b'"in-agi"', b'"hub:+74951234567"'))
    assert told is not None
    assert told.line == "+74951234567"


def test_a_call_that_rang_the_fallback_is_a_clients_also_where_no_trunk_is_named() -> None:
    row = (
        b'"","79160000003","s","hub-fallback","""Client"" <79160000003>","PJSIP/line-00000002","PJSIP/103-00000003",'
        b'"Dial","PJSIP/103,30","2026-11-22 08:33:46","","2026-11-22 08:33:48",2,0,"NO ANSWER","DOCUMENTATION",'
        b'"office-1795336426.2","hub:+74951234567","","office-1795336426.2",2'
    )
    told = settled_call([parsed for parsed in [parse_row(row)] if parsed is not None], PbxProfile(trunks=frozenset()))
    assert told is not None
    assert (told.direction, told.state, told.line) == (Direction.IN, CallState.MISSED, "+74951234567")


def test_an_outgoing_call() -> None:
    told = _settled(RECORDS["callback_originate_answered"])
    assert told is not None
    assert (told.direction, told.number, told.answered_by) == (Direction.OUT, "79161234567", "PJSIP/101")


def test_a_file_in_local_time_is_understood() -> None:
    local = RECORDS["101_busy_then_102"].replace(b"2026-11-22 02:", b"2026-11-22 05:")
    assert _settled(local) == _settled(RECORDS["101_busy_then_102"])


def test_everybody_busy() -> None:
    told = _settled(RECORDS["101_busy_then_102"].splitlines()[0])
    assert told is not None
    assert (told.state, told.legs[0].cause) == (CallState.BUSY, 17)


@pytest.mark.parametrize("junk", [b"half,a,row", b'"unclosed', b"\xff\xfe,,,", b",".join([b"x"] * 21)])
def test_rows_that_are_none_are_told_and_passed_over(junk: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert parse_row(junk) is None
    assert "was not understood" in caplog.text
    assert parse_row(b"\n") is None


def test_a_line_without_its_end_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    first, second = RECORDS["101_busy_then_102"].splitlines(keepends=True)
    path.write_bytes(first + second[:50])
    rows, place = read_since(path, None)
    assert len(rows) == 1
    with path.open("ab") as file:
        file.write(second[50:])
    rows, place = read_since(path, place)
    assert [row.partner for row in rows] == ["PJSIP/102-00000010"]
    assert read_since(path, place) == ([], place)


def test_what_was_written_before_a_rotation_is_read_first(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    first, second = RECORDS["101_busy_then_102"].splitlines(keepends=True)
    path.write_bytes(first)
    place = end_of(path)
    with path.open("ab") as file:
        file.write(second)
    path.rename(tmp_path / "Master.csv.1")
    path.write_bytes(RECORDS["queue_two_members"])
    rows, place = read_since(path, place)
    assert [row.partner[:9] for row in rows] == ["PJSIP/102", "PJSIP/101", "PJSIP/102"]
    assert place == end_of(path)


def test_a_file_that_was_cut_short_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    path.write_bytes(RECORDS["queue_two_members"])
    place = end_of(path)
    path.write_bytes(RECORDS["queue_two_members"].splitlines(keepends=True)[0])
    assert len(read_since(path, place)[0]) == 1


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "Master.csv"
    assert end_of(path) is None
    assert read_since(path, None) == ([], None)
    assert read_since(path, CdrPlace(0, 0)) == ([], CdrPlace(0, 0))
    path.write_bytes(RECORDS["queue_two_members"])
    assert len(read_since(path, CdrPlace(0, 0))[0]) == 2


def test_places_survive_being_written_down() -> None:
    assert CdrPlace.parse(str(CdrPlace(7, 42))) == CdrPlace(7, 42)
    assert CdrPlace.parse(None) is None
    assert CdrPlace.parse("junk") is None


def test_whoever_picked_up_what_rang_elsewhere_answered() -> None:
    rang = (
        b'"","79160000003","s","from-trunk","""Client"" <79160000003>","PJSIP/trunk-00000002","PJSIP/101-00000003",'
        b'"Dial","PJSIP/101,30","2026-11-22 08:33:46","2026-11-22 08:33:50","2026-11-22 08:33:50",4,0,"ANSWERED",'
        b'"DOCUMENTATION","office-1795336426.2","hub:+74951234567","","office-1795336426.2",2'
    )
    talked = (
        rang.replace(b"PJSIP/101-00000003", b"PJSIP/102-00000004")
        .replace(b'"2026-11-22 08:33:50",4,0', b'"2026-11-22 08:34:50",60,60')
        .replace(b'1795336426.2",2', b'1795336426.2",4')
    )
    told = _settled(rang + b"\n" + talked + b"\n")
    assert told is not None
    assert told.answered_by == "PJSIP/102"
    assert [(leg.endpoint, leg.answered_at is not None) for leg in told.legs] == [
        *(("PJSIP/101", False), ("PJSIP/102", True)),
    ]
    alone = _settled(rang + b"\n")
    assert alone is not None
    assert (alone.state, alone.answered_by) == (CallState.ANSWERED, "PJSIP/101")


def test_wherever_a_row_is_torn_the_one_behind_it_is_read() -> None:
    torn, whole = RECORDS["101_busy_then_102"].splitlines()
    for cut in range(1, len(torn) + 1):
        found = read_line(torn[:cut] + whole + b"\n")
        row = found.rows[-1]
        assert (row.uniqueid, row.partner, row.source) == ("test-1795314549.14", "PJSIP/102-00000010", "79161234567"), (
            cut
        )
        if len(found.rows) == 2:
            assert found.rows[0].partner == "PJSIP/101-0000000f", cut  # its number or its end is all it lost
            assert cut > torn.rindex(b","), cut
        else:
            # next to nothing before a row may be taken for its account
            assert found.unreadable == torn[:cut] or cut < 3, cut


def test_two_torn_rows_are_one_that_can_not_be_read() -> None:
    torn, whole = RECORDS["101_busy_then_102"].splitlines()
    found = read_line(torn[:30] + torn[:70] + whole + b"\r\n")
    assert [row.raw for row in found.rows] == [whole]
    assert found.unreadable == torn[:30] + torn[:70]
    assert read_line(torn[:90]).unreadable == torn[:90]
