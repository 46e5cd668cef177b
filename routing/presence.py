"""What the telephones of the office do, as their PBXs report it."""

from __future__ import annotations

from crm_core.messages import DeviceState


class Presence:
    """The newest state of every telephone; a PBX whose link is lost knows nothing. Safe to share between threads."""

    def __init__(self) -> None:
        self._states: dict[tuple[str, str], DeviceState] = {}
        self._pauses: dict[tuple[str, str], frozenset[str]] = {}

    def device(self, pbx: str, endpoint: str, state: DeviceState) -> None:
        """A telephone changed."""
        self._states[pbx, endpoint] = state

    def paused(self, pbx: str, endpoint: str, queue: str, *, paused: bool) -> None:
        """Somebody paused in a queue, or came back."""
        if paused:
            self._pauses[pbx, endpoint] = self._pauses.get((pbx, endpoint), frozenset()) | {queue}
        else:
            self._pauses[pbx, endpoint] = self._pauses.get((pbx, endpoint), frozenset()) - {queue}

    def forget(self, pbx: str) -> None:
        """The link is lost: what is not known is rung rather than passed over."""
        self._states = {place: state for place, state in self._states.items() if place[0] != pbx}

    def state(self, pbx: str, endpoint: str) -> DeviceState:
        """The state of a telephone."""
        return self._states.get((pbx, endpoint), DeviceState.UNKNOWN)
