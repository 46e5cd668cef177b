"""Writing to a client: the box with its templates and files, notes, messages for later and taking them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from crm_core.errors import CoreError, InvalidInput, NotFound, StorageUnavailable
from crm_core.messages import ChannelKey
from crm_core.model.definitions import Section
from crm_core.model.definitions.templates import TemplateBody
from crm_core.model.records import ContactRecord, EntryRecord
from crm_core.services.desk import Desk
from crm_core.services.letters.letter_scope import letter_scope
from crm_core.services.letters.notes import note
from crm_core.services.letters.outgoing import composed, template_named
from crm_core.services.letters.replies import reply
from crm_core.services.letters.scheduling import postpone, withdraw
from crm_core.services.tasking.task_files import TaskFile
from hub.web.attaching import kept_ahead, posted, received
from hub.web.client.acting import Acting, card
from hub.web.client.cards import Cards
from hub.web.client.composing import Draft, draft_of
from hub.web.pages import Answer, Pages, access_here, number_in, user_here
from hub.web.returning import scripted
from hub.web.tongues import _

_TEMPLATES = 8


@dataclass(frozen=True, slots=True)
class Proposed:
    """A template filled in for the client; `problem` is why it can't be."""

    name: str
    subject: str = ""
    text: str = ""
    files: tuple[str, ...] = ()
    problem: str = ""


class Writing(Acting):
    """The box."""

    def __init__(self, pages: Pages, cards: Cards) -> None:
        super().__init__(pages)
        self._cards = cards

    async def reply(self, request: web.Request) -> Answer:
        """Queue an answer, or leave a note; where it can't be, the box comes back with everything still in it."""
        draft = Draft()
        try:
            draft = await draft_of(request)
            said = await self._written(request, draft)
        except StorageUnavailable:
            raise
        except CoreError as err:
            draft = replace(draft, problem=str(err))
            if scripted(request):
                return await self._cards.piece(request, "client/composer.html", 400, draft=draft)
            return await self._cards.again(request, 400, draft=draft)
        if scripted(request):
            return await self._cards.piece(request, "client/composer.html", draft=Draft(target=draft.target))
        raise self.pages.redirect(request, card(request), said)

    async def _written(self, request: web.Request, draft: Draft) -> str:
        contact_id, login = number_in(request), user_here(request).login
        until = draft.until(self.pages.hub.settings.time_zone)
        if draft.note and until is not None:
            raise InvalidInput(_("A note is kept at once, it can't wait: clear the time."))
        more = [_described(each) for each in await posted(request, self.pages.hub)]

        def service(desk: Desk) -> None:
            files = [*_uploads(desk, draft), *more]
            client = _remaining(desk, contact_id)
            if draft.note:
                note(desk, client, login, draft.text, files)
                return
            channel, account = draft.key()
            if account is not None and ChannelKey(channel, account) not in self.pages.hub.channels:
                raise InvalidInput(_("This account is not connected: {account}").format(account=draft.target[:80]))
            entry = reply(
                desk,
                client,
                login,
                channel=channel,
                account=account,
                text=draft.text,
                subject=draft.subject,
                uploads=files,
            )
            if until is not None:
                postpone(desk, entry, until)

        await self.done(request, service)
        if draft.note:
            return _("The note is on the timeline.")
        return _("The answer is scheduled.") if until is not None else _("The answer is on its way.")

    async def withdraw(self, request: web.Request) -> Answer:
        """Take back what has not gone yet."""
        entry_id, contact_id = number_in(request, "entry_id"), number_in(request)

        def service(desk: Desk) -> None:
            entry, _client = desk.work.owned(EntryRecord, entry_id)
            if entry.contact_id != contact_id:
                raise NotFound
            withdraw(desk, entry_id)

        await self.or_said(request, service)
        raise self.pages.redirect(request, card(request), _("The message was taken back; it did not go."))

    async def templates(self, request: web.Request) -> Answer:
        """Templates that have what is typed in their names, filled in for the client."""
        contact_id, typed = number_in(request), request.query.get("q", "")[:100].casefold().split()
        channel = request.query.get("target", "").partition(":")[0]

        def service(desk: Desk) -> tuple[Proposed, ...]:
            contact: ContactRecord = desk.work.contact(contact_id)
            bodies = desk.catalogue.bodies(Section.TEMPLATE, TemplateBody)
            fitting = [
                (each.name, body)
                for each, body in bodies
                if (not body.channels or channel in body.channels)
                and all(word in each.name.casefold() for word in typed)
            ]
            return tuple(_proposed(desk, contact, name, body, channel) for name, body in fitting[:_TEMPLATES])

        found = await self.pages.hub.store.look(service, access_here(request))
        return self.pages.fragment(request, "client/templates.html", found=found)

    async def upload(self, request: web.Request) -> Answer:
        """Keep a file for a message to be written: the body is the file, `?name=` what it is called. What the page
        shows of it, or what went wrong in words, as JSON."""
        return await received(request, self.pages.hub)


def _remaining(desk: Desk, contact_id: int) -> int:
    """The client, or the one into which they were merged while somebody wrote to them: it is one person."""
    contact = desk.work.contact(contact_id)
    while contact.merged_into is not None:
        contact = desk.work.contact(contact.merged_into)
    return contact.id


def _described(file: TaskFile) -> dict[str, Any]:
    return {"name": file.name, "content_type": file.content_type, "size": file.size, "sha256": file.sha256}


def _uploads(desk: Desk, draft: Draft) -> Sequence[dict[str, Any]]:
    """The files of a draft: those that were uploaded, those of its template."""
    found = [_described(each) for each in kept_ahead(desk, draft.files)]
    if draft.template:
        found += [
            {"name": each.name, "content_type": each.content_type, "size": each.size, "sha256": each.sha256}
            for each in template_named(desk, draft.template).attachments
        ]
    return found


def _proposed(desk: Desk, contact: ContactRecord, name: str, body: TemplateBody, channel: str) -> Proposed:
    files = tuple(each.name for each in body.attachments)
    try:
        letter = composed(desk, contact, body, channel, letter_scope(desk, contact))
    except InvalidInput as err:
        return Proposed(name, problem=str(err))
    if letter is None:
        return Proposed(name, problem=_("for this client nothing is left to say"))
    return Proposed(name, letter.subject, letter.text, files)
