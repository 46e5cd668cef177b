"""Statuses of clients, worked out from sales, given to the clients: with history, and rules that follow."""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.model.definitions import Catalogue, Section
from crm_core.model.definitions.scoring import ClientsBody, ScoringBody
from crm_core.services.desk import Desk

# Who gives them, as history tells it.
BY_SALES = "scores"
_CHUNK = 300


@dataclass(frozen=True, slots=True)
class Given:
    """How many clients got another status, and the last of those that were looked at; None where none are left."""

    count: int
    last: int | None


def clients_rules(catalogue: Catalogue) -> ClientsBody:
    """How clients are judged by their sales: the first such scoring, else the usual values."""
    found = (body.clients for _, body in catalogue.bodies(Section.SCORING, ScoringBody))
    return next((each for each in found if each is not None), ClientsBody())


def give_statuses(desk: Desk, above: int = 0) -> Given:
    """Give some of the clients behind an id the status that their sales say."""
    desk.work.author = BY_SALES
    wanted = desk.work.status_changes(above, _CHUNK)
    count = 0
    for contact in desk.work.contacts(wanted).values():
        if contact.id in wanted and contact.status != wanted[contact.id] and contact.merged_into is None:
            desk.work.put(contact._replace(status=wanted[contact.id], updated_at=desk.now))
            count += 1
    return Given(count, max(wanted) if len(wanted) == _CHUNK else None)
