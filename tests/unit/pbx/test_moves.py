"""Captured calls that move between telephones, are held, parked, placed: who talked when, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest

from channels.pbx.book import CallBook
from channels.pbx.call_facts import PbxProfile
from channels.pbx.events import CallEvent, Chan, ChannelListed, DialEnded, Dialled, PickedUp
from channels.pbx.inbound import CallFactsReader
from channels.pbx.reducer import Kind, Transition
from crm_core.messages import ChannelKey
from crm_core.model.call import CallState, Direction
from tests.unit.pbx.streams import ARRIVED, FIXTURES, events_in

MOVES = FIXTURES / "moves"
READER = CallFactsReader(ChannelKey("pbx", "office"), PbxProfile(), "RU")
MOBILE = "PJSIP/89990001122@trunk"
CLIENT = "PJSIP/+79161234567@trunk"


@dataclass(frozen=True)
class Story:
    """`talks`: endpoint, how it began, seconds from the call's start to its beginning and end."""

    state: CallState
    talks: tuple[tuple[str, str, float, float], ...]
    legs: tuple[tuple[str, bool, int], ...]
    hold_s: float
    hung_up_by: str


STORIES = {
    "attended_transfer": Story(
        CallState.ANSWERED,
        (("PJSIP/101", "answered", 0.02, 0.96), ("PJSIP/102", "attended_transfer", 0.96, 4.02)),
        (("PJSIP/101", True, 16), ("PJSIP/102", True, 16)), 0.63, "client",
    ),
    "blind_transfer": Story(
        CallState.ANSWERED,
        (("PJSIP/101", "answered", 0.0, 0.3), ("PJSIP/102", "blind_transfer", 0.61, 3.01)),
        (("PJSIP/101", True, 16), ("PJSIP/102", True, 16)), 0.0, "client",
    ),
    "blind_transfer_not_taken": Story(
        CallState.ANSWERED, (("PJSIP/101", "answered", 0.0, 0.31),),
        (("PJSIP/101", True, 16), ("PJSIP/102", False, 16)), 0.0, "client",
    ),
    "parked_and_fetched": Story(
        CallState.ANSWERED,
        (("PJSIP/101", "answered", 0.01, 0.31), ("PJSIP/102", "unparked", 1.82, 4.01)),
        (("PJSIP/101", True, 16),), 1.51, "client",
    ),
    "picked_up_by_group": Story(
        CallState.ANSWERED, (("PJSIP/103", "picked_up", 0.84, 1.84),), (("PJSIP/101", False, 16),), 0.0, "client",
    ),
    "picked_up_by_channel": Story(
        CallState.ANSWERED, (("PJSIP/103", "picked_up", 0.81, 1.82),), (("PJSIP/101", False, 26),), 0.0, "client",
    ),
    "forwarded_to_a_mobile": Story(
        CallState.ANSWERED, ((MOBILE, "answered", 0.31, 1.31),),
        (("PJSIP/101", False, 23), (MOBILE, True, 16)), 0.0, "client",
    ),
    "queue_through_local_channels": Story(
        CallState.ANSWERED, (("PJSIP/102", "answered", 3.01, 3.72),),
        (("PJSIP/101", False, 16), ("PJSIP/102", True, 16)), 0.0, "client",
    ),
    "hold": Story(
        CallState.ANSWERED, (("PJSIP/101", "answered", 0.0, 3.01),), (("PJSIP/101", True, 16),), 1.0, "client",
    ),
    "local_channel": Story(
        CallState.ANSWERED, (("PJSIP/101", "answered", 0.31, 2.31),), (("PJSIP/101", True, 16),), 0.0, "client",
    ),
    "outgoing": Story(
        CallState.ANSWERED, (("PJSIP/101", "answered", 0.31, 0.81),),
        (("PJSIP/89161234567@trunk", True, 16),), 0.0, "office",
    ),
    "placed_answered": Story(
        CallState.ANSWERED, (("PJSIP/101", "answered", 0.63, 1.13),),
        (("PJSIP/101", True, 16), (CLIENT, True, 16)), 0.0, "client",
    ),
    "placed_person_silent": Story(CallState.FAILED, (), (("PJSIP/101", False, 19),), 0.0, ""),
    "placed_person_declines": Story(CallState.FAILED, (), (("PJSIP/101", False, 21),), 0.0, ""),
    "placed_person_gives_up": Story(
        CallState.NO_ANSWER, (), (("PJSIP/101", True, 0), (CLIENT, False, 16)), 0.0, "office",
    ),
    "placed_client_busy": Story(CallState.BUSY, (), (("PJSIP/101", True, 17), (CLIENT, False, 17)), 0.0, ""),
    "placed_trunk_refuses": Story(CallState.FAILED, (), (("PJSIP/101", True, 34), (CLIENT, False, 34)), 0.0, ""),
}  # fmt: skip


