"""Templates of messages and of documents: the common editor, files, and how a message would look to a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Body, TemplateBody
from crm_core.services.desk import Desk
from crm_core.services.letters.outgoing import held_back
from crm_core.services.letters.previewing import previewed
from crm_core.services.recognising.cleaning import clean_file_name
from crm_core.storage.queries import contacts as contact_queries
from crm_core.storage.queries import files
from crm_core.storage.queries.contacts import ContactFilter
from crm_core.storage.queries.pages import Slice
from hub.inspection import FileInspector
from hub.web.office.editing import Draft, Editor
from hub.web.office.filled import Sent
from hub.web.pages import Answer, user_here
from hub.web.tongues import _

_LARGEST = 20 * 1024 * 1024
_DOCX = "docx"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a client would get; `held_back` says why nothing would be sent."""

    client: str
    channel: str
    subject: str
    text: str
    not_before: datetime | None
    held_back: str


class WithFiles(Editor):
    """A section whose bodies have files: one is uploaded with the form, and stands in the body afterwards."""

    async def taken(self, request: web.Request, draft: Draft) -> None:
        """Keep the files that came with the form. Raises InvalidInput for one that is of no use."""
        form = await request.post()
        for name, given in form.items():
            if not (isinstance(given, FileField) and name.startswith("file:") and given.filename):
                continue
            content = given.file.read(_LARGEST + 1)
            if not content:
                continue
            if len(content) > _LARGEST:
                raise InvalidInput(_("The file is larger than {size} MB.").format(size=_LARGEST // 1024 // 1024))
            key = name.removeprefix("file:")
            file = await self._kept_file(request, given, content)
            if key == _DOCX:
                await self.pages.hub.documents.look(file["sha256"])
                draft.values[key] = file
            else:
                draft.values[key] = [*(draft.values.get(key) or []), file]

    async def _kept_file(self, request: web.Request, given: FileField, content: bytes) -> dict[str, Any]:
        hub, login = self.pages.hub, user_here(request).login
        name = clean_file_name(given.filename) or "file"
        stored = await hub.files.put_bytes(content)
        declared = (given.content_type or "application/octet-stream").lower()[:100]
        kind = (await FileInspector(hub.files).look(stored.sha256, name, declared)).content_type
        await self.pages.act(request, lambda desk: files.add_upload(desk, login, name, kind, stored))
        return {"name": name, "sha256": stored.sha256, "content_type": kind, "size": stored.size}


class Templates(WithFiles):
    """The pages of templates of messages."""

    async def other(self, request: web.Request, act: str, draft: Draft, body: Body) -> Answer:
        """Check a template, or show how it would look to the first client that is found; nothing is sent."""
        if act != "preview" or not isinstance(body, TemplateBody):
            return await Editor.other(self, request, act, draft, body)
        asked = Sent((await request.post()).items()).one("for_client").strip()
        hub = self.pages.hub
        region = hub.store.office.region
        wanted = ContactFilter(text=asked, region=region) if asked else ContactFilter(region=region)
        page = await hub.store.read(lambda conn: contact_queries.list_contacts(conn, wanted, Slice(None, 1)))
        if not page.items:
            raise InvalidInput(_("There is no such client to look at it for."))
        ident = page.items[0].contact.id
        preview = await hub.store.look(lambda desk: _preview(desk, body, ident))
        draft.more = {"q": asked, "preview": preview}
        return await self.drawn(request, draft)


def _preview(desk: Desk, body: TemplateBody, contact_id: int) -> Preview:
    contact = desk.work.contact(contact_id)
    found = previewed(desk, body, contact)
    return Preview(
        contact.name or _("Client no. {number}").format(number=contact.id),
        found.channel,
        found.subject,
        found.text,
        found.not_before,
        held_back(desk, found.refused) if found.refused is not None else "",
    )
