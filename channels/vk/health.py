"""How a community's account stands; every change is logged once."""

from __future__ import annotations

import logging

from crm_core.errors import ChannelAuthError, DeliveryError
from crm_core.messages import ChannelKey
from crm_core.ports import ChannelHealth, ChannelState

log = logging.getLogger(__name__)

_LEVELS = {ChannelState.BAD_CREDENTIALS: logging.ERROR, ChannelState.RECONNECTING: logging.WARNING}


class Health:
    """The current state, changed by whoever talks to VK."""

    def __init__(self, key: ChannelKey) -> None:
        self._key = key
        self._now = ChannelHealth(ChannelState.CONNECTING)

    @property
    def now(self) -> ChannelHealth:
        """The state and its reason."""
        return self._now

    def begin(self) -> None:
        """Started, or started again."""
        self._become(ChannelHealth(ChannelState.CONNECTING))

    def connected(self, trouble: str = "") -> None:
        """VK answers; `trouble` is what keeps the account from a part of its work."""
        self._unless_stopped(ChannelHealth(ChannelState.CONNECTED, trouble, bool(trouble)))

    def failed(self, error: DeliveryError) -> None:
        """VK could not be talked to."""
        refused = isinstance(error, ChannelAuthError)
        state = ChannelState.BAD_CREDENTIALS if refused else ChannelState.RECONNECTING
        self._unless_stopped(ChannelHealth(state, str(error)))

    def ended(self, why: str) -> None:
        """Intake broke down and does not go on by itself."""
        self._unless_stopped(ChannelHealth(ChannelState.RECONNECTING, why))

    def accepted(self) -> None:
        """VK took a call with our token: it is good, whatever was thought before."""
        if self._now.state is ChannelState.BAD_CREDENTIALS:
            self._become(ChannelHealth(ChannelState.RECONNECTING))

    def stopped(self) -> None:
        """Stopped; nothing changes it any more until `begin`."""
        self._become(ChannelHealth(ChannelState.STOPPED))

    def _unless_stopped(self, health: ChannelHealth) -> None:
        if self._now.state is not ChannelState.STOPPED:
            self._become(health)

    def _become(self, health: ChannelHealth) -> None:
        if health != self._now:
            level = logging.WARNING if health.trouble else _LEVELS.get(health.state, logging.INFO)
            log.log(level, "%s: %s %s", self._key, health.state.value, health.detail)
        self._now = health
