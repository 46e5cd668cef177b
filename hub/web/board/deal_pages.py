"""The page of one card: shown, corrected a group of fields at a time, with its history."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from crm_core.errors import CoreError, Forbidden, InvalidInput, NotFound, Outdated, StorageUnavailable
from crm_core.model.access import Right
from crm_core.model.fields import fields_of
from crm_core.services.acts import deals
from crm_core.services.desk import Desk
from crm_core.storage.queries.documents import one_document
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.queries.selling import ProductFilter, list_products
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.cards import seen_card
from hub.http.sending import attachment_headers
from hub.web.board.acting import Acting
from hub.web.board.deal_view import MAIN, DealView, Group, deal_view, trace
from hub.web.board.editing import EDITABLE, change_of, ident_of, text_of
from hub.web.board.words import MOMENTS, WORDS
from hub.web.doing import part
from hub.web.pages import Answer, access_here, number_in
from hub.web.returning import scripted
from hub.web.tongues import _, pgettext

_PRODUCTS = 500


class DealPages(Acting):
    """What shows a card, and lets its fields be corrected."""

    async def show(self, request: web.Request) -> Answer:
        """The card; with `?part=body` only what refreshes by itself, with `?part=trace` what happened to it."""
        asked = request.query.get("part")
        if asked == "trace":
            return await self._trace(request)
        view = await self.view(request)
        if asked == "body":
            return self.body(request, view)
        talks = view.deal.contact_id is not None and access_here(request).may(Right.SEE_CLIENTS)
        return self.pages.render(request, "board/deal.html", **context_of(view, self.zone), talks=talks)

    async def group(self, request: web.Request) -> Answer:
        """The form of a group of fields; with `?form=lines` that of the lines."""
        view = await self.view(request)
        if request.query.get("form") == "lines":

            def products(conn: Reading, asker: Asker) -> Any:
                return list_products(conn, asker.access, ProductFilter(), Slice(limit=_PRODUCTS)).items

            known = await self.ask(request, products)
            context = {**context_of(view, self.zone), "products": known}
            return self._form(request, "board/lines_form.html", context)
        group, main = _group(view, request.query.get("group", MAIN))
        context = {**context_of(view, self.zone), "group": group, "main": main, "typed": None, "problem": ""}
        return self._form(request, "board/group_form.html", context)

    async def edit(self, request: web.Request) -> Answer:
        """Correct what a form names. Where somebody was faster (409) the form comes back with what was typed and, at
        every field that differs, what stands now; sent again it wins."""
        deal_id, form = number_in(request), await request.post()

        def service(desk: Desk) -> None:
            version = ident_of(text_of(form, "version"), "version")
            before = deals.seen(desk, deal_id, version)
            given = change_of(form, fields_of(desk.catalogue, before.type), self.zone, before.currency)
            deals.change(desk, deal_id, given, version)

        try:
            await self.act(request, service)
        except StorageUnavailable:
            raise
        except (NotFound, Forbidden):
            raise
        except CoreError as err:
            view = await self.view(request)
            group, main = _group(view, text_of(form, "group") or MAIN)
            outdated = isinstance(err, Outdated)
            said = _("The card was changed meanwhile: look at what stands now, and save again.")
            context = {
                **context_of(view, self.zone),
                "group": group,
                "main": main,
                "typed": form,
                "problem": said if outdated else str(err),
                "outdated": outdated,
            }
            status = 409 if outdated else 400
            number = group.number if group is not None else MAIN
            retarget = {"HX_Retarget": f"#group-{number}", "HX_Reswap": "outerHTML"}
            answer = self._form(request, "board/group_form.html", context)
            return part(answer, status, **retarget)
        return await self.done(request, deal_id)

    async def document(self, request: web.Request) -> Answer:
        """The file of a document of a card that is seen."""
        deal_id, document_id = number_in(request), number_in(request, "document_id")

        def read(conn: Reading, asker: Asker) -> Any:
            seen_card(conn, asker, deal_id)
            found = one_document(conn, asker.access, document_id)
            if found.deal_id != deal_id:
                raise NotFound("there is no document {document}", document=document_id)
            return found

        record = await self.ask(request, read)
        path = self.pages.hub.files.path(record.sha256)
        if not path.is_file():
            raise NotFound("the file of document {record} is not in the file store", record=record.id)
        return web.FileResponse(path, headers=attachment_headers(record.name, record.content_type, inline=False))

    # ------------------------------------------------------------ parts

    async def view(self, request: web.Request) -> DealView:
        """The card of a request; raises NotFound."""
        deal_id = number_in(request)
        return await self.ask(request, lambda conn, asker: deal_view(conn, asker, deal_id))

    def body(self, request: web.Request, view: DealView) -> Answer:
        """The part that refreshes."""
        return self.pages.fragment(request, "board/body.html", **context_of(view, self.zone))

    async def done(self, request: web.Request, deal_id: int, said: str = "") -> Answer:
        """What follows an act: the card as it is now."""
        if not scripted(request):
            raise self.pages.redirect(request, f"/deals/{deal_id}", said)
        view = await self.ask(request, lambda conn, asker: deal_view(conn, asker, deal_id))
        return self.body(request, view)

    def _form(self, request: web.Request, template: str, context: dict[str, Any]) -> Answer:
        if scripted(request):
            return self.pages.fragment(request, template, **context)
        return self.pages.render(request, "board/edit.html", part=template, **context)

    async def _trace(self, request: web.Request) -> Answer:
        deal_id, after = number_in(request), request.query.get("after") or None
        found = await self.ask(request, lambda conn, asker: trace(conn, asker, deal_id, after))
        return self.pages.fragment(
            request, "board/trace.html", trace=found, after=after, said=partial(_said, self.zone), **WORDS
        )


def context_of(view: DealView, zone: Any) -> dict[str, Any]:
    """What the templates of a card need."""
    return {"view": view, "deal": view.deal, "able": view.able, "zone": zone, "EDITABLE": EDITABLE, **WORDS}


def _group(view: DealView, key: str) -> tuple[Group | None, bool]:
    """The group of fields that a form means, None for the card's own columns; raises InvalidInput."""
    if key == MAIN:
        return None, True
    found = next((each for each in view.groups if each.key == key), None)
    if found is None:
        raise InvalidInput(_("There is no such group of fields any more."))
    return found, False


def _said(zone: ZoneInfo, asker: Asker, name: str, value: Any) -> str:
    """A column's value for people: stages, pipelines and managers by their names, moments in the office's time."""
    if value is None:
        return ""
    if isinstance(value, str) and name in MOMENTS:
        with suppress(ValueError):  # what is no moment is shown as it was kept
            return f"{datetime.fromisoformat(value).astimezone(zone):%d.%m.%Y %H:%M}"
    if isinstance(value, int) and name == "stage_id" and (place := asker.catalogue.place(value)) is not None:
        return place[1].name
    if isinstance(value, int) and name == "pipeline_id" and (found := asker.catalogue.pipeline(value)) is not None:
        return found.name
    if isinstance(value, bool):
        return pgettext("flag", "yes") if value else pgettext("flag", "no")
    if name == "manager" and (user := asker.staff.get(str(value))) is not None:
        return user.name
    if isinstance(value, list):
        return ", ".join(str(each.get("text", each)) if isinstance(each, dict) else str(each) for each in value)
    return str(value)
