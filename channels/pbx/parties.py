"""Who takes part in a call: channels with somebody behind them, and telephones that were rung. Immutable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from crm_core.model.call import CallLeg

CAUSE_BUSY = 17
_BUSY = frozenset({"BUSY"})
_CAUSE_OF = {"BUSY": CAUSE_BUSY, "NOANSWER": 19, "CHANUNAVAIL": 20, "CONGESTION": 34}
_DIALLED_SIGNS = frozenset("+0123456789")


@dataclass(frozen=True, slots=True)
class PbxProfile:
    """How this PBX is wired: the endpoints behind which clients are, and how the contexts begin where calls enter."""

    trunks: frozenset[str] = frozenset({"PJSIP/trunk"})
    inbound_contexts: tuple[str, ...] = ("hub-inbound", "from-trunk", "from-pstn", "from-did")

    def outside(self, endpoint: str) -> bool:
        """Whether the far end of this endpoint is a client."""
        return endpoint in self.trunks

    def entrance(self, context: str) -> bool:
        """Whether calls of clients enter in this context; FreePBX has one for each trunk (`from-trunk-pjsip-…`)."""
        return context.startswith(self.inbound_contexts)


class Party(NamedTuple):
    """A channel of the call: who is behind it, whether it lives, the bridge it is in. `wire` is what the two halves of
    a Local channel have in common; `picker` whether it took a call that rang elsewhere.
    """

    uniqueid: str
    endpoint: str
    outside: bool
    local: bool
    wire: str = ""
    alive: bool = True
    bridge: str = ""
    picker: bool = False


class Leg(NamedTuple):
    """An endpoint that was rung. `status` is Asterisk's word for how the ringing ended, `parent` the channel that rang
    it, empty for an originated call.
    """

    uniqueid: str
    endpoint: str
    outside: bool
    rang_at: datetime
    parent: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int = 0
    status: str = ""

    @property
    def busy(self) -> bool:
        """Whether it refused because somebody was talking."""
        return self.status in _BUSY or self.cause == CAUSE_BUSY

    def snapshot(self) -> CallLeg:
        """The leg as the record keeps it."""
        cause = self.cause or _CAUSE_OF.get(self.status, 0)
        return CallLeg(self.endpoint, self.rang_at, self.answered_at, self.ended_at, cause)


def dialled_number(text: str) -> str:
    """A dialled number, empty where the text is none (`s`, `T`, a name)."""
    return text if text and _DIALLED_SIGNS.issuperset(text) else ""
