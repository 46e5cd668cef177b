"""Telegram Business: whose account is connected to the bot, and whether the bot may still answer through it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiogram.types import BusinessConnection
from pydantic import ValidationError

from channels.telegram.api import BotApi
from channels.telegram.names import full_name
from crm_core.errors import PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import ChannelKey
from crm_core.ports import Clock, CursorStore

NUMBERED_ANEW = timedelta(days=6)
"""After a week without updates Telegram may number them anew; until then a higher number is later news."""


@dataclass(frozen=True, slots=True)
class BusinessLink:
    """A connection as it was last told of. `owner` is the Telegram id of the account's owner, `replies` whether the bot
    may write in their name; `update_id` and `at` say which news it is (0: it was asked for).
    """

    id: str
    owner: int
    owner_name: str
    enabled: bool
    replies: bool
    update_id: int
    at: datetime

    @property
    def usable(self) -> bool:
        """Whether a message can be sent through it."""
        return self.enabled and self.replies

    def newer_than(self, other: BusinessLink) -> bool:
        """Whether this is later news than the other; of two that were asked for, the later one."""
        if not self.update_id or not other.update_id or abs(self.at - other.at) > NUMBERED_ANEW:
            return self.at >= other.at
        return self.update_id > other.update_id

    def text(self) -> str:
        """For the store of cursors."""
        return json.dumps(
            [self.id, self.owner, self.owner_name, self.enabled, self.replies, self.update_id, self.at.isoformat()]
        )


def link_of(connection: BusinessConnection, update_id: int, at: datetime) -> BusinessLink:
    """What Telegram says of a connection. Older servers name the right to reply beside the others."""
    rights = connection.rights
    replies = bool(rights.can_reply) if rights is not None else connection.can_reply is not False
    user = connection.user
    return BusinessLink(connection.id, user.id, full_name(user), connection.is_enabled, replies, update_id, at)


def parse_link(text: str | None) -> BusinessLink | None:
    """Read a stored one; None where there is none that can be read."""
    try:
        found: Any = json.loads(text or "null")
        identifier, owner, name, enabled, replies, update_id, at = found
        moment = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return BusinessLink(str(identifier), int(owner), str(name), bool(enabled), bool(replies), int(update_id), aware)


class BusinessLinks:
    """The connections of one bot, kept in the store of cursors, so that every node knows them after a restart too."""

    def __init__(self, key: ChannelKey, cursors: CursorStore, api: BotApi, clock: Clock) -> None:
        self._key = key
        self._cursors = cursors
        self._api = api
        self._clock = clock

    async def keep(self, link: BusinessLink) -> None:
        """Remember news of a connection; older news than what is known changes nothing."""
        known = await self._load(_by_id(link.id))
        if known is not None and not link.newer_than(known):
            return
        await self._cursors.save(self._key, _by_id(link.id), link.text())
        if link.usable:
            await self._cursors.save(self._key, _by_owner(link.owner), link.text())

    async def usable(self, connection_id: str) -> str:
        """The connection to answer through: this one, or the owner's later one where they connected the bot anew.

        Raises PermanentDeliveryError, with what to do, where the owner does not let the bot answer any more.
        """
        link = await self._load(_by_id(connection_id)) or await self._asked(connection_id)
        if link.usable:
            return link.id
        latest = await self._load(_by_owner(link.owner))
        later = await self._load(_by_id(latest.id)) if latest is not None else None
        if later is not None and later.usable:
            return later.id
        owner = link.owner_name or link.owner
        if link.enabled:
            raise PermanentDeliveryError(
                "{owner} does not let the bot answer in their name. To allow it: Telegram's settings,"
                " «Telegram Business», «Chatbots», the right to reply to messages.",
                owner=owner,
            )
        raise PermanentDeliveryError(
            "{owner} no longer connects the bot to their Telegram Business: nothing can be answered from here."
            " To connect it again: Telegram's settings, «Telegram Business», «Chatbots».",
            owner=owner,
        )

    async def _asked(self, connection_id: str) -> BusinessLink:
        """One nobody told us of: it was made before the hub came, or the hub's memory was lost."""
        answer = await self._api.business_connection(connection_id)
        try:
            link = link_of(BusinessConnection.model_validate(answer), 0, self._clock.now())
        except ValidationError as error:
            raise TransientDeliveryError("Telegram's answer does not describe a business connection") from error
        await self.keep(link)
        return link

    async def _load(self, name: str) -> BusinessLink | None:
        return parse_link(await self._cursors.load(self._key, name))


def _by_id(connection_id: str) -> str:
    return f"business:{connection_id}"


def _by_owner(owner: int) -> str:
    return f"business-of:{owner}"
