"""Which telephone systems nobody hears at the moment: what was last said of their calls may be over."""

from __future__ import annotations

from crm_core.messages import ChannelKey
from crm_core.model.alarm import AlarmKind
from crm_core.ports import ChannelState
from crm_core.storage import leases
from crm_core.storage.queries.alarms import lasting_of
from crm_core.storage.queries.pages import Reading
from hub.bootstrap import Hub

_CHANNEL = "pbx"


def lost_links(conn: Reading, hub: Hub) -> frozenset[str]:
    """The names of PBXs whose link is down: at once, where this node owns the link; where another does, as soon as the
    administrators are told (`alarms.link_after`). Two statements at most."""
    links = {key: channel.health.state for key, channel in hub.channels.items() if key.channel == _CHANNEL}
    down = {key for key, state in links.items() if state is not ChannelState.CONNECTED}
    if not down:
        return frozenset()
    owners, told = leases.owners(conn), lasting_of(conn, AlarmKind.LINK_DOWN)

    def lost(key: ChannelKey) -> bool:
        return owners.get(str(key)) == hub.node or str(key) in told

    return frozenset(key.account for key in down if lost(key))
