"""Events of comments: under posts, photos, videos, goods, in discussions; and posts that clients put on the wall.

A comment is a client's message whose conversation is all that is said under the same thing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from channels.vk.content import Content, content_of
from channels.vk.conversation import Comments, Kind
from channels.vk.facts import About, Fact
from channels.vk.fields import Fields
from crm_core.messages import (
    Delivery,
    DeliveryChanged,
    EntryKind,
    Ignored,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
)

POST = "post"
"""The id of a post among its comments."""

_ABOUT = {
    Kind.WALL: "Комментарий к записи",
    Kind.PHOTO: "Комментарий к фотографии",
    Kind.VIDEO: "Комментарий к видео",
    Kind.MARKET: "Комментарий к товару",
    Kind.BOARD: "Сообщение в обсуждении",
}


@dataclass(frozen=True, slots=True)
class _Names:
    """What VK calls the thing that is commented on: its number, and its owner where the comment is there or gone."""

    item: tuple[str, ...]
    owner: tuple[str, ...]


_NAMES = {
    Kind.WALL: _Names(("post_id",), ("post_owner_id", "owner_id")),
    Kind.PHOTO: _Names(("photo_id",), ("photo_owner_id", "owner_id")),
    Kind.VIDEO: _Names(("video_id",), ("video_owner_id", "owner_id")),
    # Goods are named differently in the documentation and in what comes.
    Kind.MARKET: _Names(("item_id", "photo_id"), ("market_owner_id", "owner_id")),
    Kind.BOARD: _Names(("topic_id",), ("topic_owner_id", "owner_id")),
}


def commented(kind: Kind) -> Callable[[Fields, About, datetime], Fact]:
    """Reads a comment that is new, or back again."""

    def read(comment: Fields, about: About, _: datetime) -> Fact:
        place, author, at = _place(kind, comment), comment.number("from_id"), comment.moment("date")
        number = comment.number("id")
        if author <= 0:
            own = author == -about.group_id
            # Whether a person wrote it under the community's name nobody tells; `OwnComments` knows ours.
            known = DeliveryChanged(Delivery.SENT, (str(number),)) if own else Ignored("a comment of a community")
            return Fact(known, place, at=at, sequence=number)
        content = content_of(comment)
        payload = _message(content, str(number), f"{_ABOUT[kind]} {place.link}", comment)
        return Fact(payload, place, about.sender(author), at, number)

    return read


def comment_edited(kind: Kind) -> Callable[[Fields, About, datetime], Fact]:
    """Reads a comment that was changed; VK does not say when."""

    def read(comment: Fields, about: About, received_at: datetime) -> Fact:
        place, author, number = _place(kind, comment), comment.number("from_id"), comment.number("id")
        if author <= 0:
            return Fact(Ignored("an edited comment of a community"), place, sequence=number)
        edit = MessageEdited(str(number), content_of(comment).text, received_at)
        return Fact(edit, place, about.sender(author), received_at, number)

    return read


def comment_deleted(kind: Kind) -> Callable[[Fields, About, datetime], Fact]:
    """Reads that a comment was deleted; whose it was VK does not always say."""

    def read(comment: Fields, _: About, received_at: datetime) -> Fact:
        number = comment.number("id")
        return Fact(MessageDeleted((str(number),), received_at), _place(kind, comment), sequence=number)

    return read


def wall_post_new(post: Fields, about: About, _: datetime) -> Fact:
    """A client put something on the community's wall, or suggests it; the answer is a comment under it."""
    owner = post.maybe_number("owner_id") or post.maybe_number("to_id") or -about.group_id
    place = Comments(Kind.WALL, owner, post.number("id"))
    author, at = post.maybe_number("from_id") or 0, post.moment("date")
    if author <= 0:
        return Fact(Ignored("a post of a community"), place, at=at)
    payload = _message(content_of(post), POST, f"Запись на стене {place.link}", post)
    return Fact(payload, place, about.sender(author), at)


def _message(content: Content, ref: str, about: str, comment: Fields) -> MessageReceived:
    answered = comment.maybe_number("reply_to_comment")
    return MessageReceived(
        kind=EntryKind.MESSAGE,
        text=content.text,
        ref=ref,
        attachments=content.attachments,
        quoted=about,
        location=content.location,
        answers=str(answered) if answered else "",
    )


def _place(kind: Kind, comment: Fields) -> Comments:
    names = _NAMES[kind]
    return Comments(kind, _first(comment, names.owner), _first(comment, names.item))


def _first(comment: Fields, names: tuple[str, ...]) -> int:
    for name in names:
        found = comment.maybe_number(name)
        if found:
            return found
    return comment.number(names[0])
