"""Calls that no capture holds: refusals, all busy, pickup by a colleague, transfers, wires, forwarding, wishes."""

from __future__ import annotations

from channels.pbx.book import BookLimits, CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import (
    BridgeEntered,
    BridgeLeft,
    CallbackWished,
    ChannelChanged,
    ChannelCreated,
    ChannelListed,
    DialEnded,
    Dialled,
    HangupAsked,
    HungUp,
    RecordingStarted,
)
from channels.pbx.reducer import Kind
from crm_core.model.call import CallState, Direction
from tests.unit.pbx.build import at, caller, chan, run

CLIENT = caller()
LEG = chan("PJSIP/101", "2", "1")
OTHER = chan("PJSIP/102", "3", "1")


def test_a_call_refused_by_a_list_is_rejected() -> None:
    _, found = run(ChannelCreated(at(0), CLIENT), HungUp(at(0.01), CLIENT, 21, "Call Rejected"))
    assert [each.kind for each in found] == [Kind.STARTED, Kind.FINISHED]
    assert found[-1].call.state is CallState.REJECTED


def test_everybody_busy() -> None:
    _, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, LEG, "101"),
        DialEnded(at(0.1), CLIENT, LEG, "BUSY"),
        HungUp(at(0.1), LEG, 17, "User busy"),
        Dialled(at(0.2), CLIENT, OTHER, "102"),
        DialEnded(at(0.3), CLIENT, OTHER, "BUSY"),
        HungUp(at(0.3), OTHER, 17, "User busy"),
        HungUp(at(0.4), CLIENT, 17, "User busy"),
    )
    assert found[-1].call.state is CallState.BUSY
    assert [leg.cause for leg in found[-1].call.legs] == [17, 17]


def test_one_busy_and_one_silent_is_missed() -> None:
    _, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, LEG, "101"),
        DialEnded(at(0.1), CLIENT, LEG, "BUSY"),
        HungUp(at(0.1), LEG, 17, "User busy"),
        Dialled(at(0.2), CLIENT, OTHER, "102"),
        DialEnded(at(20), CLIENT, OTHER, "NOANSWER"),
        HungUp(at(20), OTHER, 0, ""),
        HungUp(at(20), CLIENT, 16, "Normal Clearing"),
    )
    assert found[-1].call.state is CallState.MISSED


def test_a_menu_that_answers_is_nobody_who_answers() -> None:
    _, found = run(
        ChannelCreated(at(0), CLIENT),
        ChannelChanged(at(0.1), CLIENT),
        CallbackWished(at(5), CLIENT),
        HangupAsked(at(6), CLIENT),
        HungUp(at(6), CLIENT, 16, "Normal Clearing"),
    )
    assert [each.kind for each in found] == [Kind.STARTED, Kind.FINISHED]
    assert found[-1].call.state is CallState.ABANDONED
    assert found[-1].call.wish_callback
    assert found[-1].call.wait_s == 6


def test_a_colleague_who_picks_the_call_up_has_answered_it() -> None:
    picked_up = chan("PJSIP/103", "2", "1")  # the leg's channel, moved to the colleague's telephone
    _, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, LEG, "101"),
        DialEnded(at(3), CLIENT, LEG, "ANSWER"),
        BridgeEntered(at(3), picked_up, "b"),
        BridgeEntered(at(3), CLIENT, "b"),
    )
    assert found[-1].kind is Kind.ANSWERED
    assert found[-1].call.answered_by == "PJSIP/103"


def test_a_telephone_behind_a_wire_answers_in_its_own_name() -> None:
    wire = chan("Local/101@from-internal", "2", "1")
    far_end = chan("Local/101@from-internal", "4", "1")
    _, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, wire, "101@from-internal"),
        Dialled(at(0), far_end, chan("PJSIP/101", "5", "1"), "101"),
        DialEnded(at(2), far_end, chan("PJSIP/101", "5", "1"), "ANSWER"),
        DialEnded(at(2), CLIENT, wire, "ANSWER"),
        BridgeEntered(at(2), wire, "a"),
        BridgeEntered(at(2), CLIENT, "a"),
    )
    assert found[-1].call.answered_by == "PJSIP/101"
    assert [leg.endpoint for leg in found[-1].call.legs] == ["PJSIP/101"]


def test_a_call_forwarded_to_a_mobile_stays_inbound() -> None:
    mobile = chan("PJSIP/trunk", "2", "1")
    _, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, mobile, "79990001122@trunk"),
        DialEnded(at(2), CLIENT, mobile, "ANSWER"),
        BridgeEntered(at(2), mobile, "b"),
        BridgeEntered(at(2), CLIENT, "b"),
        HangupAsked(at(9), mobile),
        HungUp(at(9), mobile, 16, ""),
        HungUp(at(9), CLIENT, 16, ""),
    )
    call = found[-1].call
    assert (call.direction, call.number, call.answered_by) == (Direction.IN, "79161234567", "PJSIP/79990001122@trunk")
    assert call.talk_s == 7


