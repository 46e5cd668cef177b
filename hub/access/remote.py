"""Where a request comes from: the address of the connection, or what proxies that are trusted say of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from hub.settings.model import IpNetwork

TRUSTED_PROXIES = web.AppKey("trusted_proxies", tuple[IpNetwork, ...])
"""Whose `X-Forwarded-For` is believed."""

_MOST_HOPS = 20


def remote_of(request: web.Request) -> str:
    """The address that a request comes from, empty where it can't be told (a Unix socket)."""
    trusted = request.config_dict[TRUSTED_PROXIES]
    return forwarded(request.remote or "", request.headers.getall("X-Forwarded-For", ()), trusted)


def forwarded(remote: str, headers: Sequence[str], trusted: Sequence[IpNetwork]) -> str:
    """The nearest address that is no trusted proxy: each of them is believed about the one before it alone.

    What stands further left in `X-Forwarded-For` anybody may have written.
    """
    hops = [hop.strip() for header in headers for hop in header.split(",")][-_MOST_HOPS:]
    found = remote
    while hops and _is_trusted(found, trusted):
        hop = _plain(hops.pop())
        if hop is None:
            break
        found = hop
    return found


def _is_trusted(remote: str, trusted: Sequence[IpNetwork]) -> bool:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return not remote  # over a Unix socket only this machine comes
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in trusted)


def _plain(hop: str) -> str | None:
    """The address of a hop, without its port; None for what is no address."""
    text = hop.strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
