"""Channels of different calls that meet: whose call it is then, whom the client talks with, what replay makes of it."""

from __future__ import annotations

from channels.pbx.book import CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import (
    BridgeEntered,
    BridgeLeft,
    CallEvent,
    Chan,
    ChannelCreated,
    ChannelListed,
    DialEnded,
    Dialled,
    HangupAsked,
    Held,
    HungUp,
    Parked,
    Unheld,
)
from channels.pbx.reducer import Kind, Transition
from crm_core.model.call import CallSnapshot
from tests.unit.pbx.build import at, caller, chan, run

CLIENT = caller()
LEG = chan("PJSIP/101", "2", "1")
ANSWERED: tuple[CallEvent, ...] = (
    ChannelCreated(at(0), CLIENT),
    Dialled(at(0), CLIENT, LEG, "101"),
    DialEnded(at(1), CLIENT, LEG, "ANSWER"),
    BridgeEntered(at(1), LEG, "b"),
    BridgeEntered(at(1), CLIENT, "b"),
)


def _talks(call: CallSnapshot) -> list[tuple[str, str, float, float | None]]:
    """Endpoint, how, and the seconds between which they talked."""
    start = at(0)
    return [
        (
            talk.endpoint,
            talk.began.value,
            (talk.since - start).total_seconds(),
            (talk.until - start).total_seconds() if talk.until is not None else None,
        )
        for talk in call.talks
    ]


def _last(found: list[Transition], linkedid: str = "1") -> CallSnapshot:
    return [each for each in found if each.call.linkedid == linkedid][-1].call


def _half(number: int, uniqueid: str) -> Chan:
    return Chan(f"Local/101@office-00000000;{number}", uniqueid, "1")


def test_a_wire_that_is_taken_out_changes_nobody() -> None:
    near, far, phone = _half(1, "3"), _half(2, "4"), chan("PJSIP/101", "5", "1")
    _, found = run(
        ChannelCreated(at(0), CLIENT),
        Dialled(at(0), CLIENT, near, "101@office"),
        Dialled(at(0), far, phone, "101"),
        DialEnded(at(2), far, phone, "ANSWER"),
        DialEnded(at(2), CLIENT, near, "ANSWER"),
        BridgeEntered(at(2), near, "a"),
        BridgeEntered(at(2), CLIENT, "a"),
        BridgeEntered(at(2), phone, "c"),
        BridgeEntered(at(2), far, "c"),
        # the telephone takes the place of the wire
        BridgeLeft(at(3), phone, "c"),
        BridgeEntered(at(3), phone, "a"),
        BridgeLeft(at(3), near, "a"),
        HungUp(at(3), near, 16, ""),
        HungUp(at(3), far, 16, ""),
        HangupAsked(at(9), phone),
        HungUp(at(9), phone, 16, ""),
        HungUp(at(9), CLIENT, 16, ""),
    )
    call = _last(found)
    assert _talks(call) == [("PJSIP/101", "answered", 2, 9)]
    assert (call.hung_up_by, call.talk_s) == ("office", 7)


def test_an_older_internal_call_becomes_part_of_the_clients() -> None:
    # 102 and 103 talk, 103 goes and the client is put there: Asterisk calls all of it by the oldest name
    first = chan("PJSIP/102", "0", context="office", exten="103")
    second = chan("PJSIP/103", "0b", "0")
    moved = replace_linkedid(CLIENT, "0")
    book, found = run(
        ChannelCreated(at(-9), first),
        Dialled(at(-9), first, second, "103"),
        DialEnded(at(-8), first, second, "ANSWER"),
        BridgeEntered(at(-8), first, "i"),
        BridgeEntered(at(-8), second, "i"),
        *ANSWERED,
        BridgeLeft(at(5), second, "i"),
        HungUp(at(5), second, 16, ""),
        BridgeLeft(at(5), CLIENT, "b"),
        BridgeEntered(at(5), moved, "i"),
        HungUp(at(5), LEG, 16, ""),
        # somebody is rung under the old name
        Dialled(at(6), first, chan("PJSIP/101", "9", "0"), "101"),
        HangupAsked(at(8), moved),
        HungUp(at(8), moved, 16, ""),
        HungUp(at(8), first, 16, ""),
        HungUp(at(8), chan("PJSIP/101", "9", "0"), 16, ""),
    )
    call = _last(found)
    assert [each.kind for each in found] == [Kind.STARTED, Kind.ANSWERED, Kind.FINISHED]
    assert [each[0] for each in _talks(call)] == ["PJSIP/101", "PJSIP/102"]
    assert (len(book), book._owners, book._rooms) == (0, {}, {})
    assert book.finished("0")


