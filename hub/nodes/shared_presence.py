"""What telephones do, told among nodes through Redis: the node that owns a PBX's link tells the others.

Changes are told at once, everything again every few seconds and whenever somebody asks; whoever hears nothing for
`routing.presence.BELIEVED_S` knows nothing, and rings. Without Redis only the owner of a link knows its telephones.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from crm_core.messages import DeviceState
from hub.log import get_logger
from hub.nodes.node_channel import NodeChannel
from hub.nodes.speaking import Speaker
from routing.presence import BELIEVED_S, Presence, Telephone

log = get_logger(__name__)

_REPEAT_S = BELIEVED_S / 4


class SharedPresence(Speaker):
    """Tells what this node's links report, and lets the node's `Presence` hear what others tell."""

    def __init__(self, url: str, node: str, presence: Presence, repeat_s: float = _REPEAT_S) -> None:
        super().__init__(NodeChannel(url, "hub:presence", self._take, self._join), "presence-tell")
        self._node = node
        self._presence = presence
        self._repeat_s = repeat_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: set[tuple[str, str]] = set()
        self._whole = True
        self._asking = False
        self._told: frozenset[str] = frozenset()
        self._pending = asyncio.Event()
        presence.listen(self._heard)

    async def start(self) -> None:
        """Connect in the background."""
        self._loop = asyncio.get_running_loop()
        await super().start()

    def _heard(self, pbx: str, endpoint: str) -> None:
        """A telephone changed here; in any thread."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(self._mark, pbx, endpoint)

    def _mark(self, pbx: str, endpoint: str) -> None:
        self._changed.add((pbx, endpoint))
        self._pending.set()

    def _join(self) -> None:
        self._asking = True
        self._pending.set()

    async def _speak(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._repeat_s):
                    await self._pending.wait()
            except TimeoutError:
                self._whole = True
            self._pending.clear()
            asking, self._asking = self._asking, False
            whole, self._whole = self._whole, False
            changed, self._changed = self._changed, set()
            messages = [{"node": self._node, "ask": True}] if asking else []
            messages += self._messages(changed, whole=whole)
            if not await self._say(*map(json.dumps, messages)):
                self._whole = True  # what was not told now is told with everything, when Redis is back
                self._asking = self._asking or asking

    def _messages(self, changed: Iterable[tuple[str, str]], *, whole: bool) -> list[dict[str, Any]]:
        owned = self._presence.owned()
        given_up, self._told = self._told - owned, owned
        found = [self._message(pbx, {}, whole=True) for pbx in sorted(given_up)]
        for pbx in sorted(owned):
            phones = self._presence.phones(pbx)
            if not whole:
                endpoints = [endpoint for place, endpoint in changed if place == pbx]
                phones = {endpoint: phones[endpoint] for endpoint in endpoints if endpoint in phones}
            if phones or whole:
                found.append(self._message(pbx, phones, whole=whole))
        return found

    def _message(self, pbx: str, phones: Mapping[str, Telephone], *, whole: bool) -> dict[str, Any]:
        told = {endpoint: _plain(phone) for endpoint, phone in phones.items()}
        return {"node": self._node, "pbx": pbx, "whole": whole, "phones": told}

    def _take(self, data: bytes) -> None:
        try:
            told = json.loads(data)
            if told["node"] == self._node:
                return
            if told.get("ask"):
                self._whole = True
                self._pending.set()
                return
            phones = {endpoint: _phone(each) for endpoint, each in told["phones"].items()}
            self._presence.told(str(told["pbx"]), phones, whole=bool(told["whole"]))
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            log.warning("another node said something that is not understood", error=str(err))


def _plain(phone: Telephone) -> list[Any]:
    return [phone.state.value, _text(phone.since), sorted(phone.queues), _text(phone.call_ended)]


def _phone(told: list[Any]) -> Telephone:
    state, since, queues, call_ended = told
    return Telephone(DeviceState(state), _moment(since), frozenset(map(str, queues)), _moment(call_ended))


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
