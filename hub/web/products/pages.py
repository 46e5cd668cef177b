"""The list of products and the form of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from crm_core.errors import InvalidInput
from crm_core.model import written
from crm_core.model.access import Right
from crm_core.model.fields import fields_of
from crm_core.model.selling import ProductRecord
from crm_core.services.desk import Desk
from crm_core.services.money import products as service
from crm_core.services.money.products import ProductChange
from crm_core.storage.queries import selling as queries
from crm_core.storage.queries.pages import Slice
from crm_core.storage.queries.selling import ProductFilter
from hub.web.board.editing import fields_given, ident_of, own_typed, text_of
from hub.web.board.words import value_text
from hub.web.doing import Refused, part, tried
from hub.web.pages import Answer, Pages, access_here, number_in, user_here
from hub.web.shown import money
from hub.web.tongues import _

_ROWS = 50
_LONGEST = 200
_KIND = "product"


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in the form, as it was typed."""

    name: str = ""
    sku: str = ""
    unit: str = ""
    price: str = ""
    archived: bool = False
    version: str = ""

    @classmethod
    def of(cls, form: MultiMapping[object]) -> Fields:
        """As a form was sent; raises InvalidInput for what can't be stored."""
        name, sku, unit, price, version = (text_of(form, each)[:_LONGEST] for each in _TEXTS)
        return cls(" ".join(name.split()), sku, unit, price, bool(text_of(form, "archived")), version)

    @classmethod
    def of_record(cls, record: ProductRecord) -> Fields:
        """As a product says."""
        places = written.places_of(record.currency)
        price = f"{Decimal(record.price).scaleb(-places):f}".replace(".", ",")
        shown = price if record.currency == "RUB" else f"{price} {record.currency}"
        return cls(record.name, record.sku or "", record.unit, shown, record.archived, str(record.version))

    def meant(self, currency: str, own: Mapping[str, Any]) -> ProductChange:
        """What is wanted, with the own fields that the form names; raises InvalidInput."""
        price = written.money(self.price or "0", currency)
        return ProductChange(
            name=self.name,
            sku=self.sku or None,
            unit=self.unit,
            price=int(price["amount"]),
            currency=str(price["currency"]),
            archived=self.archived,
            fields=own,
        )


_TEXTS = ("name", "sku", "unit", "price", "version")


class Products:
    """The pages of products."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show_all(self, request: web.Request) -> Answer:
        """Those found by a part of the name or article number, the newest first; with `?archived=1` also those out of
        use; with `?part=live` what refreshes by itself."""
        query = request.query
        q, archived = " ".join(query.get("q", "").split())[:_LONGEST], query.get("archived") == "1"
        after = query.get("after") or None
        wanted, access = ProductFilter(q=q, archived=archived), access_here(request)
        page = await self._pages.hub.store.read(
            lambda conn: queries.list_products(conn, access, wanted, Slice(after, _ROWS))
        )
        asked = {name: value for name, value in (("q", q), ("archived", "1" if archived else "")) if value}
        context: dict[str, Any] = {
            "page": page,
            "q": q,
            "archived": archived,
            "more": urlencode({**asked, "after": page.next}) if page.next else "",
            "keeps": access.may(Right.KEEP_SALES),
            "imports": access.may(Right.IMPORT),
            "money": money,
            "asked": urlencode(asked) + "&" if asked else "",
            "paged": after is not None,
        }
        if query.get("part") == "live":
            return self._pages.fragment(request, "products/live.html", **context)
        return self._pages.render(request, "products/page.html", **context)

    async def show_new(self, request: web.Request) -> Answer:
        """An empty form."""
        return await self._drawn(request, None, Fields())

    async def show(self, request: web.Request) -> Answer:
        """One product."""
        record = await self._record(request)
        return await self._drawn(request, record, Fields.of_record(record))

    async def save(self, request: web.Request) -> Answer:
        """Keep a product; what is wrong is said above what was typed, and what stands now where somebody was faster."""
        record = await self._record(request) if "id" in request.match_info else None
        form = await request.post()
        try:
            fields = Fields.of(form)
        except InvalidInput as err:
            return await self._drawn(request, record, Fields(), str(err), 400)

        def keep(desk: Desk) -> ProductRecord:
            own = fields_given(form, fields_of(desk.catalogue, _KIND))
            if record is None:
                return service.create(desk, fields.meant(ProductRecord._field_defaults["currency"], own))
            given = fields.meant(record.currency, own)
            return service.change(desk, record.id, given, ident_of(fields.version, "version"))

        kept = await tried(self._pages.act(request, keep))
        if isinstance(kept, Refused):
            if kept.outdated:
                record = await self._record(request)
                fields = replace(fields, version=str(record.version))
            return await self._drawn(request, record, fields, kept.text, kept.status, form)
        raise self._pages.redirect(request, "/products", _("«{name}» is saved.").format(name=kept.name))

    async def delete(self, request: web.Request) -> Answer:
        """Take a product out for good; lines and sales of it stay."""
        await self._pages.act(request, lambda desk: service.delete(desk, number_in(request)))
        raise self._pages.redirect(request, "/products", _("The product is deleted. Lines and sales of it stay."))

    async def _record(self, request: web.Request) -> ProductRecord:
        access, ident = access_here(request), number_in(request)
        return await self._pages.hub.store.read(lambda conn: queries.one_product(conn, access, ident))

    async def _drawn(
        self,
        request: web.Request,
        record: ProductRecord | None,
        fields: Fields,
        problem: str = "",
        status: int = 200,
        typed: MultiMapping[Any] | None = None,
    ) -> Answer:
        access, store, user = access_here(request), self._pages.hub.store, user_here(request)
        asker = await store.read(lambda conn: store.asker(conn, user))
        own = list(fields_of(asker.catalogue, _KIND).by_key.values())
        answer = self._pages.render(
            request,
            "products/form.html",
            status=status,
            record=record,
            fields=fields,
            problem=problem,
            own=own,
            typed=typed if typed is not None else own_typed(record.fields if record is not None else {}),
            value_text=value_text,
            values=record.fields if record is not None else {},
            staff=asker.staff,
            keeps=access.may(Right.KEEP_SALES),
            deletes=access.may(Right.DELETE),
        )
        return part(answer)
