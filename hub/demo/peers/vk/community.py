"""One community: whom it may write to, what it wrote, what it was told, what it tells."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from crm_core.ports import Clock
from hub.demo.peers.bot_api.journal import Journal
from hub.demo.peers.faults import Fault, FaultPlan
from hub.demo.peers.vk.stream import CallbackSender, LongPoll

API_VERSION = "5.199"
FIRST_CHAT = 2_000_000_000
ALL_EVENTS = (
    "message_new", "message_edit", "message_reply", "message_event", "message_allow", "message_deny", "message_read",
    "wall_post_new", "wall_reply_new", "lead_forms_new", "group_join", "message_typing_state",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the community as it went out."""

    peer_id: int
    message_id: int
    cmid: int
    random_id: int
    text: str
    attachment: str
    keyboard: dict[str, Any] | None

    def buttons(self) -> list[str]:
        """The payloads of all buttons, row by row."""
        rows = self.keyboard["buttons"] if self.keyboard else []
        return [button["action"]["payload"] for row in rows for button in row]


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of the community: where (`wall:-1_45`), which, on which."""

    where: str
    number: int
    text: str
    attachments: str
    answers: int | None


@dataclass(frozen=True, slots=True)
class PressAnswer:
    """messages.sendMessageEventAnswer."""

    event_id: str
    user_id: int
    peer_id: int
    event_data: str


@dataclass(frozen=True, slots=True)
class Call:
    """One API call, its parameters without the token."""

    method: str
    parameters: dict[str, str]


@dataclass(slots=True)
class Dialogue:
    """A conversation as the community sees it. `open`: it may write; in chats it always may."""

    peer_id: int
    open: bool = False
    last_cmid: int = 0
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)


class CommunityState:
    """The state of one community."""

    def __init__(self, group_id: int, token: str, name: str, clock: Clock, per_second: int | None) -> None:
        self.group_id = group_id
        self.token = token
        self.name = name
        self.clock = clock
        self.revoked = False
        self.rights = {"messages", "manage", "photos", "docs", "wall"}
        self.events_on = set(ALL_EVENTS)
        self.longpoll_on = True
        self.api_version = API_VERSION
        self.faults = FaultPlan()
        self.callback = CallbackSender(group_id)
        self.longpoll = LongPoll(clock)
        self.dialogues: dict[int, Dialogue] = {}
        self.users: dict[int, dict[str, Any]] = {}
        self.uploads: dict[str, tuple[str, str, bytes]] = {}
        self.saved: dict[str, tuple[str, bytes]] = {}
        self.files: dict[str, bytes] = {}
        self.sent: Journal[Sent] = Journal()
        self.comments: Journal[Comment] = Journal()
        self.presses: Journal[PressAnswer] = Journal()
        self.calls: Journal[Call] = Journal()
        self.open_presses: dict[str, tuple[int, int]] = {}
        self.by_random_id: dict[tuple[int, int], Sent] = {}
        self.by_guid: dict[tuple[str, str], Comment] = {}
        self.limit = per_second
        self._times: deque[float] = deque()
        self._last_message = 500
        self._last_object = 10

    def next_responses(self, *faults: Fault) -> None:
        """Plan faults for the next calls, see `faults`."""
        self.faults.add(*faults)

    def dialogue(self, peer_id: int) -> Dialogue:
        """The conversation with a peer, new or known."""
        return self.dialogues.setdefault(peer_id, Dialogue(peer_id, open=peer_id > FIRST_CHAT))

    def new_message(self, dialogue: Dialogue) -> tuple[int, int]:
        """The numbers of the next message: VK's own, which is 0 in chats, and that within the conversation."""
        dialogue.last_cmid += 1
        if dialogue.peer_id > FIRST_CHAT:
            return 0, dialogue.last_cmid
        self._last_message += 1
        return self._last_message, dialogue.last_cmid

    def new_object(self) -> int:
        """The number of the next post, comment, photo or document."""
        self._last_object += 1
        return self._last_object

    def admitted(self) -> bool:
        """Whether one more call fits into this second."""
        if self.limit is None:
            return True
        now = self.clock.monotonic()
        while self._times and now - self._times[0] >= 1.0:
            self._times.popleft()
        self._times.append(now)
        return len(self._times) <= self.limit

    async def tell(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """An event happened; returns it as it goes out."""
        event = {
            "type": kind,
            "event_id": secrets.token_hex(20),
            "v": API_VERSION,
            "object": content,
            "group_id": self.group_id,
        }
        await self.repeat(event)
        return event

    async def repeat(self, event: dict[str, Any]) -> None:
        """Tell an event, also one that was told before."""
        await self.longpoll.put(event)
        self.callback.put(event)

    def now(self) -> int:
        """The clock's time as VK writes it."""
        return int(self.clock.now().timestamp())
