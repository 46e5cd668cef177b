"""[hub-inbound]: where calls of clients enter; the hub is asked before each ringing."""

from __future__ import annotations

from channels.pbx.cdr import LINE_FIELD
from channels.pbx.config import PbxConfig
from channels.pbx.snippet.asking import asking, late
from channels.pbx.snippet.recorded import recorded_talk

MOST_ATTEMPTS = 20


def inbound(config: PbxConfig) -> str:
    """The context."""
    return _INBOUND.format(
        asking=asking(config),
        late=late(config),
        attempts=MOST_ATTEMPTS,
        ring=config.ring_s,
        options=recorded_talk(config, asked=True),
        line_field=LINE_FIELD,
    )


_INBOUND = """\
; Calls of clients enter in [hub-inbound]; the extension is the number they dialled.
;   plain Asterisk: `context = hub-inbound` at the trunk's endpoint, this text in extensions.conf.
;   FreePBX: this text in extensions_custom.conf; an inbound route to the custom destination hub-inbound,${{EXTEN}},1.
; The hub is asked before each ringing. If it is dead, slow or frozen, the fallback rings by itself.
; Nothing that a caller sends is ever evaluated: only filtered digits and the hub's own answers are used.

[hub-inbound]
exten => _[+0-9]!,1,Set(HUB_ATTEMPT=0)
 same => n,Set(CDR(userfield)={line_field}${{FILTER(+0-9,${{EXTEN}})}})
 same => n(ask),Set(HUB_ACTION=)
 same => n,Set(HUB_DIAL=)
{asking} same => n,Set(HUB_DIAL=${{FILTER(A-Za-z0-9_/@:.+&=*#\\x2D,${{HUB_DIAL}})}})
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="dial"]?dial)
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="reject"]?reject)
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="callback"]?callback)
 same => n,Goto(hub-fallback,s,1)
 same => n(dial),GotoIf($["${{HUB_DIAL}}"=""]?hub-fallback,s,1)
 same => n,Set(HUB_RING_S=${{FILTER(0-9,${{HUB_RING_S}})}})
 same => n,Dial(${{HUB_DIAL}},${{IF($[0${{HUB_RING_S}} > 0]?${{HUB_RING_S}}:{ring})}}{options})
 same => n,GotoIf($["${{DIALSTATUS}}"="ANSWER"]?done)
 same => n,Set(HUB_ATTEMPT=$[${{HUB_ATTEMPT}} + 1])
 same => n,GotoIf($[${{HUB_ATTEMPT}} < {attempts}]?ask)
 same => n,Goto(hub-fallback,s,1)
 same => n(done),Hangup()
 same => n(reject),Hangup(21)
 same => n(callback),Goto(hub-callback,s,1)
exten => s,1,Goto(${{IF($["${{FILTER(+0-9,${{CALLERID(dnid)}})}}"=""]?0:${{FILTER(+0-9,${{CALLERID(dnid)}})}})}},1)
{late}"""
