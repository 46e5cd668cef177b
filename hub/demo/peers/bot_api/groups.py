"""Groups the bot is in, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime

from aiogram.types import Chat, ChatMemberBanned, ChatMemberLeft, ChatMemberMember, ChatMemberUpdated, Message, User

from hub.demo.peers.bot_api.account import Access, BotAccount, ChatRoom

_SUPERGROUP = -1_001_000_000_000

Standing = ChatMemberMember | ChatMemberBanned | ChatMemberLeft


class Group:
    """A group the bot is a member of."""

    def __init__(self, bot: BotAccount, chat: Chat) -> None:
        self.bot = bot
        self.room = bot.rooms.setdefault(chat.id, ChatRoom(chat, Access.OPEN))

    @property
    def chat_id(self) -> int:
        """Its id, negative."""
        return self.room.chat.id

    def add(self, by: User) -> None:
        """Take the bot in: the update that tells it."""
        self.room.access = Access.OPEN
        old, new = ChatMemberLeft(user=self.bot.me), ChatMemberMember(user=self.bot.me)
        self.bot.push("my_chat_member", membership(self.bot, self.room.chat, by, old, new))

    def kick(self, by: User) -> None:
        """Put the bot out."""
        self.room.access = Access.KICKED
        old, new = ChatMemberMember(user=self.bot.me), banned(self.bot)
        self.bot.push("my_chat_member", membership(self.bot, self.room.chat, by, old, new))

    def migrate(self, by: User, *, tell: bool = True) -> Group:
        """A group becomes a supergroup: it has another id from now on. `tell=False` keeps the notes of it back."""
        title = self.room.chat.title or ""
        chat = Chat(id=_SUPERGROUP + self.chat_id, type="supergroup", title=title)
        moved = Group(self.bot, chat)
        self.room.moved_to = chat.id
        if tell:
            self._note(self.room, by, migrate_to_chat_id=chat.id)
            self._note(moved.room, by, migrate_from_chat_id=self.chat_id)
        return moved

    def _note(self, room: ChatRoom, by: User, **fields: int) -> None:
        note = Message(
            message_id=self.bot.new_message_id(room),
            date=self.bot.clock.now(),
            chat=room.chat,
            from_user=by,
            **fields,  # type: ignore[arg-type] # fields by name
        )
        self.bot.push("message", note)


def banned(bot: BotAccount) -> ChatMemberBanned:
    """The bot as one who was put out, or blocked."""
    return ChatMemberBanned(user=bot.me, until_date=datetime.fromtimestamp(0, UTC))


def membership(bot: BotAccount, chat: Chat, by: User, old: Standing, new: Standing) -> ChatMemberUpdated:
    """The update that says how the bot stands in a chat."""
    return ChatMemberUpdated(chat=chat, from_user=by, date=bot.clock.now(), old_chat_member=old, new_chat_member=new)
