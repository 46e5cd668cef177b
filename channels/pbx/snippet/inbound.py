"""[hub-inbound]: where calls of clients enter; the hub is asked before each ringing, and after a voice menu.

A greeting and a menu are played on an answered channel: from then on the client pays for the call.
"""

from __future__ import annotations

from channels.pbx.cdr import LINE_FIELD
from channels.pbx.config import PbxConfig
from channels.pbx.snippet.asking import asking, late
from channels.pbx.snippet.recorded import RECORD_SAID, recorded_line, recorded_talk

MOST_ATTEMPTS = 20
# A menu is played so many times, each time with so many seconds to choose.
MENU_ROUNDS = 2
MENU_WAIT_S = 5


def inbound(config: PbxConfig) -> str:
    """The context."""
    return _INBOUND.format(
        asking=asking(config, "${HUB_ATTEMPT},${HUB_KEY}"),
        late=late(config),
        attempts=MOST_ATTEMPTS,
        ring=config.ring_s,
        options=recorded_talk(config),
        line_field=LINE_FIELD,
        line=recorded_line(config),
        said=RECORD_SAID if config.recordings is not None else "",
        rounds=MENU_ROUNDS,
        wait=MENU_WAIT_S,
    )


_INBOUND = """\
; Calls of clients enter in [hub-inbound]; the extension is the number they dialled.
;   plain Asterisk: `context = hub-inbound` at the trunk's endpoint, this text in extensions.conf.
;   FreePBX: this text in extensions_custom.conf; an inbound route to the custom destination hub-inbound,${{EXTEN}},1.
; The hub is asked before each ringing. If it is dead, slow or frozen, the fallback rings by itself.
; Nothing that a caller sends is ever evaluated: only filtered digits and the hub's own answers are used.

[hub-inbound]
exten => _[+0-9]!,1,Set(HUB_ATTEMPT=0)
 same => n,Set(HUB_KEY=)
 same => n,Set(CDR(userfield)={line_field}${{FILTER(+0-9,${{EXTEN}})}})
{line} same => n(ask),Set(HUB_ACTION=)
 same => n,Set(HUB_DIAL=)
{asking}{said} same => n,GotoIf(${{LEN(${{HUB_SOUND}})}}?sound)
 same => n(act),Set(HUB_DIAL=${{FILTER(A-Za-z0-9_/@:.+&=*#\\x2D,${{HUB_DIAL}})}})
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="dial"]?dial)
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="reject"]?reject)
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="callback"]?callback)
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="menu"]?menu)
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
; What is heard first: a greeting, the night's word, or a voice menu. The client is answered for it.
 same => n(sound),Set(HUB_PLAY=${{FILTER(A-Za-z0-9_/&.\\x2D,${{HUB_SOUND}})}})
 same => n,Set(HUB_SOUND=)
 same => n,Answer()
 same => n,Wait(0.3)
 same => n,GotoIf($["${{FILTER(a-z,${{HUB_ACTION}})}}"="menu"]?choose)
 same => n,Playback(${{HUB_PLAY}})
 same => n,Goto(act)
 same => n(menu),Answer()
 same => n,Wait(0.3)
 same => n,Set(HUB_PLAY=beep)
; An empty last sound: without it Read would not wait where none of the others is there.
; The hub is asked again with the key, or with a dash where none of the menu's was pressed.
 same => n(choose),Set(HUB_KEYS=${{FILTER(0-9*,${{HUB_KEYS}})}})
 same => n,Set(HUB_ROUND=0)
 same => n(again),Read(HUB_KEY,${{HUB_PLAY}}&,1,,1,{wait})
 same => n,Set(HUB_KEY=${{IF($["${{HUB_KEYS}}"=""]?:${{FILTER(${{HUB_KEYS}},${{FILTER(0-9*,${{HUB_KEY}})}})}})}})
 same => n,GotoIf(${{LEN(${{HUB_KEY}})}}?ask)
 same => n,Set(HUB_ROUND=$[${{HUB_ROUND}} + 1])
 same => n,GotoIf($[${{HUB_ROUND}} < {rounds}]?again)
 same => n,Set(HUB_KEY=-)
 same => n,Goto(ask)
exten => s,1,Goto(${{IF($["${{FILTER(+0-9,${{CALLERID(dnid)}})}}"=""]?0:${{FILTER(+0-9,${{CALLERID(dnid)}})}})}},1)
{late}"""