def test_two_clients_in_one_bridge_keep_their_own_calls() -> None:
    other = caller("7", "79990000000")
    second_leg = chan("PJSIP/101", "8", "7")
    book, found = run(
        *ANSWERED,
        ChannelCreated(at(2), other),
        Dialled(at(2), other, second_leg, "101"),
        DialEnded(at(3), other, second_leg, "ANSWER"),
        BridgeEntered(at(3), second_leg, "d"),
        BridgeEntered(at(3), other, "d"),
        # the manager brings both together and goes
        BridgeLeft(at(6), other, "d"),
        BridgeEntered(at(6), replace_linkedid(other, "1"), "b"),
        BridgeLeft(at(7), LEG, "b"),
        HungUp(at(7), LEG, 16, ""),
        HungUp(at(7), second_leg, 16, ""),
        HangupAsked(at(9), CLIENT),
        HungUp(at(9), CLIENT, 16, ""),
        HungUp(at(9), replace_linkedid(other, "1"), 16, ""),
    )
    found += book.expire()
    assert {each.call.linkedid for each in found if each.kind is Kind.FINISHED} == {"1", "7"}
    assert _last(found).number == "79161234567"
    assert _talks(_last(found))[0][0] == "PJSIP/101"
    assert _last(found, "7").number == "79990000000"
    assert (len(book), book._owners, book._rooms) == (0, {}, {})


def test_hold_ends_with_the_conversation_and_counts_once() -> None:
    _, found = run(
        *ANSWERED,
        Held(at(2), LEG),
        Held(at(3), LEG),
        Unheld(at(4), LEG),
        Unheld(at(5), LEG),
        Held(at(6), CLIENT),
        Held(at(7), LEG),
        HangupAsked(at(9), CLIENT),
        HungUp(at(9), CLIENT, 16, ""),
        HungUp(at(9), LEG, 16, ""),
    )
    assert _last(found).hold_s == 4
    assert _last(found).talk_s == 8


def test_a_parked_client_who_gives_up() -> None:
    _, found = run(
        *ANSWERED,
        HangupAsked(at(3), LEG),
        Parked(at(3), CLIENT),
        BridgeLeft(at(3), CLIENT, "b"),
        BridgeLeft(at(3), LEG, "b"),
        HungUp(at(3), LEG, 16, ""),
        HangupAsked(at(8), CLIENT),
        HungUp(at(8), CLIENT, 16, ""),
    )
    call = _last(found)
    assert _talks(call) == [("PJSIP/101", "answered", 1, 3)]
    assert (call.hold_s, call.hung_up_by) == (5, "client")


def test_a_link_that_comes_in_the_middle_says_that_it_guesses() -> None:
    book = CallBook(PbxProfile())
    client, leg = caller("1795314526.8"), chan("PJSIP/101", "1795314527.9", "1795314526.8")
    found: list[Transition] = []
    for event in (
        ChannelListed(at(60), client, "b"),
        ChannelListed(at(60), leg, "b"),
        HungUp(at(70), leg, 16, ""),
        HungUp(at(70), client, 16, ""),
    ):
        found.extend(book.apply(event, b""))
    answered, finished = found[-2:]
    assert answered.call.guessed
    assert (finished.call.guessed, finished.call.progress) == (True, 1)
    assert not book.finished(client.linkedid), "its records are still wanted"


def replace_linkedid(channel: Chan, linkedid: str) -> Chan:
    """The channel after Asterisk has put it into another call."""
    return channel._replace(linkedid=linkedid)
