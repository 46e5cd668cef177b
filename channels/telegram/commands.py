"""The menu of commands in the chats of people of the office: shown once they are told of something, to them alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from channels.telegram.api import BotApi
from channels.telegram.background import Background
from channels.telegram.conversation import Conversation
from channels.telegram.words import Words
from crm_core.errors import DeliveryError
from crm_core.messages import Button, StaffAct, StaffQuestion

log = logging.getLogger(__name__)

MAX_CHATS = 10_000
_ACTS = frozenset(act.value for act in StaffAct)


class StaffMenus:
    """Knows by the buttons under a message that it goes to somebody of the office; each chat is set once a process."""

    def __init__(self, api: BotApi, background: Background, words: Words) -> None:
        self._api = api
        self._background = background
        self._commands = ((StaffQuestion.TODAY.value, words.today), (StaffQuestion.HELP.value, words.help))
        self._set: set[int] = set()

    def told(self, where: Conversation, buttons: Sequence[Sequence[Button]]) -> None:
        """A message with these buttons was sent there."""
        of_staff = any(each.data.partition(":")[0] in _ACTS for row in buttons for each in row)
        if of_staff and where.chat_id > 0 and where.business is None and where.chat_id not in self._set:
            if len(self._set) >= MAX_CHATS:
                self._set.clear()
            self._set.add(where.chat_id)
            self._background.start(self._show(where.chat_id), "showing the menu of commands")

    async def _show(self, chat_id: int) -> None:
        try:
            await self._api.set_commands(chat_id, self._commands)
        except DeliveryError as error:
            self._set.discard(chat_id)
            log.info("the menu of commands was not shown in chat %d: %s", chat_id, error)
