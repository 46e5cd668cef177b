"""Telegram Business: people who connect the bot to their own account, and who write to them there."""

from __future__ import annotations

from typing import Any

from aiogram.types import BusinessBotRights, BusinessConnection, BusinessMessagesDeleted, Message, User

from hub.demo.peers.bot_api.account import BotAccount, ChatRoom


class BusinessSide:
    """What somebody does with a connected account, as its owner or as a client of the owner's.

    The bot sees the chat of the client, whoever of the two wrote in it.
    """

    bot: BotAccount
    user: User
    room: ChatRoom

    def connect_business(
        self, *, enabled: bool = True, connection_id: str | None = None, replies: bool = True, tell: bool = True
    ) -> str:
        """Connect the bot to one's own account, or change what it may; returns the connection's id.

        `tell=False` keeps the update back, as of a connection made before the bot's program ran.
        """
        identifier = connection_id or f"bc{self.user.id:x}AAAA{len(self.bot.connections)}"
        connection = BusinessConnection(
            id=identifier,
            user=self.user,
            user_chat_id=self.user.id,
            date=self.bot.clock.now(),
            is_enabled=enabled,
            rights=BusinessBotRights(can_reply=replies) if enabled else None,
        )
        self.bot.connections[identifier] = connection
        if tell:
            self.bot.push("business_connection", connection)
        return identifier

    def disconnect_business(self, connection_id: str) -> None:
        """Take the bot away from one's account."""
        self.connect_business(enabled=False, connection_id=connection_id)

    async def say_business(self, connection_id: str, text: str, **fields: Any) -> Message:
        """Write to the owner of a connection; the bot sees it."""
        return self._business(self, self.room, connection_id, text=text, **fields)

    async def write_business(self, connection_id: str, client: BusinessSide, text: str, **fields: Any) -> Message:
        """Write to a client from one's own account, past the bot; the bot sees it."""
        return self._business(self, client.room, connection_id, text=text, **fields)

    async def edit_business(self, message: Message, text: str) -> None:
        """Change a message of a connected account, one's own or, as its owner, one to a client."""
        after = message.model_copy(update={"text": text, "edit_date": int(self.bot.clock.now().timestamp())})
        self.bot.keep(self.bot.rooms[message.chat.id], after)
        self.bot.push("edited_business_message", after)

    async def delete_business(self, connection_id: str, *message_ids: int) -> None:
        """Delete messages of the client's chat in a connected account."""
        deleted = BusinessMessagesDeleted(
            business_connection_id=connection_id, chat=self.room.chat, message_ids=list(message_ids)
        )
        self.bot.push("deleted_business_messages", deleted)

    def _business(self, author: BusinessSide, room: ChatRoom, connection_id: str, **fields: Any) -> Message:
        message = Message(
            message_id=self.bot.new_message_id(room),
            date=self.bot.clock.now(),
            chat=room.chat,
            from_user=author.user,
            business_connection_id=connection_id,
            **fields,
        )
        self.bot.keep(room, message)
        self.bot.push("business_message", message)
        return message
