"""Watches the programs that are told of events: one that takes nothing for too long is told to the administrators."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from crm_core.model.alarm import AlarmKind
from crm_core.ports import Clock
from crm_core.services.desk import Desk
from crm_core.services.subscriptions import subscribers
from crm_core.services.watching.alarms import end_alarm, raise_alarm
from crm_core.services.wording import Phrase
from crm_core.storage.queries import webhooks
from crm_core.storage.queries.webhooks import Waiting
from crm_core.storage.store import Store
from hub.metrics import Metrics
from hub.workers.loop import Worker

_EVERY_S = 60.0
_PATIENCE = timedelta(hours=1)


class SubscriberWatch(Worker):
    """Looks every minute; a trouble is over when the program takes something again, or is not told any more."""

    name = "subscribers"

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock

    async def turn(self) -> float:
        """Raise alarms and end them."""
        before = self._clock.now() - _PATIENCE
        waiting = await self._store.read(lambda conn: webhooks.in_vain(conn, before))
        others = await self._store.run(lambda desk: _raised(desk, waiting))
        for subject, (key, since) in others.items():
            if key is None or await self._takes(key, since):
                await self._end(subject, quietly=key is None)
        return _EVERY_S

    async def _takes(self, key: str, since: datetime) -> bool:
        return await self._store.read(lambda conn: webhooks.taken_since(conn, key, since))

    async def _end(self, subject: str, *, quietly: bool) -> None:
        await self._store.run(lambda desk: end_alarm(desk, AlarmKind.WEBHOOK, subject, quietly=quietly))


def _raised(desk: Desk, waiting: list[Waiting]) -> dict[str, tuple[str | None, datetime]]:
    """Raise the alarms of those who take nothing; the other alarms that last: whose they are (None: nobody's any more),
    since when."""
    names = {each.key: _shown(each.name) for each in subscribers(desk)}
    troubled: set[str] = set()
    for each in waiting:
        if each.subscription in names:
            subject = names[each.subscription]
            troubled.add(subject)
            detail = desk.say(Phrase.WEBHOOK_WAITING, count=each.count, error=each.error)
            raise_alarm(desk, AlarmKind.WEBHOOK, subject, detail, since=each.since)
    keys = {name: key for key, name in names.items()}
    lasting = desk.work.open_alarms(AlarmKind.WEBHOOK)
    return {each.subject: (keys.get(each.subject), each.since) for each in lasting if each.subject not in troubled}


def _shown(name: str) -> str:
    """A subscription's name; of an address only the host: the rest may hold a secret."""
    return urlsplit(name).hostname or name if "://" in name else name
