"""What is done about a client on their card: what is known is mended, leads, tasks, documents."""

from __future__ import annotations

from aiohttp import web

from crm_core.errors import ConcurrentChange, CoreError, InvalidInput, NotFound, Outdated, StorageUnavailable
from crm_core.model.records import ContactRecord, LeadRecord
from crm_core.services.acts.conversion import Conversion, convert
from crm_core.services.acts.deals import DealChange
from crm_core.services.cards import leads
from crm_core.services.clients import contacts
from crm_core.services.desk import Desk
from crm_core.services.letters import documents
from crm_core.services.letters.documents import NumberTaken, Sending
from crm_core.services.tasking import tasks
from crm_core.services.tasking.tasks import NewTask
from hub.web.attaching import kept_ahead, posted, sent_ahead
from hub.web.client.acting import Acting, card
from hub.web.client.cards import Cards
from hub.web.client.facts import Typed, change_of
from hub.web.moments import deadline_of
from hub.web.pages import Answer, Pages, field_of, number_in, user_here
from hub.web.returning import scripted
from hub.web.tongues import _

_MOST_VALUES = 100
_TRIES = 5


class Business(Acting):
    """The acts of the sides of the card."""

    def __init__(self, pages: Pages, cards: Cards) -> None:
        super().__init__(pages)
        self._cards = cards

    # ------------------------------------------------------------ what is known

    async def mend(self, request: web.Request) -> Answer:
        """Give one line of the card another value; where somebody else changed the card meanwhile, what was typed
        stays, beside what stands now."""
        form, contact_id = await request.post(), number_in(request)
        name, version = await field_of(request, "field", 200), await field_of(request, "version", 12)
        given = form.getall("value", [])[:_MOST_VALUES]
        values = tuple(each[:10_000] for each in given if isinstance(each, str))
        seen = int(version) if version.isascii() and version.isdigit() else None

        def service(desk: Desk) -> None:
            contacts.change(desk, contact_id, change_of(name, values), seen)

        try:
            await self.done(request, service)
        except StorageUnavailable:
            raise
        except Outdated as err:
            return await self._kept(request, Typed(name, values, _outdated(err, name)), 409)
        except CoreError as err:
            return await self._kept(request, Typed(name, values, str(err)), 400)
        if scripted(request):
            return await self._cards.piece(request, "client/about.html")
        raise self.pages.redirect(request, card(request), _("Noted."))

    async def _kept(self, request: web.Request, typed: Typed, status: int) -> Answer:
        if scripted(request):
            return await self._cards.piece(request, "client/about.html", status, typed=typed)
        return await self._cards.again(request, status, typed=typed)

    # ------------------------------------------------------------ leads

    async def take_lead(self, request: web.Request) -> Answer:
        """Take a lead of the client; the robot calls them where the office has it so."""
        login = user_here(request).login

        def service(desk: Desk) -> None:
            leads.take(desk, _own(desk, request), login)

        await self.or_said(request, service)
        raise self.pages.redirect(request, card(request), _("The lead is yours."))

    async def reject_lead(self, request: web.Request) -> Answer:
        """Say that a lead is none, and why."""
        login, reason = user_here(request).login, await field_of(request, "reason", 300)

        def service(desk: Desk) -> None:
            leads.reject(desk, _own(desk, request), login, reason)

        await self.or_said(request, service)
        raise self.pages.redirect(request, card(request), _("The lead is rejected."))

    async def convert_lead(self, request: web.Request) -> Answer:
        """Make a deal of a lead, on the stage that is chosen; the first of the first pipeline where none is."""
        login, stage = user_here(request).login, await field_of(request, "stage", 18)
        title = " ".join((await field_of(request, "title", 300)).split())

        def service(desk: Desk) -> None:
            wanted = DealChange(title=title) if title else DealChange()
            convert(desk, _own(desk, request), login, Conversion(*_chosen(desk, stage), wanted))

        await self.or_said(request, service)
        raise self.pages.redirect(request, card(request), _("The lead has become a deal."))

    # ------------------------------------------------------------ tasks

    async def add_task(self, request: web.Request) -> Answer:
        """Give a task about the client."""
        contact_id = number_in(request)
        title, assignee = await field_of(request, "title", 300), await field_of(request, "assignee", 64)
        due_at = deadline_of(await field_of(request, "due", 40), self.pages.hub.settings.time_zone)

        def service(desk: Desk) -> None:
            tasks.make(desk, NewTask(title, assignee or None, due_at, contact_id=contact_id))

        await self.or_said(request, service)
        raise self.pages.redirect(request, card(request), _("The task is given."))

    async def close_task(self, request: web.Request) -> Answer:
        """The task is done, with a result and the files that came of it."""
        login, result, task_id = (
            user_here(request).login,
            await field_of(request, "result"),
            number_in(request, "task_id"),
        )
        contact_id = number_in(request)
        try:
            ahead, brought = await sent_ahead(request), await posted(request, self.pages.hub)
        except InvalidInput as err:
            raise self.pages.redirect(request, card(request), str(err)) from err

        def service(desk: Desk) -> None:
            found, _client = desk.work.task(task_id)
            if found.contact_id != contact_id:
                raise NotFound
            tasks.close(desk, task_id, login, result, files=[*kept_ahead(desk, ahead), *brought])

        await self.or_said(request, service)
        raise self.pages.redirect(request, card(request), _("The task is done."))

    # ------------------------------------------------------------ documents

    async def send_document(self, request: web.Request) -> Answer:
        """Make a document and send it where the client wrote last, in one act; with `keep` it is only made."""
        login, contact_id = user_here(request).login, number_in(request)
        template, deal = await field_of(request, "template", 300), await field_of(request, "deal", 18)
        deal_id = int(deal) if deal.isascii() and deal.isdigit() else None
        sending = None if await field_of(request, "keep", 1) else Sending()
        try:
            await self._made(request, template, login, contact_id if deal_id is None else None, deal_id, sending)
        except StorageUnavailable:
            raise
        except CoreError as err:
            raise self.pages.redirect(request, card(request), str(err)) from err
        said = _("The document is on its way.") if sending is not None else _("The document is made.")
        raise self.pages.redirect(request, card(request), said)

    async def _made(
        self,
        request: web.Request,
        template: str,
        login: str,
        contact_id: int | None,
        deal_id: int | None,
        sending: Sending | None,
    ) -> None:
        hub, owner = self.pages.hub, number_in(request)
        for _attempt in range(_TRIES):
            prepared = await self.pages.act(
                request, lambda desk: documents.prepare(desk, template, login, deal_id=deal_id, contact_id=contact_id)
            )
            if prepared.contact_id != owner:
                raise InvalidInput(_("This deal is of another client."))
            made = await hub.documents.make(prepared)

            def kept(desk: Desk, prepared: documents.Prepared = prepared, made: documents.Made = made) -> None:
                documents.keep(desk, prepared, made, login, sending)

            try:
                await self.done(request, kept)
            except NumberTaken:
                continue
            return
        raise ConcurrentChange(_("Others make documents of this template all the time: try again in a moment."))


def _own(desk: Desk, request: web.Request) -> int:
    """The lead of the path; raises NotFound where it is another client's."""
    lead, _client = desk.work.owned(LeadRecord, number_in(request, "lead_id"))
    if lead.contact_id != number_in(request):
        raise NotFound
    return lead.id


def _chosen(desk: Desk, stage: str) -> tuple[str | None, str | None]:
    """The pipeline and the stage of the form, by name; raises InvalidInput for one that is gone."""
    if not stage:
        return None, None
    place = desk.catalogue.place(int(stage)) if stage.isascii() and stage.isdigit() else None
    if place is None:
        raise InvalidInput(_("There is no such stage any more."))
    return place[0].name, place[1].name


def _outdated(err: Outdated, name: str) -> str:
    """What to say of a line that was changed meanwhile."""
    said = _("The card was changed meanwhile. Look at what stands now, and save once more if yours is right.")
    current = err.current
    if isinstance(current, ContactRecord) and name in {"name", "company", "city"}:
        now = _("Now it says «{value}».").format(value=getattr(current, name) or "")
        return f"{said} {now}"
    return said
