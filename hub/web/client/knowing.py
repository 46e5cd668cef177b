"""Who is who, by hand: suggestions accepted and dismissed, cards merged and parted again."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from crm_core.errors import InvalidIdentity, NotFound
from crm_core.services.acts import ways
from crm_core.services.clients.contacts import BY_HAND
from crm_core.services.desk import Desk
from crm_core.services.duplicates import deciding, merging
from crm_core.services.duplicates import suggestions as services
from crm_core.services.duplicates.deciding import Accepted
from crm_core.storage.queries.contacts import identity_in_query
from hub.web.client.acting import Acting, card
from hub.web.pages import Answer, field_of, number_in, user_here
from hub.web.tongues import N_, _

_LONGEST_NUMBER_OF_CARD = 10
_KINDS = ("tel:", "mailto:", "tg:", "vk:", "gw:", "web:")


BECAUSE: Mapping[str, str] = {
    deciding.Because.CHOSEN: "",
    deciding.Because.PROVEN: N_("The card with the proven address is left."),
    deciding.Because.MANAGER: N_("The card with a personal manager is left."),
    deciding.Because.IDENTITIES: N_("The card of which more is known is left."),
    deciding.Because.OLDER: N_("The older card is left."),
}


class Knowing(Acting):
    """The acts; each goes back to the client's card."""

    async def accept(self, request: web.Request) -> Answer:
        """They are one person."""
        login, suggestion = user_here(request).login, number_in(request, "suggestion_id")
        done = await self.or_said(request, lambda desk: _accepted(desk, suggestion, login))
        raise await self._merged(request, *done)

    async def dismiss(self, request: web.Request) -> Answer:
        """They are not."""
        login, suggestion = user_here(request).login, number_in(request, "suggestion_id")
        await self.or_said(request, lambda desk: services.dismiss(desk, suggestion, login))
        raise self.pages.redirect(request, card(request), _("Noted: they are two people."))

    async def merge(self, request: web.Request) -> Answer:
        """Take over the card that is named by its number or by an identity."""
        login, survivor = user_here(request).login, number_in(request)
        typed = " ".join((await field_of(request, "other", 300)).split())
        region = self.pages.hub.settings.region
        done = await self.or_said(request, lambda desk: _joined(desk, survivor, typed, region, login))
        if done is None:
            raise self.pages.redirect(request, card(request), _("There is no card «{text}».").format(text=typed[:80]))
        raise await self._merged(request, *done)

    async def add_way(self, request: web.Request) -> Answer:
        """Note a number, an address or a name of the client; where somebody else has it, who that is and that they may
        be one person."""
        typed = " ".join((await field_of(request, "way", 300)).split())
        added = await self.or_said(request, lambda desk: ways.add_way(desk, number_in(request), typed))
        raise self.pages.redirect(request, card(request), _of_added(added))

    async def take_way(self, request: web.Request) -> Answer:
        """Take a number, an address or a name off the card."""
        key = await field_of(request, "key", 300)
        await self.or_said(request, lambda desk: ways.take_way(desk, number_in(request), key))
        raise self.pages.redirect(request, card(request), _("It is off the card."))

    async def unmerge(self, request: web.Request) -> Answer:
        """Part the card from the one it took over last."""
        login, survivor = user_here(request).login, number_in(request)
        await self.or_said(request, lambda desk: merging.unmerge(desk, survivor, login))
        raise self.pages.redirect(request, card(request), _("The cards are apart again."))

    async def _merged(self, request: web.Request, done: Accepted, name: str) -> web.HTTPSeeOther:
        because = _(BECAUSE[done.because]) if BECAUSE[done.because] else ""
        notice = _("The cards are one: «{name}» is here now. {because}").format(name=name, because=because).strip()
        return self.pages.redirect(request, f"/contacts/{done.survivor.id}", notice)


def _of_added(added: ways.Added) -> str:
    if added.other is None:
        return _("It is on the card.")
    name = added.other.name or f"№ {added.other.id}"
    if added.kept:
        return _("It is on the card. «{name}» has the same name there: perhaps the same person, see below.").format(
            name=name
        )
    if added.suggested:
        return _("That belongs to «{name}». Perhaps it is the same person: see below, and merge the cards.").format(
            name=name
        )
    return _("That belongs to «{name}», and it was decided that they are two people.").format(name=name)


def _accepted(desk: Desk, suggestion_id: int, login: str) -> tuple[Accepted, str]:
    done = deciding.accept(desk, suggestion_id, login)
    return done, _name(desk, done.absorbed_id)


def _joined(desk: Desk, survivor_id: int, typed: str, region: str, login: str) -> tuple[Accepted, str] | None:
    """The card of the path takes over the one that was typed; None where there is none."""
    other_id = _typed_card(desk, typed, region)
    if other_id is None:
        return None
    # Both locked at once, in the order of their ids, so that two merges can't wait for each other.
    found = desk.work.contacts([survivor_id, other_id])
    if len({survivor_id, other_id} - found.keys()) > 0:
        return None
    joined = merging.merge(desk, found[survivor_id], found[other_id], BY_HAND, login)
    return Accepted(joined, other_id, deciding.Because.CHOSEN), _name(desk, other_id)


def _typed_card(desk: Desk, typed: str, region: str) -> int | None:
    plain = typed.removeprefix("№").strip()
    if plain.isascii() and plain.isdigit() and len(plain) < _LONGEST_NUMBER_OF_CARD:
        try:
            return desk.work.contact(int(plain)).id
        except NotFound:
            pass  # it may be a short number of a telephone
    kind = "" if plain.lower().startswith(_KINDS) else "mailto:" if "@" in plain else "tel:"
    try:
        key = identity_in_query(f"{kind}{plain}", region)
    except InvalidIdentity:
        return None
    holder = desk.work.contacts_by_identity([key]).get(key)
    return holder.id if holder is not None else None


def _name(desk: Desk, contact_id: int) -> str:
    return desk.work.contact(contact_id).name or f"№ {contact_id}"
