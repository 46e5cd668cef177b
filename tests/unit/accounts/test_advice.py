"""What to do is said for every state of every channel, in both languages, and fits the reason."""

from __future__ import annotations

import re

import pytest

from crm_core.ports import ChannelHealth, ChannelState
from hub.accounts.advice import EN, RU, advice

CHANNELS = ("telegram", "vk", "email", "pbx", "web", "gateway", "cti")
BAD, DOWN, UP = ChannelState.BAD_CREDENTIALS, ChannelState.RECONNECTING, ChannelState.CONNECTED


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("state", list(ChannelState))
@pytest.mark.parametrize("detail", ["", "something nobody foresaw"])
def test_something_is_said_of_whatever_is_not_well(channel: str, state: ChannelState, detail: str) -> None:
    health = ChannelHealth(state, detail)
    russian, english = advice(channel, health, RU), advice(channel, health, EN)
    if state is UP and not detail:
        assert (russian, english) == ("", "")
        return
    assert re.search("[а-я]", russian)
    assert english
    assert russian != english


@pytest.mark.parametrize(
    ("channel", "state", "detail", "words"),
    [
        ("telegram", BAD, "Telegram refuses the token: Unauthorized", "@BotFather"),
        ("telegram", UP, "3 updates wait: Connection refused", "public_url"),
        (
            "telegram",
            DOWN,
            "Telegram can't do it now: Conflict: terminated by other getUpdates request",
            "Somebody else",
        ),
        ("telegram", DOWN, "Telegram can't be reached: timed out", "does not answer"),
        ("vk", BAD, "VK refuses the token (VK error 5)", "Make a new one"),
        ("vk", UP, "no Callback API server of the community posts to https://x/in/vk/a: add it", "Add a server"),
        ("vk", UP, "confirmation is not what VK expects: copy it", "Callback API settings into confirmation"),
        ("vk", UP, "events are off that the hub needs: message_edit", "Switch on"),
        ("vk", UP, "the token lacks the rights manage", "lacks rights"),
        ("email", BAD, "imap: x refuses the login sales: AUTHENTICATIONFAILED", "password of the application"),
        ("email", DOWN, "in: can't listen on 127.0.0.1:25: Address already in use", "ss -ltnp"),
        ("email", DOWN, "imap: x: its certificate is not trusted: self-signed", "certificate"),
        ("email", DOWN, "in: can't listen on :25: tls_cert and tls_key are no certificate with its key", "certificate"),
        ("pbx", BAD, "Authentication failed", "manager.conf"),
        ("pbx", DOWN, "AMI 127.0.0.1:5038: Connection refused", "PBX does not answer"),
        ("pbx", UP, "FastAGI can't be answered at 127.0.0.1:4573: in use", "ss -ltnp"),
        ("pbx", UP, "user 'hub' sees no FullyBooted: it lacks `system` among its read classes", "snippet"),
        ("pbx", ChannelState.CONNECTING, "another node owns the link", "Nothing is to be done"),
        ("web", ChannelState.STOPPED, "its secrets were sealed with another key", "secret_key"),
    ],
)
def test_the_advice_fits_the_reason(channel: str, state: ChannelState, detail: str, words: str) -> None:
    assert words in advice(channel, ChannelHealth(state, detail), EN)