def _replay(name: str) -> tuple[CallBook, list[Transition]]:
    book = CallBook(PbxProfile())
    found: list[Transition] = []
    for event, block in events_in((MOVES / f"{name}.ami").read_bytes()):
        found.extend(book.apply(event, block))
    return book, found


def test_every_capture_has_its_story() -> None:
    assert {path.stem for path in MOVES.glob("*.ami")} == set(STORIES)


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    story = STORIES[name]
    book, transitions = _replay(name)
    call = transitions[-1].call
    talked = bool(story.talks)
    assert [each.kind for each in transitions] == [Kind.STARTED, *([Kind.ANSWERED] * talked), Kind.FINISHED]
    assert call.state is story.state
    assert call.direction is (Direction.OUT if name.startswith(("placed", "outgoing")) else Direction.IN)

    def after(moment: datetime | None) -> float:
        return (moment - call.started_at).total_seconds() if moment is not None else -1

    found = [(talk.endpoint, talk.began.value, after(talk.since), after(talk.until)) for talk in call.talks]
    assert [each[:2] for each in found] == [each[:2] for each in story.talks]
    assert [each[2:] for each in found] == [pytest.approx(each[2:], abs=0.006) for each in story.talks]
    assert tuple((leg.endpoint, leg.answered_at is not None, leg.cause) for leg in call.legs) == story.legs
    assert call.hold_s == pytest.approx(story.hold_s, abs=0.006)
    assert call.hung_up_by == story.hung_up_by
    assert call.answered_by == (story.talks[0][0] if talked else None)
    assert (len(book), book._rooms, book._guests, book._owners, book._absorbed) == (0, {}, {}, {}, {})


@pytest.mark.parametrize("name", STORIES)
def test_a_list_that_overtakes_the_events_changes_nothing(name: str) -> None:
    """Channels are listed as they are when Asterisk writes the list; what made them so may still be on its way."""
    events = events_in((MOVES / f"{name}.ami").read_bytes())
    plain = _replay(name)[1]
    for position in range(1, len(events)):
        book, found = CallBook(PbxProfile()), list[Transition]()
        book.linked()
        for number, (event, block) in enumerate(events):
            if number == position:
                ahead = [found for later, _ in events[position : position + 6] for found in _channels(later)]
                book.listing()
                for listed in ahead:
                    if listed.linkedid in book.live:
                        found.extend(book.apply(ChannelListed(event.at, listed, "a-bridge" if listed.up else ""), b""))
            found.extend(book.apply(event, block))
        assert [(each.kind, each.call) for each in found] == [(each.kind, each.call) for each in plain], position


@pytest.mark.parametrize("name", [name for name in STORIES if name.startswith("picked_up")])
@pytest.mark.parametrize("later", range(1, 7))
def test_a_pick_up_that_is_told_late_is_one(name: str, later: int) -> None:
    """As late as after all that it leads to: the channels move in threads of their own."""
    events = events_in((MOVES / f"{name}.ami").read_bytes())
    (position,) = (number for number, (event, _) in enumerate(events) if isinstance(event, PickedUp))
    events.insert(position + later, events.pop(position))
    book, found = CallBook(PbxProfile()), list[Transition]()
    for event, block in events:
        found.extend(book.apply(event, block))
    assert found[-1].call == _replay(name)[1][-1].call


def _channels(event: CallEvent) -> list[Chan]:
    match event:
        case Dialled(_, parent, dest, _) | DialEnded(_, parent, dest, _):
            return [chan for chan in (parent, dest) if chan is not None]
        case PickedUp(_, target, picker):
            return [target, picker]
        case _:
            return [event.chan]


@pytest.mark.parametrize("name", STORIES)
def test_raw_facts_are_read_again_to_the_same_facts(name: str) -> None:
    for transition in _replay(name)[1]:
        fact = READER.of_transition(transition)
        assert READER.reparse(fact.external_id, fact.raw, ARRIVED) == fact


@pytest.mark.parametrize("name", [name for name in STORIES if name.startswith("placed")])
def test_a_placed_call_is_the_clients_from_the_first_ring(name: str) -> None:
    started = _replay(name)[1][0].call
    assert (started.direction, started.number, started.linkedid) == (Direction.OUT, "+79161234567", "1795340000.hub17")
    assert abs((started.started_at - ARRIVED).total_seconds()) < 86_400, "its id is no reason to doubt the clock"
