"""Events of messages: written, edited, sent by the office, read, reacted to, buttons, permission to write."""

from __future__ import annotations

from datetime import datetime

from channels.vk.content import content_of, ref_of, shown_peer
from channels.vk.conversation import Peer
from channels.vk.facts import NOBODY, About, Fact, is_start, origin, pressed, vk_identity
from channels.vk.fields import Fields
from crm_core.messages import (
    BlockChanged,
    BlockState,
    Delivery,
    DeliveryChanged,
    EntryKind,
    Ignored,
    MenuChosen,
    MessageEdited,
    MessageReceived,
    MessageSent,
    ReactionChanged,
)

MENU = "menu:"
_MAX_NUMBER = 2**31
_REACTIONS = ("❤", "🔥", "😂", "👍", "💩", "❓", "😭", "😡", "👎", "👌", "😃", "🤔", "🙏", "😘", "😍", "🎉")


def message_new(event: Fields, about: About, _: datetime) -> Fact:
    """A client wrote. The message stands in `message`, in old versions of the API at the top."""
    message = event.maybe_child("message") or event
    peer, author, at = Peer(message.number("peer_id")), message.number("from_id"), message.moment("date")
    sequence = _sequence(message)
    if author <= 0 or message.maybe_number("out"):
        return Fact(Ignored("a message of a community"), peer, at=at, sequence=sequence)
    sender = about.sender(author)
    content = content_of(message)
    if message.has("action") and not content.text and not content.attachments:
        return Fact(Ignored("a note of VK about the chat"), peer, sender, at, sequence)
    data = pressed(message.values.get("payload"))
    if data.startswith(MENU):
        # A client whose program knows no buttons that stay silent: pressing one writes its words.
        return Fact(MenuChosen(ref_of(message), data.removeprefix(MENU)), peer, sender, at, sequence)
    source, utm = origin(message)
    payload = MessageReceived(
        kind=EntryKind.MESSAGE,
        text=content.text,
        ref=ref_of(message),
        attachments=content.attachments,
        quoted=content.quoted,
        location=content.location,
        utm=utm,
        asks=not is_start(message.values.get("payload")),
        source=source,
        answers=content.answers,
    )
    return Fact(payload, peer, sender, at, sequence)


def message_edit(message: Fields, about: About, received_at: datetime) -> Fact:
    """A message was changed: a client's, or one that a person of the office wrote in the community's inbox."""
    peer, author = Peer(message.number("peer_id")), message.number("from_id")
    at = message.moment("update_time") or received_at
    if author > 0 and not message.maybe_number("out"):
        owner = about.sender(author)
    elif message.has("admin_author_id") and not peer.is_chat:
        owner = about.sender(peer.peer_id)
    else:
        return Fact(Ignored("an edited message of the community"), peer, at=at, sequence=_sequence(message))
    edit = MessageEdited(ref_of(message), content_of(message).text, at)
    return Fact(edit, peer, owner, at, _sequence(message))


def message_reply(message: Fields, about: About, _: datetime) -> Fact:
    """A message of the community went out: our own comes back, or somebody wrote in the community's inbox.

    VK names the author of what a person wrote; what names none was sent by a program, and closes no case.
    """
    peer, at, sequence = Peer(message.number("peer_id")), message.moment("date"), _sequence(message)
    number = _number(message)
    author = message.maybe_number("admin_author_id")
    client = _addressee(message, peer)
    if author is None or author <= 0:
        own = DeliveryChanged(Delivery.SENT, _refs(message, "id"), number)
        return Fact(own, peer, about.sender(client) if client else NOBODY, at, sequence)
    if client is None:
        return Fact(Ignored("a message of the office to a whole chat"), peer, at=at, sequence=sequence)
    content = content_of(message)
    sent = MessageSent(
        kind=EntryKind.MESSAGE,
        text=content.text,
        ref=ref_of(message),
        attachments=content.attachments,
        number=number,
        author=vk_identity(author),
        author_name=about.name_of(author) or shown_peer(author),
        location=content.location,
    )
    return Fact(sent, peer, about.sender(client), at, sequence)


def message_read(event: Fields, about: About, _: datetime) -> Fact:
    """A client has read up to a message of ours."""
    peer, reader = Peer(event.number("peer_id")), event.number("from_id")
    if reader <= 0 or peer.is_chat:
        return Fact(Ignored("read by the community, or by one of several"), peer)
    return Fact(DeliveryChanged(Delivery.READ, _refs(event, "read_message_id"), upto=True), peer, about.sender(reader))


def message_reaction(event: Fields, about: About, _: datetime) -> Fact:
    """A client reacts to a message; without a reaction they take it back."""
    peer, who = Peer(event.number("peer_id")), event.number("reacted_id")
    ref = str(event.number("cmid"))
    if who <= 0:
        return Fact(Ignored("a reaction of the community"), peer)
    number = event.maybe_number("reaction_id")
    if not number:
        emojis: tuple[str, ...] = ()
    else:
        emojis = (_REACTIONS[number - 1] if 0 < number <= len(_REACTIONS) else "🙂",)
    return Fact(ReactionChanged(ref, emojis), peer, about.sender(who))


def message_event(event: Fields, about: About, _: datetime) -> Fact:
    """A client pressed a button."""
    peer, user = Peer(event.number("peer_id")), event.number("user_id")
    data = pressed(event.values.get("payload"))
    if not data.startswith(MENU):
        return Fact(Ignored("a button that is not the hub's"), peer, about.sender(user))
    chosen = MenuChosen(f"button:{event.text('event_id')}", data.removeprefix(MENU))
    return Fact(chosen, peer, about.sender(user))


def message_allow(event: Fields, about: About, _: datetime) -> Fact:
    """A client lets the community write to them."""
    return _permission(event, about, BlockState.ALLOWED)


def message_deny(event: Fields, about: About, _: datetime) -> Fact:
    """A client forbids the community to write to them."""
    return _permission(event, about, BlockState.BLOCKED)


def _permission(event: Fields, about: About, state: BlockState) -> Fact:
    user = event.number("user_id")
    return Fact(BlockChanged(state), Peer(user), about.sender(user))


def _addressee(message: Fields, peer: Peer) -> int | None:
    """The client that a message of the community went to; in a chat whoever it replies to."""
    if not peer.is_chat:
        return peer.peer_id if peer.peer_id > 0 else None
    reply = message.maybe_child("reply_message")
    author = reply.maybe_number("from_id") if reply is not None else None
    return author if author is not None and author > 0 else None


def _refs(message: Fields, own: str) -> tuple[str, ...]:
    """Both ways in which a message of ours may be known."""
    within, number = message.maybe_number("conversation_message_id"), message.maybe_number(own)
    return (*((str(within),) if within else ()), *((f"m{number}",) if number else ()))


def _number(message: Fields) -> int | None:
    """The number of ours that a message carries; a part behind the first carries another one."""
    number = message.maybe_number("random_id")
    return number if number is not None and 0 < number < _MAX_NUMBER else None


def _sequence(message: Fields) -> int:
    return message.maybe_number("conversation_message_id") or message.maybe_number("id") or 0
