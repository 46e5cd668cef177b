"""VK's events as the hub's facts. Nothing here raises and nothing is lost: what is not understood says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from channels.vk import comments, dialogues, forms
from channels.vk.conversation import Kind
from channels.vk.facts import About, Fact, Names
from channels.vk.fields import Fields, ShapeError, clean
from channels.vk.writing import typist
from crm_core.messages import ChannelKey, Ignored, InboundEvent, Unparsable
from crm_core.messages.unread import failed_at, not_json
from crm_core.wording import Sentence

MAX_ERROR = 500
MAX_KEY = 200

_Read = Callable[[Fields, About, datetime], Fact]

_COMMENTED = {"wall_reply": Kind.WALL, "photo_comment": Kind.PHOTO, "video_comment": Kind.VIDEO,
              "market_comment": Kind.MARKET, "board_post": Kind.BOARD}  # fmt: skip

READERS: dict[str, _Read] = {
    "message_new": dialogues.message_new,
    "message_edit": dialogues.message_edit,
    "message_reply": dialogues.message_reply,
    "message_read": dialogues.message_read,
    "message_reaction_event": dialogues.message_reaction,
    "message_event": dialogues.message_event,
    "message_allow": dialogues.message_allow,
    "message_deny": dialogues.message_deny,
    "wall_post_new": comments.wall_post_new,
    "lead_forms_new": forms.lead_form,
    "market_order_new": forms.market_order,
    "group_join": forms.group_join,
    **{f"{name}_new": comments.commented(kind) for name, kind in _COMMENTED.items()},
    **{f"{name}_restore": comments.commented(kind) for name, kind in _COMMENTED.items()},
    **{f"{name}_edit": comments.comment_edited(kind) for name, kind in _COMMENTED.items()},
    **{f"{name}_delete": comments.comment_deleted(kind) for name, kind in _COMMENTED.items()},
}
"""The kinds of events that the hub understands; all others are journalled as ignored."""

WANTED = tuple(sorted(READERS))


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button, which VK wants an answer to; `peer_id` and `user_id` as they came."""

    event_id: str
    user_id: int
    peer_id: int


@dataclass(frozen=True, slots=True)
class OwnComment:
    """An answer under the community's own name to a client's comment: ours, or a person's."""

    text: str
    number: str
    client: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event as it arrived: the fact, the button press to answer, the comment of ours to recognise; or, in place of a
    fact, the client who is writing at this moment."""

    event: InboundEvent
    press: Press | None = None
    own_comment: OwnComment | None = None
    typist: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the events of one community."""

    key: ChannelKey
    group_id: int
    name_of: Names = lambda _: ""
    joins: bool = True

    def body(self, raw: bytes, received_at: datetime) -> Arrival:
        """The fact of a posted body, which is kept byte for byte."""
        try:
            event = json.loads(raw)
        except (ValueError, RecursionError) as error:
            return Arrival(self._event(None, raw, received_at, Fact(Unparsable(not_json(error)))))
        return self.event(event, received_at, raw)

    def event(self, event: object, received_at: datetime, raw: bytes | None = None) -> Arrival:
        """The fact of one event; its raw form is its JSON again where none is given, as from a long poll."""
        fact = self._fact(event, received_at)
        if raw is None:
            try:
                raw = json.dumps(event).encode()
            except (ValueError, RecursionError) as error:
                raw, fact = repr(type(event)).encode(), Fact(Unparsable(_words(error)))
        own = _own_comment(event, self.group_id)
        return Arrival(self._event(_event_id(event), raw, received_at, fact), _press(event), own, typist(event))

    def _event(self, event_id: str | None, raw: bytes, received_at: datetime, fact: Fact) -> InboundEvent:
        external_id = event_id or f"sha256:{hashlib.sha256(raw).hexdigest()}"
        return InboundEvent(
            key=self.key,
            external_id=external_id,
            conversation=str(fact.conversation) if fact.conversation is not None else "",
            occurred_at=fact.at or received_at,
            sender=fact.sender,
            payload=fact.payload,
            raw=raw,
            sequence=fact.sequence,
            correlation_id=f"{self.key}:{external_id}",
            group=fact.group,
        )

    def _fact(self, event: object, received_at: datetime) -> Fact:
        try:
            fields = Fields.of(event)
            kind = fields.text("type")
            if not kind:
                return Fact(Unparsable(Sentence("{where}: is missing", where="event.type")))
            read = READERS.get(kind)
            if read is None:
                return Fact(Ignored(kind[:MAX_ERROR]))
            about = About(self.group_id, self.joins, self.name_of)
            inner = fields.child("object")
            return read(replace(inner, where=kind), about, received_at)
        except Exception as error:  # noqa: BLE001 - whatever this code fails at is kept as failed, to be replayed when mended
            return Fact(Unparsable(_words(error)))


def _event_id(event: object) -> str | None:
    found = event.get("event_id") if isinstance(event, dict) else None
    if not isinstance(found, str) or not found or len(found) > MAX_KEY:
        return None
    return clean(found)


def _press(event: object) -> Press | None:
    """Read past the readers: every pressed button is answered, also one that was not understood."""
    if not isinstance(event, dict) or event.get("type") != "message_event":
        return None
    try:
        fields = Fields.of(event.get("object"))
        return Press(fields.text("event_id"), fields.number("user_id"), fields.number("peer_id"))
    except ShapeError:
        return None


def _own_comment(event: object, group_id: int) -> OwnComment | None:
    """A comment that was just put under the community's name."""
    if not isinstance(event, dict):
        return None
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in {f"{name}_new" for name in _COMMENTED}:
        return None
    try:
        fields = Fields.of(event.get("object"))
        client = fields.maybe_number("reply_to_user") or 0
        if fields.number("from_id") != -group_id or client <= 0:
            return None
        return OwnComment(fields.text("text"), str(fields.number("id")), client)
    except ShapeError:
        return None


def _words(error: BaseException) -> str:
    return error.sentence if isinstance(error, ShapeError) else failed_at(error)
