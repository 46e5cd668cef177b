"""Telephones that stand still, for decisions in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crm_core.messages import DeviceState, Verdict
from routing.presence import Presence
from tests.fakes.clock import DrivenClock


@dataclass(slots=True)
class Phones:
    """The `Telephones` of a scene: why each is passed over, when its last call ended, whether a call is on its way."""

    verdicts: Mapping[str, Verdict | None] = field(default_factory=dict)
    ended: Mapping[str, datetime] = field(default_factory=dict)
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, states: Mapping[str, DeviceState]) -> Phones:
        """Telephones in these states."""
        clock = DrivenClock()
        presence = Presence(clock)
        for endpoint, state in states.items():
            presence.device("office", endpoint, state)
        return cls({each: presence.verdict("office", each, clock.now()) for each in states})

    def passed_over(self, endpoint: str, at: datetime) -> Verdict | None:
        """Why a telephone may not ring."""
        assert at.tzinfo is not None
        return self.verdicts.get(endpoint)

    def call_ended(self, endpoint: str) -> datetime | None:
        """When its last call ended."""
        return self.ended.get(endpoint)

    def offered(self, endpoint: str) -> bool:
        """Whether it was given a call just now."""
        return endpoint in self.given
