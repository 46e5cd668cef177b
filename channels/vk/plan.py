"""What a message of ours becomes in VK: its parts in order, each with an id that is the same on every try."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from channels.vk.split import split_text
from crm_core.errors import PermanentDeliveryError
from crm_core.messages import Button, OutboundFile, OutboundMessage

FILES_PER_PART = 10
BUTTONS_PER_PART = 10
BUTTONS_PER_ROW = 5
ROWS_PER_PART = 6
LABEL = 40
PAYLOAD = 255
MORE = "⋯"

Rows = Sequence[Sequence[Button]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One message of VK's. `random_id` is what it is known by if it has to be sent again."""

    random_id: int
    text: str = ""
    files: tuple[OutboundFile, ...] = ()
    keyboard: str | None = None


def planned(message: OutboundMessage) -> list[Part]:
    """The parts in order: pieces of the text, files with the last piece, buttons under the last part.

    Raises PermanentDeliveryError for a message with nothing in it.
    """
    texts = split_text(message.text)
    bundles = _portions(message.files, FILES_PER_PART)
    drafts: list[tuple[str, tuple[OutboundFile, ...]]] = [(text, ()) for text in texts]
    if bundles and drafts:
        drafts[-1] = (drafts[-1][0], bundles.pop(0))
    drafts += [("", bundle) for bundle in bundles]
    if not drafts:
        raise PermanentDeliveryError("The message is empty.")
    keyboards = keyboards_of(message.buttons)
    # A menu longer than VK lets hang under one message goes on under further ones.
    drafts += [(MORE, ()) for _ in keyboards[1:]]
    first = len(drafts) - len(keyboards)
    return [
        Part(random_id(message, index), text, files, keyboards[index - first] if index >= first else None)
        for index, (text, files) in enumerate(drafts)
    ]


def random_id(message: OutboundMessage, part: int) -> int:
    """The id of a part: the message's own number, of further parts a number below zero, which is nobody's number."""
    if part == 0 and message.number:
        return message.number
    digest = hashlib.sha256(f"{message.idempotency_key}:{part}".encode()).digest()
    number = int.from_bytes(digest[:4], "big") % (2**31 - 1) + 1
    return number if part == 0 else -number


def keyboards_of(rows: Rows) -> list[str]:
    """Inline keyboards with a button for each choice, as JSON: ten to a keyboard, five to a row."""
    keyboards: list[list[list[Button]]] = []
    count = 0
    for row in rows:
        for piece in _portions(row, BUTTONS_PER_ROW):
            full = count + len(piece) > BUTTONS_PER_PART or len(keyboards[-1] if keyboards else ()) == ROWS_PER_PART
            if full or not keyboards:
                keyboards.append([])
                count = 0
            keyboards[-1].append(list(piece))
            count += len(piece)
    return [json.dumps(_keyboard(each), ensure_ascii=False) for each in keyboards]


def _portions(items: Sequence[T], size: int) -> list[tuple[T, ...]]:
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]


def _keyboard(rows: Rows) -> dict[str, object]:
    return {"inline": True, "one_time": False, "buttons": [[_button(each) for each in row] for row in rows]}


def _button(button: Button) -> dict[str, object]:
    payload = json.dumps({"hub": button.data}, ensure_ascii=False)
    if len(payload) > PAYLOAD:
        raise PermanentDeliveryError("the button «{button}» says more than VK carries", button=button.text[:LABEL])
    label = button.text if len(button.text) <= LABEL else f"{button.text[: LABEL - 1]}…"
    return {"action": {"type": "callback", "label": label or MORE, "payload": payload}, "color": "secondary"}
