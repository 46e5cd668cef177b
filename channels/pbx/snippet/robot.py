"""[hub-robot]: where a call goes on that the hub has placed, once the person of the office has picked up.

With HUB_ANNOUNCE=1 they hear whom it is about and accept with 1; whoever else picked up (a colleague, an answering
machine) does not, and the client is not dialled.
"""

from __future__ import annotations

from channels.pbx.cdr import PLACED_FIELD
from channels.pbx.config import PbxConfig
from channels.pbx.snippet.outbound import dial_client


def robot(config: PbxConfig) -> str:
    """The context."""
    return _ROBOT.format(dial_client=dial_client(config), placed=PLACED_FIELD)


_ROBOT = """\
[hub-robot]
; Where a call goes on that the hub has placed, once the person of the office has picked up.
exten => _[+0-9]!,1,Set(HUB_NUMBER=${{FILTER(+0-9,${{EXTEN}})}})
 same => n,Set(CDR(userfield)={placed}${{FILTER(+0-9,${{HUB_LINE}})}})
 same => n,GotoIf($["${{HUB_ANNOUNCE}}"!="1"]?client)
; Twice: whose call it is, then 1 accepts and 2 declines. Sounds that are not there are passed over: the beep stays.
 same => n,Set(HUB_SAID=0)
 same => n,Wait(0.5)
 same => n(say),Playtones(!1000/200,!0/100,!1000/200,!0/300)
 same => n,Wait(0.8)
 same => n,StopPlaytones()
 same => n,Read(HUB_KEY,${{FILTER(A-Za-z0-9_/&\\x2D,${{HUB_SAY}})}}&followme/options&,1,,1,5)
 same => n,GotoIf($["${{FILTER(0-9,${{HUB_KEY}})}}"="1"]?client)
 same => n,GotoIf($["${{FILTER(0-9,${{HUB_KEY}})}}"="2"]?declined)
 same => n,Set(HUB_SAID=$[${{HUB_SAID}} + 1])
 same => n,GotoIf($[${{HUB_SAID}} < 2]?say)
 same => n(declined),Hangup(21)
; The hub may have thought better of it meanwhile: the client was reached, or is not to be rung.
 same => n(client),GotoIf($["${{HUB_STOPPED}}"="1"]?declined)
 same => n,Set(CALLERID(name)=)
 same => n,Set(CALLERID(num)=${{FILTER(0-9,${{HUB_LINE}})}})
{dial_client}"""
