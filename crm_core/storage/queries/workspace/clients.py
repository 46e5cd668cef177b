"""Clients as every list of the workspace names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_core.model.access import Access, Right
from crm_core.model.identity import IdentityKind, brief, stored_identity
from crm_core.model.records import IdentityRecord
from crm_core.storage.queries.contacts import ContactCard, cards_of

_IDS = frozenset({IdentityKind.TG, IdentityKind.VK, IdentityKind.WEB, IdentityKind.GATEWAY})


@dataclass(frozen=True, slots=True)
class Client:
    """A client in a line. `handle` is what people know them by: a number, else an address or a messenger's @name;
    `bare` is set where that is but an id, which tells people nothing: whose id it is. `proven` is False where somebody
    only calls themselves so. `number` is the telephone, E.164."""

    id: int
    name: str
    handle: str
    number: str | None
    proven: bool
    manager: str | None
    company: str | None
    city: str | None
    status: str | None
    list_name: str | None
    bare: IdentityKind | None = None

    @property
    def title(self) -> str:
        """The name, else the handle, else the number of the card."""
        return self.name or self.handle or f"№ {self.id}"


def clients_named(conn: Connection, access: Access, contact_ids: Iterable[int]) -> dict[int, Client]:
    """Clients whom somebody names by their ids. Two statements. Raises Forbidden for whoever sees no clients."""
    access.demand(Right.SEE_CLIENTS)
    return clients_of(conn, contact_ids)


def clients_of(conn: Connection, contact_ids: Iterable[int | None]) -> dict[int, Client]:
    """Clients by id, of what was read for somebody. Two statements."""
    cards = cards_of(conn, (each for each in contact_ids if each is not None))
    return {ident: client_of(card) for ident, card in cards.items()}


def client_of(card: ContactCard) -> Client:
    """A client with their identities in a line."""
    record = card.contact
    best = min(card.identities, key=_rank, default=None)
    found = stored_identity(best.key) if best is not None else None
    handle = f"@{best.handle}" if best is not None and best.handle else brief(found) if found is not None else ""
    return Client(
        id=record.id,
        name=record.name,
        handle=handle,
        number=found.value if found is not None and found.kind is IdentityKind.TEL else None,
        proven=found is None or found.kind is not IdentityKind.CLAIMED,
        manager=record.manager,
        company=record.company,
        city=record.city,
        status=record.status,
        list_name=record.list_name,
        bare=found.kind if best is not None and found is not None and not best.handle and found.kind in _IDS else None,
    )


def _rank(held: IdentityRecord) -> int:
    """The lower, the more an identity tells people."""
    kind = stored_identity(held.key).kind
    if kind is IdentityKind.TEL:
        return 0
    if kind is IdentityKind.CLAIMED:
        return 3
    return 1 if held.handle or kind is IdentityKind.MAILTO else 2
