"""The list of companies, and the page of one: what is known of it, its people, its deals."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict, MultiMapping

from crm_core.model.access import Right
from crm_core.model.fields import FieldSet, fields_of
from crm_core.model.selling import CompanyRecord
from crm_core.model.user import Staff
from crm_core.services.clients import companies as service
from crm_core.services.clients.companies import CompanyChange
from crm_core.services.clients.contacts import clean_tags
from crm_core.services.desk import Desk
from crm_core.storage.queries.companies import CompanyFilter, list_companies
from crm_core.storage.queries.pages import Page, Reading, Slice
from crm_core.storage.queries.workspace.asker import Asker
from crm_core.storage.queries.workspace.companies import CompanyCard, company_card
from hub.web.board.acting import Acting
from hub.web.board.editing import fields_given, ident_of, own_typed, text_of
from hub.web.doing import Refused, part, tried
from hub.web.pages import Answer, access_here, number_in
from hub.web.shown import money
from hub.web.tongues import _

_ROWS = 50
_LISTED = 30
_LONGEST = 200
_PARTS = frozenset({"form", "side"})
_KIND = "company"


class Companies(Acting):
    """The pages of companies."""

    async def show_all(self, request: web.Request) -> Answer:
        """Those found by a part of the name or the tax id, the newest first; with `?part=live` what refreshes by
        itself."""
        q, after = " ".join(request.query.get("q", "").split())[:_LONGEST], request.query.get("after") or None
        wanted = CompanyFilter(q, region=self.pages.hub.store.office.region)

        def query(conn: Reading, asker: Asker) -> tuple[Page[CompanyRecord], Staff]:
            return list_companies(conn, asker.access, wanted, Slice(after, _ROWS)), asker.staff

        page, staff = await self.ask(request, query)
        more = urlencode({**({"q": q} if q else {}), "after": page.next}) if page.next else ""
        keeps = access_here(request).may(Right.KEEP_CLIENTS)
        context: dict[str, Any] = {"page": page, "q": q, "more": more, "staff": staff, "keeps": keeps}
        if request.query.get("part") == "live":
            return self.pages.fragment(request, "companies/live.html", **context)
        asked = urlencode({"q": q}) + "&" if q else ""
        return self.pages.render(request, "companies/page.html", **context, asked=asked, paged=after is not None)

    async def show_new(self, request: web.Request) -> Answer:
        """An empty form."""
        return await self._drawn(request, None)

    async def show(self, request: web.Request) -> Answer:
        """One company; with `?part=form` what is known of it, with `?part=side` its people and deals: each refreshes by
        itself, so that what is half written holds up its own part alone."""
        return await self._drawn(request, None)

    async def save(self, request: web.Request) -> Answer:
        """Keep it; what is wrong is said above what was typed, and what stands now where somebody was faster."""
        form = await request.post()
        ident = number_in(request) if "id" in request.match_info else None

        def keep(desk: Desk) -> CompanyRecord:
            given = _change(form, fields_of(desk.catalogue, _KIND))
            if ident is None:
                return service.create(desk, given)
            return service.change(desk, ident, given, ident_of(text_of(form, "version"), "version"))

        kept = await tried(self.act(request, keep))
        if isinstance(kept, Refused):
            return await self._drawn(request, form, kept.text, kept.status)
        raise self.pages.redirect(request, f"/companies/{kept.id}", _("«{name}» is saved.").format(name=kept.name))

    async def _drawn(
        self, request: web.Request, typed: MultiMapping[Any] | None, problem: str = "", status: int = 200
    ) -> Answer:
        ident = number_in(request) if "id" in request.match_info else None

        def query(conn: Reading, asker: Asker) -> tuple[CompanyCard | None, Asker]:
            return company_card(conn, asker, ident, _LISTED) if ident is not None else None, asker

        card, asker = await self.ask(request, query)
        fields = [each for each in fields_of(asker.catalogue, _KIND).by_key.values() if each.type.value != "formula"]
        context: dict[str, Any] = {
            "card": card,
            "company": card.company if card is not None else None,
            "typed": typed if typed is not None else _as_typed(card.company if card is not None else None),
            "fields": fields,
            "staff": asker.staff,
            "problem": problem,
            "money": money,
            "keeps": access_here(request).may(Right.KEEP_CLIENTS),
            "stage_of": {stage.id: stage.name for each in asker.catalogue.pipelines for stage in each.stages},
        }
        wanted = request.query.get("part", "") if card is not None and request.method == "GET" else ""
        if wanted in _PARTS:
            return self.pages.fragment(request, f"companies/{wanted}.html", part=wanted, **context)
        return part(self.pages.render(request, "companies/card.html", status=status, part="", **context))


def _as_typed(company: CompanyRecord | None) -> MultiMapping[Any]:
    """A company as its form would be sent."""
    found: MultiDict[Any] = MultiDict()
    if company is None:
        return found
    plain = {"name": company.name, "tax_id": company.tax_id, "city": company.city, "manager": company.manager}
    found.extend({name: value or "" for name, value in plain.items()})
    found.add("tags", ", ".join(company.tags))
    found.extend(own_typed(company.fields))
    return found


def _change(form: MultiMapping[Any], fields: FieldSet) -> CompanyChange:
    """What a form changes; raises InvalidInput."""
    return CompanyChange(
        name=" ".join(text_of(form, "name").split()),
        tax_id=text_of(form, "tax_id") or None,
        city=" ".join(text_of(form, "city").split()) or None,
        manager=text_of(form, "manager") or None,
        tags=clean_tags([each for each in text_of(form, "tags").split(",") if each.strip()]),
        fields=fields_given(form, fields),
    )
