"""[hub-fallback]: what rings when the hub is dead, slow or frozen: the own manager, then whoever is configured.

Who that is the hub keeps in Asterisk's own database, see `channels.pbx.astdb`.
"""

from __future__ import annotations

from channels.pbx.config import PbxConfig
from channels.pbx.snippet.mirrored import CLIENTS, PEOPLE
from channels.pbx.snippet.recorded import recorded_talk
from channels.pbx.snippet.words import safe
from crm_core.ports import REJECTED


def fallback(config: PbxConfig) -> str:
    """The context."""
    return _FALLBACK.format(
        clients=CLIENTS,
        people=PEOPLE,
        rejected=REJECTED,
        ring=config.ring_s,
        options=recorded_talk(config),
        everybody=_everybody(config),
    )


def _everybody(config: PbxConfig) -> str:
    if not config.fallback:
        return " same => n(everybody),Verbose(1,hub: no fallback is configured)\n same => n,Goto(hub-callback,s,1)\n"
    options = recorded_talk(config)
    return (
        f" same => n(everybody),Dial({safe('fallback', config.fallback)},{max(config.ring_s, 30)}{options})\n"
        ' same => n,GotoIf($["${DIALSTATUS}"="ANSWER"]?done)\n'
        " same => n,Goto(hub-callback,s,1)\n"
    )


_FALLBACK = """\
[hub-fallback]
; The own manager, whom the hub has noted in Asterisk's database; then the office.
exten => s,1,NoOp(hub: fallback)
 same => n,Set(HUB_CALLER=${{FILTER(0-9,${{CALLERID(num)}})}})
 same => n,Set(HUB_CALLER=${{HUB_CALLER:-10}})
 same => n,GotoIf($["${{HUB_CALLER}}"=""]?everybody)
 same => n,Set(HUB_OWNER=${{FILTER(A-Za-z0-9._@+*#\\x2D,${{DB({clients}/${{HUB_CALLER:-2}}/${{HUB_CALLER}})}})}})
 same => n,GotoIf($["${{HUB_OWNER}}"=""]?everybody)
 same => n,GotoIf($["${{HUB_OWNER}}"="{rejected}"]?reject)
 same => n,Set(HUB_DIAL=${{FILTER(A-Za-z0-9_/@:.+&=*#\\x2D,${{DB({people}/${{HUB_OWNER}})}})}})
 same => n,GotoIf($["${{HUB_DIAL}}"=""]?everybody)
 same => n,Dial(${{HUB_DIAL}},{ring}{options})
 same => n,GotoIf($["${{DIALSTATUS}}"="ANSWER"]?done)
{everybody} same => n(done),Hangup()
 same => n(reject),Hangup(21)
"""
