"""Having documents filled in by processes of their own, a few at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from crm_core.errors import InvalidInput
from crm_core.model.definitions.templates import TemplateFile
from crm_core.services.letters.documents import Made, Prepared
from crm_core.wording import restored
from hub.apart import done_apart
from hub.documents import worker
from hub.files import DiskFiles
from hub.log import get_logger

log = get_logger(__name__)

LARGEST = 50 * 1024 * 1024
_PATIENCE_S = 60.0
_AT_ONCE = 2
# What fonts and languages are found by; nothing else of ours reaches the process.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH")


class DocumentMaker:
    """Makes files of what was prepared, and keeps them in the file store."""

    def __init__(self, files: DiskFiles, patience_s: float = _PATIENCE_S) -> None:
        self._files = files
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def make(self, prepared: Prepared) -> Made:
        """The file, which lies in the store. Raises InvalidInput, TemplateError's words included."""
        content = await self.filled(prepared)
        stored = await self._files.put_bytes(content)
        return Made(stored.sha256, stored.size)

    async def filled(self, prepared: Prepared) -> bytes:
        """The content of the file, not kept."""
        body = prepared.body
        job = {
            "docx": await self._files.read(body.docx.sha256) if body.docx is not None else None,
            "html": body.html,
            "pictures": {each.name: await self._picture(each) for each in body.pictures},
            "values": prepared.values,
            "zone": prepared.zone,
            "language": prepared.language,
        }
        async with self._turns:
            return await self._done(job)

    async def look(self, sha256: str) -> list[tuple[str, ...]]:
        """Open a Word file of the store and read what its placeholders name, step by step, in a process of its own.
        Raises NotFound, and InvalidInput that says what is wrong with it."""
        content = await self._files.read(sha256)
        async with self._turns:
            named = json.loads(await self._done({"look": content}))
        return [tuple(each) for each in named]

    async def _picture(self, file: TemplateFile) -> bytes:
        return await self._files.read(file.sha256)

    async def _done(self, job: Mapping[str, Any]) -> bytes:
        try:
            answer = await done_apart(worker, worker.packed(job), keep=_KEPT, patience_s=self._patience_s)
        except TimeoutError as err:
            raise InvalidInput("the document takes too long to fill in: simplify its template") from err
        if answer.written[:1] == worker.REFUSED:
            raise InvalidInput(restored(answer.written[1:].decode("utf-8", "replace")))
        if answer.written[:1] != worker.OK:
            log.error(
                "a document could not be filled in",
                status=answer.status,
                said=answer.said[-2000:].decode(errors="replace"),
            )
            raise InvalidInput("the document can't be filled in: it is too large or its template is broken")
        if len(answer.written) > LARGEST:
            raise InvalidInput("the document is larger than {most} MB", most=LARGEST // 1024 // 1024)
        return answer.written[1:]
