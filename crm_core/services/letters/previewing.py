"""How a template would look to a client, whether it is kept or still being written; nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crm_core.model.callback import permitted_at
from crm_core.model.definitions import TemplateBody
from crm_core.model.records import ContactRecord, DealRecord
from crm_core.model.rights import Right
from crm_core.services.desk import Desk
from crm_core.services.letters.letter_scope import letter_scope
from crm_core.services.letters.outgoing import HeldBack, composed, reachable, zone_of


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a client would get and where; `refused` why nothing would be sent, `not_before` when it would go out (None:
    at once)."""

    channel: str
    account: str
    conversation: str
    subject: str
    text: str
    not_before: datetime | None
    refused: HeldBack | None


def previewed(desk: Desk, body: TemplateBody, contact: ContactRecord, deal: DealRecord | None = None) -> Previewed:
    """A template filled in for a client, of their deal where one is given. Raises Forbidden for whoever sees no
    sales."""
    desk.demand(Right.SEE_SALES)
    place = reachable(desk, [contact.id], allowed=body.channels)[contact.id]
    refused = place if isinstance(place, HeldBack) else None
    channel = "" if isinstance(place, HeldBack) else place.channel
    letter = composed(desk, contact, body, channel, letter_scope(desk, contact, deal))
    if letter is None:
        refused = refused or HeldBack.EMPTY
    at = desk.now if body.any_hour else permitted_at(desk.office.robot, zone_of(desk, contact), desk.now)
    return Previewed(
        channel=channel,
        account="" if isinstance(place, HeldBack) else place.account,
        conversation="" if isinstance(place, HeldBack) else place.conversation,
        subject=letter.subject if letter is not None else "",
        text=letter.text if letter is not None else "",
        not_before=at if at > desk.now else None,
        refused=refused,
    )
