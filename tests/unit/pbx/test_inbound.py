"""Transitions as facts, and raw facts as transitions again."""

from __future__ import annotations

from datetime import datetime

import pytest

from channels.pbx.call_facts import CallFacts, PbxProfile
from channels.pbx.cdr import calls_of, parse_row
from channels.pbx.events import ChannelCreated, HangupAsked, HungUp
from channels.pbx.inbound import AMI_TYPE, CDR_TYPE, CallFactsReader, vanished_call
from crm_core.messages import CallChanged, ChannelKey, InboundEvent, Unparsable
from crm_core.model.call import CallState, Direction
from tests.unit.pbx.build import at, caller, run
from tests.unit.pbx.streams import ARRIVED, FIXTURES, STREAMS, replay

READER = CallFactsReader(ChannelKey("pbx", "office"), PbxProfile(), "RU")


def _facts(name: str) -> list[InboundEvent]:
    return [READER.of_transition(each) for each in replay(name)[1]]


def test_a_call_as_facts() -> None:
    started, answered, finished = _facts("inbound_answered_caller_hangs_up")
    assert started.external_id == "test-1795314526.8:started"
    assert answered.external_id == "test-1795314526.8:answered"
    assert finished.external_id == "test-1795314526.8:finished"
    assert [str(each) for each in started.sender.identities] == ["tel:+79161234567"]
    assert started.sender.name == "Client"
    assert started.conversation == "79161234567"
    assert started.occurred_at < answered.occurred_at < finished.occurred_at
    assert started.sequence < answered.sequence < finished.sequence
    assert finished.raw.startswith(b"Event: Newchannel\r\n")
    assert finished.raw_type == AMI_TYPE
    assert isinstance(finished.payload, CallChanged)
    assert finished.payload.call.state is CallState.ANSWERED


@pytest.mark.parametrize("name", STREAMS)
def test_raw_facts_are_read_again_to_the_same_facts(name: str) -> None:
    for fact in _facts(name):
        assert READER.reparse(fact.external_id, fact.raw, ARRIVED) == fact


@pytest.mark.parametrize("name", sorted(set(STREAMS) - {"callback_manager_no_answer"}))
def test_records_are_facts_and_are_read_again_to_the_same(name: str) -> None:
    lines = (FIXTURES / f"{name}.cdr.csv").read_bytes().splitlines()
    (rows,) = calls_of(row for line in lines if (row := parse_row(line)) is not None).values()
    fact = READER.of_records(rows)
    assert fact is not None
    assert fact.external_id.endswith(":settled")
    assert fact.raw_type == CDR_TYPE
    assert READER.reparse(fact.external_id, fact.raw, ARRIVED) == fact


@pytest.mark.parametrize("raw", [b"", b"junk", b"Event: Newchannel\r\n\r\n", b'"a","b"'])
def test_what_is_not_understood_is_said_so(raw: bytes) -> None:
    for name in ("started", "answered", "finished", "settled", "other"):
        fact = READER.reparse(f"1795314526.8:{name}", raw, ARRIVED)
        assert isinstance(fact.payload, Unparsable)
        assert fact.raw == raw


def test_hidden_and_internal_numbers_name_nobody() -> None:
    for number in ("", "anonymous", "101"):
        _, (started,) = run(ChannelCreated(at(0), caller(number=number)))
        fact = READER.of_transition(started)
        assert fact.sender.identities == ()
        assert fact.conversation == (number or "1")


def test_a_call_of_whose_end_nothing_is_known_is_missed() -> None:
    book, _ = run(ChannelCreated(at(0), caller()))
    book.listing()
    ((facts, blocks),) = book.vanished()
    fact = READER.of_vanished(facts, blocks, at(90))
    assert isinstance(fact.payload, CallChanged)
    call = fact.payload.call
    assert (call.state, call.settled, call.finished_at) == (CallState.MISSED, True, at(90))


@pytest.mark.parametrize(("answered", "state"), [(None, CallState.NO_ANSWER), (at(5), CallState.ANSWERED)])
def test_a_call_to_a_client_that_was_cut_off_is_none_that_was_missed(
    answered: datetime | None, state: CallState
) -> None:
    facts = CallFacts("1", at(0), Direction.OUT, "79161234567", answered_at=answered, answered_by="PJSIP/101")
    assert vanished_call(facts, at(90)).state is state


def test_a_late_fact_of_the_stream_says_more_than_a_record() -> None:
    client = caller()
    _, found = run(ChannelCreated(at(0), client), HangupAsked(at(2), client), HungUp(at(2), client, 127, ""))
    book, _ = run(ChannelCreated(at(0), client))
    book.listing()
    ((facts, blocks),) = book.vanished()
    settled = READER.of_vanished(facts, blocks, at(3)).payload
    assert isinstance(settled, CallChanged)
    assert found[-1].call.progress > settled.call.progress
