"""[hub-outbound]: calls of people of the office to clients."""

from __future__ import annotations

from channels.pbx.config import PbxConfig
from channels.pbx.snippet.recorded import recorded_talk
from channels.pbx.snippet.words import safe


def outbound(config: PbxConfig) -> str:
    """The context."""
    return _OUTBOUND.format(dial_client=dial_client(config))


def dial_client(config: PbxConfig) -> str:
    """The steps that dial the client whose number is in HUB_NUMBER, and end with the cause."""
    if not safe("trunk", (config.trunk or "").replace("{number}", "0")):
        return " same => n,Hangup(3)\n"
    dial = (config.trunk or "").replace("{number}", "${HUB_NUMBER}")
    return (
        f" same => n,Dial({dial},60{recorded_talk(config)})\n"
        ' same => n,Hangup(${IF($["${DIALSTATUS}"="BUSY"]?17:${IF($["${DIALSTATUS}"="NOANSWER"]?19:34)})})\n'
    )


_OUTBOUND = """\
[hub-outbound]
; Calls to clients: `context = hub-outbound` at the telephones of plain Asterisk; FreePBX has its own outbound routes.
exten => _[+0-9]!,1,Set(HUB_NUMBER=${{FILTER(+0-9,${{EXTEN}})}})
{dial_client}"""
