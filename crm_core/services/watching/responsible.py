"""Who answers for a card where it stands."""

from __future__ import annotations

from crm_core.model.records import DealRecord
from crm_core.services.desk import Desk


def responsible(desk: Desk, deal: DealRecord) -> str | None:
    """Who answers for a card where it stands: the owner of its stage, else its manager."""
    found = desk.catalogue.place(deal.stage_id)
    owner = desk.work.staff.get(found[1].settings.owner) if found is not None else None
    return owner.login if owner is not None and owner.active else deal.manager
