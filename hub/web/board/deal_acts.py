"""What is done on the page of a card: lines, payments, tasks, documents, links, copies, deletion."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal

from aiohttp import web

from crm_core.errors import ConcurrentChange, CoreError, InvalidInput, NotFound, StorageUnavailable
from crm_core.model import written
from crm_core.model.amounts import number
from crm_core.model.records import DealRecord
from crm_core.model.selling import LinkRecord, PaymentKind
from crm_core.model.task import TaskRecord
from crm_core.services.acts import deals
from crm_core.services.cards.pipelines import demand_access, pipeline_of, place_of
from crm_core.services.cards.tunnels import Along
from crm_core.services.clients import links
from crm_core.services.desk import Desk
from crm_core.services.letters import documents
from crm_core.services.letters.documents import NumberTaken, Sending
from crm_core.services.money import items, payments
from crm_core.services.money.items import NewItem
from crm_core.services.money.payments import NewPayment
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from hub.web.attaching import kept_ahead, posted, sent_ahead
from hub.web.board.deal_pages import DealPages
from hub.web.board.editing import Form, ident_of, text_of
from hub.web.doing import part
from hub.web.moments import moment_of
from hub.web.pages import Answer, number_in, user_here
from hub.web.returning import scripted
from hub.web.tongues import _

_TRIES = 10
_THOUSAND = 1000
_PRODUCT = "№"


class DealActs(DealPages):
    """The acts; each answers with the card as it is then."""

    async def tick(self, request: web.Request) -> Answer:
        """Tick an item of the checklist, or take the tick off."""
        form, login, deal_id = await request.post(), user_here(request).login, number_in(request)
        item = ident_of(text_of(form, "item"), "item") or 0
        done = text_of(form, "done") == "1"
        return await self._run(request, lambda desk: deals.tick(desk, deal_id, item, login, done=done))

    async def put_lines(self, request: web.Request) -> Answer:
        """Give the card these lines instead of those it had."""
        form, deal_id = await request.post(), number_in(request)

        def service(desk: Desk) -> None:
            deal = deals.seen(desk, deal_id)
            version = ident_of(text_of(form, "version"), "version")
            items.put_items(desk, deal_id, _lines(form, deal.currency), version)

        return await self._run(request, service)

    async def pay(self, request: web.Request) -> Answer:
        """Note money that came or is promised; plan instalments."""
        form, login, deal_id = await request.post(), user_here(request).login, number_in(request)
        act = text_of(form, "act")

        def service(desk: Desk) -> None:
            deal = deals.seen(desk, deal_id)
            if act == "plan":
                count = ident_of(text_of(form, "count"), "count") or 0
                first = date.fromisoformat(written.day(text_of(form, "due_on")))
                payments.monthly_plan(desk, deal_id, login, count, first)
                return
            kind = PaymentKind.PROMISED if act == "promised" else PaymentKind.RECEIVED
            due = text_of(form, "due_on")
            new = NewPayment(
                kind,
                int(written.money(text_of(form, "amount"), deal.currency)["amount"]),
                deal.currency,
                at=moment_of(text_of(form, "at"), self.zone) if kind is PaymentKind.RECEIVED else None,
                due_on=written.day(due) if due and kind is PaymentKind.PROMISED else None,
                note=text_of(form, "note"),
            )
            payments.record(desk, deal_id, login, new)

        return await self._run(request, service)

    async def unpay(self, request: web.Request) -> Answer:
        """Take a payment back."""
        deal_id, payment_id = number_in(request), number_in(request, "payment_id")

        def service(desk: Desk) -> None:
            deals.seen(desk, deal_id)
            if payments.one(desk, payment_id)[1].id != deal_id:
                raise NotFound("there is no payment {payment}", payment=payment_id)
            payments.delete(desk, payment_id)

        return await self._run(request, service)

    async def give_task(self, request: web.Request) -> Answer:
        """Give a task about the card."""
        form, login, deal_id = await request.post(), user_here(request).login, number_in(request)

        def service(desk: Desk) -> TaskRecord:
            deals.seen(desk, deal_id)
            new = NewTask(
                text_of(form, "title"),
                text_of(form, "assignee") or login,
                moment_of(text_of(form, "due_at"), self.zone),
                deal_id=deal_id,
                author=login,
            )
            return tasks.make(desk, new)

        return await self._run(request, service)

    async def close_task(self, request: web.Request) -> Answer:
        """A task about the card is done, with its result and files; or it is not to be done."""
        form, login, deal_id = await request.post(), user_here(request).login, number_in(request)
        task_id = number_in(request, "task_id")
        try:
            ahead, brought = await sent_ahead(request), await posted(request, self.pages.hub)
        except InvalidInput as err:
            return self._refusal(request, deal_id, err)

        def service(desk: Desk) -> None:
            deals.seen(desk, deal_id)
            if desk.work.task(task_id)[0].deal_id != deal_id:
                raise NotFound("there is no task {task}", task=task_id)
            version = ident_of(text_of(form, "version"), "version")
            result = text_of(form, "result")
            if text_of(form, "act") == "cancel":
                tasks.cancel(desk, task_id, login, result, version)
            else:
                tasks.close(desk, task_id, login, result, version, [*kept_ahead(desk, ahead), *brought])

        return await self._run(request, service)

    async def make_document(self, request: web.Request) -> Answer:
        """Make a document of a template; where that is wanted it goes to the client at once."""
        form, login, deal_id = await request.post(), user_here(request).login, number_in(request)
        sending = Sending(text=text_of(form, "text")) if text_of(form, "act") == "send" else None
        template = text_of(form, "template")
        for _try in range(_TRIES):
            try:
                prepared = await self.act(
                    request, lambda desk: documents.prepare(desk, template, login, deal_id=deal_id)
                )
                made = await self.pages.hub.documents.make(prepared)
            except StorageUnavailable:
                raise
            except CoreError as err:
                return self._refusal(request, deal_id, err)

            def keep(desk: Desk, prepared: documents.Prepared = prepared, made: documents.Made = made) -> None:
                documents.keep(desk, prepared, made, login, sending)

            with suppress(NumberTaken):
                return await self._run(request, keep)
        return self._refusal(request, deal_id, ConcurrentChange(_("Others are making documents now: try again.")))

    async def link(self, request: web.Request) -> Answer:
        """Link another record, in a role."""
        form, login, deal_id = await request.post(), user_here(request).login, number_in(request)

        def service(desk: Desk) -> None:
            deal = deals.seen(desk, deal_id)
            kind = text_of(form, "kind") or "contact"
            ident = ident_of(text_of(form, "contact_id" if kind == "contact" else "ident"), "ident")
            if ident is None:
                raise InvalidInput(_("Choose whom or what to link."))
            other = links.record(desk, kind, ident)
            if isinstance(other, DealRecord):
                demand_access(desk, place_of(desk, other.stage_id)[0], other)
            links.link(desk, (deal.type, deal.id), (kind, ident), text_of(form, "role"), login)

        return await self._run(request, service)

    async def unlink(self, request: web.Request) -> Answer:
        """Take a link away."""
        deal_id, link_id = number_in(request), number_in(request, "link_id")

        def service(desk: Desk) -> None:
            deal = deals.seen(desk, deal_id)
            found = desk.work.get(LinkRecord, link_id)
            if (deal.type, deal.id) not in {(found.from_kind, found.from_id), (found.to_kind, found.to_id)}:
                raise NotFound("there is no link {link}", link=link_id)
            links.unlink(desk, link_id)

        return await self._run(request, service)

    async def tunnel(self, request: web.Request) -> Answer:
        """Copy the card into a pipeline, or move it over."""
        form, deal_id = await request.post(), number_in(request)
        target = ident_of(text_of(form, "pipeline"), "pipeline") or 0
        moves = text_of(form, "act") == "transfer"

        def service(desk: Desk) -> int:
            name = pipeline_of(desk, target).name
            version = ident_of(text_of(form, "version"), "version")
            if moves:
                reason = text_of(form, "reason") or None
                return deals.transfer(desk, deal_id, name, None, reason=reason, version=version).deal.id
            along = Along(items=bool(text_of(form, "items")))
            return deals.copy(desk, deal_id, name, None, along, version).deal.id

        try:
            ident = await self.act(request, service)
        except StorageUnavailable:
            raise
        except CoreError as err:
            return self._refusal(request, deal_id, err)
        where = f"/deals/{ident}"
        if scripted(request):
            return web.Response(status=204, headers={"HX-Redirect": where})
        raise self.pages.redirect(request, where, _("The card went over.") if moves else _("This is the copy."))

    async def delete(self, request: web.Request) -> Answer:
        """Delete the card; it can be brought back."""
        deal_id = number_in(request)
        return await self._run(request, lambda desk: deals.put_away(desk, deal_id))

    async def restore(self, request: web.Request) -> Answer:
        """Bring the card back."""
        deal_id = number_in(request)
        return await self._run(request, lambda desk: deals.bring_back(desk, deal_id))

    # ------------------------------------------------------------ parts

    async def _run(self, request: web.Request, service: Callable[[Desk], object]) -> Answer:
        """Act, and show the card; what was refused is said without touching what was typed. Raises NumberTaken."""
        deal_id = number_in(request)
        try:
            await self.act(request, service)
        except (StorageUnavailable, NumberTaken):
            raise
        except CoreError as err:
            return self._refusal(request, deal_id, err)
        return await self.done(request, deal_id)

    def _refusal(self, request: web.Request, deal_id: int, err: CoreError) -> Answer:
        if not scripted(request):
            raise self.pages.redirect(request, f"/deals/{deal_id}", str(err))
        answer = self.pages.fragment(request, "board/wrong.html", said=str(err))
        status = 404 if isinstance(err, NotFound) else (400 if isinstance(err, InvalidInput) else 409)
        return part(answer, status, HX_Retarget="#deal-wrong", HX_Reswap="innerHTML")


def _lines(form: Form, currency: str) -> list[NewItem]:
    """The lines of a form: a product is named «№ID …», or was there before; empty lines are left out. Raises
    InvalidInput that names what is no number."""
    names = [str(each).strip() for each in form.getall("name", [])]
    others = {column: [str(each).strip() for each in form.getall(column, [])] for column in _COLUMNS}
    found = []
    for place, name in enumerate(names):
        row = {column: values[place] if place < len(values) else "" for column, values in others.items()}
        if not name:
            continue
        product = row["product"] if name == row["was"] else ""
        if name.startswith(_PRODUCT):
            product, _blank, _rest = name.removeprefix(_PRODUCT).partition(" ")
        ident = ident_of(product, "product")
        price = int(written.money(row["price"], currency)["amount"]) if row["price"] else None
        found.append(
            NewItem(
                quantity=_thousandths(row["quantity"] or "1"),
                product_id=ident,
                name=None if name.startswith(_PRODUCT) else name,
                price=price if price is not None or ident is not None else 0,
                discount=int(written.money(row["discount"], currency)["amount"]) if row["discount"] else 0,
                unit=row["unit"] or None,
            )
        )
    return found


_COLUMNS = ("product", "was", "quantity", "price", "discount", "unit")


def _thousandths(text: str) -> int:
    exact = number(text)
    if exact is None:
        raise InvalidInput(_("«{text}» is no quantity.").format(text=written.brief(text)))
    return int((exact * Decimal(_THOUSAND)).to_integral_value())
