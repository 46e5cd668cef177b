"""Messages out: to dialogues and chats with `messages.send`, to threads of comments as comments of the community."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from channels.vk.api import VkApi
from channels.vk.content import ref_of
from channels.vk.conversation import Comments, Kind, Peer, parse_conversation
from channels.vk.errors import refusal
from channels.vk.fields import Fields, ShapeError
from channels.vk.own_comments import OwnComments
from channels.vk.plan import Part, planned
from channels.vk.uploads import Uploads
from crm_core.errors import DeliveryError, PermanentDeliveryError, StorageUnavailable, TransientDeliveryError
from crm_core.messages import DeliveryReceipt, OutboundMessage

log = logging.getLogger(__name__)


class Sender:
    """Delivers the messages of one community. A repeated part changes nothing: VK knows it by its `random_id`."""

    def __init__(self, api: VkApi, uploads: Uploads, own: OwnComments, group_id: int) -> None:
        self._api = api
        self._uploads = uploads
        self._own = own
        self._group_id = group_id

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Deliver all parts in order; raises the delivery errors of the channel port."""
        where = parse_conversation(message.conversation)
        parts = planned(message)
        refs: list[str] = []
        for position, part in enumerate(parts):
            try:
                if isinstance(where, Peer):
                    refs.append(await self._write(where, part))
                else:
                    refs.append(await self._comment(where, part, message.reply_to if position == 0 else None))
            except PermanentDeliveryError as error:
                if not position:
                    raise
                raise PermanentDeliveryError(
                    "{why} (part {part} of {count})", why=error, part=position + 1, count=len(parts)
                ) from error
            except ShapeError as error:
                raise TransientDeliveryError("VK's answer is not understood ({why})", why=error) from error
        return DeliveryReceipt(await self._within(where, refs) if isinstance(where, Peer) else tuple(refs))

    # ------------------------------------------------------------ messages

    async def _write(self, peer: Peer, part: Part) -> str:
        attachment = [await self._uploads.attached(peer, file) for file in part.files]
        # Of a chat VK tells the number of a message only where it is asked for several peers.
        addressed: Mapping[str, object] = {"peer_ids" if peer.is_chat else "peer_id": peer.peer_id}
        answer = await self._api.call(
            "messages.send",
            random_id=part.random_id,
            message=part.text or None,
            attachment=",".join(attachment) or None,
            keyboard=part.keyboard,
            **addressed,
        )
        return _sent_ref(answer)

    async def _within(self, peer: Peer, refs: list[str]) -> tuple[str, ...]:
        """The numbers of the messages within their conversation, by which everything that follows names them.

        They are out already: what fails here costs only the finer name.
        """
        owed = [ref.removeprefix("m") for ref in refs if ref.startswith("m")]
        if not owed:
            return tuple(refs)
        found: dict[str, str] = {}
        try:
            answer = await self._api.call("messages.getById", message_ids=",".join(owed), group_id=self._group_id)
            for each in Fields.of(answer, "answer").children("items"):
                if each.number("peer_id") == peer.peer_id:
                    found[f"m{each.number('id')}"] = ref_of(each)
        except (DeliveryError, ShapeError) as error:
            log.info("the numbers of messages that were sent can't be had: %s", error)
        return tuple(found.get(ref, ref) for ref in refs)

    # ------------------------------------------------------------ comments

    async def _comment(self, where: Comments, part: Part, reply_to: str | None) -> str:
        attachments = [await self._uploads.attached(where, file) for file in part.files]
        try:
            await self._own.about_to_write(str(where), part.text)
        except StorageUnavailable as error:
            raise TransientDeliveryError("a comment can't be noted before it is written: {why}", why=error) from error
        answers = reply_to if reply_to is not None and reply_to.isascii() and reply_to.isdecimal() else None
        method, parameters = self._method(where)
        answer = await self._api.call(
            method,
            message=part.text or None,
            attachments=",".join(attachments) or None,
            guid=part.random_id,
            **parameters,
            **({} if where.kind is Kind.BOARD else {"reply_to_comment": answers}),
        )
        number = Fields.of(answer, "answer").number("comment_id") if isinstance(answer, dict) else answer
        if not isinstance(number, int):
            raise ShapeError("the comment has no number")
        return str(number)

    def _method(self, where: Comments) -> tuple[str, dict[str, object]]:
        owner = {"owner_id": where.owner_id}
        match where.kind:
            case Kind.WALL:
                return "wall.createComment", {**owner, "post_id": where.item_id, "from_group": self._group_id}
            case Kind.PHOTO:
                return "photos.createComment", {**owner, "photo_id": where.item_id, "from_group": 1}
            case Kind.VIDEO:
                return "video.createComment", {**owner, "video_id": where.item_id, "from_group": 1}
            case Kind.MARKET:
                return "market.createComment", {**owner, "item_id": where.item_id, "from_group": 1}
            case Kind.BOARD:
                topic = {"group_id": abs(where.owner_id), "topic_id": where.item_id, "from_group": 1}
                return "board.createComment", dict(topic)


def _sent_ref(answer: object) -> str:
    """The ref of what `messages.send` answers: the message's number, or of several peers what became of each."""
    if isinstance(answer, int) and not isinstance(answer, bool):
        return f"m{answer}"
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    told = Fields.of(answer, "answer")
    error = told.maybe_child("error")
    if error is not None:
        raise refusal(error.number("code"), error.text("description"))
    ref = ref_of(told)
    own = told.maybe_number("message_id")
    if not ref and not own:
        raise ShapeError("the message has no number")
    return ref or f"m{own}"
