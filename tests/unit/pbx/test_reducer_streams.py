"""Nine real calls, replayed: what each comes to, leg by leg and second by second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import pytest

from channels.pbx.ami_wire import event_name
from channels.pbx.reducer import Kind
from crm_core.model.call import CallSnapshot, CallState, Direction
from tests.unit.pbx.streams import STREAMS, blocks_of, replay

STARTED, ANSWERED, FINISHED = Kind.STARTED, Kind.ANSWERED, Kind.FINISHED
Times = tuple[str, float, float | None, float | None, int]


@dataclass(frozen=True)
class Story:
    """How a call went. Legs: endpoint, then seconds from the call's start to ring, pick-up, end; cause."""

    kinds: tuple[Kind, ...]
    state: CallState
    direction: Direction
    line: str
    answered_by: str | None
    wait_s: float
    talk_s: float
    cause: int
    hung_up_by: str
    legs: tuple[Times, ...]


ALL = (STARTED, ANSWERED, FINISHED)
STORIES = {
    "inbound_answered_caller_hangs_up": Story(
        ALL, CallState.ANSWERED, Direction.IN, "1000", "PJSIP/101", 0.818, 3.003, 16, "client",
        (("PJSIP/101", 0.005, 0.814, 3.821, 16),),
    ),
    "inbound_noanswer_timeout": Story(
        (STARTED, FINISHED), CallState.MISSED, Direction.IN, "1000", None, 6.006, 0.0, 16, "",
        (("PJSIP/101", 0.003, None, 6.006, 19),),
    ),
    "caller_abandons_ringing": Story(
        (STARTED, FINISHED), CallState.ABANDONED, Direction.IN, "1000", None, 2.008, 0.0, 127, "client",
        (("PJSIP/101", 0.003, None, 2.008, 127),),
    ),
    "101_busy_then_102": Story(
        ALL, CallState.ANSWERED, Direction.IN, "1000", "PJSIP/102", 0.813, 3.008, 16, "client",
        (("PJSIP/101", 0.004, None, 0.005, 17), ("PJSIP/102", 0.007, 0.812, 3.821, 16)),
    ),
    "callback_originate_answered": Story(
        ALL, CallState.ANSWERED, Direction.OUT, "", "PJSIP/101", 1.615, 3.004, 16, "client",
        (("PJSIP/101", 0.001, 0.806, 4.619, 16), ("PJSIP/79161234567@trunk", 0.808, 1.614, 4.619, 16)),
    ),
    "callback_manager_no_answer": Story(
        (STARTED, FINISHED), CallState.FAILED, Direction.OUT, "", None, 4.004, 0.0, 19, "",
        (("PJSIP/101", 0.001, None, 4.004, 19),),
    ),
    "ami_redirect_101_to_102": Story(
        ALL, CallState.ANSWERED, Direction.IN, "1000", "PJSIP/101", 0.813, 4.839, 16, "office",
        (("PJSIP/101", 0.005, 0.812, 2.648, 16), ("PJSIP/102", 2.650, 3.456, 6.461, 16)),
    ),
    "ami_blindtransfer_101_to_102": Story(
        ALL, CallState.ANSWERED, Direction.IN, "1000", "PJSIP/101", 0.809, 4.844, 16, "office",
        (("PJSIP/101", 0.003, 0.808, 2.650, 16), ("PJSIP/102", 2.650, 3.456, 6.460, 16)),
    ),
    "queue_two_members": Story(
        ALL, CallState.ANSWERED, Direction.IN, "3000", "PJSIP/102", 0.826, 2.184, 16, "client",
        (("PJSIP/101", 0.016, None, 0.825, 26), ("PJSIP/102", 0.017, 0.825, 3.010, 16)),
    ),
}  # fmt: skip


def test_every_stream_has_its_story() -> None:
    assert set(STREAMS) == set(STORIES)


@pytest.mark.parametrize("name", STREAMS)
def test_story(name: str) -> None:
    story = STORIES[name]
    book, transitions = replay(name)
    assert tuple(each.kind for each in transitions) == story.kinds
    call = transitions[-1].call
    assert (call.state, call.direction, call.line) == (story.state, story.direction, story.line)
    assert (call.number, call.answered_by) == ("79161234567", story.answered_by)
    assert call.wait_s == pytest.approx(story.wait_s, abs=0.001)
    assert call.talk_s == pytest.approx(story.talk_s, abs=0.001)
    assert (call.cause, call.hung_up_by) == (story.cause, story.hung_up_by)
    assert _legs(call) == [pytest.approx(leg, abs=0.001) for leg in _only_numbers(story.legs)]
    assert [leg.endpoint for leg in call.legs] == [leg[0] for leg in story.legs]
    assert len({each.call.linkedid for each in transitions}) == 1
    assert len(book) == 0


@pytest.mark.parametrize("name", STREAMS)
def test_each_transition_carries_the_blocks_that_made_it(name: str) -> None:
    blocks = blocks_of(name)
    _, transitions = replay(name)
    for transition in transitions:
        positions = [blocks.index(block) for block in transition.blocks]
        assert positions == sorted(positions)
        assert positions
    assert event_name(transitions[0].blocks[0]) == b"Newchannel"
    assert event_name(transitions[-1].blocks[-1]) == b"Hangup"


def test_later_snapshots_contain_the_earlier_ones() -> None:
    for name in STREAMS:
        _, transitions = replay(name)
        calls = [each.call for each in transitions]
        for earlier, later in pairwise(calls):
            assert later.progress > earlier.progress
            assert len(later.legs) >= len(earlier.legs)
            assert earlier.answered_by in {None, later.answered_by}


def test_a_recording_is_named_by_the_call_and_only_where_somebody_talked() -> None:
    _, answered = replay("inbound_answered_caller_hangs_up")
    _, missed = replay("inbound_noanswer_timeout")
    assert answered[-1].call.recording == f"{answered[-1].call.linkedid}.wav"
    assert missed[-1].call.recording is None


def _legs(call: CallSnapshot) -> list[tuple[float, float, float, int]]:
    def after(moment: datetime | None) -> float:
        return -1.0 if moment is None else (moment - call.started_at).total_seconds()

    return [(after(leg.rang_at), after(leg.answered_at), after(leg.ended_at), leg.cause) for leg in call.legs]


def _only_numbers(legs: tuple[Times, ...]) -> list[tuple[float, float, float, int]]:
    return [(rang, -1.0 if picked is None else picked, -1.0 if ended is None else ended, cause)
            for _, rang, picked, ended, cause in legs]  # fmt: skip
