"""What sales tell of clients, as it is shown: figures, needs, and with whom to speak today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, Integer, Text, bindparam, select, text
from sqlalchemy.sql.expression import TextualSelect

from crm_core.errors import NotFound
from crm_core.model.access import Access, Right
from crm_core.model.records import ContactRecord
from crm_core.model.selling import ClientScoreRecord, NeedRecord
from crm_core.storage.queries.pages import all_of, one_of
from crm_core.storage.tables import client_score, need
from crm_core.storage.types import UtcDateTime

_SOON = timedelta(days=3)
_FORGOTTEN = timedelta(days=90)
# Attraction by ABC and relation by the last order, where the office has no axes of its own.
_ATTRACTION = "COALESCE(s.attraction, CASE s.abc WHEN 'A' THEN 100 WHEN 'B' THEN 60 WHEN 'C' THEN 30 ELSE 10 END)"
_RELATION = "COALESCE(s.relation, CASE WHEN s.rfm = '' THEN 20 ELSE CAST(SUBSTR(s.rfm, 1, 1) AS INTEGER) * 20 END)"
_TODAY = f"""
SELECT c.id, c.name, c.manager, c.status, c.last_contact_at, s.abc, s.rfm,
  {_ATTRACTION} * {_RELATION} / 100 AS priority, n.name AS need, n.next_on, n.probability
FROM contact AS c JOIN client_score AS s ON s.contact_id = c.id
  LEFT JOIN need AS n ON n.id = (
    SELECT b.id FROM need AS b WHERE b.contact_id = c.id AND b.next_on <= :soon
    ORDER BY b.probability DESC, b.id LIMIT 1)
WHERE c.merged_into IS NULL AND c.deleted_at IS NULL AND c.list_name IS NULL
  AND (s.orders > 0 OR s.attraction > 0)
  AND (c.last_contact_at IS NULL OR c.last_contact_at < :midnight)
  AND (n.id IS NOT NULL OR c.last_contact_at IS NULL OR c.last_contact_at < :forgotten){{own}}
ORDER BY priority DESC, COALESCE(n.probability, 0) DESC, c.id LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class TodaysClient:
    """A client with whom to speak today. `priority` from 0 to 100: attraction times relation; `need` is the most
    probable one that is due, None where they were not spoken to for long."""

    id: int
    name: str
    manager: str | None
    status: str | None
    last_contact_at: datetime | None
    abc: str
    rfm: str
    priority: int
    need: str | None
    next_on: str | None
    probability: int | None


@dataclass(frozen=True, slots=True)
class Times:
    """Needs due until the day `soon` count; who was spoken to since `midnight` does not, who was not since `forgotten`
    does."""

    soon: str
    midnight: datetime
    forgotten: datetime

    @classmethod
    def of(cls, now: datetime, zone: ZoneInfo) -> Times:
        """Those of a moment: what is due within three days, who was not spoken to today or for a quarter."""
        day = now.astimezone(zone).date()
        midnight = datetime.combine(day, time(), zone).astimezone(UTC)
        return cls((day + _SOON).isoformat(), midnight, now - _FORGOTTEN)


def score_of(conn: Connection, access: Access, contact_id: int) -> ClientScoreRecord:
    """The figures of a client; raises NotFound, also where nothing was worked out yet; Forbidden."""
    access.demand(Right.SEE_SALES)
    _known(conn, contact_id)
    found = all_of(conn, ClientScoreRecord, select(client_score).where(client_score.c.contact_id == contact_id))
    if not found:
        raise NotFound("nothing was worked out of the sales to contact {contact} yet", contact=contact_id)
    return found[0]


def needs_of(conn: Connection, access: Access, contact_id: int) -> list[NeedRecord]:
    """What a client will probably buy, the most probable first; raises NotFound, Forbidden."""
    access.demand(Right.SEE_SALES)
    _known(conn, contact_id)
    statement = select(need).where(need.c.contact_id == contact_id)
    return all_of(conn, NeedRecord, statement.order_by(need.c.probability.desc(), need.c.next_on, need.c.id))


def todays_clients(
    conn: Connection, access: Access, times: Times, manager: str | None, limit: int
) -> list[TodaysClient]:
    """With whom to speak today, the most worth it first. One statement. Raises Forbidden for whoever sees no sales."""
    access.demand(Right.SEE_SALES)
    values = {"soon": times.soon, "midnight": times.midnight, "forgotten": times.forgotten, "most": limit}
    if manager is not None:
        values["login"] = manager
    return [TodaysClient(*row) for row in conn.execute(todays_statement(manager), values)]


def todays_statement(manager: str | None) -> TextualSelect:
    """The query behind `todays_clients`."""
    sql = _TODAY.format(own=" AND c.manager = :login" if manager is not None else "")
    return (
        text(sql)
        .bindparams(*(bindparam(name, type_=UtcDateTime()) for name in ("midnight", "forgotten")))
        .columns(
            id=BigInteger,
            name=Text,
            manager=Text,
            status=Text,
            last_contact_at=UtcDateTime,
            abc=Text,
            rfm=Text,
            priority=Integer,
            need=Text,
            next_on=Text,
            probability=Integer,
        )
    )


def _known(conn: Connection, contact_id: int) -> None:
    if one_of(conn, ContactRecord, contact_id) is None:
        raise NotFound("there is no contact {contact}", contact=contact_id)
