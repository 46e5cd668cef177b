"""Telegram's updates as the hub's facts. Nothing here raises and nothing is lost: what is not understood says so."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.types import (
    BusinessMessagesDeleted,
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    Contact,
    Message,
    Update,
    User,
)
from pydantic import ValidationError

from channels.telegram.content import card_name, clean, content_of, full_name, quotation
from channels.telegram.conversation import Conversation
from crm_core.errors import InvalidIdentity
from crm_core.messages import (
    BlockChanged,
    BlockState,
    ChannelKey,
    ContactShared,
    EntryKind,
    Ignored,
    InboundEvent,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    Payload,
    Sender,
    StaffAct,
    StaffCommand,
    Unparsable,
)
from crm_core.model.identity import Identity, IdentityKind, telephone

MAX_UPDATE_ID = 2**63 - 1
MAX_ERROR = 500
_CASE_ID = re.compile("[0-9]{1,18}")
NOBODY = Sender()
SERVICE_ACCOUNT = 777000  # Telegram's own: forwards a linked channel's posts into its group


@dataclass(frozen=True, slots=True)
class Arrival:
    """An update as it arrived: the fact, its id for the offset (None where it has none), the button press to answer."""

    event: InboundEvent
    update_id: int | None = None
    callback_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Fact:
    """What an update says."""

    payload: Payload
    conversation: str = ""
    sender: Sender = NOBODY
    at: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the updates of one account; `region` helps to understand telephone numbers."""

    key: ChannelKey
    region: str = "RU"

    def body(self, raw: bytes, received_at: datetime) -> Arrival:
        """The fact of a posted body, which is kept byte for byte."""
        try:
            update = json.loads(raw)
        except (ValueError, RecursionError) as error:
            return Arrival(self._event(None, raw, received_at, _Fact(Unparsable(_words(error)))))
        return self.update(update, received_at, raw)

    def update(self, update: object, received_at: datetime, raw: bytes | None = None) -> Arrival:
        """The fact of one update that came in a batch; its raw form is its JSON again, where no `raw` is given."""
        update_id = _update_id(update)
        fact = self._fact(update, received_at)
        if raw is None:
            try:
                raw = json.dumps(update).encode()
            except RecursionError as error:
                raw, fact = json.dumps({"update_id": update_id}).encode(), _Fact(Unparsable(_words(error)))
        return Arrival(self._event(update_id, raw, received_at, fact), update_id, _callback_id(update))

    def _event(self, update_id: int | None, raw: bytes, received_at: datetime, fact: _Fact) -> InboundEvent:
        external_id = f"sha256:{hashlib.sha256(raw).hexdigest()}" if update_id is None else str(update_id)
        return InboundEvent(
            key=self.key,
            external_id=external_id,
            conversation=clean(fact.conversation),
            occurred_at=_aware(fact.at or received_at),
            sender=fact.sender,
            payload=fact.payload,
            raw=raw,
            sequence=fact.sequence,
            correlation_id=f"{self.key}:{external_id}",
        )

    def _fact(self, update: object, received_at: datetime) -> _Fact:
        try:
            return self._understood(Update.model_validate(update), received_at)
        except ValidationError as error:
            return _Fact(Unparsable(_first_problem(error)))
        except Exception as error:  # noqa: BLE001 - whatever this code fails at is kept as failed, to be replayed when mended
            return _Fact(Unparsable(_words(error)))

    def _understood(self, update: Update, received_at: datetime) -> _Fact:
        match update:
            case Update(message=Message() as message) | Update(business_message=Message() as message):
                return self._message(message)
            case Update(edited_message=Message() as message) | Update(edited_business_message=Message() as message):
                return _edited(message, received_at)
            case Update(callback_query=CallbackQuery() as query):
                return _pressed(query)
            case Update(my_chat_member=ChatMemberUpdated() as change):
                return _membership(change)
            case Update(deleted_business_messages=BusinessMessagesDeleted() as deleted):
                return _deleted(deleted, received_at)
            case _:
                kinds = sorted(name for name in update.model_fields_set if name != "update_id")
                return _Fact(Ignored(clean(", ".join(kinds))[:MAX_ERROR] or "nothing"))

    def _message(self, message: Message) -> _Fact:
        about = _about(message)
        if isinstance(about, str):
            return _Fact(Ignored(about), at=message.date)
        content = content_of(message)
        if content is None:
            return _fact(message, about, Ignored("a note of Telegram about the chat"))
        if message.contact is not None:
            return _fact(message, about, self._card(message.contact, about, message, content.text))
        payload = MessageReceived(
            kind=EntryKind.MESSAGE,
            text=content.text,
            ref=str(message.message_id),
            attachments=content.attachments,
            quoted=quotation(message),
            location=content.location,
        )
        return _fact(message, about, payload)

    def _card(self, card: Contact, about: User, message: Message, text: str) -> ContactShared:
        own = card.user_id == about.id and message.forward_origin is None
        identities: list[Identity] = [_identity(card.user_id)] if card.user_id is not None else []
        try:
            # Telegram leaves the plus out as often as not; the number is international all the same.
            identities.append(telephone(f"+{card.phone_number.lstrip('+')}", self.region))
        except InvalidIdentity:
            own = False  # the card stays readable in the text, but proves no number
        return ContactShared(str(message.message_id), text, own, tuple(identities), card_name(card))


