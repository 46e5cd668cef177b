"""What happens: the newest entries of all clients, and each new one as a finished piece.

Only what clients and the office say to each other, which everybody sees: how a card of a pipeline is getting on is for
those who work with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.timeline import EntryCard
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client, clients_of
from crm_core.storage.queries.workspace.newest import entries_named, newest_entries
from hub.web.live.pieces import Offer, Piece, Wish
from hub.web.pages import Pages
from hub.web.tongues import speak

_EVENTS = 25
_LOOKED_THROUGH = 2 * _EVENTS
_TOPIC = "happening"


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry and its client."""

    card: EntryCard
    client: Client | None

    @property
    def order(self) -> str:
        """By when it became known, to be compared as text."""
        return f"{self.card.entry.seq:018d}"


def happened(conn: Reading, asker: Asker) -> tuple[Happened, ...]:
    """The newest entries, newest first, that this person sees. Nine statements at most."""
    return _with_clients(conn, newest_entries(conn, asker.access, _LOOKED_THROUGH), asker)[:_EVENTS]


def _with_clients(conn: Reading, cards: Iterable[EntryCard], asker: Asker | None = None) -> tuple[Happened, ...]:
    everything = asker is not None and asker.sight.everything
    shown = [card for card in cards if everything or card.entry.deal_id is None]
    clients = clients_of(conn, (card.entry.contact_id for card in shown))
    return tuple(Happened(card, clients.get(card.entry.contact_id)) for card in shown)


class Happening:
    """Makes a line of each new entry. A line that tells of a card is made for nobody: not all may see it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.offer = Offer("timeline", self._make, frozenset({_TOPIC}))

    async def _make(self, wishes: Sequence[Wish], language: str) -> Sequence[Piece]:
        ids = [each.id for each in wishes]
        found = await self._pages.hub.store.read(lambda conn: _with_clients(conn, entries_named(conn, None, ids)))
        speak(language)
        return [
            Piece(_TOPIC, f"happened-{each.card.entry.id}", self._pages.html("inbox/happened.html", each=each))
            for each in found
        ]
