"""The daily run: figures of all clients in one transaction, their needs in another, changed statuses a few clients at a
time: nobody else waits for longer than needs be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_core.messages import ChannelKey
from crm_core.model.definitions.scoring import ClientsBody
from crm_core.services.custom.statuses import clients_rules, give_statuses
from crm_core.storage import cursors
from crm_core.storage.database import take_your_time
from crm_core.storage.scoring.clients import score_clients
from crm_core.storage.scoring.days import Day
from crm_core.storage.scoring.needs import foresee_needs
from crm_core.storage.store import Store

_PLACE = ChannelKey("hub", "scores")
_DONE = "day"


@dataclass(frozen=True, slots=True)
class ScoreTally:
    """What a run came to: the day, how many clients came out differently, how many needs there are, how many clients
    got another status."""

    day: date
    scored: int
    needs: int
    statuses: int


async def run_scores(store: Store) -> ScoreTally:
    """Work out every client as of now; running it again changes nothing. A run that was cut off is done anew by the
    next, for a day counts as done only when all statuses are given."""
    now, zone = store.clock.now(), ZoneInfo(store.office.time_zone)
    rules, day = await rules_of(store), Day.at(now, zone)

    def work_out(conn: Connection) -> int:
        take_your_time(conn)
        return score_clients(conn, rules, day)

    def foresee(conn: Connection) -> int:
        take_your_time(conn)
        return foresee_needs(conn, rules, day, store.office.language)

    scored = await store.database.write(work_out)
    needs = await store.database.write(foresee)
    statuses, above = 0, 0
    while True:
        given = await store.run(lambda desk, above=above: give_statuses(desk, above))  # type: ignore[misc]  # bound now
        statuses += given.count
        if given.last is None:
            break
        above = given.last
    local = now.astimezone(zone).date()
    await store.database.write(lambda conn: cursors.save(conn, _PLACE, _DONE, local.isoformat()))
    return ScoreTally(local, scored, needs, statuses)


async def scores_due(store: Store, now: datetime) -> bool:
    """Whether the run of the last day whose hour has come is still to be done, also after days of silence."""
    rules = await rules_of(store)
    local = now.astimezone(ZoneInfo(store.office.time_zone))
    last = local.date() if local.hour >= rules.hour else local.date() - timedelta(days=1)
    done = await store.read(lambda conn: cursors.load(conn, _PLACE, _DONE))
    return done is None or done < last.isoformat()


async def rules_of(store: Store) -> ClientsBody:
    """How clients are judged now."""
    return await store.run(lambda desk: clients_rules(desk.catalogue))
