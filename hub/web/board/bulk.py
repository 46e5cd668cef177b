"""Filters of boards and tables kept under names; and acts on many cards at once."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from crm_core.errors import CoreError, InvalidInput, StorageUnavailable
from crm_core.services.acts import deals
from crm_core.services.acts.deals import DealChange
from crm_core.services.desk import Desk
from crm_core.storage.queries.workspace import saved
from hub.web.board.acting import Acting
from hub.web.board.editing import Form, ident_of, text_of
from hub.web.pages import Answer, local_path, number_in, user_here
from hub.web.tongues import _, ngettext, told

_MOST = 200
_TOLD = 3

Act = Callable[[Desk, int], object]


class Views(Acting):
    """Kept filters."""

    async def keep(self, request: web.Request) -> Answer:
        """Keep the filter of a page under a name."""
        form, login = await request.post(), user_here(request).login
        page, query = text_of(form, "page"), text_of(form, "query")
        shared = bool(text_of(form, "shared"))

        def service(desk: Desk) -> None:
            saved.keep(desk, login, page, text_of(form, "name"), query, shared=shared)

        return await self._done(request, service, _("The view is kept."))

    async def change(self, request: web.Request) -> Answer:
        """Rename a view, share it or not, put it one place up, or remove it."""
        form, login, view_id = await request.post(), user_here(request).login, number_in(request)
        act, page = text_of(form, "act"), text_of(form, "page")

        def service(desk: Desk) -> None:
            match act:
                case "remove":
                    saved.remove(desk, login, view_id)
                case "up":
                    saved.order(desk, login, page, _raised(text_of(form, "order"), view_id))
                case _:
                    shared = bool(text_of(form, "shared"))
                    saved.change(desk, login, view_id, name=text_of(form, "name"), shared=shared)

        return await self._done(request, service, _("The view is removed.") if act == "remove" else "")

    async def _done(self, request: web.Request, service: Callable[[Desk], None], said: str) -> Answer:
        back = local_path((await request.post()).get("back"), "/deals")
        try:
            await self.act(request, service)
        except StorageUnavailable:
            raise
        except CoreError as err:
            raise self.pages.redirect(request, back, str(err)) from err
        raise self.pages.redirect(request, back, said)


def _raised(order: str, view_id: int) -> list[int]:
    """The order of views with one of them a place higher; raises InvalidInput."""
    found = [each for each in (ident_of(part, "order") for part in order.split(",") if part) if each is not None]
    if view_id in found and (place := found.index(view_id)):
        found[place - 1], found[place] = found[place], found[place - 1]
    return found


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