def _about(message: Message) -> User | str:
    """Who a message is from, else why it is of no use."""
    user = message.from_user
    if message.chat.type == ChatType.CHANNEL:
        return "a channel's post"
    if user is None:
        return "a message without a sender"
    if user.id == SERVICE_ACCOUNT or message.is_automatic_forward:
        return "a linked channel's post"
    if user.is_bot or message.sender_business_bot is not None:
        return "a message of a bot"
    if message.business_connection_id is not None and user.id != message.chat.id:
        return "a message of the business account's owner"
    return user


def _fact(message: Message, user: User, payload: Payload, at: datetime | None = None) -> _Fact:
    conversation = str(Conversation(message.chat.id, message.business_connection_id))
    return _Fact(payload, conversation, _sender(user), at or message.date, message.message_id)


def _edited(message: Message, received_at: datetime) -> _Fact:
    about = _about(message)
    if isinstance(about, str):
        return _Fact(Ignored(about), at=message.date)
    if message.location is not None:
        # A live location moves every few seconds; each would be an edit.
        return _fact(message, about, Ignored("a live location that moved"))
    content = content_of(message)
    at = datetime.fromtimestamp(message.edit_date, UTC) if message.edit_date else received_at
    text = content.text if content else ""
    return _fact(message, about, MessageEdited(str(message.message_id), text, at), at)


def _pressed(query: CallbackQuery) -> _Fact:
    chat: Chat | None = query.message.chat if query.message else None
    conversation = str(Conversation(chat.id if chat else query.from_user.id))
    command = staff_command(query.data or "", _identity(query.from_user.id))
    return _Fact(command or Ignored("a button that is not the hub's"), conversation, _sender(query.from_user))


def staff_command(data: str, actor: Identity) -> StaffCommand | None:
    """The command of a button's data `act:case_id:argument`; None where it is not the hub's."""
    act, _, rest = data.partition(":")
    case_id, _, argument = rest.partition(":")
    if act not in set(StaffAct) or not _CASE_ID.fullmatch(case_id):
        return None
    return StaffCommand(actor, StaffAct(act), int(case_id), clean(argument))


def _membership(change: ChatMemberUpdated) -> _Fact:
    if change.chat.type != ChatType.PRIVATE:
        return _Fact(Ignored("the bot's place in a group"), str(change.chat.id), at=change.date)
    blocked = change.new_chat_member.status in {ChatMemberStatus.KICKED, ChatMemberStatus.LEFT}
    payload = BlockChanged(BlockState.BLOCKED if blocked else BlockState.ALLOWED)
    return _Fact(payload, str(change.chat.id), _sender(change.from_user), change.date)


def _deleted(deleted: BusinessMessagesDeleted, received_at: datetime) -> _Fact:
    conversation = str(Conversation(deleted.chat.id, deleted.business_connection_id))
    refs = tuple(str(message_id) for message_id in deleted.message_ids)
    return _Fact(MessageDeleted(refs, received_at), conversation, Sender((_identity(deleted.chat.id),)))


def _sender(user: User) -> Sender:
    return Sender((_identity(user.id),), full_name(user))


def _identity(user_id: int) -> Identity:
    return Identity(IdentityKind.TG, str(user_id))


def _update_id(update: object) -> int | None:
    found: Any = update.get("update_id") if isinstance(update, dict) else None
    valid = isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MAX_UPDATE_ID
    return found if valid else None


def _callback_id(update: object) -> str | None:
    """Read past the parser: every pressed button is answered, also one that was not understood."""
    query: Any = update.get("callback_query") if isinstance(update, dict) else None
    found: Any = query.get("id") if isinstance(query, dict) else None
    return found if isinstance(found, str) and found else None


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"]) or "update"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return clean(f"{where}: {first['msg']}{more}")[:MAX_ERROR]


def _words(error: BaseException) -> str:
    return clean(f"{type(error).__name__}: {error}")[:MAX_ERROR]
