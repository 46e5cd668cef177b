"""What is known of telephones: states, pauses, the rest after a call, hearsay of other nodes, and who is told."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from crm_core.messages import DeviceState, Verdict
from routing.presence import BELIEVED_S, Presence, Telephone
from tests.fakes.clock import DrivenClock

PBX, PHONE = "office", "PJSIP/101"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def presence(clock: DrivenClock) -> Presence:
    return Presence(clock, {PBX: timedelta(seconds=10)})


def verdict(presence: Presence, clock: DrivenClock, pbx: str = PBX) -> Verdict | None:
    return presence.verdict(pbx, PHONE, clock.now())


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (DeviceState.UNKNOWN, None),
        (DeviceState.IDLE, None),
        (DeviceState.RINGING, Verdict.BUSY),
        (DeviceState.BUSY, Verdict.BUSY),
        (DeviceState.UNREACHABLE, Verdict.UNREACHABLE),
    ],
)
def test_a_state_decides(presence: Presence, clock: DrivenClock, state: DeviceState, expected: Verdict | None) -> None:
    presence.device(PBX, PHONE, state)
    assert verdict(presence, clock) is expected
    assert presence.free(PBX, PHONE) is (expected is None)
    assert verdict(presence, clock, "other") is None


def test_whoever_talked_rests_and_whoever_did_not_take_the_call_does_not(
    presence: Presence, clock: DrivenClock
) -> None:
    presence.device(PBX, PHONE, DeviceState.RINGING)
    presence.device(PBX, PHONE, DeviceState.IDLE)
    assert verdict(presence, clock) is None
    presence.device(PBX, PHONE, DeviceState.BUSY)
    ended = clock.advance(60)
    presence.device(PBX, PHONE, DeviceState.IDLE)
    assert verdict(presence, clock) is Verdict.WRAP_UP
    assert presence.rests_until(PBX, PHONE) == ended + timedelta(seconds=10)
    presence.device(PBX, PHONE, DeviceState.IDLE)  # said again: the rest does not begin anew
    clock.advance(9)
    assert verdict(presence, clock) is Verdict.WRAP_UP
    clock.advance(1)
    assert verdict(presence, clock) is None


def test_a_clock_set_back_makes_nobody_rest_for_ever(presence: Presence, clock: DrivenClock) -> None:
    presence.device(PBX, PHONE, DeviceState.BUSY)
    presence.device(PBX, PHONE, DeviceState.IDLE)
    clock.jump(-timedelta(hours=1))
    assert verdict(presence, clock) is None


def test_no_rest_where_none_is_configured(clock: DrivenClock) -> None:
    presence = Presence(clock)
    presence.device(PBX, PHONE, DeviceState.BUSY)
    presence.device(PBX, PHONE, DeviceState.IDLE)
    assert verdict(presence, clock) is None
    assert presence.rests_until(PBX, PHONE) is None


def test_a_pause_in_any_queue_counts_until_the_last_ends(presence: Presence, clock: DrivenClock) -> None:
    presence.device(PBX, PHONE, DeviceState.IDLE)
    presence.paused(PBX, PHONE, "sales", paused=True)
    presence.paused(PBX, PHONE, "support", paused=True)
    presence.paused(PBX, PHONE, "sales", paused=False)
    assert verdict(presence, clock) is Verdict.PAUSED
    presence.device(PBX, PHONE, DeviceState.BUSY)
    assert verdict(presence, clock) is Verdict.BUSY
    presence.device(PBX, PHONE, DeviceState.IDLE)
    presence.paused(PBX, PHONE, "support", paused=False)
    assert verdict(presence, clock) is Verdict.WRAP_UP


def test_a_lost_link_knows_nothing(presence: Presence, clock: DrivenClock) -> None:
    presence.device(PBX, PHONE, DeviceState.BUSY)
    presence.paused(PBX, PHONE, "sales", paused=True)
    presence.forget(PBX)
    assert verdict(presence, clock) is None
    assert presence.state(PBX, PHONE) is DeviceState.UNKNOWN
    assert presence.owned() == frozenset()


def test_listeners_hear_of_changes_only(presence: Presence) -> None:
    heard: list[tuple[str, str]] = []
    presence.listen(lambda pbx, endpoint: heard.append((pbx, endpoint)))
    presence.device(PBX, PHONE, DeviceState.IDLE)
    presence.device(PBX, PHONE, DeviceState.IDLE)
    presence.paused(PBX, PHONE, "sales", paused=False)
    presence.paused(PBX, PHONE, "sales", paused=True)
    presence.forget(PBX)
    assert heard == [(PBX, PHONE)] * 3


def test_a_failing_listener_harms_nobody(presence: Presence, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []

    def failing(_pbx: str, _endpoint: str) -> None:
        raise RuntimeError("no")

    presence.listen(failing)
    presence.listen(lambda _, endpoint: heard.append(endpoint))
    with caplog.at_level(logging.ERROR):
        presence.device(PBX, PHONE, DeviceState.BUSY)
    assert heard == [PHONE]
    assert "a listener failed" in caplog.text


def test_hearsay_is_believed_for_a_while(presence: Presence, clock: DrivenClock) -> None:
    presence.told(PBX, {PHONE: Telephone(DeviceState.BUSY), "PJSIP/102": Telephone(DeviceState.IDLE)}, whole=True)
    assert verdict(presence, clock) is Verdict.BUSY
    assert presence.owned() == frozenset()
    presence.told(PBX, {PHONE: Telephone(DeviceState.UNREACHABLE)}, whole=False)
    assert verdict(presence, clock) is Verdict.UNREACHABLE
    assert presence.state(PBX, "PJSIP/102") is DeviceState.IDLE
    clock.advance(BELIEVED_S)
    assert verdict(presence, clock) is None
    assert presence.state(PBX, PHONE) is DeviceState.UNKNOWN
    assert presence.phones(PBX) == {}


def test_the_own_link_is_believed_over_hearsay(presence: Presence, clock: DrivenClock) -> None:
    presence.told(PBX, {PHONE: Telephone(DeviceState.BUSY), "PJSIP/102": Telephone(DeviceState.BUSY)}, whole=True)
    presence.device(PBX, PHONE, DeviceState.IDLE)
    assert verdict(presence, clock) is None
    assert presence.state(PBX, "PJSIP/102") is DeviceState.UNKNOWN
    assert presence.owned() == {PBX}
    presence.told(PBX, {PHONE: Telephone(DeviceState.BUSY)}, whole=True)
    assert verdict(presence, clock) is None


def test_a_whole_telling_replaces_what_was_told(presence: Presence) -> None:
    heard: list[str] = []
    presence.listen(lambda _, endpoint: heard.append(endpoint))
    presence.told(PBX, {PHONE: Telephone(DeviceState.BUSY), "PJSIP/102": Telephone()}, whole=True)
    heard.clear()
    presence.told(PBX, {"PJSIP/102": Telephone()}, whole=True)
    assert heard == [PHONE]
    assert presence.phones(PBX) == {"PJSIP/102": Telephone()}
