"""What is pasted into Asterisk: the dialplan that asks the hub and does without it, the AMI user, the call records."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from ipaddress import ip_address

from channels.pbx.cdr import LINE_FIELD
from channels.pbx.config import PbxConfig
from channels.pbx.events import CALLBACK_EVENT

# The hub's own deadline is far below; this bounds the wait for a hub that is frozen, which AGI by itself would not.
ASK_WITHIN_S = 1.5
MOST_ATTEMPTS = 20
# a semicolon would begin a comment in the dialplan
DIALABLE = re.compile(r"[A-Za-z0-9_/@:.+&=*#-]+\Z")


class Part(StrEnum):
    """The files of Asterisk that get a piece."""

    DIALPLAN = "dialplan"
    MANAGER = "manager"
    CDR = "cdr"


def snippet(config: PbxConfig, part: Part | None = None, *, hub: str | None = None) -> str:
    """The text to paste for one part, or for all under headings; ValueError where a setting can't stand in it.

    `hub` is the host by which Asterisk reaches the hub where that is not the address the hub listens on.
    """
    host = hub or ("127.0.0.1" if config.agi_host in {"0.0.0.0", "::"} else config.agi_host)  # noqa: S104 — compared
    config = replace(config, agi_host=_safe("hub", host))
    if part is not None:
        return _PARTS[part](config)
    return "\n".join(f"; ===== {_FILES[each]} =====\n{_PARTS[each](config)}" for each in Part)


def _dialplan(config: PbxConfig) -> str:
    trunk = _safe("trunk", (config.trunk or "").replace("{number}", "0"))
    return _DIALPLAN.format(
        agi=f"agi://{config.agi_host}:{config.agi_port}/route/{_safe('name', config.name)}",
        ask_within=ASK_WITHIN_S,
        attempts=MOST_ATTEMPTS,
        fallback=_fallback(config),
        ring=config.ring_s,
        record=_RECORD.format(folder=config.recordings) if config.recordings is not None else "",
        options=",U(hub-recorded)" if config.recordings is not None else "",
        dial_client=_dial_client(config) if trunk else " same => n,Hangup(3)\n",
        callback=CALLBACK_EVENT,
        line_field=LINE_FIELD,
    )


def _fallback(config: PbxConfig) -> str:
    if not config.fallback:
        return " same => n,Verbose(1,hub: no fallback is configured)\n same => n,Hangup(38)\n"
    return (
        f" same => n,Dial({_safe('fallback', config.fallback)},{max(config.ring_s, 30)})\n"
        ' same => n,Hangup(${IF($["${DIALSTATUS}"="BUSY"]?17:19)})\n'
    )


def _dial_client(config: PbxConfig) -> str:
    dial = (config.trunk or "").replace("{number}", "${HUB_NUMBER}")
    return (
        f" same => n,Dial({dial},60)\n"
        ' same => n,Hangup(${IF($["${DIALSTATUS}"="BUSY"]?17:${IF($["${DIALSTATUS}"="NOANSWER"]?19:34)})})\n'
    )


def _manager(config: PbxConfig) -> str:
    name = _safe("ami user", config.ami.username)
    if re.search(r"[\r\n\0;]", config.ami.secret):
        raise ValueError("the AMI secret holds a line break or a semicolon, which manager.conf can't hold")
    return _MANAGER.format(user=name, secret=config.ami.secret, permit=_permit(config))


def _permit(config: PbxConfig) -> str:
    host = "127.0.0.1" if config.agi_host == "localhost" else config.agi_host
    try:
        address = ip_address(host)
    except ValueError:
        return "; permit only the hub's address here: deny = 0.0.0.0/0.0.0.0, permit = ADDRESS/255.255.255.255"
    mask = "255.255.255.255" if address.version == 4 else "128"
    return f"deny = 0.0.0.0/0.0.0.0\npermit = {address}/{mask}"


def _cdr(_: PbxConfig) -> str:
    return _CDR


def _safe(what: str, value: str) -> str:
    if value and not DIALABLE.match(value):
        raise ValueError(f"{what} {value!r} holds characters that a dialplan can't hold")
    return value


_DIALPLAN = """\
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
 same => n,Set(AGIEXITONHANGUP=yes)
 same => n,Set(TIMEOUT(absolute)={ask_within})
 same => n,AGI({agi},${{HUB_ATTEMPT}})
 same => n,Set(TIMEOUT(absolute)=0)
 same => n,Set(HUB_DIAL=${{FILTER(A-Za-z0-9_/@:.+&=*#\\x2D,${{HUB_DIAL}})}})
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
; The hub took too long: the call leaves it and rings the fallback.
exten => T,1,Set(TIMEOUT(absolute)=0)
 same => n,Verbose(1,hub: no answer in time)
 same => n,Goto(hub-fallback,s,1)

[hub-fallback]
exten => s,1,NoOp(hub: fallback)
{fallback}
[hub-callback]
; Nobody is free: 1 orders a call back. First the office's own recording custom/hub-callback, else Asterisk's sounds,
; else tones.
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
 same => n,UserEvent({callback},Key: 1)
 same => n,Playback(auth-thankyou,noanswer)
 same => n,Hangup(19)
exten => t,1,Hangup(19)
exten => i,1,Hangup(19)

[hub-outbound]
; Calls to clients: `context = hub-outbound` at the telephones of plain Asterisk; FreePBX has its own outbound routes.
exten => _[+0-9]!,1,Set(HUB_NUMBER=${{FILTER(+0-9,${{EXTEN}})}})
{dial_client}
[hub-robot]
; Where a call goes on that the hub has placed, once the manager has picked up.
exten => _[+0-9]!,1,Set(HUB_NUMBER=${{FILTER(+0-9,${{EXTEN}})}})
{dial_client}{record}"""

_RECORD = """
[hub-recorded]
; Runs when somebody picks up, so that calls nobody took leave no empty file.
exten => s,1,MixMonitor({folder}/${{CHANNEL(linkedid)}}.wav,a)
 same => n,Return()
"""

_MANAGER = """\
; manager.conf, or manager_custom.conf of FreePBX. In [general]: enabled = yes, timestampevents = yes.
[{user}]
secret = {secret}
{permit}
read = system,call,user
write = system,call,reporting,originate
; Half of what Asterisk tells of a call is of no use to the hub.
eventfilter = !Event: (NewConnectedLine|NewCallerid|NewAccountCode|Newexten|VarSet|CEL|DialState|BridgeCreate)
eventfilter = !Event: (BridgeDestroy|SoftHangupRequest|MixMonitorStop|MixMonitorMute|RTCPSent|RTCPReceived|TestEvent)
"""

_CDR = """\
; cdr.conf. With unanswered = yes also calls that rang nobody leave a record; linkedid joins the rows of one call.
[general]
enable = yes
unanswered = yes
congestion = yes

[csv]
usegmtime = yes
loguniqueid = yes
loguserfield = yes
newcdrcolumns = yes
"""

_PARTS = {Part.DIALPLAN: _dialplan, Part.MANAGER: _manager, Part.CDR: _cdr}
_FILES = {Part.DIALPLAN: "extensions.conf", Part.MANAGER: "manager.conf", Part.CDR: "cdr.conf"}
