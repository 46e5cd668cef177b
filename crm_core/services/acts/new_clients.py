"""A client entered by hand: who it is and how they are reached, unless somebody is reached so already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm_core.errors import InvalidIdentity, InvalidInput
from crm_core.model.identity import stored_identity
from crm_core.model.records import ContactRecord
from crm_core.model.rights import Right
from crm_core.model.ways import Way, way_typed
from crm_core.services.clients.contacts import ContactChange, create
from crm_core.services.desk import Desk


@dataclass(frozen=True, slots=True)
class NewClient:
    """What is typed of a client; `ways` are numbers, addresses and names in messengers, `manager` a login."""

    name: str = ""
    ways: Sequence[str] = ()
    manager: str | None = None
    company: str | None = None
    city: str | None = None
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """The client; `known` where there was one who is reached so, of whom nothing was changed then."""

    contact: ContactRecord
    known: bool


def enter(desk: Desk, given: NewClient) -> Entered:
    """Make a client of what was typed. Raises InvalidInput for what is neither a number nor an address nor a name in a
    messenger, for a manager who is not there, and where there is neither a name nor a way to reach them."""
    desk.demand(Right.KEEP_CLIENTS)
    ways = {way.key: way for way in (_way(desk, each) for each in given.ways if each.strip())}
    holders = desk.work.contacts_by_identity(list(ways))
    known = next((holders[key] for key in ways if key in holders), None)
    if known is not None:
        return Entered(known, known=True)
    change = ContactChange(
        name=given.name,
        identities=[stored_identity(key) for key in ways],
        manager=given.manager,
        company=given.company,
        city=given.city,
        tags=given.tags,
    )
    contact, held = create(desk, change)
    for each in held:
        if ways[each.key].handle:
            desk.work.put(each._replace(handle=ways[each.key].handle))
    return Entered(contact, known=False)


def _way(desk: Desk, text: str) -> Way:
    try:
        return way_typed(text, desk.office.region)
    except InvalidIdentity as err:
        raise InvalidInput("identity: {why}", why=err) from err
