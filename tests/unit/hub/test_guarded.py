"""Which addresses are refused to whoever typed them in, and which events a subscription names."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from crm_core.model.events import WebhookEvent, mistyped, wants
from hub.guarded import PrivateAddressError, PublicResolver, is_public, refused_host


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2a02:6b8::2:242", "[2a02:6b8::2:242]"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)
    assert not refused_host(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "[::1]"),
        *("127.1", "2130706433", "0177.0.0.1", "1.2.3.4.5", "::1::1"),
    ],
)
def test_the_own_network_is_not(address: str) -> None:
    assert not is_public(address)
    assert refused_host(address)


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "a.localhost", "nas.local", "db.internal", "x.home.arpa"])
def test_names_of_the_own_network_are_refused(name: str) -> None:
    assert refused_host(name)


@pytest.mark.parametrize("name", ["example.org", "localhost.example.org", "0x7f000001", "local"])
def test_other_names_are_looked_up(name: str) -> None:
    assert not refused_host(name)


class Names(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in self._addresses
        ]

    async def close(self) -> None:
        self._addresses = ()


async def test_a_name_is_judged_by_what_it_stands_for() -> None:
    found = await PublicResolver(Names("10.0.0.1", "8.8.8.8")).resolve("example.org", 443)
    assert [each["host"] for each in found] == ["8.8.8.8"]
    with pytest.raises(PrivateAddressError, match=r"example\.org"):
        await PublicResolver(Names("10.0.0.1", "127.0.0.1")).resolve("example.org", 443)
    with pytest.raises(PrivateAddressError):
        await PublicResolver(Names("8.8.8.8")).resolve("localhost", 443)
    assert await PublicResolver(Names()).resolve("example.org", 443) == []


@pytest.mark.parametrize(
    ("patterns", "event", "wanted"),
    [
        ({"deal.moved"}, "deal.moved", True),
        ({"deal.moved"}, "deal.changed", False),
        ({"deal.*"}, "deal.changed", True),
        ({"deal.*"}, "dealer.changed", False),
        ({"*"}, "anything.at_all", True),
        (set(), "deal.moved", False),
    ],
)
def test_patterns_name_events(patterns: set[str], event: str, wanted: bool) -> None:
    assert wants(patterns, event) is wanted


def test_a_slip_of_the_pen_is_told_from_an_event_of_ones_own() -> None:
    assert "deal.moved" in mistyped("deal.moveed")
    assert [mistyped(each) for each in ("deal.surveyed", "claim.created", "deal.*", "*", *WebhookEvent)] == [""] * (
        4 + len(WebhookEvent)
    )