def test_an_attended_transfer_is_one_call() -> None:
    asking = chan("PJSIP/101", "3", "3", context="hub-outbound", exten="102")
    asked = chan("PJSIP/102", "4", "3")
    moved = chan("PJSIP/102", "4", "1")
    book, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, LEG, "101"),
        DialEnded(at(1), CLIENT, LEG, "ANSWER"),
        BridgeEntered(at(1), LEG, "b"),
        BridgeEntered(at(1), CLIENT, "b"),
        ChannelCreated(at(5), asking),
        Dialled(at(5), asking, asked, "102"),
        DialEnded(at(7), asking, asked, "ANSWER"),
        BridgeEntered(at(7), asked, "c"),
        BridgeEntered(at(7), asking, "c"),
        HungUp(at(9), asking, 16, ""),
        BridgeLeft(at(9), asked, "c"),
        BridgeLeft(at(9), LEG, "b"),
        BridgeEntered(at(9), moved, "b"),
        HungUp(at(9), LEG, 16, ""),
        HangupAsked(at(30), CLIENT),
        HungUp(at(30), CLIENT, 16, ""),
        HungUp(at(30), moved, 16, ""),
    )
    assert [each.kind for each in found] == [Kind.STARTED, Kind.ANSWERED, Kind.FINISHED]
    call = found[-1].call
    assert (call.answered_by, call.talk_s) == ("PJSIP/101", 29)
    assert [leg.endpoint for leg in call.legs] == ["PJSIP/101", "PJSIP/102"]
    assert len(book) == 0


def test_people_of_the_office_among_themselves_are_no_facts() -> None:
    asking = chan("PJSIP/101", "1", "1", number="101", context="hub-outbound", exten="102")
    asked = chan("PJSIP/102", "2", "1")
    book, found = run(
        ChannelCreated(at(0), asking),
        Dialled(at(0), asking, asked, "102"),
        DialEnded(at(1), asking, asked, "ANSWER"),
        BridgeEntered(at(1), asking, "b"),
        BridgeEntered(at(1), asked, "b"),
        HungUp(at(3), asked, 16, ""),
        HungUp(at(3), asking, 16, ""),
    )
    assert found == []
    assert len(book) == 0


def _outgoing(status: str, cause: int) -> CallState:
    manager = chan("PJSIP/101", "1", "1", number="101", context="hub-outbound", exten="79161234567")
    client = chan("PJSIP/trunk", "2", "1")
    _, found = run(
        ChannelCreated(at(0), manager),
        Dialled(at(1), manager, client, "79161234567@trunk"),
        DialEnded(at(9), manager, client, status),
        HungUp(at(9), client, cause, ""),
        HungUp(at(9.1), manager, cause, ""),
    )
    assert [each.kind for each in found] == [Kind.STARTED, Kind.FINISHED]
    assert (found[-1].call.direction, found[-1].call.number) == (Direction.OUT, "79161234567")
    return found[-1].call.state


def test_what_an_outgoing_call_comes_to() -> None:
    assert _outgoing("BUSY", 17) is CallState.BUSY
    assert _outgoing("NOANSWER", 19) is CallState.NO_ANSWER
    assert _outgoing("CANCEL", 127) is CallState.NO_ANSWER
    assert _outgoing("CONGESTION", 34) is CallState.FAILED
    assert _outgoing("CHANUNAVAIL", 3) is CallState.FAILED


def test_a_client_who_left_does_not_wait_for_the_other_channels() -> None:
    book, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, LEG, "101"),
        HangupAsked(at(4), CLIENT),
        HungUp(at(4), CLIENT, 127, ""),
    )
    assert [each.kind for each in found] == [Kind.STARTED]
    assert book.sweep(100.0) == ()
    assert book.sweep(100.5) == ()
    (finished,) = book.sweep(101.0)
    assert (finished.kind, finished.call.finished_at) == (Kind.FINISHED, at(4))
    assert run(HungUp(at(5), LEG, 127, ""))[1] == []


def test_a_call_found_in_the_middle_is_known_by_its_ids() -> None:
    client = caller("office-1795314526.8")
    leg = chan("PJSIP/101", "office-1795314527.9", client.uniqueid)
    _, found = run(ChannelListed(at(60), client, "b"), ChannelListed(at(60), leg, "b"))
    assert [each.kind for each in found] == [Kind.STARTED, Kind.ANSWERED]
    call = found[-1].call
    assert call.started_at.timestamp() == 1795314526
    assert (call.answered_by, call.legs[0].rang_at.timestamp()) == ("PJSIP/101", 1795314527)


def test_calls_that_are_not_on_the_list_any_more_have_vanished() -> None:
    book, _ = run(ChannelCreated(at(0), CLIENT), Dialled(at(0), CLIENT, LEG, "101"))
    book.apply(ChannelCreated(at(1), caller("7")), b"")
    book.listing()
    book.apply(ChannelListed(at(60), caller("7")), b"")
    book.apply(ChannelCreated(at(60), caller("8")), b"born while the list was written")
    ((facts, blocks),) = book.vanished()
    assert (facts.linkedid, len(blocks)) == ("1", 2)
    assert book.live == {"7", "8"}
    assert not book.finished("1")
    assert book.vanished() == ()


def test_a_book_that_is_full_lets_the_oldest_call_go() -> None:
    book = CallBook(PbxProfile(), BookLimits(calls=2))
    for number in ("1", "2", "3"):
        book.apply(ChannelCreated(at(0), caller(number)), b"")
    assert book.live == {"2", "3"}


def test_the_middle_of_a_very_long_story_is_let_go() -> None:
    events = [Dialled(at(each), CLIENT, chan("PJSIP/101", f"leg{each}", "1"), "101") for each in range(200)]
    _, found = run(ChannelCreated(at(0), CLIENT), *events, *(HungUp(at(300), each.dest, 0, "") for each in events),
                   RecordingStarted(at(300), CLIENT), HungUp(at(301), CLIENT, 16, ""))  # fmt: skip
    assert len(found[-1].blocks) == 80
    assert b"ChannelCreated" in found[-1].blocks[0]
    assert b"HungUp" in found[-1].blocks[-1]


def test_hidden_numbers_and_lines_without_one() -> None:
    _, found = run(ChannelCreated(at(0), caller(number="", line="s")))
    assert (found[0].call.number, found[0].call.line) == ("", "")
