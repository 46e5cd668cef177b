"""Messages out, part by part; each part at most once as far as can be known."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from channels.telegram.api import CALL_S, UPLOAD_S, BotApi
from channels.telegram.calls import method_of
from channels.telegram.commands import StaffMenus
from channels.telegram.conversation import Conversation, parse_conversation
from channels.telegram.errors import ChatMigratedError
from channels.telegram.inbound import Move
from channels.telegram.memory import Memory
from channels.telegram.pacing import Pacer
from channels.telegram.parts import MAX_FILE, Part, Shape, planned
from channels.telegram.words import Words
from crm_core.errors import CoreError, NotFound, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import DeliveryReceipt, OutboundFile, OutboundMessage
from crm_core.ports import FileStore

log = logging.getLogger(__name__)

MAX_UNFINISHED = 1000

_Refs = tuple[str, ...]


class Sender:
    """Delivers messages of one account."""

    def __init__(
        self, api: BotApi, files: FileStore, pacer: Pacer, memory: Memory, menus: StaffMenus, words: Words
    ) -> None:
        self._api = api
        self._files = files
        self._pacer = pacer
        self._memory = memory
        self._menus = menus
        self._words = words
        # What went out of messages that did not get through whole, part by part, so that a retry does not repeat it.
        self._unfinished: OrderedDict[str, list[_Refs]] = OrderedDict()

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Deliver all parts in order; raises the delivery errors of the channel port.

        A retry under the same idempotency key goes on where the last try stopped, as long as the process lives.
        """
        where = parse_conversation(message.conversation)
        # Telegram asks for numbers in private chats with the bot only.
        alone = where.chat_id > 0 and where.business is None
        parts = planned(message, ask=self._words.please_share if alone else "")
        done = self._unfinished.pop(message.idempotency_key, [])
        try:
            where = await self._memory.where(where)
            for number in range(len(done), len(parts)):
                done.append(await self._deliver(where, message, parts[number]))
        except PermanentDeliveryError as error:
            if done:
                raise PermanentDeliveryError(
                    "{why} (part {part} of {count})", why=error, part=len(done) + 1, count=len(parts)
                ) from error
            raise
        except BaseException:
            # Also where the try was cut short from outside.
            self._keep(message.idempotency_key, done)
            raise
        self._menus.told(where, message.buttons)
        return DeliveryReceipt(tuple(ref for refs in done for ref in refs))

    async def _deliver(self, where: Conversation, message: OutboundMessage, part: Part) -> _Refs:
        contents = [await self._content(file) for file in part.files]
        await self._pacer.admit(where.chat_id, message.idempotency_key, part.messages)
        try:
            return await self._call(where, message, part, contents)
        except ChatMigratedError as moved:
            await self._learned(Move(where.chat_id, moved.chat_id))
            return await self._call(replace(where, chat_id=moved.chat_id), message, part, contents)
        except TransientDeliveryError as error:
            if error.retry_after is not None:
                self._pacer.hold(where.chat_id, error.retry_after)
            raise
        except PermanentDeliveryError as error:
            if not _photo_refused(part, error):
                raise
            return await self._call(where, message, replace(part, shape=Shape.DOCUMENT), contents)

    async def _call(
        self, where: Conversation, message: OutboundMessage, part: Part, contents: Sequence[bytes]
    ) -> _Refs:
        timeout_s = UPLOAD_S if part.files else CALL_S
        result = await self._api.call(method_of(where, message, part, contents, self._words), timeout_s)
        made = result if isinstance(result, list) else [result]
        ids = [each.get("message_id") if isinstance(each, dict) else None for each in made]
        refs = tuple(str(found) for found in ids if isinstance(found, int))
        if not refs or len(refs) != len(ids):
            raise TransientDeliveryError("Telegram's answer names no message", uncertain=True)
        return refs

    async def _learned(self, move: Move) -> None:
        try:
            await self._memory.moved(move)
        except CoreError as error:
            # This message goes out all the same, and with the next one Telegram says it again.
            log.warning("a group's new id could not be kept: %s", error)

    async def _content(self, file: OutboundFile) -> bytes:
        if file.stored.size > MAX_FILE:
            raise PermanentDeliveryError(
                "«{file}» is over 50 MB, which Telegram does not take from bots", file=file.name
            )
        try:
            return await self._files.read(file.stored.sha256)
        except NotFound as error:
            raise PermanentDeliveryError("«{file}» is not in the file store", file=file.name) from error

    def _keep(self, key: str, done: list[_Refs]) -> None:
        if done:
            self._unfinished[key] = done
            if len(self._unfinished) > MAX_UNFINISHED:
                self._unfinished.popitem(last=False)


def _photo_refused(part: Part, error: PermanentDeliveryError) -> bool:
    """Whether Telegram can't make a photograph of a picture that it would still take as a file."""
    words = str(error).upper()
    return part.shape is Shape.PHOTO and any(each in words for each in ("IMAGE_PROCESS_FAILED", "PHOTO_"))
