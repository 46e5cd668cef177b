"""What telephone systems push, in each of the ways they write it, becomes a fact of one moment of a call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.cti import CallerId, CtiConfig
from channels.cti.inbound import CtiEvent, Told, read, telephone_of
from crm_core.errors import InvalidInput
from crm_core.messages import CallChanged, Unparsable
from crm_core.model.call import SOMEBODY, CallSnapshot, CallState, Direction
from tests.fakes.clock import START

CONFIG = CtiConfig("other", "t0ken")
FIXTURES = Path(__file__).parents[2] / "fixtures" / "cti"
HANGUP: dict[str, object] = {
    "event": "hangup",
    "direction": "in",
    "callId": "c1",
    "from": "79161234567",
    "to": "74951234567",
}


def told(body: bytes | dict[str, object]) -> Told:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(CONFIG, "RU", raw, START)


def call_of(body: bytes | dict[str, object]) -> CallSnapshot:
    payload = told(body).event.payload
    assert isinstance(payload, CallChanged), payload
    return payload.call


@pytest.mark.parametrize("name", ["new_call_in.json", "new_call_in.form", "new_call_in.multipart"])
def test_one_event_says_the_same_however_it_is_written(name: str) -> None:
    raw = (FIXTURES / name).read_bytes()
    arrival = told(raw)
    event = arrival.event
    assert arrival.kind is CtiEvent.NEW_CALL
    assert (arrival.begins_in, arrival.begins_out, arrival.trouble) == (True, False, "")
    assert (str(event.key), event.conversation, event.occurred_at) == ("cti:other", "+79161234567", START)
    assert event.external_id.startswith("307fa962-de8d:newCall:")
    assert event.raw == raw
    assert [str(each) for each in event.sender.identities] == ["tel:+79161234567"]
    call = call_of(raw)
    assert (call.linkedid, call.direction, call.state) == ("307fa962-de8d", Direction.IN, CallState.RINGING)
    assert (call.number, call.line) == ("+79161234567", "+74951234567")
    assert [leg.endpoint for leg in call.legs] == ["Иван Петров", "Олег Ильин"]
    assert (call.partial, call.answered_at, call.finished_at) == (True, None, None)


def test_an_answer_names_who_answered_by_number_before_name() -> None:
    call = call_of((FIXTURES / "answer_in.json").read_bytes())
    assert (call.state, call.answered_at, call.answered_by) == (CallState.ANSWERED, START, "102")


def test_an_answer_of_nobody_in_particular_is_somebodys() -> None:
    for users in ([], ["Анна", "Борис"], ""):
        call = call_of({**HANGUP, "event": "answer", "user": users})
        assert (call.answered_at, call.answered_by) == (START, SOMEBODY)


def test_a_machine_that_answers_is_nobody() -> None:
    for who in ({"user": "voicemail"}, {"user": ["Voicemail"]}, {"answeringNumber": "voicemail"}):
        call = call_of({**HANGUP, "event": "answer", **who})
        assert (call.state, call.answered_at, call.answered_by) == (CallState.RINGING, None, None)


def test_an_end_that_names_who_had_answered_proves_that_somebody_had() -> None:
    call = call_of((FIXTURES / "hangup_in.json").read_bytes())
    assert (call.state, call.answered_by) == (CallState.ANSWERED, "102")
    assert call.answered_at == call.finished_at == START
    alone = call_of({**HANGUP, "cause": "normalClearing", "user": "Олег"})
    assert (alone.state, alone.answered_at) == (CallState.MISSED, None)


@pytest.mark.parametrize(
    ("direction", "cause", "state"),
    [
        ("in", "normalClearing", CallState.MISSED),
        ("in", "busy", CallState.BUSY),
        ("in", "cancel", CallState.ABANDONED),
        ("in", "noAnswer", CallState.MISSED),
        ("in", "congestion", CallState.MISSED),
        ("in", "notFound", CallState.MISSED),
        ("in", "forwarded", CallState.MISSED),
        ("in", "CANCEL", CallState.ABANDONED),
        ("in", "somethingNew", CallState.MISSED),
        ("in", "", CallState.MISSED),
        ("out", "normalClearing", CallState.NO_ANSWER),
        ("out", "busy", CallState.BUSY),
        ("out", "cancel", CallState.NO_ANSWER),
        ("out", "noAnswer", CallState.NO_ANSWER),
        ("out", "congestion", CallState.FAILED),
        ("out", "notFound", CallState.FAILED),
        ("out", "forwarded", CallState.NO_ANSWER),
    ],
)
def test_what_a_call_comes_to_that_nobody_answered(direction: str, cause: str, state: CallState) -> None:
    call = call_of({**HANGUP, "direction": direction, "cause": cause})
    assert (call.state, call.cause_text, call.finished_at) == (state, cause, START)


def test_an_outgoing_call_is_the_users_and_goes_to_the_called_number() -> None:
    arrival = told((FIXTURES / "new_call_out.json").read_bytes())
    assert (arrival.begins_out, arrival.peer, arrival.digits, arrival.to) == (
        True,
        "+4930609854180",
        "4930609854180",
        "4930609854180",
    )
    call = call_of((FIXTURES / "new_call_out.json").read_bytes())
    assert (call.direction, call.number, call.line) == (Direction.OUT, "+4930609854180", "101")
    assert [leg.endpoint for leg in call.legs] == ["Иван Петров"]
    answer = {"event": "answer", "direction": "out", "callId": "f4ebd2be", "from": "101", "to": "4930609854180"}
    assert call_of({**answer, "answeringNumber": "4930609854180"}).answered_by == SOMEBODY


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("4930609854180", "+4930609854180"),
        ("+49 30 609854180", "+4930609854180"),
        ("79161234567", "+79161234567"),
        ("89161234567", "+79161234567"),
        ("84951234567", "+74951234567"),
        ("9161234567", "+79161234567"),
        ("8 (495) 123-45-67", "+74951234567"),
        ("101", "101"),
        ("anonymous", "anonymous"),
        ("", ""),
        ("sip:jdoe@example.org", "sip:jdoe@example.org"),
        ("000000000000", "000000000000"),
    ],
)
def test_numbers_become_e164(written: str, meant: str) -> None:
    assert telephone_of(written, "RU") == meant


def test_numbers_of_another_region() -> None:
    assert telephone_of("030609854180", "DE") == "+4930609854180"
    assert telephone_of("4930609854180", "DE") == "+4930609854180"
    assert telephone_of("79161234567", "DE") == "+79161234567"
    assert telephone_of("0079161234567", "DE") == "+79161234567"


def test_a_hidden_number_and_one_that_is_not_repeated_are_two_things() -> None:
    begin: dict[str, object] = {"event": "newCall", "direction": "in", "callId": "c1", "to": "74951234567"}
    assert call_of(begin).number == "anonymous"
    assert call_of({**begin, "from": "anonymous"}).number == "anonymous"
    assert call_of({"event": "hangup", "direction": "in", "callId": "c1", "cause": "cancel"}).number == ""


def test_repeats_are_one_fact_and_other_people_another() -> None:
    once, again = told(HANGUP).event, told({**HANGUP, "queue": "x"}).event
    assert once.external_id == again.external_id
    other = told({**HANGUP, "cause": "busy"}).event
    answer = {**HANGUP, "event": "answer"}
    ids = {once.external_id, other.external_id}
    ids |= {told({**answer, "answeringNumber": number}).event.external_id for number in ("101", "102")}
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"{", "JSON can't be read"),
        (b"[1]", "has to be an object"),
        (b"{}", "no fields"),
        (b"nonsense", "The field event is missing"),
        ({"event": "ring", "direction": "in", "callId": "1"}, "Unknown event 'ring'"),
        ({"event": "newCall", "direction": "sideways", "callId": "1"}, "Invalid direction!"),
        ({"event": "newCall", "callId": "1"}, "Invalid direction!"),
        ({"event": "newCall", "direction": "in"}, "callId is missing"),
        ({"event": "newCall", "direction": "in", "callId": "x" * 251}, "longer than 250"),
        ({"event": {"a": 1}, "direction": "in", "callId": "1"}, "event has to be a text"),
        (b'--b\r\nContent-Disposition: form-data; name="event"\r\n\r\nring\r\n--b--', "Unknown event"),
    ],
)
def test_what_is_wrong_is_said_and_kept(body: bytes | dict[str, object], words: str) -> None:
    arrival = told(body)
    assert words in arrival.trouble
    assert isinstance(arrival.event.payload, Unparsable)
    assert arrival.event.external_id.startswith("sha256:")


def test_hostile_values_stay_on_one_line() -> None:
    body: dict[str, object] = {
        **HANGUP,
        "event": "newCall",
        "user": ["Иван\r\nAction: Originate", "<script>\x00" + "я" * 5000, "🎉"],
    }
    names = [leg.endpoint for leg in call_of(body).legs]
    assert names[0] == "Иван Action: Originate"
    assert all("\n" not in name and len(name) <= 1000 for name in names)
    assert names[2] == "🎉"


@given(st.binary(max_size=300))
def test_no_body_breaks_the_reading(body: bytes) -> None:
    arrival = told(body)
    assert arrival.trouble
    assert read(CONFIG, "RU", body, START, external_id="known").event.external_id == "known"


@given(
    st.dictionaries(
        st.sampled_from(["event", "direction", "callId", "from", "to", "user", "cause", "answeringNumber"]),
        st.one_of(
            st.none(), st.text(max_size=20), st.integers(), st.booleans(), st.sampled_from(["newCall", "hangup", "in"])
        ),
    )
)
def test_no_object_breaks_the_reading(body: dict[str, object]) -> None:
    arrival = told(body)
    assert bool(arrival.trouble) == isinstance(arrival.event.payload, Unparsable)


def test_clients_see_the_number_that_is_configured_for_theirs() -> None:
    several = (CallerId("7812*", "+78121111111"), CallerId("79161234567", "+74952222222"))
    config = CtiConfig("other", "t", "+74951111111", several)
    assert config.shown_to("78125554433") == "+78121111111"
    assert config.shown_to("79161234567") == "+74952222222"
    assert config.shown_to("79169999999") == "+74951111111"
    assert CtiConfig("other", "t").shown_to("79161234567") is None
    with pytest.raises(InvalidInput):
        CtiConfig("other", "")
