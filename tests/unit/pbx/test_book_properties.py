"""Whatever happens to the stream on its way — lost, repeated, reordered events —, calls only move forward."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from channels.pbx.ami_wire import Splitter, parse_block
from channels.pbx.book import BookLimits, CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import CallEvent, parse_event
from channels.pbx.reducer import Kind, Transition
from tests.unit.pbx.streams import ARRIVED, FIXTURES, STREAMS, blocks_of, events_of

RANK = {Kind.STARTED: 0, Kind.ANSWERED: 1, Kind.FINISHED: 2}
EVENTS = {
    name: events_of(name) for name in (*STREAMS, *(f"moves/{path.stem}" for path in FIXTURES.glob("moves/*.ami")))
}


@st.composite
def _mangled(draw: st.DrawFn) -> list[tuple[CallEvent, bytes]]:
    names = draw(st.lists(st.sampled_from(sorted(EVENTS)), min_size=1, max_size=3, unique=True))
    events = [event for name in names for event in EVENTS[name]]
    kept = [event for event in events for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2])))]
    if draw(st.booleans()):
        random.Random(draw(st.integers(0, 1_000_000))).shuffle(kept)
    return kept


def _run(book: CallBook, events: list[tuple[CallEvent, bytes]]) -> list[Transition]:
    found: list[Transition] = []
    for event, block in events:
        found.extend(book.apply(event, block))
    book.sweep(0.0)
    found.extend(book.sweep(10.0))
    return found


@given(_mangled())
def test_states_only_move_forward(events: list[tuple[CallEvent, bytes]]) -> None:
    by_call: dict[str, list[Transition]] = {}
    for transition in _run(CallBook(PbxProfile()), events):
        by_call.setdefault(transition.call.linkedid, []).append(transition)
    for transitions in by_call.values():
        ranks = [RANK[each.kind] for each in transitions]
        assert ranks == sorted(set(ranks))
        for earlier, later in pairwise(transitions):
            assert later.call.progress >= earlier.call.progress
            assert earlier.call.answered_by in {None, later.call.answered_by}
        last = transitions[-1].call
        assert last.wait_s >= 0
        assert last.talk_s >= 0


@given(_mangled())
def test_the_book_stays_small(events: list[tuple[CallEvent, bytes]]) -> None:
    book = CallBook(PbxProfile(), BookLimits(calls=2, ended=3))
    _run(book, events)
    assert len(book) <= 2
    assert len(book._ended) <= 3
    assert set(book._owners.values()) <= book.live
    assert set(book._absorbed.values()) <= book.live
    channels = {party.uniqueid for entry in book._calls.values() for party in entry.state.facts.parties}
    assert {each for room in book._rooms.values() for each in room} <= channels
    assert {each for each, hosts in book._guests.items() if hosts} <= channels


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_a_stream_that_is_repeated_tells_nothing_new(name: str, data: st.DataObject) -> None:
    book = CallBook(PbxProfile())
    first = _run(book, EVENTS[name])
    again = data.draw(st.lists(st.sampled_from(EVENTS[name]), max_size=60))
    assert first[-1].kind is Kind.FINISHED
    assert _run(book, again) == []


@given(st.binary(max_size=300), st.integers(0, 40))
def test_any_bytes_are_survived(junk: bytes, at: int) -> None:
    book = CallBook(PbxProfile())
    blocks = blocks_of("caller_abandons_ringing")
    stream = b"\r\n\r\n".join([*blocks[:at], junk, *blocks[at:]]) + b"\r\n\r\n"
    for block in Splitter().feed(stream):
        event = parse_event(parse_block(block), ARRIVED)
        if isinstance(event, CallEvent):
            book.apply(event, block)


def test_forgotten_calls_leave_nothing_behind() -> None:
    book = CallBook(PbxProfile(), BookLimits(ended=5))
    for _ in range(3):
        for name in STREAMS:
            _run(book, EVENTS[name])
    assert len(book) == 0
    assert book._owners == {}
    assert book._leaving == {}
    assert len(book._ended) == 5
