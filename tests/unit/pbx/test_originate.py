"""What the PBX is told of a call to place, and what it answers where there never was a channel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.pbx.ami_wire import AmiInjectionError, encode_action, parse_block
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import Originated, parse_event
from channels.pbx.inbound import AMI_TYPE, CallFactsReader
from channels.pbx.originate import CONTEXT, action_id, linkedid_of, not_made, originate
from crm_core.messages import CallChanged, ChannelKey
from crm_core.model.call import CallState, Direction
from crm_core.ports import PlaceCall
from tests.unit.pbx.build import START, at

READER = CallFactsReader(ChannelKey("pbx", "office"), PbxProfile(), "RU")
LINKEDID = "1795314567.hub4711"
CALL = PlaceCall(LINKEDID, "PJSIP/101", "+79161234567", "+7 (495) 123-45-67", "Анна Иванова", announce=True, ring_s=30)
RESPONSE = b"\r\n".join(
    (
        b"Event: OriginateResponse",
        b"Privilege: call,all",
        b"Timestamp: 1795314570.5",
        b"ActionID: dial:1795314567.hub4711",
        b"Response: Failure",
        b"Channel: PJSIP/101",
        b"Context: hub-robot",
        b"Exten: +79161234567",
        b"Reason: 5",
        b"Uniqueid: <null>",
    )
)


def headers(**more: Any) -> dict[str, str]:
    """The headers of a call, with each variable under its own name."""
    found: dict[str, str] = {}
    for key, text in originate(replace(CALL, **more)):
        name, value = text.split("=", 1) if key == "Variable" else (key, text)
        assert name not in found
        found[name] = value
    return found


def block(call: PlaceCall) -> bytes:
    return encode_action("Originate", action_id(call.linkedid), originate(call))


def test_the_person_is_rung_with_the_clients_name_and_goes_on_in_the_robots_context() -> None:
    assert headers() == {
        "Channel": "PJSIP/101",
        "ChannelId": LINKEDID,
        "Context": CONTEXT,
        "Exten": "+79161234567",
        "Priority": "1",
        "CallerID": '"Анна Иванова" <+79161234567>',
        "Timeout": "30000",
        "Async": "true",
        "HUB_LINE": "74951234567",
        "HUB_ANNOUNCE": "1",
        "HUB_SAY": "digits/4&digits/5&digits/6&digits/7",
    }
    assert headers(sound="custom/about")["HUB_SAY"] == "custom/about&digits/4&digits/5&digits/6&digits/7"
    assert headers(announce=False)["HUB_ANNOUNCE"] == "0"
    assert headers(record=False)["__HUB_RECORD"] == "0"
    assert headers(record=True)["__HUB_RECORD"] == "1"
    assert headers(line="")["HUB_LINE"] == ""
    assert action_id(LINKEDID) == f"dial:{LINKEDID}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ""),
        ("   ", ""),
        ("Анна\r\nAction: Originate\r\nChannel: PJSIP/1", "Анна Action: Originate Channel: PJSIP/1"),
        ("Анна\nEvil: yes", "Анна Evil: yes"),
        ("a\0b\x1bc\x85d\u2028e", "a b c d e"),
        ('Анна" <+70000000000>', "Анна +70000000000"),
        ("Анна \\", "Анна"),
        ("<script>alert(1)</script>", "script alert(1) /script"),
        ("a,b;c", "a b c"),
        ("👩‍💼 Анна 🌸", "👩‍💼 Анна 🌸"),
        ("я" * 300, "я" * 60),
        ("${SHELL(id)}", "${SHELL(id)}"),  # no header of this action is expanded
        ("half \ud83d a character", "half a character"),
    ],
)
def test_no_name_leaves_its_place(name: str, shown: str) -> None:
    assert headers(caller_name=name)["CallerID"] == f'"{shown}" <+79161234567>'
    assert len(parse_block(block(replace(CALL, caller_name=name)).strip()).raw.split(b"\r\n")) == 13


@given(st.text(alphabet=st.characters(), max_size=300))
def test_whatever_a_client_is_called_the_call_is_the_same(name: str) -> None:
    plain = block(replace(CALL, caller_name="x")).split(b"\r\n")
    evil = block(replace(CALL, caller_name=name)).split(b"\r\n")
    assert len(evil) == len(plain)
    differing = [line for line, usual in zip(evil, plain, strict=True) if line != usual]
    assert len(differing) <= 1
    for line in differing:
        text = line.decode()
        assert text.startswith('CallerID: "')
        assert text.endswith('" <+79161234567>')
        assert text.count('"') == 2
        assert text.count("<") == 1


@pytest.mark.parametrize("field", ["endpoint", "number", "linkedid"])
@pytest.mark.parametrize("evil", ["PJSIP/101\r\nAction: DBPut", "1\n2", "1\r2", "1\0"])
def test_a_line_break_elsewhere_is_refused_and_not_sent(field: str, evil: str) -> None:
    changes: Any = {field: evil}
    with pytest.raises(AmiInjectionError):
        block(replace(CALL, **changes))


def test_only_digits_of_a_line_and_of_a_number_are_said() -> None:
    assert headers(line='+7"495\r\n&x')["HUB_LINE"] == "7495"
    assert headers(number="+12")["HUB_SAY"] == "digits/1&digits/2"


# ---------------------------------------------------------------- what comes back


def response(**more: Any) -> Originated:
    usual = Originated(at(3), action_id(LINKEDID), success=False, reason=5, uniqueid="", exten="+79161234567")
    return replace(usual, **more)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (0, "no such extension or number"),
        (1, "hung up"),
        (3, "rang out"),
        (5, "busy"),
        (8, "congestion, or the telephone can't be reached"),
        (99, "reason 99"),
    ],
)
def test_a_call_without_a_channel_failed(reason: int, words: str) -> None:
    call = not_made(response(reason=reason))
    assert call is not None
    assert (call.linkedid, call.direction, call.number) == (LINKEDID, Direction.OUT, "+79161234567")
    assert (call.state, call.finished_at, call.settled) == (CallState.FAILED, at(3), True)
    assert call.cause_text == f"the PBX made no call: {words}"


@pytest.mark.parametrize("strange", ["", "17", "dialling", "mirror:5"])
def test_calls_of_others_are_not_ours(strange: str) -> None:
    assert linkedid_of(response(action_id=strange)) is None
    assert not_made(response(action_id=strange)) is None


def test_a_call_that_was_made_tells_of_itself() -> None:
    assert linkedid_of(response(success=True)) == LINKEDID
    assert not_made(response(success=True)) is None


def test_the_fact_of_it_is_read_again_to_the_same() -> None:
    event = parse_event(parse_block(RESPONSE), START)
    assert isinstance(event, Originated)
    fact = READER.of_not_made(event, RESPONSE)
    assert fact is not None
    assert fact.external_id == f"{LINKEDID}:settled"
    assert fact.raw_type == AMI_TYPE
    assert [str(each) for each in fact.sender.identities] == ["tel:+79161234567"]
    assert isinstance(fact.payload, CallChanged)
    assert fact.payload.call.cause_text.endswith("busy")
    later = at(100_000)
    assert READER.reparse(fact.external_id, fact.raw, later) == fact


def test_a_made_call_makes_no_fact() -> None:
    event = parse_event(parse_block(RESPONSE.replace(b"Failure", b"Success")), START)
    assert isinstance(event, Originated)
    assert READER.of_not_made(event, RESPONSE) is None
