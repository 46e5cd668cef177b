"""What a visitor's browser is told: messages as JSON, and the events of the stream."""

from __future__ import annotations

import json
from collections.abc import Sequence

from channels.web.tokens import LinkedFile, Seals
from crm_core.model.call import Direction
from crm_core.ports import Said, SaidFile

_LINK_S = 24 * 3600
HEARTBEAT = b": here\n\n"
HELLO = b": hello\n\n"


def message(said: Said, seals: Seals, now: int) -> dict[str, object]:
    """One message. `mine` is the visitor's own; `at` in milliseconds since 1970; links to files work for a day."""
    found: dict[str, object] = {
        "id": said.id,
        "seq": said.seq,
        "ref": said.ref,
        "mine": said.direction is Direction.IN,
        "at": int(said.occurred_at.timestamp() * 1000),
        "text": said.text,
    }
    if said.author:
        found["author"] = said.author
    if said.automatic:
        found["auto"] = True
    if said.files:
        found["files"] = [_file(each, seals, now) for each in said.files]
    if said.choices:
        found["choices"] = [list(choice) for choice in said.choices]
    if said.ask_contact:
        found["ask"] = True
    return found


def event(messages: Sequence[Said], seals: Seals, now: int) -> bytes:
    """Messages as one event; its id is where a stream goes on."""
    data = json.dumps([message(each, seals, now) for each in messages], ensure_ascii=False, separators=(",", ":"))
    return f"id: {messages[-1].seq}\nevent: said\ndata: {data}\n\n".encode("utf-8", "replace")


def writes(author: str) -> bytes:
    """That somebody of the office is writing, as an event; in a list as messages are: older widgets pass over it."""
    data = json.dumps([{"writes": author}], ensure_ascii=False, separators=(",", ":"))
    return f"event: writes\ndata: {data}\n\n".encode("utf-8", "replace")


def _file(file: SaidFile, seals: Seals, now: int) -> dict[str, object]:
    found: dict[str, object] = {"name": file.name, "type": file.content_type, "size": file.size}
    if file.stored is not None:
        linked = LinkedFile(file.stored.sha256, file.name, file.content_type)
        # The same link for hours, so that pictures stay in the browser's cache.
        found["link"] = seals.link(linked, now - now % 3600 + _LINK_S)
    return found
