"""Messages out: text in pieces, files, buttons; each part at most once as far as can be known."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiogram.methods import SendDocument, SendMessage, SendPhoto, SendVoice, TelegramMethod
from aiogram.types import BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters

from channels.telegram.api import CALL_S, UPLOAD_S, BotApi
from channels.telegram.conversation import Conversation, parse_conversation
from channels.telegram.errors import ChatMigratedError
from channels.telegram.pacing import Pacer
from channels.telegram.split import CAPTION_LIMIT, split_text, units
from crm_core.errors import NotFound, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import Button, DeliveryReceipt, OutboundFile, OutboundMessage
from crm_core.ports import FileStore

MAX_FILE = 50 * 1024 * 1024
MAX_PHOTO = 10 * 1024 * 1024
MAX_UNFINISHED = 1000

_PHOTOS = frozenset({"image/jpeg", "image/png"})
_VOICES = frozenset({"audio/ogg", "audio/opus"})


@dataclass(frozen=True, slots=True)
class Part:
    """One message of Telegram's: a text, or a file with `text` as its caption."""

    text: str
    file: OutboundFile | None = None
    as_document: bool = False
    first: bool = False
    last: bool = False


class Sender:
    """Delivers messages of one account."""

    def __init__(self, api: BotApi, files: FileStore, pacer: Pacer) -> None:
        self._api = api
        self._files = files
        self._pacer = pacer
        # Parts that went out of messages that did not get through whole, so that a retry does not repeat them.
        self._unfinished: OrderedDict[str, list[str]] = OrderedDict()

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Deliver all parts in order; raises the delivery errors of the channel port.

        A retry under the same idempotency key goes on where the last try stopped, as long as the process lives.
        """
        where = parse_conversation(message.conversation)
        parts = planned(message)
        refs = self._unfinished.pop(message.idempotency_key, [])
        try:
            for number in range(len(refs), len(parts)):
                refs.append(await self._deliver(where, message, parts[number]))
        except PermanentDeliveryError as error:
            if refs:
                raise PermanentDeliveryError(f"{error} (part {len(refs) + 1} of {len(parts)})") from error
            raise
        except BaseException:
            # Also where the try was cut short from outside.
            self._keep(message.idempotency_key, refs)
            raise
        return DeliveryReceipt(tuple(refs))

    async def _deliver(self, where: Conversation, message: OutboundMessage, part: Part) -> str:
        content = await self._content(part.file) if part.file else b""
        await self._pacer.admit(where.chat_id, message.idempotency_key)
        try:
            return await self._call(where, message, part, content)
        except ChatMigratedError as moved:
            return await self._call(replace(where, chat_id=moved.chat_id), message, part, content)
        except TransientDeliveryError as error:
            if error.retry_after is not None:
                self._pacer.hold(where.chat_id, error.retry_after)
            raise
        except PermanentDeliveryError as error:
            if not _photo_refused(part, error):
                raise
            return await self._call(where, message, replace(part, as_document=True), content)

    async def _call(self, where: Conversation, message: OutboundMessage, part: Part, content: bytes) -> str:
        timeout_s = CALL_S if part.file is None else UPLOAD_S
        result = await self._api.call(_method(where, message, part, content), timeout_s)
        message_id = result.get("message_id") if isinstance(result, dict) else None
        if not isinstance(message_id, int):
            raise TransientDeliveryError("Telegram's answer names no message", uncertain=True)
        return str(message_id)

    async def _content(self, file: OutboundFile) -> bytes:
        if file.stored.size > MAX_FILE:
            raise PermanentDeliveryError(f"«{file.name}» is longer than the 50 MB that Telegram takes")
        try:
            return await self._files.read(file.stored.sha256)
        except NotFound as error:
            raise PermanentDeliveryError(f"«{file.name}» is not in the file store") from error

    def _keep(self, key: str, refs: list[str]) -> None:
        if refs:
            self._unfinished[key] = refs
            if len(self._unfinished) > MAX_UNFINISHED:
                self._unfinished.popitem(last=False)


def planned(message: OutboundMessage) -> list[Part]:
    """The parts of a message, in order: pieces of the text, then files; a short text becomes the first file's caption.

    Raises PermanentDeliveryError for a message with nothing in it.
    """
    caption = message.text.strip()
    files = list(message.files)
    if files and units(caption) <= CAPTION_LIMIT:
        parts = [Part(caption, files.pop(0))]
    else:
        parts = [Part(piece) for piece in split_text(message.text)]
    parts += [Part("", file) for file in files]
    if not parts:
        raise PermanentDeliveryError("The message is empty.")
    parts[0] = replace(parts[0], first=True)
    parts[-1] = replace(parts[-1], last=True)
    return parts


def _method(where: Conversation, message: OutboundMessage, part: Part, content: bytes) -> TelegramMethod[Any]:
    common: dict[str, Any] = {
        "chat_id": where.chat_id,
        "business_connection_id": where.business,
        "reply_parameters": _reply(message.reply_to) if part.first else None,
        "reply_markup": _keyboard(message.buttons) if part.last else None,
    }
    if part.file is None:
        return SendMessage(text=part.text, **common)
    upload = BufferedInputFile(content, part.file.name)
    common["caption"] = part.text or None
    if not part.as_document and part.file.content_type in _PHOTOS and part.file.stored.size <= MAX_PHOTO:
        return SendPhoto(photo=upload, **common)
    if part.file.content_type in _VOICES:
        return SendVoice(voice=upload, **common)
    return SendDocument(document=upload, **common)


def _reply(ref: str | None) -> ReplyParameters | None:
    """Answer a message if it is still there; one that was deleted must not stop the answer."""
    if ref is None or not (ref.isascii() and ref.isdecimal()):
        return None
    return ReplyParameters(message_id=int(ref), allow_sending_without_reply=True)


def _keyboard(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=each.text, callback_data=each.data) for each in row] for row in rows
        ]
    )


def _photo_refused(part: Part, error: PermanentDeliveryError) -> bool:
    """Whether Telegram can't make a photograph of a picture that it would still take as a file."""
    is_photo = part.file is not None and not part.as_document and part.file.content_type in _PHOTOS
    words = str(error).upper()
    return is_photo and any(each in words for each in ("IMAGE_PROCESS_FAILED", "PHOTO_INVALID", "PHOTO_"))
