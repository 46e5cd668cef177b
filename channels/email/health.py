"""How a mailbox stands, of its way in and its way out; every change is logged once."""

from __future__ import annotations

import logging

from crm_core.errors import ChannelAuthError, DeliveryError
from crm_core.messages import ChannelKey
from crm_core.ports import ChannelHealth, ChannelState
from crm_core.wording import Joined, Sentence

log = logging.getLogger(__name__)

_LOUD = {ChannelState.BAD_CREDENTIALS: logging.ERROR, ChannelState.RECONNECTING: logging.WARNING}
# Of the ways of a mailbox the one that stands worst speaks for it.
_WORST_FIRST = (
    ChannelState.BAD_CREDENTIALS,
    ChannelState.RECONNECTING,
    ChannelState.CONNECTING,
    ChannelState.CONNECTED,
    ChannelState.STOPPED,
)


class Health:
    """The state of every way (`in`, `out`, …) of one mailbox."""

    def __init__(self, key: ChannelKey, ways: tuple[str, ...]) -> None:
        self._key = key
        self._ways = dict.fromkeys(ways, ChannelHealth(ChannelState.CONNECTING))
        self._stopped = False

    @property
    def now(self) -> ChannelHealth:
        """The worst state and its reason."""
        if self._stopped:
            return ChannelHealth(ChannelState.STOPPED)
        ways = self._ways.values()
        state = min((way.state for way in ways), key=_WORST_FIRST.index)
        details = (Sentence("{way}: {why}", way=name, why=way.detail) for name, way in self._ways.items() if way.detail)
        return ChannelHealth(state, Joined(details))

    def set(self, way: str, state: ChannelState, detail: str = "") -> None:
        """Change one way."""
        if way not in self._ways:
            return
        health = ChannelHealth(state, detail)
        if health != self._ways[way]:
            log.log(_LOUD.get(state, logging.INFO), "%s %s: %s %s", self._key, way, state.value, detail)
        self._ways[way] = health

    def failed(self, way: str, error: DeliveryError) -> None:
        """The server could not be talked to."""
        refused = isinstance(error, ChannelAuthError)
        self.set(way, ChannelState.BAD_CREDENTIALS if refused else ChannelState.RECONNECTING, str(error))

    def restart(self) -> None:
        """Begin anew."""
        self._stopped = False
        self._ways = dict.fromkeys(self._ways, ChannelHealth(ChannelState.CONNECTING))

    def stop(self) -> None:
        """The mailbox is closed."""
        self._stopped = True
        log.info("%s: stopped", self._key)
