"""Connections to addresses that people typed in: never to the machine itself or into the office's own network.

A name is looked up once, what it stands for is judged, and exactly that is connected to: whoever changes the name in
between gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from crm_core.errors import PermanentDeliveryError

# Addresses of version 6 that carry one of version 4 and are routed to it: NAT64, 6to4, Teredo.
_CARRIERS = tuple(ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".home.arpa")


class PrivateAddressError(PermanentDeliveryError):
    """The address belongs to the machine itself or to the office's own network."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet at large."""
    try:
        found: IPv4Address | IPv6Address = ipaddress.ip_address(address.partition("%")[0].strip("[]"))
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif any(found in network for network in _CARRIERS):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def refused_host(host: str) -> bool:
    """Whether a host can be refused by its name alone: an address that is not public, or a name of the machine."""
    name = host.casefold().rstrip(".")
    if any(name == each or (each.startswith(".") and name.endswith(each)) for each in _LOCAL_NAMES):
        return True
    try:
        ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        # What only looks like an address (127.1, 2130706433) is one to some, who would not look it up.
        return ":" in name or name.replace(".", "").isdigit()
    return not is_public(name)


class PublicResolver(AbstractResolver):
    """Looks names up and gives only addresses of the internet at large; raises PrivateAddressError where none is."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The public addresses of a host."""
        if refused_host(host):
            raise PrivateAddressError("«{host}» is an address of the hub's own network", host=host)
        found = await self._inner.resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if found and not public:
            raise PrivateAddressError("«{host}» stands for an address of the hub's own network", host=host)
        return public

    async def close(self) -> None:
        """End."""
        await self._inner.close()


def guarded_session(**more: Any) -> aiohttp.ClientSession:
    """A client that connects to public addresses only. Addresses written as numbers are to be refused beforehand
    (`refused_host`): they are not looked up."""
    connector = aiohttp.TCPConnector(resolver=PublicResolver(), use_dns_cache=False)
    return aiohttp.ClientSession(connector=connector, trust_env=False, **more)
