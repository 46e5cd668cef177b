"""Searching everything by a part of a name, a number, an address, a title."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from crm_core.model.records import DealRecord, LeadRecord
from crm_core.model.selling import CompanyRecord
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.clients import Client


@dataclass(frozen=True, slots=True)
class FoundClient:
    """A client; `exact`: the whole number or address that was typed is theirs; `via` is the identity that was met."""

    client: Client
    exact: bool
    via: str


@dataclass(frozen=True, slots=True)
class FoundDeal:
    """A card of a pipeline; `stage` by name."""

    deal: DealRecord
    client: Client | None
    stage: str
    pipeline: str


@dataclass(frozen=True, slots=True)
class FoundLead:
    """A lead."""

    lead: LeadRecord
    client: Client


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, grouped, each group at most as long as asked for; whose whole number or address was typed comes
    first, then those whose name begins with it. `more` names the groups that hold more."""

    text: str
    clients: tuple[FoundClient, ...]
    companies: tuple[CompanyRecord, ...]
    deals: tuple[FoundDeal, ...]
    leads: tuple[FoundLead, ...]
    more: frozenset[str]

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.clients or self.companies or self.deals or self.leads)


def search(conn: Connection, asker: Asker, typed: str, *, limit: int = 7) -> Found:
    """What has all the words that somebody typed; nothing for fewer than two letters. At most `limit` of each group."""
    raise NotImplementedError
