"""[hub-fallback]: what rings when the hub is dead, slow or frozen."""

from __future__ import annotations

from channels.pbx.config import PbxConfig
from channels.pbx.snippet.recorded import recorded_talk
from channels.pbx.snippet.words import safe


def fallback(config: PbxConfig) -> str:
    """The context."""
    return _FALLBACK.format(fallback=_dial(config))


def _dial(config: PbxConfig) -> str:
    if not config.fallback:
        return " same => n,Verbose(1,hub: no fallback is configured)\n same => n,Hangup(38)\n"
    return (
        f" same => n,Dial({safe('fallback', config.fallback)},{max(config.ring_s, 30)}{recorded_talk(config)})\n"
        ' same => n,Hangup(${IF($["${DIALSTATUS}"="BUSY"]?17:19)})\n'
    )


_FALLBACK = """\
[hub-fallback]
exten => s,1,NoOp(hub: fallback)
{fallback}"""
