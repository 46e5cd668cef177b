"""How an account stands; every change is logged once."""

from __future__ import annotations

import logging

from crm_core.errors import ChannelAuthError, DeliveryError
from crm_core.messages import ChannelKey
from crm_core.ports import ChannelHealth, ChannelState

log = logging.getLogger(__name__)

_LOUD = {ChannelState.BAD_CREDENTIALS: logging.ERROR, ChannelState.RECONNECTING: logging.WARNING}


class Health:
    """The current state, changed by whoever talks to Telegram."""

    def __init__(self, key: ChannelKey) -> None:
        self._key = key
        self._now = ChannelHealth(ChannelState.CONNECTING)

    @property
    def now(self) -> ChannelHealth:
        """The state and its reason."""
        return self._now

    def set(self, state: ChannelState, detail: str = "") -> None:
        """Change the state; once stopped it changes no more until `restart`."""
        if self._now.state is not ChannelState.STOPPED:
            self._become(ChannelHealth(state, detail))

    def failed(self, error: DeliveryError) -> None:
        """Telegram could not be talked to."""
        refused = isinstance(error, ChannelAuthError)
        self.set(ChannelState.BAD_CREDENTIALS if refused else ChannelState.RECONNECTING, str(error))

    def restart(self) -> None:
        """Begin anew."""
        self._become(ChannelHealth(ChannelState.CONNECTING))

    def accepted(self) -> None:
        """A call with our token was taken: the token is good, whatever was thought before."""
        if self._now.state is ChannelState.BAD_CREDENTIALS:
            self.set(ChannelState.RECONNECTING)

    def _become(self, health: ChannelHealth) -> None:
        if health != self._now:
            level = _LOUD.get(health.state, logging.INFO)
            log.log(level, "%s: %s %s", self._key, health.state.value, health.detail)
        self._now = health
