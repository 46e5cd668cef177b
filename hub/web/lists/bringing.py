"""Many numbers put on a special list at once, from a file or pasted: rehearsed first, what could not be read mended in
place and sent again."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from yarl import URL

from crm_core.errors import InvalidInput
from crm_core.model.office import SpecialList
from crm_core.services.acts.list_import import LARGEST, ListFile, decoded
from hub.exchange.special_lists import Imported, import_list
from hub.log import get_logger
from hub.web.pages import Answer, Pages, access_here, field_of, user_here
from hub.web.tongues import _, language, ngettext

log = get_logger(__name__)

MOST: Final = LARGEST + 64 * 1024
"""Bytes of the form."""

_MOST_TYPED: Final = 1024 * 1024
_BAD_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Sent:
    """What the form says. `typed` is what stands in the box; a file is read instead of it."""

    list_name: str = ""
    typed: str = ""
    reason: str = ""
    content: bytes = b""
    file: str = ""


class Bringing:
    """The form, and what it does."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """An empty form, for the list that `?list=` names."""
        return self._drawn(request, Sent(request.query.get("list", "")))

    async def bring(self, request: web.Request) -> Answer:
        """Tell what would change, or put the numbers on the list; lines that can't be read stay in the box."""
        sent = await self._sent(request)
        dry = await field_of(request, "act") != "bring"
        if not sent.content.strip():
            return self._drawn(request, sent, problem=_("Choose a file, or paste the numbers."), status=422)
        hub = self._pages.hub
        try:
            done = await import_list(
                hub.store,
                sent.list_name,
                sent.content,
                user_here(request).login,
                reason=sent.reason or _("import"),
                dry_run=dry,
                access=access_here(request),
                language=language(),
            )
            text = await asyncio.to_thread(decoded, sent.content)
        except InvalidInput as err:
            return self._drawn(request, sent, problem=str(err), status=422)
        if done.position is not None and not await hub.directory.caught_up(done.position):
            log.warning("calls are not yet decided by an imported list", list=sent.list_name)
        if not dry and not done.file.bad:
            said = _(
                "Done. New: {added}, from other lists: {moved}, with another reason: {changed}, as before: {same}."
            )
            written = done.written
            notice = said.format(added=written.added, moved=written.moved, changed=written.changed, same=written.same)
            raise self._pages.redirect(request, str(URL("/lists").with_query(list=sent.list_name)), notice)
        # What was written need not be sent once more: only the lines that are to be mended stay.
        left = text if dry else _left_over(text, done.file)
        return self._drawn(request, sent, done, left=left, dry=dry)

    async def _sent(self, request: web.Request) -> Sent:
        form = await request.post()
        name, typed, reason = form.get("list"), form.get("numbers"), form.get("reason")
        given = form.get("file")
        content, called = b"", ""
        if isinstance(given, web.FileField) and given.filename:
            content, called = await asyncio.to_thread(given.file.read, LARGEST + 1), given.filename
        text = typed if isinstance(typed, str) else ""
        why = " ".join(reason.split())[:300] if isinstance(reason, str) else ""
        return Sent(name if isinstance(name, str) else "", text, why, content or text.encode(), called)

    def _drawn(
        self,
        request: web.Request,
        sent: Sent,
        done: Imported | None = None,
        *,
        left: str = "",
        dry: bool = True,
        problem: str = "",
        status: int = 200,
    ) -> Answer:
        lists = self._pages.hub.store.office.lists
        chosen: SpecialList | None = lists.get(sent.list_name) or next(iter(lists.values()), None)
        typed = left if done is not None else sent.typed
        again = len(typed.encode()) > _MOST_TYPED
        bad = done.file.bad if done is not None else ()
        return self._pages.render(
            request,
            "lists/bring.html",
            status=status,
            lists=tuple(lists.values()),
            chosen=chosen,
            sent=sent,
            typed="" if again else typed,
            again=again,
            done=done,
            dry=dry,
            bad=bad[:_BAD_SHOWN],
            bad_said=ngettext("{count} line can't be read", "{count} lines can't be read", len(bad)).format(
                count=len(bad)
            ),
            problem=problem,
            most=LARGEST,
        )


def _left_over(text: str, file: ListFile) -> str:
    """The lines that were left out, below the heading where there was one."""
    lines = list(io.StringIO(text, newline=""))
    first = next((number for number, line in enumerate(lines, 1) if line.strip()), 0)
    wrong = {each.line for each in file.bad}
    heading = {first} - wrong - {each.line for each in file.rows}
    return "".join(line for number, line in enumerate(lines, 1) if number in wrong | heading)
