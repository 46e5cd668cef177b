"""Who the clients are: VK's events carry ids only, so names are asked for in batches, after the facts are committed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from channels.vk.api import VkApi
from channels.vk.facts import vk_identity
from channels.vk.fields import Fields, ShapeError
from channels.vk.waiting import Pauses, Sleep, before
from crm_core.errors import CoreError, DeliveryError, PermanentDeliveryError, TransientDeliveryError
from crm_core.messages import ChannelKey, InboundEvent, ProfileLearned, Sender
from crm_core.model.identity import IdentityKind
from crm_core.ports import Clock, InboundSink, Nameless

log = logging.getLogger(__name__)

BATCH = 1000
CACHED = 50_000
LOOK_S = 300.0
"""How often the record is asked for clients without a name: what a node that died had still to ask."""
AGAIN_S = 86_400.0
"""A user whom VK gave no name for is asked for again after a day."""


class NameKeeper:
    """Keeps the names of users, and hands new ones in as facts."""

    def __init__(self, key: ChannelKey, api: VkApi, clock: Clock, nameless: Nameless | None, sleep: Sleep) -> None:
        self._key = key
        self._api = api
        self._clock = clock
        self._nameless = nameless
        self._sleep = sleep
        self._known: OrderedDict[int, str] = OrderedDict()
        self._asked: OrderedDict[int, float] = OrderedDict()
        self._wanted: dict[int, None] = {}
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._looked_at: float | None = None
        self.learned = 0

    def name_of(self, user_id: int) -> str:
        """The name of a user, empty where it is not known yet."""
        return self._known.get(user_id, "")

    def met(self, sender: Sender) -> None:
        """Somebody did something; without a name they are asked for."""
        if sender.name:
            return
        for identity in sender.identities:
            if identity.kind is IdentityKind.VK and identity.value.isdecimal():
                self._want(int(identity.value))

    def stop(self) -> None:
        """End the loop; who is still wanted is found in the record after the next start."""
        self._stop.set()

    async def run(self, sink: InboundSink) -> None:
        """Ask for names until stopped."""
        self._stop.clear()
        pauses = Pauses()
        while not self._stop.is_set():
            pause: float | None = None
            try:
                await before(self._round(sink), self._stop.wait())
                pauses.reset()
            except PermanentDeliveryError as error:
                log.warning("%s: names can't be had: %s", self._key, error)
                pause = LOOK_S
            except DeliveryError as error:
                retry_after = error.retry_after if isinstance(error, TransientDeliveryError) else LOOK_S
                log.info("%s: names can't be had now: %s", self._key, error)
                pause = pauses.next(retry_after)
            except CoreError as error:
                log.warning("%s: names wait: %s", self._key, error)
                pause = pauses.next()
            except Exception:
                log.exception("%s: names go on after an unexpected failure", self._key)
                pause = pauses.next(LOOK_S)
            if pause is not None:
                await before(self._slept(pause), self._stop.wait())
            elif not self._wanted:
                await before(self._slept(LOOK_S), self._wake.wait(), self._stop.wait())
                self._wake.clear()

    async def _round(self, sink: InboundSink) -> None:
        await self._look()
        while self._wanted:
            batch = list(self._wanted)[:BATCH]
            raw = await self._api.call("users.get", user_ids=",".join(str(each) for each in batch), lang="ru")
            found = _names_in(raw)
            if found:
                await sink.receive(self._fact(found, raw))
                self.learned += len(found)
            self._keep(batch, found)

    async def _look(self) -> None:
        now = self._clock.monotonic()
        due = self._looked_at is None or now - self._looked_at >= LOOK_S
        if self._nameless is None or not due:
            return
        for identity in await self._nameless.nameless(IdentityKind.VK, BATCH):
            if identity.value.isdecimal():
                self._want(int(identity.value))
        self._looked_at = now

    def _want(self, user_id: int) -> None:
        asked = self._asked.get(user_id)
        if asked is not None and self._clock.monotonic() - asked < AGAIN_S:
            return
        if user_id not in self._wanted and len(self._wanted) < CACHED:
            self._wanted[user_id] = None
            self._wake.set()

    def _keep(self, batch: Iterable[int], found: Sequence[tuple[int, str]]) -> None:
        now = self._clock.monotonic()
        for user_id in batch:
            self._wanted.pop(user_id, None)
            self._asked[user_id] = now
        for user_id, name in found:
            self._asked.pop(user_id, None)
            self._known[user_id] = name
        for shelf in (self._known, self._asked):
            while len(shelf) > CACHED:
                shelf.popitem(last=False)

    def _fact(self, found: Sequence[tuple[int, str]], raw: object) -> InboundEvent:
        now = self._clock.now()
        first, last = found[0][0], found[-1][0]
        # The moment is a part of the id: the same names may be wanted again for somebody who wrote since.
        external_id = f"names:{now.isoformat()}:{first}-{last}"
        names = tuple((vk_identity(user_id), name) for user_id, name in found)
        return InboundEvent(
            key=self._key,
            external_id=external_id,
            conversation="",
            occurred_at=now,
            sender=Sender(),
            payload=ProfileLearned(names),
            raw=json.dumps({"type": "users.get", "response": raw}, ensure_ascii=False).encode("utf-8", "replace"),
            correlation_id=f"{self._key}:{external_id}",
        )

    async def _slept(self, seconds: float) -> None:
        await self._sleep(seconds)


def _names_in(response: object) -> list[tuple[int, str]]:
    """The names of an answer of users.get; deleted users have none."""
    found = []
    for value in response if isinstance(response, list) else []:
        try:
            user = Fields.of(value, "user")
            name = " ".join(part for part in (user.text("first_name"), user.text("last_name")) if part.strip())
            if name and user.text("deactivated") != "deleted":
                found.append((user.number("id"), name[:200]))
        except ShapeError as error:
            log.info("a user without a readable name: %s", error)
    return found
