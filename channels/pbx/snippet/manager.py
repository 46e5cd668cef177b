"""manager.conf: the AMI user of the hub, and the events it needs."""

from __future__ import annotations

import re
from ipaddress import ip_address

from channels.pbx.config import PbxConfig
from channels.pbx.snippet.asking import hosts
from channels.pbx.snippet.words import safe

# the classes of events and of actions that the hub can't do without
READ = "system,call,agent,user"
WRITE = "system,call,reporting,originate"


def manager(config: PbxConfig) -> str:
    """The user's section."""
    name = safe("ami user", config.ami.username)
    if re.search(r"[\r\n\0;]", config.ami.secret):
        raise ValueError("the AMI secret holds a line break or a semicolon, which manager.conf can't hold")
    return _MANAGER.format(user=name, secret=config.ami.secret, permit=_permit(config), read=READ, write=WRITE)


def _permit(config: PbxConfig) -> str:
    permits = ["deny = 0.0.0.0/0.0.0.0"]
    for host in hosts(config):
        try:
            address = ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            return "; permit only the hub's address here: deny = 0.0.0.0/0.0.0.0, permit = ADDRESS/255.255.255.255"
        permits.append(f"permit = {address}/{'255.255.255.255' if address.version == 4 else '128'}")
    return "\n".join(permits)


_MANAGER = """\
; manager.conf, or manager_custom.conf of FreePBX. In [general]: enabled = yes, timestampevents = yes.
[{user}]
secret = {secret}
{permit}
read = {read}
; system: the hub keeps in Asterisk's own database who rings when it does not answer.
write = {write}
; Half of what Asterisk tells of a call is of no use to the hub.
eventfilter = !^Event: (NewConnectedLine|NewCallerid|NewAccountCode|Newexten|VarSet|CEL|DialState|BridgeCreate)
eventfilter = !^Event: (BridgeDestroy|SoftHangupRequest|MixMonitorStop|MixMonitorMute|RTCPSent|RTCPReceived|TestEvent)
eventfilter = !^Event: (QueueCaller|QueueEntry|QueueMemberRing|QueueMemberPenalty|Agent|MusicOnHold|LocalBridge)
"""
