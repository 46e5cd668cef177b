"""Templates of messages and of documents: the common editor, files, and how a message would look to a client."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO, Any, Final
from urllib.parse import unquote

from aiohttp import web
from aiohttp.web_request import FileField

from crm_core.errors import InvalidInput
from crm_core.model.definitions import Body, TemplateBody
from crm_core.services.desk import Desk
from crm_core.services.letters.document_names import check_paths
from crm_core.services.letters.outgoing import held_back
from crm_core.services.letters.previewing import previewed
from crm_core.services.recognising.cleaning import clean_file_name
from crm_core.storage.queries import contacts as contact_queries
from crm_core.storage.queries import files
from crm_core.storage.queries.contacts import ContactFilter
from crm_core.storage.queries.pages import Slice
from hub.http.api.files import MAX_FILE
from hub.inspection import FileInspector
from hub.web.office.drafts import Draft
from hub.web.office.editing import Editor
from hub.web.office.forms.filled import Sent
from hub.web.pages import Answer, access_here, user_here
from hub.web.tongues import _

_FORM: Final = MAX_FILE + 4 * 1024 * 1024
_PIECE: Final = 256 * 1024
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

    body = _FORM

    async def taken(self, request: web.Request, draft: Draft) -> None:
        """Keep the files that came with the form. Raises InvalidInput for one that is of no use."""
        form = await request.post()
        for name, given in form.items():
            if not (isinstance(given, FileField) and name.startswith("file:") and given.filename):
                continue
            if not await asyncio.to_thread(given.file.seek, 0, os.SEEK_END):
                raise InvalidInput(_("The file «{name}» is empty.").format(name=unquote(given.filename)))
            await asyncio.to_thread(given.file.seek, 0)
            key = name.removeprefix("file:")
            file = await self._kept_file(request, given)
            if key == _DOCX:
                named = await self.pages.hub.documents.look(file["sha256"])
                of = str(draft.values.get("of") or "deal")
                await self.pages.hub.store.look(partial(check_paths, of=of, named=named, rows=True))
                draft.values[key] = file
            else:
                draft.values[key] = [*(draft.values.get(key) or []), file]

    async def _kept_file(self, request: web.Request, given: FileField) -> dict[str, Any]:
        hub, login = self.pages.hub, user_here(request).login
        name = clean_file_name(unquote(given.filename, errors="replace")) or "file"
        try:
            stored = await hub.files.put(_pieces(given.file), MAX_FILE)
        except InvalidInput as err:
            said = _("The file «{name}» is larger than {size} MB.")
            raise InvalidInput(said.format(name=name, size=MAX_FILE // 1024 // 1024)) from err
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
        access = access_here(request)
        page = await hub.store.read(lambda conn: contact_queries.list_contacts(conn, access, wanted, Slice(None, 1)))
        if not page.items:
            raise InvalidInput(_("There is no such client to look at it for."))
        ident = page.items[0].contact.id
        preview = await hub.store.look(lambda desk: _preview(desk, body, ident), access)
        draft.more = {"q": asked, "preview": preview}
        return await self.drawn(request, draft)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece


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
