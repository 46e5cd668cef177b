"""The page of a client's wishes, and what is done on it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.model.access import Right
from crm_core.model.automation import ChainRunRecord, ChainState
from crm_core.services.desk import Desk
from crm_core.services.letters import chaining, opting_out
from crm_core.storage.queries import contacts, opt_outs, runs
from crm_core.storage.queries.pages import Reading, Slice
from crm_core.storage.staff import load_staff
from hub.access.remote import remote_of
from hub.exchange import erasing
from hub.web.consent.words import chain_word, how_word
from hub.web.doing import going_back
from hub.web.pages import Answer, Pages, access_here, field_of, number_in, user_here
from hub.web.tongues import _

_CHAINS: Final = 20
_PIECE: Final = 256 * 1024


class Consent:
    """The page of one client."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """Whether they want mailings, which chains run, what is known of them where somebody may give that out."""
        contact_id, access, hub = number_in(request), access_here(request), self._pages.hub

        def read(conn: Reading) -> dict[str, Any]:
            contact = contacts.current(conn, access, contact_id)
            return {
                "contact": contact,
                "left": opt_outs.of_contact(conn, access, contact.id),
                "chains": runs.list_chain_runs(conn, access, Slice(None, _CHAINS), contact_id=contact.id).items,
                "staff": load_staff(conn),
            }

        context = await hub.store.read(read)
        if context["contact"].id != contact_id:
            raise web.HTTPFound(f"/contacts/{context['contact'].id}/consent")
        erases, counted = access.may(Right.ERASE), None
        if erases and request.query.get("erase") == "1":
            counted = await self._erase(request, dry_run=True)
        return self._pages.render(
            request,
            "consent/page.html",
            **context,
            keeps=access.may(Right.KEEP_CLIENTS),
            stops=access.may(Right.KEEP_SALES),
            erases=erases,
            counted=counted,
            running=ChainState.RUNNING,
            how_word=how_word,
            chain_word=chain_word,
        )

    async def leave(self, request: web.Request) -> Answer:
        """They asked not to be written to by the hub."""
        note, login = await field_of(request, "note", 300), user_here(request).login
        return await self._act(
            request,
            lambda desk: opting_out.opt_out(desk, number_in(request), opting_out.BY_HAND, login, note.strip()),
            _("The hub sends them nothing by itself any more. People may still write."),
        )

    async def come_back(self, request: web.Request) -> Answer:
        """They want mailings again."""
        login = user_here(request).login
        return await self._act(
            request,
            lambda desk: opting_out.opt_in(desk, number_in(request), login),
            _("They get mailings again."),
        )

    async def stop_chain(self, request: web.Request) -> Answer:
        """End a chain of messages to them."""
        login = user_here(request).login

        def service(desk: Desk) -> None:
            run, contact = desk.work.owned(ChainRunRecord, number_in(request, "run_id"))
            if contact is None or contact.id != number_in(request):
                raise NotFound("there is no chain {run}", run=run.id)
            chaining.stop(desk, run.contact_id, run.chain, f"user:{login}")

        return await self._act(request, service, _("The chain is stopped."))

    async def give(self, request: web.Request) -> Answer:
        """All that is known of them, as a zip; that it was taken is noted."""
        hub, contact_id = self._pages.hub, number_in(request)
        with tempfile.TemporaryDirectory(prefix="hub-personal-") as folder:
            path = Path(folder) / "personal.zip"
            await erasing.give(
                hub.store,
                hub.files,
                hub.recordings,
                contact_id,
                path,
                login=user_here(request).login,
                remote=remote_of(request),
                access=access_here(request),
            )
            response = web.StreamResponse(
                headers={
                    "Content-Type": "application/zip",
                    "Content-Disposition": f'attachment; filename="contact-{contact_id}.zip"',
                    "Cache-Control": "no-store",
                }
            )
            await response.prepare(request)
            with path.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, _PIECE):
                    await response.write(piece)
            await response.write_eof()
        return response

    async def erase(self, request: web.Request) -> Answer:
        """Erase what is known of them for good, where the form says the number of the card."""
        contact_id = number_in(request)
        if (await field_of(request, "sure", 20)).strip() != str(contact_id):
            raise self._pages.redirect(
                request,
                f"/contacts/{contact_id}/consent?erase=1",
                _("Nothing was erased: write the number of the card to say that you are sure."),
            )
        await self._erase(request, dry_run=False)
        raise self._pages.redirect(request, "/contacts", _("What was known of the client is erased."))

    async def _erase(self, request: web.Request, *, dry_run: bool) -> erasing.Erased:
        hub = self._pages.hub
        return await erasing.erase(
            hub.store,
            hub.files,
            hub.recordings,
            number_in(request),
            login=user_here(request).login,
            remote=remote_of(request),
            dry_run=dry_run,
            access=access_here(request),
        )

    async def _act(self, request: web.Request, service: Callable[[Desk], Any], notice: str) -> Answer:
        back = f"/contacts/{number_in(request)}/consent"
        with going_back(self._pages, request, back):
            await self._pages.act(request, service)
        raise self._pages.redirect(request, back, notice)
