"""What a telephone does, from Asterisk's words for it."""

from __future__ import annotations

from crm_core.messages import DeviceState

_STATES = {
    "NOT_INUSE": DeviceState.IDLE,
    "RINGING": DeviceState.RINGING,
    "INUSE": DeviceState.BUSY,
    "BUSY": DeviceState.BUSY,
    "RINGINUSE": DeviceState.BUSY,
    "ONHOLD": DeviceState.BUSY,
    "UNAVAILABLE": DeviceState.UNREACHABLE,
    "INVALID": DeviceState.UNREACHABLE,
}


def device_state(word: str) -> DeviceState:
    """The state that a word of `DeviceStateChange` means; UNKNOWN for words that are new to us."""
    return _STATES.get(word, DeviceState.UNKNOWN)
