"""People and groups, as a bot meets them: what they do arrives as updates, what the bot sends them can be looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiogram.types import (
    BusinessBotRights,
    BusinessConnection,
    BusinessMessagesDeleted,
    CallbackQuery,
    Chat,
    ChatMemberBanned,
    ChatMemberMember,
    ChatMemberUpdated,
    Contact,
    Location,
    Message,
    MessageEntity,
    MessageOriginUser,
    Sticker,
    User,
)

from hub.demo.peers.bot_api.account import (
    Access,
    BotAccount,
    CallbackAnswer,
    ChatRoom,
    Sent,
)
from hub.demo.peers.bot_api.journal import PATIENCE_S
from hub.demo.peers.bot_api.sending import audio, document, photo_sizes, video, voice


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed inline button that waits for answerCallbackQuery."""

    bot: BotAccount
    query_id: str

    async def answer(self, patience: float = PATIENCE_S) -> CallbackAnswer:
        """What the bot answered; TimeoutError where it never does."""
        return await self.bot.answers.wait_for(lambda answer: answer.query_id == self.query_id, patience)


class Person:
    """Somebody with Telegram. What they do in `group` happens there, else in their private chat with the bot."""

    def __init__(self, bot: BotAccount, user: User) -> None:
        self.bot = bot
        self.user = user
        chat = Chat(
            id=user.id,
            type="private",
            first_name=user.first_name,
            last_name=user.last_name,
            username=user.username,
        )
        self.room = bot.rooms.setdefault(user.id, ChatRoom(chat))

    # ------------------------------------------------------------ messages

    async def say(self, text: str, *, group: Group | None = None, reply_to: int | None = None) -> Message:
        """Write a text."""
        command = text.split(maxsplit=1)[0] if text.startswith("/") else ""
        entities = [MessageEntity(type="bot_command", offset=0, length=len(command))] if command else None
        return self._send(group, reply_to, text=text, entities=entities)

    async def start(self, payload: str = "") -> Message:
        """Press Start, perhaps with the payload of a deep link."""
        return await self.say(f"/start {payload}".strip())

    async def send_photo(self, content: bytes, caption: str | None = None, *, group: Group | None = None) -> Message:
        """Send a photograph: two sizes, the larger one holds `content`."""
        stored = self.bot.files.put("photos", "photo.jpg", content)
        return self._send(group, None, photo=photo_sizes(self.bot, stored), caption=caption)

    async def send_document(
        self,
        content: bytes,
        name: str,
        caption: str | None = None,
        *,
        mime_type: str = "application/pdf",
        claimed_size: int | None = None,
        group: Group | None = None,
    ) -> Message:
        """Send a file; `claimed_size` lets Telegram tell another size than the true one."""
        stored = self.bot.files.put("documents", name, content, claimed_size)
        return self._send(group, None, document=document(stored, mime_type), caption=caption)

    async def send_voice(self, content: bytes, duration: int = 3, *, group: Group | None = None) -> Message:
        """Send a voice message of `duration` seconds."""
        return self._send(
            group,
            None,
            voice=voice(self.bot.files.put("voice", "voice.oga", content), duration),
        )

    async def send_video(self, content: bytes, caption: str | None = None) -> Message:
        """Send a video."""
        return self._send(
            None,
            None,
            video=video(self.bot.files.put("videos", "video.mp4", content)),
            caption=caption,
        )

    async def send_audio(self, content: bytes, caption: str | None = None) -> Message:
        """Send a piece of music."""
        return self._send(
            None,
            None,
            audio=audio(self.bot.files.put("music", "audio.mp3", content)),
            caption=caption,
        )

    async def send_sticker(self, emoji: str) -> Message:
        """Send a sticker."""
        stored = self.bot.files.put("stickers", "sticker.webp", b"RIFF")
        sticker = Sticker(
            file_id=stored.file_id,
            file_unique_id=stored.unique_id,
            type="regular",
            width=512,
            height=512,
            is_animated=False,
            is_video=False,
            emoji=emoji,
            file_size=stored.claimed_size,
        )
        return self._send(None, None, sticker=sticker)

    async def send_location(self, latitude: float, longitude: float) -> Message:
        """Send a place."""
        return self._send(None, None, location=Location(latitude=latitude, longitude=longitude))

    async def share_contact(
        self,
        phone: str,
        *,
        user_id: int | None = None,
        first_name: str | None = None,
        own: bool = True,
    ) -> Message:
        """Share a card: one's own by default; `own=False` somebody else's, with `user_id` where they have Telegram."""
        card = Contact(
            phone_number=phone,
            first_name=first_name or self.user.first_name,
            user_id=self.user.id if own else user_id,
        )
        return self._send(None, None, contact=card)

    async def forward(self, text: str, origin: User) -> Message:
        """Forward somebody's text."""
        return self._send(
            None,
            None,
            text=text,
            forward_origin=MessageOriginUser(date=self.bot.clock.now(), sender_user=origin),
        )

    async def send(self, **fields: Any) -> Message:
        """Send a message with any fields of aiogram's Message."""
        return self._send(None, None, **fields)

    async def edit(self, message_id: int, text: str, *, group: Group | None = None) -> Message:
        """Change an earlier message of one's own (its caption where it has no text)."""
        room = group.room if group else self.room
        before = room.messages[message_id]
        field = "caption" if before.text is None else "text"
        after = before.model_copy(update={field: text, "edit_date": int(self.bot.clock.now().timestamp())})
        self.bot.keep(room, after)
        self.bot.push("edited_message", after)
        return after

    # ------------------------------------------------------------ buttons

    async def press(self, message: Sent | Message | int, data: str) -> Press:
        """Press an inline button of a message from the bot; KeyError where there is none with that data."""
        chat_id = message.chat_id if isinstance(message, Sent) else self.room.chat.id
        if isinstance(message, Message):
            chat_id = message.chat.id
        target = self.bot.rooms[chat_id].messages[message if isinstance(message, int) else message.message_id]
        rows = target.reply_markup.inline_keyboard if target.reply_markup else []
        if data not in [button.callback_data for row in rows for button in row]:
            raise KeyError(f"no button {data!r} under message {target.message_id}")
        return await self.press_raw(data, target)

    async def press_raw(self, data: str | None, target: Message | None) -> Press:
        """A callback query as a modified client might send it: any data, with or without a message."""
        query_id = str(self.user.id << 32 | len(self.bot.answers) << 16 | len(self.bot.open_queries))
        self.bot.open_queries.add(query_id)
        query = CallbackQuery(
            id=query_id,
            from_user=self.user,
            chat_instance=str(-self.user.id * 31),
            data=data,
            message=target,
        )
        self.bot.push("callback_query", query)
        return Press(self.bot, query_id)

    # ------------------------------------------------------------ blocking

    async def block(self) -> None:
        """Block the bot."""
        self.room.access = Access.BLOCKED
        self._membership(ChatMemberMember(user=self.bot.me), self._banned())

    async def unblock(self) -> None:
        """Let the bot write again."""
        self.room.access = Access.OPEN
        self._membership(self._banned(), ChatMemberMember(user=self.bot.me))

    def deactivate(self) -> None:
        """Delete one's account: the bot is not told, and is refused with 403 from now on."""
        self.room.access = Access.DEACTIVATED

    # ------------------------------------------------------------ what the bot sent

    def received(self) -> list[Sent]:
        """What the bot sent into the private chat."""
        return [sent for sent in self.bot.sent if sent.chat_id == self.user.id]

    async def hears(self, words: str = "", patience: float = PATIENCE_S) -> Sent:
        """The first message of the bot to this person that contains `words`, waiting for it."""
        return await self.bot.sent.wait_for(lambda sent: sent.chat_id == self.user.id and words in sent.text, patience)

    # ------------------------------------------------------------ Telegram Business

    def connect_business(self, *, enabled: bool = True, connection_id: str | None = None) -> str:
        """Connect the bot to one's own Telegram Business account; returns the connection's id."""
        identifier = connection_id or f"bc{self.user.id:x}AAAA"
        self.bot.business_chats[identifier] = self.user.id
        connection = BusinessConnection(
            id=identifier,
            user=self.user,
            user_chat_id=self.user.id,
            date=self.bot.clock.now(),
            is_enabled=enabled,
            rights=BusinessBotRights(can_reply=True),
        )
        self.bot.push("business_connection", connection)
        return identifier

    async def say_business(self, connection_id: str, text: str) -> Message:
        """Write to the owner of a business connection; the bot sees it."""
        message = self._message(self.room, None, text=text, business_connection_id=connection_id)
        self.bot.push("business_message", message)
        return message

    async def edit_business(self, message: Message, text: str) -> None:
        """Change what was written to the owner of a business connection."""
        after = message.model_copy(update={"text": text, "edit_date": int(self.bot.clock.now().timestamp())})
        self.bot.keep(self.room, after)
        self.bot.push("edited_business_message", after)

    async def delete_business(self, connection_id: str, *message_ids: int) -> None:
        """Delete messages written to the owner of a business connection."""
        deleted = BusinessMessagesDeleted(
            business_connection_id=connection_id,
            chat=self.room.chat,
            message_ids=list(message_ids),
        )
        self.bot.push("deleted_business_messages", deleted)

    # ------------------------------------------------------------ inside

    def _send(self, group: Group | None, reply_to: int | None, **fields: Any) -> Message:
        room = group.room if group else self.room
        if group is None and room.access is Access.NOT_STARTED:
            room.access = Access.OPEN
        message = self._message(room, reply_to, **fields)
        self.bot.push("message", message)
        return message

    def _message(self, room: ChatRoom, reply_to: int | None, **fields: Any) -> Message:
        answered = room.messages[reply_to].model_copy(update={"reply_to_message": None}) if reply_to else None
        message = Message(
            message_id=self.bot.new_message_id(room),
            date=self.bot.clock.now(),
            chat=room.chat,
            from_user=self.user,
            reply_to_message=answered,
            **fields,
        )
        self.bot.keep(room, message)
        return message

    def _banned(self) -> ChatMemberBanned:
        return ChatMemberBanned(user=self.bot.me, until_date=datetime.fromtimestamp(0, UTC))

    def _membership(
        self,
        old: ChatMemberMember | ChatMemberBanned,
        new: ChatMemberMember | ChatMemberBanned,
    ) -> None:
        self.bot.push("my_chat_member", membership(self.bot, self.room.chat, self.user, old, new))


class Group:
    """A supergroup the bot is a member of."""

    def __init__(self, bot: BotAccount, chat: Chat) -> None:
        self.bot = bot
        self.room = bot.rooms.setdefault(chat.id, ChatRoom(chat, Access.OPEN))

    @property
    def chat_id(self) -> int:
        """Its id, negative."""
        return self.room.chat.id

    def kick(self, by: Person) -> None:
        """Put the bot out."""
        self.room.access = Access.KICKED
        banned = ChatMemberBanned(user=self.bot.me, until_date=datetime.fromtimestamp(0, UTC))
        member = ChatMemberMember(user=self.bot.me)
        self.bot.push(
            "my_chat_member",
            membership(self.bot, self.room.chat, by.user, member, banned),
        )


def membership(
    bot: BotAccount,
    chat: Chat,
    by: User,
    old: ChatMemberMember | ChatMemberBanned,
    new: ChatMemberMember | ChatMemberBanned,
) -> ChatMemberUpdated:
    """The update that says how the bot stands in a chat."""
    return ChatMemberUpdated(
        chat=chat,
        from_user=by,
        date=bot.clock.now(),
        old_chat_member=old,
        new_chat_member=new,
    )
