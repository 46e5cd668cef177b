"""The bytes of AMI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.pbx.ami_wire import AmiInjectionError, AmiOverflowError, Splitter, encode_action, event_name, parse_block
from channels.pbx.events import (
    WANTED,
    Chan,
    DeviceChanged,
    HungUp,
    MemberPaused,
    Originated,
    created_at,
    endpoint_of,
    parse_event,
)
from tests.unit.pbx.build import START
from tests.unit.pbx.streams import FIXTURES, STREAMS, blocks_of

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


@given(st.sampled_from(STREAMS), st.data())
def test_however_the_stream_is_cut_the_blocks_are_the_same(name: str, data: st.DataObject) -> None:
    stream = (FIXTURES / f"{name}.ami").read_bytes() + b"\r\n\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = Splitter()
    found = [
        block
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for block in splitter.feed(stream[start:end])
    ]
    assert found == blocks_of(name)


def test_a_character_cut_in_two_is_whole_again() -> None:
    stream = GREETING + "Event: Newchannel\r\nCallerIDName: Иванов\r\n\r\n".encode()
    for cut in range(len(stream)):
        splitter = Splitter()
        (block,) = splitter.feed(stream[:cut]) + splitter.feed(stream[cut:])
        assert parse_block(block).get("CallerIDName") == "Иванов"


def test_line_breaks_between_blocks_are_passed_over() -> None:
    found = Splitter().feed(GREETING + b"Event: A\r\n\r\n\r\nEvent: B\r\n\r\n\r\n\r\nEvent: C\r\n\r\n")
    assert [event_name(block) for block in found] == [b"A", b"B", b"C"]


def test_a_block_without_end_is_refused() -> None:
    splitter = Splitter(limit=1000)
    splitter.feed(GREETING)
    with pytest.raises(AmiOverflowError):
        splitter.feed(b"x" * 1001)


@pytest.mark.parametrize("evil", ["a\r\nAction: DBPut", "a\nb", "a\rb", "a\0b"])
def test_nothing_forges_a_header(evil: str) -> None:
    with pytest.raises(AmiInjectionError):
        encode_action("Originate", "1", [("CallerID", evil)])
    with pytest.raises(AmiInjectionError):
        encode_action("Originate", "1", [(evil, "x")])
    with pytest.raises(AmiInjectionError):
        encode_action(evil, "1")
    with pytest.raises(AmiInjectionError):
        encode_action("Originate", "1", [("Variable: x", "y")])


@given(st.text(max_size=40))
def test_whatever_is_encoded_is_one_block(value: str) -> None:
    try:
        data = encode_action("Setvar", "7", [("Value", value)])
    except AmiInjectionError:
        assert set(value) & set("\r\n\0")
    else:
        assert data.count(b"\r\n") == 4
        assert data.endswith(b"\r\n\r\n")


def test_the_first_of_repeated_keys_counts() -> None:
    message = parse_block(b"Event: TestEvent\r\nState: one\r\nState: two")
    assert message.fields == {"Event": "TestEvent", "State": "one"}


def test_events_of_no_use_are_known_by_their_first_line() -> None:
    assert event_name(b"Event: VarSet\r\nValue: x") == b"VarSet"
    assert event_name(b"Response: Success\r\nEvent: no") is None
    assert "VarSet" not in WANTED


def test_what_is_no_event_of_ours_is_none() -> None:
    assert parse_event(parse_block(b"Event: FullyBooted"), START) is None
    assert parse_event(parse_block(b"Event: Hangup\r\nUniqueid: <unknown>"), START) is None
    assert parse_event(parse_block(b"Event: DialBegin\r\nChannel: x"), START) is None
    assert parse_event(parse_block(b"Event: UserEvent\r\nUniqueid: 1\r\nUserEvent: Other"), START) is None


def test_values_that_make_no_sense_cost_only_themselves() -> None:
    block = b"Event: Hangup\r\nTimestamp: nonsense\r\nChannel: PJSIP/101-1\r\nUniqueid: 1\r\nCause: many"
    event = parse_event(parse_block(block), START)
    assert event == HungUp(START, Chan("PJSIP/101-1", "1", "1"), 0, "")
    huge = parse_event(parse_block(block.replace(b"nonsense", b"9" * 30)), START)
    assert isinstance(huge, HungUp)
    assert huge.at == START


def test_a_failed_originate_has_no_channel() -> None:
    block = b"Event: OriginateResponse\r\nActionID: a-1\r\nResponse: Failure\r\nReason: 3\r\nUniqueid: <unknown>"
    assert parse_event(parse_block(block), START) == Originated(START, "a-1", False, 3, "")


def test_device_states_are_events() -> None:
    event = parse_event(parse_block(b"Event: DeviceStateChange\r\nDevice: PJSIP/101\r\nState: INUSE"), START)
    assert event == DeviceChanged(START, "PJSIP/101", "INUSE")


@pytest.mark.parametrize(
    ("block", "paused"),
    [
        (b"Event: QueueMember\r\nQueue: sales\r\nLocation: PJSIP/101\r\nPaused: 1", True),
        (b"Event: QueueMemberAdded\r\nQueue: sales\r\nInterface: PJSIP/101\r\nPaused: 0", False),
        (b"Event: QueueMemberPause\r\nQueue: sales\r\nInterface: x\r\nStateInterface: PJSIP/101\r\nPaused: 1", True),
        (b"Event: QueueMemberStatus\r\nQueue: sales\r\nInterface: PJSIP/101\r\nPaused: 1", True),
        (b"Event: QueueMemberRemoved\r\nQueue: sales\r\nInterface: PJSIP/101\r\nPaused: 1", False),
    ],
)  # fmt: skip
def test_pauses_in_queues(block: bytes, paused: bool) -> None:
    assert parse_event(parse_block(block), START) == MemberPaused(START, "sales", "PJSIP/101", paused)
    assert parse_event(parse_block(block.split(b"\r\n")[0]), START) is None


def test_endpoints_of_channels() -> None:
    assert endpoint_of("PJSIP/101-0000001f") == "PJSIP/101"
    assert endpoint_of("PJSIP/my-trunk-0000001f") == "PJSIP/my-trunk"
    assert endpoint_of("Local/101@from-internal-00000002;1") == "Local/101@from-internal"
    assert endpoint_of("PJSIP/101") == "PJSIP/101"


def test_the_age_of_a_channel_is_in_its_id() -> None:
    assert created_at("office-1795314526.8", START).timestamp() == 1795314526
    assert created_at("1795314526.8", START).timestamp() == 1795314526
    assert created_at("hub-call-7", START) == START
