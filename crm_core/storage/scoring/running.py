"""The daily run: one look at all sales, then figures and needs of a slice of clients at a time, then changed statuses a
few clients at a time, each in a transaction of its own: nobody else waits for longer than needs be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_core.messages import ChannelKey
from crm_core.model.access import Access, Right
from crm_core.model.definitions.scoring import ClientsBody
from crm_core.services.custom.statuses import clients_rules, give_statuses
from crm_core.storage import cursors
from crm_core.storage.database import take_your_time
from crm_core.storage.scoring.clients import score_clients
from crm_core.storage.scoring.days import Day
from crm_core.storage.scoring.edges import Edges, find_edges
from crm_core.storage.scoring.needs import foresee_needs
from crm_core.storage.scoring.slices import CLIENTS, next_slice
from crm_core.storage.store import Store

_PLACE = ChannelKey("hub", "scores")
_DONE = "day"
_UNDER_WAY = "under way"


@dataclass(frozen=True, slots=True)
class ScoreTally:
    """What a run came to: the day, how many clients came out differently, how many needs there are, how many clients
    got another status."""

    day: date
    scored: int
    needs: int
    statuses: int


async def run_scores(store: Store, clients: int = CLIENTS, *, access: Access | None = None) -> ScoreTally:
    """Work out every client as of now; running it again changes nothing. A run that was cut off is taken up on the same
    day where it was left, for a day counts as done only when all statuses are given. `clients` are worked out in one
    transaction. With `access` it is asked whether its person may; raises Forbidden."""
    if access is not None:
        access.demand(Right.RUN_SCORES)
    zone, rules = ZoneInfo(store.office.time_zone), await rules_of(store)
    now, above = await _begun(store, zone)
    day = Day.at(now, zone)
    scored = needs = statuses = 0

    def look(conn: Connection) -> Edges | None:
        take_your_time(conn)
        return find_edges(conn, rules, day)

    edges = await store.database.read(look, at_length=True)
    while edges is not None:
        done = await store.database.write(partial(_work_out, store.office.language, rules, day, edges, above, clients))
        if done is None:
            break
        above, scored, needs = done.upto, scored + done.scored, needs + done.needs
    last: int | None = 0
    while last is not None:
        given = await store.run(partial(give_statuses, above=last))
        statuses, last = statuses + given.count, given.last
    local = now.astimezone(zone).date()
    await store.database.write(partial(_finish, day=local))
    return ScoreTally(local, scored, needs, statuses)


@dataclass(frozen=True, slots=True)
class _Done:
    """A slice that was worked out: its last client, how many came out differently, how many needs there are."""

    upto: int
    scored: int
    needs: int


def _work_out(
    language: str, rules: ClientsBody, day: Day, edges: Edges, above: int, clients: int, conn: Connection
) -> _Done | None:
    """The next slice behind an id, and the place to go on from; None where there is none."""
    some = next_slice(conn, above, clients)
    if some is None:
        return None
    scored = score_clients(conn, rules, day, edges, some)
    needs = foresee_needs(conn, rules, day, some, language)
    cursors.save(conn, _PLACE, _UNDER_WAY, f"{day.now.isoformat()} {some.upto}")
    return _Done(some.upto, scored, needs)


async def _begun(store: Store, zone: ZoneInfo) -> tuple[datetime, int]:
    """The moment of a run of today that was cut off, and the last client that it worked out; else now, and nobody."""
    now = store.clock.now()
    place = await store.read(lambda conn: cursors.load(conn, _PLACE, _UNDER_WAY))
    if place:
        began, _, above = place.partition(" ")
        moment = datetime.fromisoformat(began)
        if moment.astimezone(zone).date() == now.astimezone(zone).date() and moment <= now:
            return moment, int(above)
    return now, 0


def _finish(conn: Connection, day: date) -> None:
    cursors.save(conn, _PLACE, _DONE, day.isoformat())
    cursors.save(conn, _PLACE, _UNDER_WAY, "")


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
