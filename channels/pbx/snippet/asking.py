"""Asking the hub: the AGI call of the dialplan, and how long it may take. With two servers the second is asked when
the first is dead or says nothing.

A server that refuses the connection costs nothing; one that is frozen costs its share of the wait, which is bounded by
`TIMEOUT(absolute)`: when that fires the call goes on at extension `T` of the context that asked, see `late`.
"""

from __future__ import annotations

from channels.pbx.config import PbxConfig
from channels.pbx.snippet.words import safe

# Bounds the wait for a hub that is frozen, which AGI by itself would not: for all servers together.
ASK_WITHIN_S = 1.5
# What an answer may take on its way beside the hub's own deadline.
_ROOM_S = 0.3
_SRV = "hagi://"
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 — compared, not bound
_MOST_SERVERS = 2
_BRACKETS = str.maketrans("", "", "[]")


def addresses(config: PbxConfig) -> tuple[str, ...]:
    """Where the hub is asked, first to last, as AGI() takes it; ValueError where a host can't stand in a dialplan."""
    servers = _servers(config)
    if len(servers) > _MOST_SERVERS:
        raise ValueError(f"hub: at most {_MOST_SERVERS} servers are asked, not {len(servers)}")
    path = f"/route/{safe('name', config.name)}"
    return tuple(_address(_safe(server), config.agi_port) + path for server in servers)


def hosts(config: PbxConfig) -> tuple[str, ...]:
    """The hosts of these hubs, without ports."""
    return tuple(_split(server.removeprefix(_SRV))[0] for server in _servers(config))


def asking(config: PbxConfig, arguments: str = "${HUB_ATTEMPT}") -> str:
    """The steps that ask, for the middle of an extension; afterwards HUB_ACTION is empty or the hub's answer.

    Uses the labels `second` and `asked`; needs `late` in the same context.
    """
    first, *others = addresses(config)
    wait = _wait(config, 1 + len(others))
    begin = " same => n,Set(AGIEXITONHANGUP=yes)\n"
    if not others:
        return f"{begin}{_ask(first, arguments, wait)} same => n,Set(TIMEOUT(absolute)=0)\n"
    return (
        f"{begin}"
        " same => n,Set(HUB_ASKING=${FILTER(A-Za-z0-9+,${EXTEN})})\n"
        f"{_ask(first, arguments, wait)}"
        ' same => n,GotoIf($["${AGISTATUS}"="SUCCESS"]?asked)\n'
        " same => n(second),Set(HUB_ASKING=)\n"
        f"{_ask(others[0], arguments, wait)}"
        " same => n(asked),Set(HUB_ASKING=)\n"
        " same => n,Set(TIMEOUT(absolute)=0)\n"
    )


def late(config: PbxConfig) -> str:
    """Extension `T` of a context that asks: the second server is asked, or the fallback rings."""
    second = "" if len(addresses(config)) == 1 else ' same => n,GotoIf($["${HUB_ASKING}"!=""]?${HUB_ASKING},second)\n'
    return (
        "; The hub took too long: the call leaves it"
        f"{', asks the second server' if second else ''} and rings the fallback.\n"
        "exten => T,1,Set(TIMEOUT(absolute)=0)\n"
        " same => n,Verbose(1,hub: no answer in time)\n"
        f"{second}"
        " same => n,Goto(hub-fallback,s,1)\n"
    )


def _ask(address: str, arguments: str, wait: str) -> str:
    return f" same => n,Set(TIMEOUT(absolute)={wait})\n same => n,AGI({address},{arguments})\n"


def _safe(server: str) -> str:
    safe("hub", server.translate(_BRACKETS))
    return server


def _servers(config: PbxConfig) -> tuple[str, ...]:
    own = "127.0.0.1" if config.agi_host in _EVERYWHERE else config.agi_host
    return config.hubs or ((own, config.agi_second) if config.agi_second else (own,))


def _split(server: str) -> tuple[str, str]:
    """Host and port, empty where there is none; an IPv6 address with a port stands in brackets."""
    if server.startswith("["):
        host, _, port = server[1:].partition("]")
        return host, port.removeprefix(":")
    if server.count(":") > 1:
        return server, ""
    host, _, port = server.partition(":")
    return host, port


def _address(server: str, port: int) -> str:
    """`agi://host:port`; with `hagi://` Asterisk looks the servers up itself (SRV records `_agi._tcp`)."""
    if server.startswith(_SRV):
        return server
    host, named = _split(server)
    return f"agi://[{host}]:{named or port}" if ":" in host else f"agi://{host}:{named or port}"


def _wait(config: PbxConfig, servers: int) -> str:
    return f"{max(ASK_WITHIN_S / servers, config.deadline_s + _ROOM_S):g}"
