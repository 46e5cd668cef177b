"""What the measurements rest on: multiplied streams, the little SIP they speak, the ratios they print."""

from __future__ import annotations

import os

from benchmarks.calls import rows
from benchmarks.measuring import Report
from benchmarks.processes import cpu_seconds, resident_mb
from benchmarks.replay import another, capture, let_through, together
from benchmarks.sip import Heard, SipMessage
from channels.pbx.ami import AmiAddress
from channels.pbx.ami_wire import Splitter, parse_block
from channels.pbx.book import CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.config import PbxConfig
from channels.pbx.events import CallEvent, parse_event
from channels.pbx.snippet import Part, snippet
from tests.unit.pbx.streams import ARRIVED

ANSWERED = "inbound_answered_caller_hangs_up"
INVITE = (
    b"INVITE sip:101@127.0.0.1:5101 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
    b'From: "Anna" <sip:79161234567@127.0.0.1>;tag=a\r\nTo: <sip:101@127.0.0.1:5101>\r\n'
    b"Call-ID: 1\r\nCSeq: 7 INVITE\r\n\r\nv=0\r\n"
)


def test_calls_that_are_multiplied_are_calls_of_their_own() -> None:
    blocks = capture(ANSWERED)
    stream = together([another(blocks, number, b"7916000000%d" % number) for number in range(3)])
    book = CallBook(PbxProfile())
    ended: list[tuple[str, str]] = []
    for block in Splitter().feed(b"Asterisk Call Manager/11.0.0\r\n" + stream):
        event = parse_event(parse_block(block), ARRIVED)
        if isinstance(event, CallEvent):
            ended += [(each.call.number, each.kind.value) for each in book.apply(event, block)]
    assert sorted(ended) == [
        (f"7916000000{number}", kind) for number in range(3) for kind in ("answered", "finished", "started")
    ]


def test_the_filters_of_the_printed_account_are_applied() -> None:
    manager = snippet(PbxConfig("office", AmiAddress("127.0.0.1", 5038, "hub", "secret")), Part.MANAGER)
    every = capture(ANSWERED)
    fewer = let_through(every, manager)
    assert 10 < len(fewer) < len(every) / 2
    assert not any(block.startswith(b"Event: VarSet") for block in fewer)


def test_a_telephone_answers_what_it_was_asked() -> None:
    message = SipMessage.parse(INVITE)
    assert (message.status, message.method, message.called) == (0, "INVITE", "101")
    answer = SipMessage.parse(message.answer("200 OK", "phone", "sip:101@127.0.0.1:5101", "v=0\r\n"))
    assert (answer.status, answer.method) == (200, "INVITE")
    assert answer.get("to") == "<sip:101@127.0.0.1:5101>;tag=phone"
    assert answer.get("via") == message.get("via")
    assert answer.get("content-length") == "5"


def test_a_failed_call_misses_the_aim_however_quick_the_others_are() -> None:
    report = Report("calls")
    rows(report, 20, Heard([1.0] * 99, ["79161234567: no answer in time"]), Heard([1.0] * 100), Heard([0.5] * 100))
    met = {row.what: row.met for row in report.rows}
    assert met["20 calls/s, p50, against minimal AGI"] is True
    assert met["20 calls/s, failed of 100"] is False
    assert next(row for row in report.rows if "p95, against AstDB" in row.what).ratio == 2.0


def test_a_process_is_looked_at_from_outside() -> None:
    assert cpu_seconds(os.getpid()) > 0
    assert 5 < resident_mb(os.getpid()) < 100_000
