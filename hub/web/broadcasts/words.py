"""What the room says of states: those of a broadcast, and what became of a recipient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crm_core.model.outreach import BroadcastState
from hub.web.tongues import NP_, pgettext

STATES: Final[Mapping[BroadcastState, str]] = {
    BroadcastState.DRAFT: NP_("broadcast", "draft"),
    BroadcastState.RUNNING: NP_("broadcast", "going out"),
    BroadcastState.PAUSED: NP_("broadcast", "paused"),
    BroadcastState.DONE: NP_("broadcast", "done"),
    BroadcastState.CANCELLED: NP_("broadcast", "cancelled"),
}
BECAME: Final[Mapping[str, str]] = {
    "waiting": NP_("recipients", "wait for their turn"),
    "queued": NP_("recipients", "being sent"),
    "sent": NP_("recipients", "sent"),
    "delivered": NP_("recipients", "delivered"),
    "read": NP_("recipients", "read"),
    "failed": NP_("recipients", "not delivered"),
    "skipped": NP_("recipients", "left out"),
}
"""What became of recipients, in the order in which it is shown."""


def broadcast_word(state: BroadcastState) -> str:
    """A state of a broadcast."""
    return pgettext("broadcast", STATES[state])


def became_word(what: str) -> str:
    """What became of recipients."""
    return pgettext("recipients", BECAME[what])
