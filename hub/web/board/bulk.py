"""Acts on many cards at once."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from crm_core.errors import CoreError, InvalidInput, StorageUnavailable
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.desk import Desk
from hub.web.board.acting import Acting
from hub.web.board.editing import Form, ident_of, text_of
from hub.web.pages import Answer, local_path
from hub.web.tongues import _, ngettext, told

_MOST = 200
_TOLD = 3

Act = Callable[[Desk, int], object]


class Bulk(Acting):
    """What is done with many cards at once."""

    async def act_on_all(self, request: web.Request) -> Answer:
        """Give the chosen cards to somebody, mark them, move them: each for itself, so that one that is refused keeps
        none of the others back."""
        form = await request.post()
        back = local_path(form.get("back"), "/deals/list")
        ids = [each for each in (ident_of(str(given), "id") for given in form.getall("id", [])) if each is not None]
        if not ids:
            raise self.pages.redirect(request, back, _("Choose cards first."))
        if len(ids) > _MOST:
            raise self.pages.redirect(request, back, _("At most {count} cards at once.").format(count=_MOST))
        done, refused = 0, list[str]()
        try:
            wanted = _act_of(form)
        except InvalidInput as err:
            raise self.pages.redirect(request, back, str(err)) from err
        for ident in dict.fromkeys(ids):
            try:
                await self.act(request, lambda desk, ident=ident: wanted(desk, ident))  # type: ignore[misc]  # bound now
                done += 1
            except StorageUnavailable:
                raise
            except CoreError as err:
                refused.append(f"№ {ident}: {told(str(err))}")
        said = ngettext("Done with {count} card.", "Done with {count} cards.", done).format(count=done)
        if refused:
            said = " ".join([said, _("Not with {count}:").format(count=len(refused)), "; ".join(refused[:_TOLD])])
        raise self.pages.redirect(request, back, said)


def _act_of(form: Form) -> Act:
    """What a form does with each card; raises InvalidInput."""
    match text_of(form, "act"):
        case "assign":
            login = text_of(form, "manager") or None
            return lambda desk, ident: deals.change(desk, ident, DealChange(manager=login))
        case "tag" | "untag" as act:
            tag = " ".join(text_of(form, "tag").split())
            if not tag:
                raise InvalidInput(_("Name a tag."))
            return lambda desk, ident: _tagged(desk, ident, tag, there=act == "tag")
        case "move":
            stage, reason = text_of(form, "stage"), text_of(form, "reason") or None
            if not stage:
                raise InvalidInput(_("Name a stage."))
            return lambda desk, ident: deals.move(desk, ident, stage, reason=reason)
        case _:
            raise InvalidInput(_("Choose what is to be done."))


def _tagged(desk: Desk, ident: int, tag: str, *, there: bool) -> object:
    deal = deals.seen(desk, ident)
    others = [each for each in deal.tags if each.casefold() != tag.casefold()]
    return deals.change(desk, ident, DealChange(tags=[*others, tag] if there else others))
