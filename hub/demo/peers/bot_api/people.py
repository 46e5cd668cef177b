"""People and groups, as a bot meets them: what they do arrives as updates, what the bot sends them can be looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiogram.types import (
    CallbackQuery,
    Chat,
    ChatMemberMember,
    Contact,
    Location,
    Message,
    MessageEntity,
    MessageOriginUser,
    MessageReactionUpdated,
    Poll,
    PollAnswer,
    PollOption,
    ReactionTypeEmoji,
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
from hub.demo.peers.bot_api.business import BusinessSide
from hub.demo.peers.bot_api.groups import Group, Standing, banned, membership
from hub.demo.peers.bot_api.journal import PATIENCE_S
from hub.demo.peers.bot_api.media import audio, document, photo_sizes, video, voice


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed inline button that waits for answerCallbackQuery."""

    bot: BotAccount
    query_id: str

    async def answer(self, patience: float = PATIENCE_S) -> CallbackAnswer:
        """What the bot answered; TimeoutError where it never does."""
        return await self.bot.answers.wait_for(lambda answer: answer.query_id == self.query_id, patience)


class Person(BusinessSide):
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

    async def share_number(self, phone: str) -> Message:
        """Press the button that asks for one's number; KeyError where none stands at the bottom of the chat."""
        rows = self.room.bottom.keyboard if self.room.bottom else []
        if not any(button.request_contact for row in rows for button in row):
            raise KeyError("no button asks for a number")
        return await self.share_contact(phone)

    async def send_album(self, *contents: bytes, caption: str | None = None) -> list[Message]:
        """Send several pictures as one album."""
        album = str(14_000_000 + self.bot.updates.new_id())
        return [
            self._send(
                None,
                None,
                photo=photo_sizes(self.bot, self.bot.files.put("photos", "photo.jpg", content)),
                caption=caption if index == 0 else None,
                media_group_id=album,
            )
            for index, content in enumerate(contents)
        ]

    async def send_poll(self, question: str, *options: str) -> Message:
        """Send a poll of one's own."""
        poll = Poll(
            id=str(5_000_000 + self.user.id),
            question=question,
            options=[
                PollOption(text=each, voter_count=0, persistent_id=str(number)) for number, each in enumerate(options)
            ],
            total_voter_count=0,
            is_closed=False,
            is_anonymous=False,
            type="regular",
            allows_multiple_answers=False,
            allows_revoting=True,
            members_only=False,
        )
        return self._send(None, None, poll=poll)

    async def vote(self, poll_id: str, *options: int) -> None:
        """Vote in a poll of the bot's for the options of these numbers, from 0; for none: take the vote back."""
        answer = PollAnswer(
            poll_id=poll_id,
            user=self.user,
            option_ids=list(options),
            option_persistent_ids=[str(each) for each in options],
        )
        self.bot.push("poll_answer", answer)

    async def react(self, message: Sent | Message, *emojis: str) -> None:
        """Put these reactions, and no others, to a message."""
        chat_id = message.chat_id if isinstance(message, Sent) else message.chat.id
        room, place = self.bot.rooms[chat_id], (message.message_id, self.user.id)
        before = room.reactions.get(place, ())
        room.reactions[place] = emojis
        change = MessageReactionUpdated(
            chat=room.chat,
            message_id=message.message_id,
            date=self.bot.clock.now(),
            user=self.user,
            old_reaction=[ReactionTypeEmoji(emoji=each) for each in before],
            new_reaction=[ReactionTypeEmoji(emoji=each) for each in emojis],
        )
        self.bot.push("message_reaction", change)

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
        self._membership(ChatMemberMember(user=self.bot.me), banned(self.bot))

    async def unblock(self) -> None:
        """Let the bot write again."""
        self.room.access = Access.OPEN
        self._membership(banned(self.bot), ChatMemberMember(user=self.bot.me))

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

    def _membership(self, old: Standing, new: Standing) -> None:
        self.bot.push("my_chat_member", membership(self.bot, self.room.chat, self.user, old, new))
