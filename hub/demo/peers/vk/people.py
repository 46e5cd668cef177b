"""The people around a community: what they do becomes events in VK's shape."""

from __future__ import annotations

import json
import secrets
from typing import Any

from hub.demo.peers.bot_api.journal import PATIENCE_S
from hub.demo.peers.vk.community import CommunityState, Sent


class Person:
    """A user of VK, as one community meets them."""

    def __init__(self, community: CommunityState, user_id: int, first_name: str, last_name: str) -> None:
        self._community = community
        self.id = user_id
        community.users[user_id] = {
            "id": user_id,
            "first_name": first_name,
            "last_name": last_name,
            "can_access_closed": True,
            "is_closed": False,
        }

    async def say(self, text: str, *, peer_id: int | None = None, **more: Any) -> dict[str, Any]:
        """Write to the community, or into a chat; returns the event."""
        message = self._message(text, peer_id or self.id, **more)
        client = {"button_actions": ["text", "callback"], "keyboard": True, "inline_keyboard": True, "lang_id": 0}
        return await self._community.tell("message_new", {"message": message, "client_info": client})

    async def edit(self, event: dict[str, Any], text: str) -> dict[str, Any]:
        """Change what was said."""
        message = event["object"]["message"]
        changed = {**message, "text": text, "update_time": self._community.now()}
        return await self._community.tell("message_edit", changed)

    async def press(self, sent: Sent, index: int = 0) -> str:
        """Press a button of a message; returns the id that the answer has to name."""
        press_id = secrets.token_hex(6)
        self._community.open_presses[press_id] = (self.id, sent.peer_id)
        content = {
            "user_id": self.id,
            "peer_id": sent.peer_id,
            "event_id": press_id,
            "payload": json.loads(sent.buttons()[index]),
            "conversation_message_id": sent.cmid,
        }
        await self._community.tell("message_event", content)
        return press_id

    async def read(self, sent: Sent) -> None:
        """Read up to a message of the community."""
        content = {
            "from_id": self.id,
            "peer_id": sent.peer_id,
            "read_message_id": sent.message_id,
            "conversation_message_id": sent.cmid,
        }
        await self._community.tell("message_read", content)

    async def type(self) -> None:
        """Write something that is not sent yet."""
        content = {"state": "typing", "from_id": self.id, "to_id": -self._community.group_id}
        await self._community.tell("message_typing_state", content)

    async def allow(self) -> None:
        """Let the community write."""
        self._community.dialogue(self.id).open = True
        await self._community.tell("message_allow", {"user_id": self.id, "key": ""})

    async def deny(self) -> None:
        """Forbid the community to write."""
        self._community.dialogue(self.id).open = False
        await self._community.tell("message_deny", {"user_id": self.id})

    async def comment(self, post_id: int, text: str, **more: Any) -> dict[str, Any]:
        """Comment on a post of the community's wall."""
        number = self._community.new_object()
        content = {
            "id": number,
            "from_id": self.id,
            "date": self._community.now(),
            "text": text,
            "post_owner_id": -self._community.group_id,
            "owner_id": -self._community.group_id,
            "post_id": post_id,
            "parents_stack": [],
            **more,
        }
        return await self._community.tell("wall_reply_new", content)

    async def join(self) -> None:
        """Join the community."""
        await self._community.tell("group_join", {"user_id": self.id, "join_type": "join"})

    async def fill(self, form_name: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
        """Fill in a form of lead ads."""
        content = {
            "lead_id": self._community.new_object(),
            "group_id": self._community.group_id,
            "user_id": self.id,
            "form_id": 1,
            "form_name": form_name,
            "answers": answers,
        }
        return await self._community.tell("lead_forms_new", content)

    async def hears(self, words: str, patience: float = PATIENCE_S) -> Sent:
        """The message of the community to this person that holds these words, waiting for it."""
        return await self._community.sent.wait_for(
            lambda sent: sent.peer_id == self.id and words in sent.text, patience
        )

    def _message(self, text: str, peer_id: int, **more: Any) -> dict[str, Any]:
        dialogue = self._community.dialogue(peer_id)
        dialogue.open = True
        number, cmid = self._community.new_message(dialogue)
        message = {
            "date": self._community.now(),
            "from_id": self.id,
            "id": number,
            "version": 10_000_000 + number,
            "out": 0,
            "fwd_messages": [],
            "important": False,
            "is_hidden": False,
            "attachments": [],
            "conversation_message_id": cmid,
            "text": text,
            "peer_id": peer_id,
            "random_id": 0,
            **more,
        }
        dialogue.messages[cmid] = message
        return message


def echo(community: CommunityState, sent: Sent, admin: int | None = None) -> dict[str, Any]:
    """A message of the community as `message_reply` tells it; `admin` wrote it by hand."""
    message: dict[str, Any] = {
        "date": community.now(),
        "from_id": -community.group_id,
        "id": sent.message_id,
        "version": 10_000_000 + sent.message_id,
        "out": 1,
        "fwd_messages": [],
        "important": False,
        "is_hidden": False,
        "attachments": [],
        "conversation_message_id": sent.cmid,
        "text": sent.text,
        "peer_id": sent.peer_id,
        "random_id": sent.random_id,
    }
    return message if admin is None else {**message, "admin_author_id": admin}
