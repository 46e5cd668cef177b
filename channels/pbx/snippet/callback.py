"""[hub-callback]: nobody is free, and the caller may order a call back by key.

The wish is told to the hub and noted in the call's record, for when the hub is not there to hear it.
"""

from __future__ import annotations

from channels.pbx.cdr import WISH_MARK
from channels.pbx.config import PbxConfig
from channels.pbx.events import CALLBACK_EVENT


def callback(_: PbxConfig) -> str:
    """The context."""
    return _CALLBACK.format(callback=CALLBACK_EVENT, wish=WISH_MARK)


_CALLBACK = """\
[hub-callback]
; Nobody is free, with the hub or without it: 1 orders a call back. First the office's own recording
; custom/hub-callback, else Asterisk's sounds, else tones.
exten => s,1,Answer()
 same => n,Wait(0.3)
 same => n,Background(custom/hub-callback)
 same => n,GotoIf($["${{BACKGROUNDSTATUS}}"="SUCCESS"]?key)
 same => n,Background(vm-nobodyavail&press-1)
 same => n,GotoIf($["${{BACKGROUNDSTATUS}}"="SUCCESS"]?key)
 same => n,Playtones(!950/330,!1400/330,!1800/330,!0/500)
 same => n(key),WaitExten(8)
 same => n,Hangup(19)
exten => 1,1,StopPlaytones()
 same => n,Set(CDR(userfield)=${{FILTER(a-z0-9+:,${{CDR(userfield)}})}}{wish})
 same => n,UserEvent({callback},Key: 1)
 same => n,Playback(auth-thankyou,noanswer)
 same => n,Hangup(19)
exten => t,1,Hangup(19)
exten => i,1,Hangup(19)
"""
