"""Who talks with the client, one after another, and how long the client is on hold. Immutable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from crm_core.model.call import CallTalk, TalkBegan

PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Talks:
    """The client's conversations so far, the last one open while it goes on. `held_by` is the channel that put the
    client on hold, or PARKED; such a time counts when it is over.
    """

    all: tuple[CallTalk, ...] = ()
    hold_s: float = 0.0
    held_by: str = ""
    held_since: datetime | None = None

    @property
    def now(self) -> CallTalk | None:
        """The conversation that goes on."""
        return self.all[-1] if self.all and self.all[-1].until is None else None

    def reached(self, endpoint: str, since: datetime) -> bool:
        """Whether the client has talked with this endpoint since then."""
        return any(talk.endpoint == endpoint and talk.since >= since for talk in self.all)

    @property
    def partner(self) -> str:
        """With whom the client talks or talked last, PARKED in between."""
        return PARKED if self.held_by == PARKED else self.all[-1].endpoint if self.all else ""

    def with_partner(self, endpoint: str, began: TalkBegan, at: datetime) -> Talks:
        """The client talks with this endpoint; nothing new where they do already."""
        now = self.now
        if now is not None and now.endpoint == endpoint:
            return self
        rest = self.alone(at).resumed(PARKED, at)
        return replace(rest, all=(*rest.all, CallTalk(endpoint, at, began=began)))

    def alone(self, at: datetime) -> Talks:
        """Nobody of the office is with the client now; parking goes on."""
        now = self.now
        if now is None:
            return self
        rest = self if self.held_by == PARKED else self.resumed(self.held_by, at)
        return replace(rest, all=(*self.all[:-1], replace(now, until=max(at, now.since))))

    def picked_up(self, endpoint: str) -> Talks:
        """If it is this endpoint with whom the client talks now, they took the call over."""
        now = self.now
        if now is None or now.endpoint != endpoint:
            return self
        return replace(self, all=(*self.all[:-1], replace(now, began=TalkBegan.PICKED_UP)))

    def held(self, by: str, at: datetime) -> Talks:
        """The client is put on hold; hold within a hold says nothing new."""
        return self if self.held_since is not None else replace(self, held_by=by, held_since=at)

    def resumed(self, by: str, at: datetime) -> Talks:
        """Whoever put the client on hold took them back."""
        if self.held_since is None or self.held_by != by:
            return self
        waited = max((at - self.held_since).total_seconds(), 0.0)
        return replace(self, hold_s=self.hold_s + waited, held_by="", held_since=None)

    def until(self, at: datetime) -> Talks:
        """All of it with the call's end at `at`."""
        return self.alone(at).resumed(self.held_by, at)

    def began(self, leg_rang_at: datetime | None, *, picked_up: bool) -> TalkBegan:
        """How the next conversation comes about, with an endpoint whose telephone rang at `leg_rang_at`."""
        if self.held_by == PARKED:
            return TalkBegan.UNPARKED
        if picked_up:
            return TalkBegan.PICKED_UP
        if not self.all:
            return TalkBegan.ANSWERED
        before = self.all[-1]
        # who rang while a colleague still had the client was asked first
        asked = leg_rang_at is not None and before.until is not None and leg_rang_at < before.until
        return TalkBegan.ATTENDED_TRANSFER if asked else TalkBegan.BLIND_TRANSFER


SILENCE = Talks()
