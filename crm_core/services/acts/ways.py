"""How a client is reached, kept by hand: a number, an address or a name is added to a card, or taken off.

What stands on another card is not taken from there: that the two may be one person is noted, for a person to decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_core.errors import Conflict, InvalidIdentity, InvalidInput, NotFound
from crm_core.model.conversation import SuggestionReason, SuggestionState
from crm_core.model.identity import readable, stored_identity
from crm_core.model.records import ContactRecord, IdentityRecord
from crm_core.model.rights import Right
from crm_core.model.ways import Way, way_typed
from crm_core.services.clients.contacts import ContactChange, change
from crm_core.services.desk import Desk
from crm_core.services.duplicates.suggestions import known_pairs, pair_of, suggest
from crm_core.services.wording import Phrase

_CERTAIN = 90
_SAME_NAME = 50


@dataclass(frozen=True, slots=True)
class Added:
    """`way` is what was typed, in one form. `other` is whose it is already, or who bears the same name; None: nobody.
    It stands on the card where `kept`. `suggested`: that they may be one waits for a decision."""

    way: Way
    kept: bool
    other: ContactRecord | None = None
    suggested: bool = False


def add_way(desk: Desk, contact_id: int, text: str) -> Added:
    """Add what was typed to a card; what stands there already changes nothing.

    Raises InvalidInput for what is neither a number nor an address nor a name, NotFound, Conflict for a card that was
    merged away.
    """
    desk.demand(Right.KEEP_CLIENTS)
    try:
        way = way_typed(text, desk.office.region)
    except InvalidIdentity as err:
        raise InvalidInput("identity: {why}", why=err) from err
    contact = desk.work.contact(contact_id)
    if contact.merged_into is not None:
        raise Conflict("this contact was merged into {merged_into}: change that one", merged_into=contact.merged_into)
    holder = desk.work.contacts_by_identity([way.key]).get(way.key)
    if holder is not None and holder.id != contact_id:
        evidence = desk.say(Phrase.SUGGEST_TYPED, value=readable(stored_identity(way.key)))
        noted = suggest(desk, contact_id, holder.id, SuggestionReason.TYPED, _CERTAIN, evidence)
        return Added(way, kept=False, other=holder, suggested=noted is not None or _waits(desk, contact_id, holder.id))
    _give(desk, contact_id, way)
    for each in desk.work.by_handle([way.handle]) if way.handle else ():
        if each.contact_id == contact_id or each.key.partition(":")[0] != way.key.partition(":")[0]:
            continue
        evidence = desk.say(Phrase.SUGGEST_HANDLE, handle=way.handle, value=each.key)
        noted = suggest(desk, contact_id, each.contact_id, SuggestionReason.HANDLE, _SAME_NAME, evidence)
        if noted is not None:
            return Added(way, kept=True, other=desk.work.contact(each.contact_id), suggested=True)
    return Added(way, kept=True)


def take_way(desk: Desk, contact_id: int, key: str) -> None:
    """Take an identity off a card: whoever writes or calls from it next is somebody new. Raises NotFound where it does
    not stand there, Conflict."""
    desk.demand(Right.KEEP_CLIENTS)
    desk.work.contact(contact_id)  # locked before what it holds is read
    held = _held(desk, contact_id)
    if key not in {each.key for each in held}:
        raise NotFound("the card does not hold «{key}» any more", key=key[:80])
    left = [stored_identity(each.key) for each in held if each.key != key]
    change(desk, contact_id, ContactChange(identities=left))


def _give(desk: Desk, contact_id: int, way: Way) -> None:
    held = _held(desk, contact_id)
    if way.key in {each.key for each in held}:
        return
    wanted = [stored_identity(key) for key in (*(each.key for each in held), way.key)]
    _contact, now = change(desk, contact_id, ContactChange(identities=wanted))
    if way.handle:
        given = next(each for each in now if each.key == way.key)
        desk.work.put(given._replace(handle=way.handle))
        desk.handles.pop(contact_id, None)


def _held(desk: Desk, contact_id: int) -> list[IdentityRecord]:
    return list(desk.work.identities([contact_id]).get(contact_id, ()))


def _waits(desk: Desk, one: int, other: int) -> bool:
    """Whether it was noted before and is not decided."""
    pair = pair_of(one, other)
    known = known_pairs(desk, [pair[0]]).get(pair)
    return known is not None and known.state is SuggestionState.OPEN
