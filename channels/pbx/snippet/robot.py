"""[hub-robot]: where a call goes on that the hub has placed, once the person of the office has picked up."""

from __future__ import annotations

from channels.pbx.config import PbxConfig
from channels.pbx.snippet.outbound import dial_client


def robot(config: PbxConfig) -> str:
    """The context."""
    return _ROBOT.format(dial_client=dial_client(config))


_ROBOT = """\
[hub-robot]
; Where a call goes on that the hub has placed, once the manager has picked up.
exten => _[+0-9]!,1,Set(HUB_NUMBER=${{FILTER(+0-9,${{EXTEN}})}})
{dial_client}"""
