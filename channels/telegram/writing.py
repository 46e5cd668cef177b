"""What a client sees while somebody writes to them: «печатает…» under the bot's name, for five seconds at a time.

The other way round there is nothing: the Bot API does not tell that a client is writing.
"""

from __future__ import annotations

import logging

from aiogram.enums import ChatAction
from aiogram.methods import SendChatAction

from channels.telegram.api import BotApi
from channels.telegram.background import Background
from channels.telegram.conversation import parse_conversation
from channels.telegram.memory import Memory
from crm_core.errors import DeliveryError

log = logging.getLogger(__name__)


class ShownWriting:
    """Shows it in private chats; a group has few messages a minute to spare."""

    def __init__(self, api: BotApi, background: Background, memory: Memory) -> None:
        self._api = api
        self._background = background
        self._memory = memory

    def show(self, conversation: str) -> None:
        """Show it, once; returns at once."""
        self._background.start(self._shown(conversation), "showing that somebody writes")

    async def _shown(self, conversation: str) -> None:
        try:
            where = await self._memory.where(parse_conversation(conversation))
            if where.chat_id > 0:
                action = SendChatAction(
                    chat_id=where.chat_id, action=ChatAction.TYPING, business_connection_id=where.business
                )
                await self._api.call(action)
        except DeliveryError as error:
            log.info("a client is not shown that somebody writes: %s", error)
