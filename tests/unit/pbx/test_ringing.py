"""Whose telephones a call rings just now: told as it changes, once for a burst, and never wrong when it is quiet."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.pbx.book import BookLimits, CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import (
    BridgeEntered,
    CallEvent,
    ChannelCreated,
    ChannelListed,
    DialEnded,
    Dialled,
    HangupAsked,
    HungUp,
)
from channels.pbx.inbound import CallFactsReader
from channels.pbx.reducer import Kind
from channels.pbx.states import Ringing, Talking
from crm_core.messages import CallRinging, ChannelKey
from crm_core.model.call import CallSnapshot, CallState, Direction
from tests.unit.pbx.build import at, caller, chan
from tests.unit.pbx.test_book_properties import EVENTS

CLIENT = caller()
READER = CallFactsReader(ChannelKey("pbx", "office"), PbxProfile(), "RU")

A, B = "101", "102"
# What each captured call is told to ring, asked after every event, between the facts that it makes.
STORIES = {
    "101_busy_then_102": "started | 101 | nobody | 102 | answered | finished",
    "ami_blindtransfer_101_to_102": "started | 101 | answered | 102 (nobody) | nobody (102) | finished",
    "ami_redirect_101_to_102": "started | 101 | answered | 102 (nobody) | nobody (102) | finished",
    "callback_manager_no_answer": "started | finished",
    "callback_originate_answered": "started | answered | finished",
    "caller_abandons_ringing": "started | 101 | nobody | finished",
    "inbound_answered_caller_hangs_up": "started | 101 | answered | finished",
    "inbound_noanswer_timeout": "started | 101 | nobody | finished",
    "moves/attended_transfer": "started | 101 | answered | nobody (102) | finished",
    "moves/blind_transfer": "started | 101 | answered | 102 (nobody) | nobody (102) | finished",
    "moves/blind_transfer_not_taken": "started | 101 | answered | 102 (nobody) | nobody (nobody) | finished",
    "moves/forwarded_to_a_mobile": "started | 101 | nobody | 89990001122@trunk | answered | finished",
    "moves/hold": "started | 101 | answered | finished",
    "moves/local_channel": "started | 101 | answered | finished",
    "moves/outgoing": "started | answered | finished",
    "moves/parked_and_fetched": "started | 101 | answered | nobody (nobody) | nobody (102) | finished",
    "moves/picked_up_by_channel": "started | 101 | nobody | answered | finished",
    "moves/picked_up_by_group": "started | 101 | nobody | answered | finished",
    "moves/placed_answered": "started | answered | finished",
    "moves/placed_client_busy": "started | finished",
    "moves/placed_person_declines": "started | finished",
    "moves/placed_person_gives_up": "started | finished",
    "moves/placed_person_silent": "started | finished",
    "moves/placed_trunk_refuses": "started | finished",
    "moves/queue_through_local_channels": "started | 101 | nobody | 102 | answered | finished",
    "queue_two_members": "started | 101 | 101+102 | 102 | answered | finished",
}


def rings(call: CallSnapshot) -> list[str]:
    """The endpoints that ring, as the fact of it has them."""
    payload = READER.of_ringing(call).payload
    assert isinstance(payload, CallRinging)
    legs = [leg for leg in payload.call.legs if leg.ended_at is None and leg.answered_at is None]
    return sorted(leg.endpoint.removeprefix("PJSIP/") for leg in legs)


def told(events: Iterable[tuple[CallEvent, bytes]]) -> list[str]:
    """What a stream tells, where one asks after every event."""
    book, found = CallBook(PbxProfile()), list[str]()
    for event, block in events:
        found += [each.kind.value for each in book.apply(event, block)]
        found += [_said(each) for each in book.ringing()]
    return found


def _said(call: CallSnapshot) -> str:
    """Who rings; of a call that was answered, also who talks, in brackets."""
    ringing = "+".join(rings(call)) or "nobody"
    if call.answered_at is None:
        return ringing
    talks = next((talk.endpoint.removeprefix("PJSIP/") for talk in call.talks if talk.until is None), "nobody")
    return f"{ringing} ({talks})"


def _book(*events: CallEvent) -> CallBook:
    book = CallBook(PbxProfile())
    for event in events:
        book.apply(event, repr(event).encode())
    return book


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_captured_calls(name: str) -> None:
    assert " | ".join(told(EVENTS[name])) == STORIES[name]


def test_twenty_telephones_are_one_fact_and_so_is_their_falling_silent() -> None:
    legs = [chan(f"PJSIP/{number}", str(number), "1") for number in range(100, 120)]
    book = _book(ChannelCreated(at(0), CLIENT), *(Dialled(at(1), CLIENT, leg, "") for leg in legs))
    (call,) = book.ringing()
    assert len(rings(call)) == 20
    assert (call.state, call.number, call.answered_at) == (CallState.RINGING, "79161234567", None)
    assert book.ringing() == ()
    for leg in legs[1:]:
        book.apply(DialEnded(at(9), CLIENT, leg, "CANCEL"), b"")
    (call,) = book.ringing()
    assert rings(call) == ["100"]


def test_who_is_busy_at_once_is_not_told_to_ring() -> None:
    leg = chan("PJSIP/101", "2", "1")
    book = _book(
        ChannelCreated(at(0), CLIENT), Dialled(at(1), CLIENT, leg, "101"), DialEnded(at(1), CLIENT, leg, "BUSY")
    )
    assert book.stirred
    assert book.ringing() == ()


def test_who_picked_up_rings_until_they_are_through_or_gone() -> None:
    first, second = chan("PJSIP/101", "2", "1"), chan("PJSIP/102", "3", "1")
    book = _book(ChannelCreated(at(0), CLIENT), Dialled(at(1), CLIENT, first, "101"))
    assert [rings(each) for each in book.ringing()] == [[A]]
    # "press 1 to take the call"
    book.apply(DialEnded(at(3), CLIENT, first, "ANSWER"), b"")
    assert book.ringing() == ()
    book.apply(Dialled(at(4), CLIENT, second, "102"), b"")
    assert [rings(each) for each in book.ringing()] == [[A, B]]
    book.apply(HungUp(at(5), first, 16, ""), b"")
    assert [rings(each) for each in book.ringing()] == [[B]]
    book.apply(DialEnded(at(6), CLIENT, second, "ANSWER"), b"")
    book.apply(BridgeEntered(at(6), second, "b"), b"")
    (answered,) = book.apply(BridgeEntered(at(6), CLIENT, "b"), b"")
    assert answered.kind is Kind.ANSWERED
    assert book.ringing() == ()


def test_the_client_who_left_rings_nobody() -> None:
    leg = chan("PJSIP/101", "2", "1")
    book = _book(ChannelCreated(at(0), CLIENT), Dialled(at(1), CLIENT, leg, "101"))
    book.apply(HangupAsked(at(2), CLIENT), b"")
    book.apply(HungUp(at(2), CLIENT, 127, ""), b"")
    assert book.ringing() == ()


def test_calls_of_the_office_and_inner_ones_are_not_told() -> None:
    manager, trunk = chan("PJSIP/101", "1"), chan("PJSIP/trunk", "2", "1")
    book = _book(ChannelCreated(at(0), manager), Dialled(at(1), manager, trunk, "79161234567@trunk"))
    assert book.ringing() == ()
    book = _book(ChannelCreated(at(0), manager), Dialled(at(1), manager, chan("PJSIP/102", "2", "1"), "102"))
    assert book.ringing() == ()


@pytest.mark.parametrize("phone_first", [True, False])
def test_a_link_that_comes_in_the_middle_learns_it_from_the_list(phone_first: bool) -> None:
    phone = ChannelListed(at(5), chan("PJSIP/101", "1795314527.9", "1795314526.8"), "")
    client = ChannelListed(at(5), caller("1795314526.8"), "")
    book = _book(*((phone, client) if phone_first else (client, phone)))
    (call,) = book.ringing()
    assert rings(call) == [A]
    (leg,) = call.legs
    assert leg.rang_at.microsecond == 0


def test_a_wire_rings_in_the_name_of_the_telephone_behind_it() -> None:
    wire, far_end = chan("Local/101@office", "2", "1"), chan("Local/101@office", "4", "1")
    phone = chan("PJSIP/101", "5", "1")
    book = _book(ChannelCreated(at(0), CLIENT), Dialled(at(0), CLIENT, wire, "101@office"))
    assert book.ringing() == ()
    book.apply(Dialled(at(0.1), far_end, phone, "101"), b"")
    assert [rings(each) for each in book.ringing()] == [[A]]


def test_an_inner_call_that_becomes_part_of_a_client_s_brings_its_ringing_along() -> None:
    wire, phone = chan("Local/101@office", "4"), chan("PJSIP/101", "5", "4")
    book = _book(
        ChannelCreated(at(0), CLIENT),
        ChannelCreated(at(1), wire),
        Dialled(at(1), wire, phone, "101"),
    )
    assert book.ringing() == ()
    book.apply(Dialled(at(2), CLIENT, wire, "101@office"), b"")
    assert [rings(each) for each in book.ringing()] == [[A]]


def test_its_fact_has_an_id_that_grows_and_no_raw_form() -> None:
    first, second = chan("PJSIP/101", "2", "1"), chan("PJSIP/102", "3", "1")
    book = _book(ChannelCreated(at(0), CLIENT), Dialled(at(1), CLIENT, first, "101"))
    one = READER.of_ringing(*book.ringing())
    book.apply(DialEnded(at(9), CLIENT, first, "NOANSWER"), b"")
    book.apply(Dialled(at(9.1), CLIENT, second, "102"), b"")
    two = READER.of_ringing(*book.ringing())
    assert [each.external_id for each in (one, two)] == ["1:ringing:1", "1:ringing:3"]
    assert [each.occurred_at for each in (one, two)] == [at(1), at(9.1)]
    assert (one.raw, one.correlation_id, [str(each) for each in one.sender.identities]) == (
        b"", "1", ["tel:+79161234567"],
    )  # fmt: skip


@st.composite
def _heard(draw: st.DrawFn) -> tuple[list[tuple[CallEvent, bytes]], list[bool]]:
    """Several calls at once, lossy and repeated, and after which events one asks who rings."""
    names = draw(st.lists(st.sampled_from(sorted(EVENTS)), min_size=1, max_size=3, unique=True))
    streams = [list(EVENTS[name]) for name in names]
    events: list[tuple[CallEvent, bytes]] = []
    lossy = draw(st.booleans())
    while any(streams):
        stream = draw(st.sampled_from([each for each in streams if each]))
        event = stream.pop(0)
        events += [event] * (draw(st.sampled_from([0, 1, 1, 1, 1, 2])) if lossy else 1)
    asked = draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)))
    return events, asked


@given(_heard())
def test_what_was_told_last_is_how_it_stands(heard: tuple[list[tuple[CallEvent, bytes]], list[bool]]) -> None:
    events, asked = heard
    book = CallBook(PbxProfile())
    known: dict[str, CallSnapshot] = {}
    ids: set[str] = set()
    for (event, block), ask in zip(events, asked, strict=True):
        for transition in book.apply(event, block):
            if transition.kind is not Kind.STARTED:
                known.pop(transition.call.linkedid, None)
        if not ask:
            continue
        answer = book.ringing()
        assert len({each.linkedid for each in answer}) == len(answer)  # one a call, however much happened
        for call in answer:
            assert call.state is CallState.ANSWERED or (call.direction, call.state) == (Direction.IN, CallState.RINGING)
            known[call.linkedid] = call
            ident = READER.of_ringing(call).external_id
            assert ident not in ids
            ids.add(ident)
        for linkedid, entry in book._calls.items():
            if isinstance(entry.state, Ringing) and entry.state.facts.direction is Direction.IN:
                now = [leg.endpoint for leg in entry.state.facts.legs if leg.ended_at is None]
                last = known[linkedid].legs if linkedid in known else ()
                assert sorted(now) == sorted(leg.endpoint for leg in last if leg.ended_at is None)
            elif isinstance(entry.state, Talking):
                assert entry.told == entry.state.concerns


@given(_heard())
def test_what_is_to_be_asked_for_stays_small(heard: tuple[list[tuple[CallEvent, bytes]], list[bool]]) -> None:
    book = CallBook(PbxProfile(), BookLimits(calls=2, ended=3))
    for event, block in heard[0]:
        book.apply(event, block)
        assert book._stirred.keys() <= book.live
