"""What follows from a PBX's configuration: endpoints, the printed texts, the variables of a decision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from channels.pbx.agi_door import dialable, variables
from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig, trunk_endpoints
from channels.pbx.presence import device_state
from channels.pbx.snippet import Part, snippet
from crm_core.messages import DeviceState, RouteAction, RouteDecision

CONFIG = PbxConfig("office", AmiAddress("127.0.0.1", 5038, "hub", "s3cret"), fallback="PJSIP/101&PJSIP/102")


@pytest.mark.parametrize(
    ("trunk", "endpoints"),
    [
        ("PJSIP/{number}@trunk", {"PJSIP/trunk"}),
        ("PJSIP/trunk/sip:{number}@provider.example", {"PJSIP/trunk"}),
        ("SIP/provider/{number}", {"SIP/provider"}),
        ("Local/{number}@from-internal", set()),
        ("PJSIP/{number}", set()),
        (None, set()),
    ],
)
def test_the_endpoints_behind_which_clients_are(trunk: str | None, endpoints: set[str]) -> None:
    assert trunk_endpoints(trunk) == endpoints


def test_secrets_do_not_show() -> None:
    assert "s3cret" not in repr(CONFIG)


def test_the_variables_of_a_decision() -> None:
    decision = RouteDecision(RouteAction.DIAL, ("101", "Local/102@from-internal/n"), 20, "own manager", 7)
    assert dialable(decision, CONFIG) is decision
    assert variables(decision, CONFIG) == (
        ("HUB_DIAL", "PJSIP/101&Local/102@from-internal/n"),
        ("HUB_RING_S", "20"),
        ("HUB_REASON", "own manager"),
        ("HUB_CONTACT", "7"),
        ("HUB_ACTION", "dial"),
    )


@pytest.mark.parametrize("extension", ["101,20,G(evil)", "101)", "${SHELL(id)}", "101 102", "101\nHangup", ""])
def test_what_cannot_be_dialled_falls_back(extension: str) -> None:
    decision = dialable(RouteDecision(RouteAction.DIAL, (extension,) if extension else (), 20, "x", 7), CONFIG)
    assert decision.action is RouteAction.FALLBACK
    assert decision.reason


def test_the_dialplan_names_hub_and_fallback() -> None:
    text = snippet(CONFIG, Part.DIALPLAN)
    assert "AGI(agi://127.0.0.1:4573/route/office,${HUB_ATTEMPT},${HUB_KEY})" in text
    assert "Dial(PJSIP/101&PJSIP/102,30)" in text
    assert "Dial(PJSIP/${HUB_NUMBER}@trunk,60)" in text
    assert "MixMonitor" not in text
    for context in ("hub-inbound", "hub-fallback", "hub-callback", "hub-outbound", "hub-robot"):
        assert text.count(f"[{context}]\n") == 1
    assert "{" not in text.replace("${", "")


def test_without_a_fallback_the_call_is_refused_in_words() -> None:
    text = snippet(replace(CONFIG, fallback=None, trunk=None), Part.DIALPLAN)
    assert "no fallback is configured" in text
    assert "Hangup(3)" in text


def test_calls_are_recorded_where_a_folder_is_named() -> None:
    text = snippet(replace(CONFIG, recordings=Path("/var/spool/asterisk/monitor")), Part.DIALPLAN)
    assert "MixMonitor(/var/spool/asterisk/monitor/${CHANNEL(linkedid)}.wav,a)" in text
    assert "[hub-record]" not in text
    dials = [row for row in text.splitlines() if ",Dial(" in row]
    assert len(dials) == 5  # by the hub, own manager, office, to a client twice
    assert all(row.endswith(",U(hub-recorded^${FILTER(01,${HUB_RECORD})}))") for row in dials)


def test_a_line_that_says_whether_it_is_recorded_stands_in_the_dialplan() -> None:
    lines = (("+7 (495) 123-45-68", False), ("201", True), ("reception", False))
    config = replace(CONFIG, recordings=Path("/var/spool/asterisk/monitor"), record_lines=lines)
    text = snippet(config, Part.DIALPLAN)
    assert "Set(HUB_DIALLED=${FILTER(0-9,${EXTEN})})" in text
    assert text.index("Gosub(hub-record,r${HUB_DIALLED:-10},1)") < text.index("AGI(agi://")
    said = text.partition("[hub-record]\n")[2]
    assert "exten => r4951234568,1,Set(__HUB_RECORD=0)\n same => n,Return()\n" in said
    assert "exten => r201,1,Set(__HUB_RECORD=1)\n same => n,Return()\n" in said
    assert said.count("exten => ") == 3
    assert "hub-record" not in snippet(replace(config, recordings=None), Part.DIALPLAN)


def test_all_parts_stand_under_their_files() -> None:
    text = snippet(CONFIG)
    for file in ("extensions.conf", "manager.conf", "cdr.conf"):
        assert f"; ===== {file} =====" in text
    assert "secret = s3cret" in text
    assert "newcdrcolumns = yes" in text


@pytest.mark.parametrize("bad", ["PJSIP/101,30)\nsame => n,System(id)", "PJSIP/101;Hangup", "a b", "${X}"])
def test_a_fallback_that_breaks_the_dialplan_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="fallback"):
        snippet(replace(CONFIG, fallback=bad), Part.DIALPLAN)


def test_a_secret_that_breaks_the_file_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        snippet(replace(CONFIG, ami=AmiAddress("h", 1, "hub", "a;b")), Part.MANAGER)


def test_words_for_telephones() -> None:
    assert device_state("NOT_INUSE") is DeviceState.IDLE
    assert device_state("RINGING") is DeviceState.RINGING
    for word in ("INUSE", "BUSY", "RINGINUSE", "ONHOLD"):
        assert device_state(word) is DeviceState.BUSY
    for word in ("UNAVAILABLE", "INVALID"):
        assert device_state(word) is DeviceState.UNREACHABLE
    for word in ("UNKNOWN", "SOMETHING NEW"):
        assert device_state(word) is DeviceState.UNKNOWN


def test_a_sound_and_a_menu_reach_the_dialplan_and_others_are_left_out() -> None:
    menu = variables(RouteDecision(RouteAction.MENU, sound="custom/menu&beep", keys="12*", record=False), CONFIG)
    assert dict(menu)["HUB_SOUND"] == "custom/menu&beep"
    assert dict(menu)["HUB_KEYS"] == "12*"
    assert dict(menu)["HUB_RECORD"] == "0"
    assert menu[-1] == ("HUB_ACTION", "menu")
    plain = variables(RouteDecision(RouteAction.DIAL, ("101",), 20, "manager", 7), CONFIG)
    assert [name for name, _ in plain] == ["HUB_DIAL", "HUB_RING_S", "HUB_REASON", "HUB_CONTACT", "HUB_ACTION"]


@pytest.mark.parametrize("sound", ["x,y", "${SHELL(id)}", "a b", "a\nb", "привет"])
def test_what_is_no_name_of_a_sound_is_not_played(sound: str) -> None:
    assert "HUB_SOUND" not in dict(variables(RouteDecision(RouteAction.DIAL, ("101",), 20, sound=sound), CONFIG))
