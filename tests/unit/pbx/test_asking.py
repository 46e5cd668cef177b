"""How the dialplan asks the hub: one server or two, named or looked up, each within its share of the wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig
from channels.pbx.snippet import Part, snippet
from channels.pbx.snippet.asking import addresses, asking, late

CONFIG = PbxConfig("office", AmiAddress("127.0.0.1", 5038, "hub", "s3cret"), fallback="PJSIP/101")


def test_one_server_has_the_whole_wait() -> None:
    text = asking(CONFIG)
    assert "AGI(agi://127.0.0.1:4573/route/office,${HUB_ATTEMPT})" in text
    assert "TIMEOUT(absolute)=1.5)" in text
    assert "second" not in text + late(CONFIG)


def test_two_servers_share_the_wait() -> None:
    config = replace(CONFIG, agi_second="10.0.0.2")
    text = asking(config)
    assert text.index("agi://127.0.0.1:4573/route/office") < text.index("agi://10.0.0.2:4573/route/office")
    assert text.count("TIMEOUT(absolute)=0.75)") == 2
    assert "?${HUB_ASKING},second)" in late(config)


def test_the_wait_leaves_room_for_the_deadline() -> None:
    assert "TIMEOUT(absolute)=2.3)" in asking(replace(CONFIG, deadline_s=2.0))


@pytest.mark.parametrize(
    ("hub", "address"),
    [
        ("10.0.0.1", "agi://10.0.0.1:4573/route/office"),
        ("hub.example:4574", "agi://hub.example:4574/route/office"),
        ("fd00::1", "agi://[fd00::1]:4573/route/office"),
        ("[fd00::1]:4574", "agi://[fd00::1]:4574/route/office"),
        ("hagi://hub.example", "hagi://hub.example/route/office"),
    ],
)
def test_how_a_server_may_be_named(hub: str, address: str) -> None:
    assert addresses(replace(CONFIG, hubs=(hub,))) == (address,)


@pytest.mark.parametrize("bad", ["a,b", "a)\nsame => n,System(id)", "${X}", "a;b"])
def test_a_server_that_breaks_the_dialplan_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="hub"):
        asking(replace(CONFIG, hubs=(bad,)))


def test_more_servers_than_two_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 2"):
        asking(replace(CONFIG, hubs=("a", "b", "c")))


def test_every_hub_may_log_in() -> None:
    text = snippet(replace(CONFIG, agi_host="0.0.0.0", agi_second="10.0.0.2:4574"), Part.MANAGER)
    assert "permit = 127.0.0.1/255.255.255.255\npermit = 10.0.0.2/255.255.255.255" in text
    assert "permit only the hub's address" in snippet(replace(CONFIG, hubs=("hagi://hub.example",)), Part.MANAGER)
