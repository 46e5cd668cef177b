"""One bot: its profile, the chats it may write to, what it sent, what waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from aiogram.types import (
    BotCommand,
    BusinessConnection,
    Chat,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    ReplyKeyboardMarkup,
    User,
)

from crm_core.ports import Clock
from hub.demo.peers.bot_api.errors import bad_request, forbidden, migrated, too_many_requests
from hub.demo.peers.bot_api.files import FileShelf
from hub.demo.peers.bot_api.journal import Journal
from hub.demo.peers.bot_api.limits import FloodControl, Limits
from hub.demo.peers.bot_api.updates import UpdateQueue
from hub.demo.peers.bot_api.webhook import WebhookSender
from hub.demo.peers.bot_api.wire import JsonObject, checked_update, dump
from hub.demo.peers.faults import Fault, FaultPlan


class Access(Enum):
    """Whether a bot may write into a chat; the value is Telegram's refusal."""

    OPEN = ""
    NOT_STARTED = "bot can't initiate conversation with a user"
    BLOCKED = "bot was blocked by the user"
    DEACTIVATED = "user is deactivated"
    KICKED = "bot was kicked from the supergroup chat"


@dataclass(slots=True)
class ChatRoom:
    """A chat as one bot sees it. `moved_to` is the supergroup that a group became, `bottom` the keyboard that stands at
    the bottom of the screen, `reactions` who reacted to which message with what."""

    chat: Chat
    access: Access = Access.NOT_STARTED
    messages: dict[int, Message] = field(default_factory=dict)
    last_message_id: int = 0
    moved_to: int | None = None
    bottom: ReplyKeyboardMarkup | None = None
    reactions: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message the bot sent (or what became of it by an edit). `text` is the caption where there is a file."""

    method: str
    chat_id: int
    message_id: int
    text: str
    entities: tuple[MessageEntity, ...]
    keyboard: InlineKeyboardMarkup | None
    at: datetime
    parameters: JsonObject
    content: bytes | None = None
    file_name: str | None = None
    reply_to: int | None = None
    business_connection_id: str | None = None
    album: str | None = None
    markup: object | None = None
    """A keyboard at the bottom of the screen, or its removal."""

    def buttons(self) -> list[str]:
        """The data of all inline buttons, row by row."""
        rows = self.keyboard.inline_keyboard if self.keyboard else []
        return [button.callback_data for row in rows for button in row if button.callback_data is not None]


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """answerCallbackQuery, for the query of that id."""

    query_id: str
    text: str
    show_alert: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as it was answered; `status` is None where a fault left it without an answer."""

    method: str
    parameters: dict[str, Any]
    status: int | None


class BotAccount:
    """The state of one bot."""

    def __init__(self, token: str, me: User, clock: Clock, limits: Limits | None) -> None:
        self.token = token
        self.me = me
        self.clock = clock
        self.rooms: dict[int, ChatRoom] = {}
        self.files = FileShelf(me.id)
        self.updates = UpdateQueue(first_id=100_000_000 + me.id % 800_000_000)
        self.webhook = WebhookSender(self.updates, clock)
        self.flood = FloodControl(limits, clock)
        self.faults = FaultPlan()
        self.revoked = False
        self.reads_groups = True
        self.business = True
        self.sent: Journal[Sent] = Journal()
        self.edits: Journal[Sent] = Journal()
        self.answers: Journal[CallbackAnswer] = Journal()
        self.calls: Journal[Call] = Journal()
        self.open_queries: set[str] = set()
        self.connections: dict[str, BusinessConnection] = {}
        self.commands: dict[int | None, list[BotCommand]] = {}
        self._last_private_id = me.id % 5_000

    def next_responses(self, *faults: Fault) -> None:
        """Plan faults for the next calls, see `faults`."""
        self.faults.add(*faults)

    # ------------------------------------------------------------ rooms and messages

    def room(self, chat_id: int | str) -> ChatRoom:
        """The chat; raises ApiError where the bot does not know it."""
        room = self.rooms.get(chat_id) if isinstance(chat_id, int) else None
        if isinstance(chat_id, str) and chat_id.startswith("@"):
            named = (room for room in self.rooms.values() if room.chat.username == chat_id[1:])
            room = next(named, None)
        if room is None:
            raise bad_request("chat not found")
        return room

    def writable(self, chat_id: int | str, business_connection_id: str | None) -> ChatRoom:
        """The chat to write into, after access is checked and the message counted; raises ApiError."""
        if business_connection_id is not None:
            self.check_connection(business_connection_id)
        room = self.room(chat_id)
        if room.moved_to is not None:
            raise migrated(room.moved_to)
        if room.access is not Access.OPEN and business_connection_id is None:
            raise forbidden(room.access.value)
        return room

    def check_connection(self, connection_id: str) -> None:
        """Refuse a business connection through which the bot may not write; raises ApiError."""
        connection = self.connections.get(connection_id)
        if connection is None:
            raise bad_request("business connection not found")
        if not connection.is_enabled:
            raise bad_request("business connection is disabled")
        if connection.rights is None or not connection.rights.can_reply:
            raise bad_request("not enough rights to reply in the business account")

    def owner_of(self, connection_id: str | None) -> User | None:
        """Whose account a connection is of; None without one."""
        connection = self.connections.get(connection_id or "")
        return connection.user if connection is not None else None

    def count(self, room: ChatRoom, messages: int = 1) -> None:
        """Count messages against the flood limits; raises ApiError 429."""
        wait = self.flood.admit(room.chat.id, messages)
        if wait is not None:
            raise too_many_requests(wait)

    def new_message_id(self, room: ChatRoom) -> int:
        """Supergroups and channels count by themselves, all private chats and basic groups of a bot together."""
        if room.chat.type in {"supergroup", "channel"}:
            room.last_message_id += 1
            return room.last_message_id
        self._last_private_id += 1
        return self._last_private_id

    def keep(self, room: ChatRoom, message: Message) -> None:
        """Remember a message of the chat, new or changed."""
        room.messages[message.message_id] = message

    # ------------------------------------------------------------ updates

    def push(self, kind: str, content: object) -> int:
        """Send the bot an update of `kind`; returns its id. ValueError where it is not what the Bot API knows."""
        update_id = self.updates.new_id()
        update = checked_update({"update_id": update_id, kind: dump(content)})
        self.updates.put(update_id, update, kind)
        return update_id

    def inject(self, raw: object) -> int:
        """Send any JSON (or, to a webhook, any bytes) as an update, unchecked.

        An object without `update_id` is sent without; `"update_id": True` stands for the next id.
        """
        update_id = self.updates.new_id()
        if isinstance(raw, dict):
            if raw.get("update_id") is True:
                raw = {**raw, "update_id": update_id}
            given = raw.get("update_id")
            update_id = given if isinstance(given, int) else update_id
        self.updates.put(update_id, raw)
        return update_id

    def repeat(self, update: JsonObject) -> None:
        """Send an update again under the id it had."""
        self.updates.put(int(update["update_id"]), update)
