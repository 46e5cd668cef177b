"""The bytes of FastAGI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.pbx.agi_wire import AgiProtocolError, AgiRequest, Replies, parse_request, set_variable


def head(**fields: str) -> bytes:
    """A header block as Asterisk sends it, without its closing blank line."""
    lines = {
        "network": "yes",
        "network_script": "route/office",
        "request": "agi://127.0.0.1:4573/route/office",
        "channel": "PJSIP/trunk-00000000",
        "uniqueid": "office-1795314526.8",
        "callerid": "79161234567",
        "dnid": "+74951234567",
        "extension": "+74951234567",
        "arg_1": "0",
    }
    return "\n".join(f"agi_{name}: {value}" for name, value in (lines | fields).items()).encode()


def test_a_request() -> None:
    assert parse_request(head()) == AgiRequest(
        "route", "office", "office-1795314526.8", "PJSIP/trunk-00000000", "79161234567", "+74951234567", 0
    )


def test_the_pbx_need_not_be_named() -> None:
    request = parse_request(head(network_script="route", arg_1="3"))
    assert (request.script, request.pbx, request.attempt) == ("route", "", 3)


@pytest.mark.parametrize("number", ["", "unknown", "<unknown>"])
def test_hidden_callers(number: str) -> None:
    assert parse_request(head(callerid=number)).number == ""


@pytest.mark.parametrize("extension", ["s", "T", "0"])
def test_in_a_special_extension_the_number_dialled_at_first_counts(extension: str) -> None:
    assert parse_request(head(extension=extension)).line == "+74951234567"
    assert parse_request(head(extension=extension, dnid="unknown")).line == ""


@pytest.mark.parametrize("key", [*"0123456789*#-"])
def test_the_key_that_was_pressed_in_a_menu(key: str) -> None:
    assert parse_request(head(arg_2=key)).key == key


@pytest.mark.parametrize("key", ["", "12", "a", "²", "--", "${X}"])
def test_keys_that_are_none(key: str) -> None:
    assert parse_request(head(arg_2=key)).key == ""


@pytest.mark.parametrize("attempt", ["", "-1", "1e9", "99999999999", "²", "x"])
def test_attempts_that_are_none(attempt: str) -> None:
    assert parse_request(head(arg_1=attempt)).attempt == 0


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\nHost: x", b"", b"agi_network", b"agi_x: y", b"\xff\xfe"])
def test_other_protocols_are_refused(junk: bytes) -> None:
    with pytest.raises(AgiProtocolError):
        parse_request(junk)


def test_names_that_are_no_utf8_do_not_cost_an_answer() -> None:
    assert parse_request(head() + b"\nagi_calleridname: \xcf\xe5\xf2\xff").number == "79161234567"


@given(st.text(max_size=60))
def test_a_value_never_leaves_its_quotes(value: str) -> None:
    command = set_variable("HUB_REASON", value)
    assert command.count(b"\n") == 1
    assert command.endswith(b'"\n')
    assert b"\r" not in command
    assert b"\0" not in command
    inner = command[len(b'SET VARIABLE HUB_REASON "') : -2]
    assert b'"' not in inner.replace(b"\\\\", b"").replace(b'\\"', b"")


def test_replies_in_pieces() -> None:
    replies = Replies(expected=3)
    complete = []
    for byte in b"200 result=1\nHANGUP\n200 result=1\n200 result=1\n":
        replies.feed(bytes([byte]))
        complete.append(replies.complete)
    assert complete.index(True) == len(complete) - 1
    assert replies.hung_up
    assert replies.failed == []


def test_a_520_has_several_lines() -> None:
    replies = Replies(expected=2)
    replies.feed(b"520-Invalid command syntax.  Proper usage follows:\n Usage: SET VARIABLE\n200 lines of it\n")
    assert replies.received == 0
    replies.feed(b"520 End of proper usage.\n200 result=1\n")
    assert replies.complete
    assert len(replies.failed) == 1


def test_a_dead_channel_and_an_unknown_command_are_failures() -> None:
    replies = Replies(expected=2)
    replies.feed(b"511 Command Not Permitted on a dead channel\n510 Invalid or unknown command\n")
    assert replies.complete
    assert len(replies.failed) == 2


def test_lines_without_a_code_are_no_replies() -> None:
    with pytest.raises(AgiProtocolError):
        Replies(expected=1).feed(b"hello\n")
