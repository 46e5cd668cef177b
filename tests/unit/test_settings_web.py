"""What [[web]] says of forms and of the chat, and how it reaches the connector."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from channels.web import Side, WebChannel
from hub.connectors import sites
from hub.settings import SettingsError, parse_settings
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.clock import DrivenClock

SITE = '[[web]]\nname = "site"\nkey = "k"\n'


def connected(text: str) -> Any:
    """The configuration of the one site, as its connector has it."""
    settings = parse_settings(text, folder=Path("/nowhere"))
    (channel,) = sites(settings, ChannelWorld(DrivenClock()).context())
    return cast("WebChannel", channel)._config


def test_all_keys_reach_the_connector() -> None:
    config = connected(
        SITE + 'origins = ["https://a.ru"]\nper_minute = 5\ntitle = "Окна"\ncolor = "#0A7D4F"\nposition = "left"\n'
        'file_size = "3MB"\nhours = "office"\n[[hours]]\nname = "office"\ndays = { mon-fri = "09:00-18:00" }\n'
    )
    chat = config.chat
    assert (config.per_minute, chat.on, chat.title, chat.color) == (5, True, "Окна", "#0a7d4f")
    assert (chat.side, chat.file_size, chat.hours.name) == (Side.LEFT, 3 * 1024 * 1024, "office")


def test_a_site_has_a_chat_unless_it_is_switched_off_or_has_no_pages() -> None:
    assert connected(SITE + 'origins = ["https://a.ru"]\n').chat.on
    assert connected(SITE + 'origins = ["https://a.ru"]\n').chat.hours.always
    assert not connected(SITE + 'origins = ["https://a.ru"]\nchat = false\n').chat.on
    assert not connected(SITE).chat.on


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('color = "red"', 'web[1].color: "red" is no colour'),
        ("per_minute = 0", "web[1].per_minute"),
        ('position = "top"', "web[1].position"),
        ('tittle = "x"', 'Did you mean "title"?'),
        ('hours = "nights"', "nights"),
    ],
)
def test_what_is_wrong_is_named(line: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(f"{SITE}{line}\n", folder=Path("/nowhere"))
    assert says in str(caught.value)
