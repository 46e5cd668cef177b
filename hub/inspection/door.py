"""At the door: the files of a fact are looked at before the fact is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from crm_core.messages import Attachment, InboundEvent
from crm_core.model.file_warning import FileWarning, written
from hub.files import DiskFiles
from hub.inspection.judging import Judgement, judge
from hub.log import get_logger

log = get_logger(__name__)


def stored_files(event: InboundEvent) -> Sequence[Attachment]:
    """The files of a fact that lie in the store; of what a fact may be otherwise, too."""
    otherwise = getattr(event.payload, "otherwise", None)
    files = (*getattr(event.payload, "attachments", ()), *getattr(otherwise, "attachments", ()))
    return [each for each in files if each.stored is not None]


class FileInspector:
    """Judges files of the store, in threads."""

    def __init__(self, files: DiskFiles) -> None:
        self._files = files

    async def look(self, sha256: str, name: str, declared: str) -> Judgement:
        """One file; what can't be read is marked as unseen."""
        try:
            return await asyncio.to_thread(judge, self._files.path(sha256), name, declared)
        except Exception:
            # Whatever a file makes a parser raise: its fact would be refused, sent again and refused for ever.
            log.exception("a file could not be looked at", sha256=sha256)
            return Judgement("application/octet-stream", frozenset({FileWarning.UNSEEN}))

    async def looked_at(self, event: InboundEvent) -> InboundEvent:
        """The fact with the true types of its files and their warnings."""
        if not stored_files(event):
            return event
        payload: Any = await self._payload(event.payload)
        if getattr(payload, "otherwise", None) is not None:
            payload = replace(payload, otherwise=await self._payload(payload.otherwise))
        return replace(event, payload=payload)

    async def _payload(self, payload: Any) -> Any:
        if not getattr(payload, "attachments", ()):
            return payload
        files = [await self._judged(each) for each in payload.attachments]
        return replace(payload, attachments=tuple(files))

    async def _judged(self, file: Attachment) -> Attachment:
        if file.stored is None:
            return file
        found = await self.look(file.stored.sha256, file.name, file.content_type)
        return replace(file, content_type=found.content_type, warning=written(found.warnings))
