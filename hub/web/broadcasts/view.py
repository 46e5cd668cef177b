"""What the pages show of broadcasts: how far one is, what became of its recipients, whom a draft would reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crm_core.messages import Delivery
from crm_core.model.access import Access
from crm_core.model.outreach import BroadcastRecord, BroadcastState, RecipientState
from crm_core.services.letters.broadcasts import why_skipped
from crm_core.services.letters.outgoing import HeldBack
from crm_core.services.letters.reckoning import Reckoned
from crm_core.storage.queries import broadcasts as queries
from crm_core.storage.queries.broadcasts import RecipientCard, Tally
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.workspace.clients import Client, clients_of
from hub.web.tongues import language

SENT = (Delivery.QUEUED, Delivery.SENT, Delivery.DELIVERED, Delivery.READ)
_LISTED = 50
_ALL = 100


@dataclass(frozen=True, slots=True)
class Told:
    """A broadcast and what became of its recipients. `over` of them have had their turn, `percent` is how far that
    is of all who are known."""

    record: BroadcastRecord
    tally: Tally

    @property
    def over(self) -> int:
        """How many have had their turn."""
        return self.tally.recipients - self.tally.of("waiting")

    @property
    def percent(self) -> int:
        """Of those known, rounded down: a hundred when it is over."""
        return self.over * _ALL // self.tally.recipients if self.tally.recipients else 0

    @property
    def going_on(self) -> bool:
        """Whether it may change by itself."""
        return self.record.state is BroadcastState.RUNNING

    def reasons(self) -> list[tuple[str, int]]:
        """Why some were left out, in words, the most frequent first."""
        words = Counter[str]()
        for why, count in self.tally.why.items():
            words[why_skipped(why, language())[1]] += count
        return words.most_common()

    def ends(self, now: datetime) -> datetime | None:
        """When the last has had their turn from a moment on, at its pace and without the nights; None where that is not
        known."""
        waiting = self.tally.of("waiting")
        if not self.going_on or not self.record.filled or not waiting:
            return None
        return max(now, self.record.start_at or now) + timedelta(minutes=waiting / self.record.per_minute)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient in a line; `why` says why they were left out, `error` why it did not arrive."""

    card: RecipientCard
    client: Client | None

    @property
    def became(self) -> str:
        """What became of it, as `words.BECAME` names it."""
        record = self.card.record
        if record.state is RecipientState.QUEUED:
            return self.card.delivery.value if self.card.delivery is not None else RecipientState.QUEUED.value
        return record.state.value

    @property
    def why(self) -> str:
        """Why they were left out, in words; empty where they were not."""
        return why_skipped(self.card.record.why, language())[1]


@dataclass(slots=True)
class Reach:
    """Whom a draft would reach, put together of portions; `whole` says that all clients of the segment were looked
    at."""

    channels: Counter[str] = field(default_factory=Counter)
    held: Counter[HeldBack] = field(default_factory=Counter)
    marks: frozenset[str] = frozenset()
    above: int = 0
    whole: bool = False

    def add(self, portion: Reckoned) -> None:
        """One more portion."""
        self.channels.update(portion.channels)
        self.held.update(portion.held)
        self.marks, self.above = portion.marks, portion.next or 0
        self.whole = portion.next is None

    @property
    def reached(self) -> int:
        """How many would get it."""
        return sum(self.channels.values())

    @property
    def clients(self) -> int:
        """How many were looked at."""
        return self.reached + sum(self.held.values())

    def reasons(self) -> list[tuple[str, int]]:
        """Why others would not, in words, the most frequent first."""
        return [(held_word(why), count) for why, count in self.held.most_common()]

    def lasts(self, per_minute: int) -> float:
        """How long it would take at a pace, in seconds."""
        return self.reached * 60 / per_minute


def held_word(why: HeldBack) -> str:
    """Why somebody would not get it, in words."""
    return why_skipped(why.value, language())[1]


CHOICES: Mapping[str, tuple[RecipientState | None, tuple[Delivery, ...]]] = {
    "": (None, ()),
    "waiting": (RecipientState.WAITING, ()),
    "sent": (RecipientState.QUEUED, SENT),
    "failed": (RecipientState.QUEUED, (Delivery.FAILED,)),
    "skipped": (RecipientState.SKIPPED, ()),
}
"""Which recipients can be looked at, by the word of the address."""


def told_all(conn: Reading, access: Access, after: str | None) -> Page[Told]:
    """A page of broadcasts, the newest first. Two statements. Raises Forbidden."""
    page = queries.list_broadcasts(conn, access, Slice(after, _LISTED))
    found = queries.standing(conn, [each.id for each in page.items])
    items = (Told(each, queries.tally(one for one in found if one.broadcast_id == each.id)) for each in page.items)
    return Page(tuple(items), page.next)


def told_one(conn: Reading, access: Access, broadcast_id: int) -> Told:
    """One of them; raises NotFound, Forbidden. Two statements."""
    record = queries.one_broadcast(conn, access, broadcast_id)
    return Told(record, queries.tally(queries.standing(conn, [record.id])))


def recipients(conn: Reading, access: Access, broadcast_id: int, which: str, after: str | None) -> Page[Recipient]:
    """A page of the recipients of a broadcast. Three statements. Raises Forbidden."""
    state, deliveries = CHOICES[which]
    page = queries.list_recipients(conn, access, broadcast_id, state, Slice(after, _LISTED), deliveries)
    clients = clients_of(conn, [each.record.contact_id for each in page.items])
    return Page(tuple(Recipient(each, clients.get(each.record.contact_id)) for each in page.items), page.next)
