"""Messages as facts: of clients, of a business account's owner, of people of the office to the bot itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aiogram.enums import ChatType
from aiogram.types import Contact, InlineKeyboardMarkup, Message, User

from channels.telegram.content import Content, content_of, quotation
from channels.telegram.conversation import Conversation
from channels.telegram.deep_links import started
from channels.telegram.facts import Fact, client_of, identity_of, is_group, sender_of
from channels.telegram.names import card_name, full_name
from channels.telegram.words import RUSSIAN, Words
from crm_core.errors import InvalidIdentity
from crm_core.messages import (
    ContactShared,
    EntryKind,
    Ignored,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Payload,
    StaffAct,
    StaffAsked,
    StaffQuestion,
    StaffReply,
)
from crm_core.model.identity import Identity, telephone

SERVICE_ACCOUNT = 777000  # Telegram's own: forwards a linked channel's posts into its group
_COMMAND = re.compile(r"/(?P<name>[a-z]+)(?:@\w{1,64})?\s*\Z")
_ANSWERS = re.compile(rf"{StaffAct.WRITE.value}:(?P<contact>[0-9]{{1,18}}):")


@dataclass(frozen=True, slots=True)
class MessageReader:
    """Reads messages to one bot, whose Telegram id is `bot_id`; `region` helps to understand telephone numbers."""

    bot_id: int = 0
    region: str = "RU"
    words: Words = RUSSIAN

    def message(self, message: Message) -> Fact:
        """A new message."""
        author = _author(message)
        if isinstance(author, str):
            return Fact(Ignored(author), at=message.date)
        if _by_owner(message, author):
            return self._sent(message, author)
        content = content_of(message, self.words)
        if content is None:
            return _of_client(message, Ignored("a note of Telegram about the chat"))
        return _of_client(message, self._from_client(message, author, content))

    def edited(self, message: Message, received_at: datetime) -> Fact:
        """A message that was changed, of whomever it was."""
        author = _author(message)
        if isinstance(author, str):
            return Fact(Ignored(author), at=message.date)
        if message.sender_business_bot is not None:
            return Fact(Ignored("a message of a bot in the owner's name, changed"), at=message.date)
        if message.location is not None:
            # A live location moves every few seconds; each would be an edit.
            return _of_client(message, Ignored("a live location that moved"))
        content = content_of(message, self.words) or Content()
        at = datetime.fromtimestamp(message.edit_date, UTC) if message.edit_date else received_at
        return _of_client(message, MessageEdited(str(message.message_id), content.text, at, content.html), at)

    def _from_client(self, message: Message, author: User, content: Content) -> Payload:
        contact_id = self._answered_client(message)
        if message.contact is not None and contact_id is None:
            return self._card(message.contact, author, message, content.text)
        origin = started(message.text) if message.text else None
        written = MessageReceived(
            kind=EntryKind.MESSAGE,
            text=content.text,
            ref=str(message.message_id),
            attachments=content.attachments,
            html=content.html,
            quoted=quotation(message, self.words),
            location=content.location,
            album=message.media_group_id or "",
            answers=str(message.reply_to_message.message_id) if message.reply_to_message else "",
        )
        if origin is not None:
            return replace(written, asks=False, source=origin.source, utm=origin.utm)
        actor = identity_of(author.id)
        if contact_id is not None:
            return StaffReply(actor, contact_id, content.text, content.attachments, written)
        question = _question(message)
        return StaffAsked(actor, question, written) if question is not None else written

    def _sent(self, message: Message, owner: User) -> Fact:
        """What the owner of a connected business account wrote to a client, or a bot in their name."""
        bot = message.sender_business_bot
        if bot is not None:
            own = bot.id == self.bot_id
            return Fact(
                Ignored("the hub's own message" if own else "a message of another bot in the owner's name"),
                str(Conversation(message.chat.id, message.business_connection_id)),
                at=message.date,
            )
        content = content_of(message, self.words)
        if content is None:
            return _of_client(message, Ignored("a note of Telegram about the chat"))
        payload = MessageSent(
            kind=EntryKind.MESSAGE,
            text=content.text,
            ref=str(message.message_id),
            attachments=content.attachments,
            author=identity_of(owner.id),
            author_name=full_name(owner),
            location=content.location,
            album=message.media_group_id or "",
            automatic=bool(message.is_from_offline),
            html=content.html,
        )
        return _of_client(message, payload)

    def _card(self, card: Contact, author: User, message: Message, text: str) -> ContactShared:
        # Only Telegram itself vouches for a card's owner: not whoever forwards it, nor an inline bot that made it up.
        own = card.user_id == author.id and message.forward_origin is None and message.via_bot is None
        identities: list[Identity] = [identity_of(card.user_id)] if card.user_id is not None else []
        try:
            # Telegram leaves the plus out as often as not; the number is international all the same.
            identities.append(telephone(f"+{card.phone_number.lstrip('+')}", self.region))
        except InvalidIdentity:
            own = False  # the card stays readable in the text, but proves no number
        return ContactShared(str(message.message_id), text, own, tuple(identities), card_name(card))

    def _answered_client(self, message: Message) -> int | None:
        """The client whom the answered notification names in its buttons; only our own messages are believed."""
        answered = message.reply_to_message
        if not _to_the_bot(message) or answered is None or answered.from_user is None:
            return None
        markup = answered.reply_markup
        if answered.from_user.id != self.bot_id or not isinstance(markup, InlineKeyboardMarkup):
            return None
        for row in markup.inline_keyboard:
            for button in row:
                found = _ANSWERS.match(button.callback_data or "")
                if found is not None:
                    return int(found["contact"])
        return None


def _author(message: Message) -> User | str:
    """Who a message is from, else why it is of no use."""
    user = message.from_user
    if message.chat.type == ChatType.CHANNEL:
        return "a channel's post"
    if user is None:
        return "a message without a sender"
    if user.id == SERVICE_ACCOUNT or message.is_automatic_forward:
        return "a linked channel's post"
    if user.is_bot:
        return "a message of a bot"
    return user


def _by_owner(message: Message, author: User) -> bool:
    """Whether the owner of a connected account wrote: the chat of such a message is always the client."""
    return message.business_connection_id is not None and (
        author.id != message.chat.id or message.sender_business_bot is not None
    )


def _of_client(message: Message, payload: Payload, at: datetime | None = None) -> Fact:
    """A fact of the client whom the message is from or, in a connected account, whose chat it stands in."""
    conversation = str(Conversation(message.chat.id, message.business_connection_id))
    author = message.from_user
    from_client = author is not None and (message.business_connection_id is None or author.id == message.chat.id)
    sender = sender_of(author) if author is not None and from_client else client_of(message.chat)
    crowd = is_group(message.chat) or message.business_connection_id is not None
    return Fact(payload, conversation, sender, at or message.date, message.message_id, crowd)


def _to_the_bot(message: Message) -> bool:
    return message.chat.type == ChatType.PRIVATE and message.business_connection_id is None


def _question(message: Message) -> StaffQuestion | None:
    command = _COMMAND.match(message.text or "")
    if command is None or not _to_the_bot(message) or command["name"] not in set(StaffQuestion):
        return None
    return StaffQuestion(command["name"])
