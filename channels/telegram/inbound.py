"""Telegram's updates as the hub's facts. Nothing here raises and nothing is lost: what is not understood says so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiogram.types import (
    BusinessConnection,
    BusinessMessagesDeleted,
    CallbackQuery,
    ChatMemberUpdated,
    Message,
    MessageReactionUpdated,
    PollAnswer,
    Update,
)
from pydantic import ValidationError

from channels.telegram.business import BusinessLink, link_of
from channels.telegram.events import deleted, membership, pressed, reacted, voted
from channels.telegram.facts import Fact
from channels.telegram.names import clean
from channels.telegram.words import RUSSIAN, Words
from channels.telegram.written import MessageReader
from crm_core.messages import ChannelKey, Ignored, InboundEvent, Unparsable
from crm_core.messages.unread import failed_at, misshapen, not_json

MAX_UPDATE_ID = 2**63 - 1
MAX_ERROR = 500


@dataclass(frozen=True, slots=True)
class Move:
    """A group that became a supergroup: the old chat id and the new one."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """An update as it arrived: the fact, its id for the offset (None where it has none), the button press to answer,
    and what has to be remembered of it for sending.
    """

    event: InboundEvent
    update_id: int | None = None
    callback_id: str | None = None
    link: BusinessLink | None = None
    move: Move | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the updates of one account, whose bot has the Telegram id `bot_id`."""

    key: ChannelKey
    region: str = "RU"
    bot_id: int = 0
    words: Words = RUSSIAN

    def body(self, raw: bytes, received_at: datetime) -> Arrival:
        """The fact of a posted body, which is kept byte for byte."""
        try:
            update = json.loads(raw)
        except (ValueError, RecursionError) as error:
            return Arrival(self._event(None, raw, received_at, Fact(Unparsable(not_json(error)))))
        return self.update(update, received_at, raw)

    def update(self, update: object, received_at: datetime, raw: bytes | None = None) -> Arrival:
        """The fact of one update that came in a batch; its raw form is its JSON again, where no `raw` is given."""
        update_id = _update_id(update)
        link: BusinessLink | None = None
        move: Move | None = None
        try:
            parsed = Update.model_validate(update)
            fact = self._understood(parsed, update_id or 0, received_at)
            link, move = _link(parsed, update_id or 0, received_at), _move(parsed)
        except ValidationError as error:
            fact = Fact(Unparsable(misshapen(error, "update")))
        except Exception as error:  # noqa: BLE001 - whatever this code fails at is kept as failed, to be replayed when mended
            fact = Fact(Unparsable(failed_at(error)))
        if raw is None:
            try:
                raw = json.dumps(update).encode()
            except RecursionError as error:
                raw, fact = json.dumps({"update_id": update_id}).encode(), Fact(Unparsable(failed_at(error)))
        return Arrival(
            event=self._event(update_id, raw, received_at, fact),
            update_id=update_id,
            callback_id=_callback_id(update),
            link=link,
            move=move,
        )

    def _event(self, update_id: int | None, raw: bytes, received_at: datetime, fact: Fact) -> InboundEvent:
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
            group=fact.group,
        )

    def _understood(self, update: Update, update_id: int, received_at: datetime) -> Fact:
        messages = MessageReader(self.bot_id, self.region, self.words)
        match update:
            case Update(message=Message() as message) | Update(business_message=Message() as message):
                return messages.message(message)
            case Update(edited_message=Message() as message) | Update(edited_business_message=Message() as message):
                return messages.edited(message, received_at)
            case Update(callback_query=CallbackQuery() as query):
                return pressed(query)
            case Update(message_reaction=MessageReactionUpdated() as reaction):
                return reacted(reaction)
            case Update(my_chat_member=ChatMemberUpdated() as change):
                return membership(change, self.words)
            case Update(deleted_business_messages=BusinessMessagesDeleted() as gone):
                return deleted(gone, received_at)
            case Update(poll_answer=PollAnswer() as answer):
                return voted(answer, update_id, self.words)
            case Update(business_connection=BusinessConnection() as connection):
                state = "enabled" if connection.is_enabled else "disabled"
                return Fact(Ignored(f"a business connection, {state}"))
            case _:
                kinds = sorted(name for name in update.model_fields_set if name != "update_id")
                return Fact(Ignored(clean(", ".join(kinds))[:MAX_ERROR] or "nothing"))


def _link(update: Update, update_id: int, received_at: datetime) -> BusinessLink | None:
    connection = update.business_connection
    return link_of(connection, update_id, received_at) if connection is not None else None


def _move(update: Update) -> Move | None:
    message = update.message
    if message is None:
        return None
    if message.migrate_to_chat_id is not None:
        return Move(message.chat.id, message.migrate_to_chat_id)
    if message.migrate_from_chat_id is not None:
        return Move(message.migrate_from_chat_id, message.chat.id)
    return None


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
