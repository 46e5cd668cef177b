"""Whatever else happens in a chat as facts: pressed buttons, reactions, votes, blocks, the bot's place in groups."""

from __future__ import annotations

import re
from datetime import datetime

from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.types import (
    BusinessMessagesDeleted,
    CallbackQuery,
    ChatMemberUpdated,
    Message,
    MessageReactionUpdated,
    PollAnswer,
    ReactionTypeCustomEmoji,
    ReactionTypeEmoji,
    ReactionTypePaid,
)
from aiogram.types import ReactionTypeUnion as Reaction

from channels.telegram.conversation import Conversation
from channels.telegram.facts import Fact, client_of, identity_of, is_group, sender_of, spelled
from channels.telegram.names import chat_name, clean
from channels.telegram.words import Words
from crm_core.messages import (
    BlockChanged,
    BlockState,
    EntryKind,
    Ignored,
    MenuChosen,
    MessageDeleted,
    MessageReceived,
    Noted,
    Payload,
    ReactionChanged,
    StaffAct,
    StaffCommand,
)
from crm_core.model.identity import Identity
from crm_core.services.wording import Phrase, say

MENU = "menu:"
PAID_REACTION = "⭐"
CUSTOM_REACTION = "[emoji]"
_SUBJECT = re.compile("[0-9]{1,18}")
_OUT = {ChatMemberStatus.KICKED, ChatMemberStatus.LEFT}


def pressed(query: CallbackQuery) -> Fact:
    """A button: of staff, of a client's menu, or nobody's."""
    message = query.message
    chat = message.chat if message else None
    business = message.business_connection_id if isinstance(message, Message) else None
    conversation = str(Conversation(chat.id if chat else query.from_user.id, business))
    payload = _meaning(query)
    crowd = business is not None or (chat is not None and is_group(chat))
    return Fact(payload, conversation, sender_of(query.from_user), group=crowd)


def _meaning(query: CallbackQuery) -> Payload:
    data = query.data or ""
    if data.startswith(MENU) and len(data) > len(MENU):
        return MenuChosen(f"press:{clean(query.id)}", clean(data.removeprefix(MENU)))
    return staff_command(data, identity_of(query.from_user.id)) or Ignored("a button that is not the hub's")


def staff_command(data: str, actor: Identity) -> StaffCommand | None:
    """The command of a button's data `act:subject_id:argument`; None where it is not the hub's."""
    act, _, rest = data.partition(":")
    subject_id, _, argument = rest.partition(":")
    if act not in set(StaffAct) or not _SUBJECT.fullmatch(subject_id):
        return None
    return StaffCommand(actor, StaffAct(act), int(subject_id), clean(argument))


def reacted(change: MessageReactionUpdated) -> Fact:
    """Somebody's reactions to a message, all that stand now."""
    if change.user is None or change.user.is_bot:
        return Fact(Ignored("a reaction of nobody known"), str(change.chat.id), at=change.date)
    emojis = tuple(clean(_emoji(each)) for each in change.new_reaction)
    payload = ReactionChanged(str(change.message_id), emojis)
    sender, group = sender_of(change.user), is_group(change.chat)
    return Fact(payload, str(Conversation(change.chat.id)), sender, change.date, change.message_id, group)


def _emoji(reaction: Reaction) -> str:
    match reaction:
        case ReactionTypeEmoji():
            return reaction.emoji
        case ReactionTypePaid():
            return PAID_REACTION
        case ReactionTypeCustomEmoji():
            return CUSTOM_REACTION


def voted(answer: PollAnswer, update_id: int, words: Words) -> Fact:
    """A vote in a poll of the bot's: Telegram tells the numbers of the options, counted from 1 here."""
    if answer.user is None:
        return Fact(Ignored("a vote of nobody known"))
    chosen = ", ".join(str(option + 1) for option in answer.option_ids)
    phrase = Phrase.POLL_VOTED if chosen else Phrase.POLL_WITHDRAWN
    text = say(words.language, phrase, options=chosen)
    payload = MessageReceived(EntryKind.MESSAGE, text, f"vote:{update_id}", asks=False)
    return Fact(payload, str(Conversation(answer.user.id)), sender_of(answer.user))


def membership(change: ChatMemberUpdated, words: Words) -> Fact:
    """A client blocked or unblocked the bot; in a group: it came in, or was put out."""
    out = change.new_chat_member.status in _OUT
    conversation, sender = str(Conversation(change.chat.id)), sender_of(change.from_user)
    if change.chat.type == ChatType.PRIVATE:
        payload = BlockChanged(BlockState.BLOCKED if out else BlockState.ALLOWED)
        return Fact(payload, conversation, sender, change.date)
    changed = out != (change.old_chat_member.status in _OUT)
    if not is_group(change.chat) or not changed or change.from_user.is_bot:
        return Fact(Ignored("the bot's place in a group"), conversation, at=change.date)
    phrase = Phrase.BOT_REMOVED if out else Phrase.BOT_ADDED
    text = say(words.language, phrase, group=chat_name(change.chat))
    return Fact(Noted(text), conversation, sender, change.date, group=True)


def deleted(gone: BusinessMessagesDeleted, received_at: datetime) -> Fact:
    """Messages of a connected account were deleted, by whichever side."""
    conversation = str(Conversation(gone.chat.id, gone.business_connection_id))
    payload = MessageDeleted(spelled(gone.message_ids), received_at)
    return Fact(payload, conversation, client_of(gone.chat), group=True)
