"""Entries as finished pieces: whoever has the client's card open gets what is new, and what changed of the rest.

The hub makes them once for all who follow: what not everybody sees of a timeline is left to be asked for; of a
recording each page asks for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.model.user import Staff
from crm_core.storage.queries.calls import GivenOut, given_out
from crm_core.storage.queries.contacts import ContactCard, cards_of
from crm_core.storage.queries.pages import Reading
from crm_core.storage.queries.timeline import EntryCard, entry_card
from crm_core.storage.queries.workspace.entries import entries_of_calls
from crm_core.storage.queries.workspace.newest import entries_named
from crm_core.storage.staff import load_staff
from hub.web.client.mails import has_remote
from hub.web.client.timeline import Around, depends_on_sight, is_photo, place_of
from hub.web.live.pieces import Offer, Piece, Wish
from hub.web.live.topics import of_client
from hub.web.pages import Answer, Pages, number_in, user_here
from hub.web.tongues import speak
from hub.web.words import action_word, stage_word, verdict_word


@dataclass(frozen=True, slots=True)
class _Found:
    """Entries with what they are shown with."""

    entries: tuple[EntryCard, ...]
    around: dict[int, Around]


def step_words(step: Mapping[str, str], staff: Staff) -> str:
    """One consideration of a decision: at which stage, of whom, what came of it and why."""
    person = staff.get(step.get("login"))
    who = person.name if person is not None else step.get("login") or ""
    where = ", ".join(each for each in (stage_word(step["stage"]), who) if each)
    detail = f" ({step['detail']})" if step.get("detail") else ""
    return f"{where}: {verdict_word(step['verdict'])}{detail}"


class Pieces:
    """Makes pieces of entries: where they change, and where the call behind one does."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.offers = (Offer("timeline", self._of_entries), Offer("call", self._of_calls))

    async def hearing(self, request: web.Request) -> Answer:
        """The recording of a call's entry, for whoever looks."""
        hub, user, entry_id = self._pages.hub, user_here(request), number_in(request, "entry_id")

        def found(conn: Reading) -> tuple[EntryCard, Around]:
            asker = hub.store.asker(conn, user)
            card = entry_card(conn, asker.access, entry_id)
            client = cards_of(conn, [card.entry.contact_id])[card.entry.contact_id]
            return card, Around(client, asker.staff, asker.now, asker.access)

        card, around = await hub.store.read(found)
        return self._pages.fragment(request, "client/hearing.html", card=card, around=around)

    async def why(self, request: web.Request) -> Answer:
        """Why a call rang whom it rang: every consideration of the decisions on it."""
        hub, user, entry_id = self._pages.hub, user_here(request), number_in(request, "entry_id")

        def found(conn: Reading) -> tuple[tuple[GivenOut, ...], Staff]:
            asker = hub.store.asker(conn, user)
            card = entry_card(conn, asker.access, entry_id)
            if card.call is None or card.entry.contact_id != number_in(request):
                raise NotFound
            return given_out(conn, card.call), asker.staff

        decisions, staff = await hub.store.read(found)
        steps = [[step_words(step, staff) for step in each.trace] for each in decisions]
        told = [(action_word(each.action), said) for each, said in zip(decisions, steps, strict=True)]
        return self._pages.fragment(request, "client/why.html", told=told)

    async def _of_entries(self, wishes: Sequence[Wish], language: str) -> Sequence[Piece]:
        ids = [each.id for each in wishes]
        return await self._made(lambda conn: entries_named(conn, None, ids), language)

    async def _of_calls(self, wishes: Sequence[Wish], language: str) -> Sequence[Piece]:
        ids = [each.id for each in wishes]
        return await self._made(lambda conn: entries_of_calls(conn, None, ids), language)

    async def _made(self, query: Callable[[Reading], Sequence[EntryCard]], language: str) -> Sequence[Piece]:
        now = self._pages.hub.clock.now()

        def read(conn: Reading) -> _Found:
            entries = tuple(each for each in query(conn) if not depends_on_sight(each.entry))
            clients: dict[int, ContactCard] = cards_of(conn, [each.entry.contact_id for each in entries])
            staff = load_staff(conn)
            return _Found(entries, {ident: Around(card, staff, now) for ident, card in clients.items()})

        found = await self._pages.hub.store.read(read)
        speak(language)
        return [
            Piece(
                of_client(card.entry.contact_id),
                f"entry-{card.entry.id}",
                self._pages.html(
                    "client/entry.html",
                    card=card,
                    around=found.around[card.entry.contact_id],
                    place_of=place_of,
                    has_remote=has_remote,
                    is_photo=is_photo,
                    csrf="",
                ),
            )
            for card in found.entries
            if card.entry.contact_id in found.around
        ]
