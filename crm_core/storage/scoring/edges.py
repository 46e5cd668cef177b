"""Where the groups of all buyers part: one look at everybody, after which each client can be judged alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from crm_core.model.definitions.scoring import ClientsBody
from crm_core.storage.scoring.days import Day
from crm_core.storage.types import UtcDateTime

LIVING = "{0}.merged_into IS NULL AND {0}.deleted_at IS NULL"
_YEAR = 365
_FIFTHS = (2, 3, 4, 5)
# What everybody bought, by days, and as a whole; `within` says whose sales are meant.
TOTALS = """days AS (
  SELECT s.contact_id, {day} AS day, SUM(s.amount) AS amount, MIN(s.at) AS first_at, MAX(s.at) AS last_at,
    SUM(CASE WHEN s.currency = '{currency}' THEN s.amount ELSE 0 END) AS money
  FROM sale AS s WHERE {within} AND s.at <= :now GROUP BY s.contact_id, {day}
), totals AS (
  SELECT contact_id, COUNT(CASE WHEN amount > 0 THEN 1 END) AS orders,
    SUM(CASE WHEN day > {today} - {year} THEN money ELSE 0 END) AS revenue,
    COUNT(CASE WHEN amount > 0 AND day > {today} - {year} THEN 1 END) AS year_orders,
    MIN(CASE WHEN amount > 0 THEN first_at END) AS first_at, MAX(CASE WHEN amount > 0 THEN last_at END) AS last_at,
    MIN(CASE WHEN amount > 0 THEN day END) AS first_day, MAX(CASE WHEN amount > 0 THEN day END) AS last_day
  FROM days GROUP BY contact_id
)"""
_SQL = """
WITH {totals}, ranked AS (
  SELECT t.contact_id, t.revenue, t.last_day, t.year_orders,
    SUM(t.revenue) OVER (ORDER BY t.revenue DESC, t.contact_id ROWS UNBOUNDED PRECEDING) - t.revenue AS before,
    SUM(CASE WHEN t.revenue > 0 THEN t.revenue ELSE 0 END) OVER () AS whole,
    COUNT(*) OVER () AS buyers, RANK() OVER (ORDER BY t.last_day) AS r, RANK() OVER (ORDER BY t.year_orders) AS f,
    RANK() OVER (ORDER BY t.revenue) AS m
  FROM totals AS t JOIN contact AS k ON k.id = t.contact_id WHERE t.orders > 0 AND {living}
), bounds AS (
  SELECT MIN(CASE WHEN {first_a} THEN k.revenue END) AS a, MIN(CASE WHEN {first_b} THEN k.revenue END) AS b, {fifths}
  FROM ranked AS k
)
SELECT (SELECT MAX(k.contact_id) FROM ranked AS k WHERE k.revenue = o.a AND {first_a}),
  (SELECT MAX(k.contact_id) FROM ranked AS k WHERE k.revenue = o.b AND {first_b}), o.*
FROM bounds AS o
"""
# Right after a large import the statistics know of few clients, and one look a client would be taken for cheap.
_ALL_AT_ONCE = "SET LOCAL enable_nestloop = off"


@dataclass(frozen=True, slots=True)
class Edges:
    """What a client has to reach. `a`, `b`: the last client of the group as `(revenue, id)`, by falling revenue, then
    by id; None where nobody is in it. `r`, `f`, `m`: the least last day, orders and revenue of a year of each fifth
    from the second on, as far as there is anybody."""

    a: tuple[int, int] | None
    b: tuple[int, int] | None
    r: tuple[int, ...]
    f: tuple[int, ...]
    m: tuple[int, ...]

    def abc(self, revenue: str, contact_id: str) -> str:
        """SQL for the letter."""
        cases = [f"WHEN {revenue} <= 0 THEN 'C'"]
        for letter, edge in (("A", self.a), ("B", self.b)):
            if edge is not None:
                least, last = edge
                cases.append(
                    f"WHEN {revenue} > {least} OR ({revenue} = {least} AND {contact_id} <= {last}) THEN '{letter}'"
                )
        return f"CASE {' '.join(cases)} ELSE 'C' END"


def fifth(edges: Sequence[int], value: str) -> str:
    """SQL for the fifth that a value is in."""
    return " + ".join(("1", *(f"CASE WHEN {value} >= {each} THEN 1 ELSE 0 END" for each in edges)))


def totals_sql(conn: Connection, rules: ClientsBody, day: Day, within: str) -> str:
    """The common tables `days` and `totals` of whose sales `within` says."""
    shown = day.of("s.at", sqlite=conn.dialect.name == "sqlite")
    return TOTALS.format(day=shown, currency=rules.currency, within=within, today=day.number, year=_YEAR)


def find_edges(conn: Connection, rules: ClientsBody, day: Day) -> Edges | None:
    """Where the groups part as of `day`; None where nothing was ever sold and no axis tells of clients either. Two
    statements, three on PostgreSQL."""
    axes = bool(rules.relation or rules.attraction)
    if not axes and conn.exec_driver_sql("SELECT 1 FROM sale LIMIT 1").first() is None:
        return None
    all_at_once(conn)
    sql = edges_sql(conn, rules, day)
    found = conn.execute(text(sql).bindparams(bindparam("now", type_=UtcDateTime())), {"now": day.now}).one()
    last_a, last_b, a, b, *fifths = (int(each) if each is not None else None for each in found)
    known = [tuple(each for each in fifths[start : start + 4] if each is not None) for start in (0, 4, 8)]
    return Edges(
        (a, last_a) if a is not None and last_a is not None else None,
        (b, last_b) if b is not None and last_b is not None else None,
        *known,
    )


def all_at_once(conn: Connection) -> None:
    """Have the rest of this transaction's statements look at all clients together, not at one after the other."""
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(_ALL_AT_ONCE)


def edges_sql(conn: Connection, rules: ClientsBody, day: Day) -> str:
    """The statement behind `find_edges`."""
    columns = {"r": "last_day", "f": "year_orders", "m": "revenue"}
    return _SQL.format(
        totals=totals_sql(conn, rules, day, "s.contact_id IS NOT NULL"),
        living=LIVING.format("k"),
        first_a=f"k.revenue > 0 AND k.before < {rules.abc_a} * k.whole",
        first_b=f"k.revenue > 0 AND k.before < {rules.abc_b} * k.whole",
        fifths=", ".join(
            f"MIN(CASE WHEN 5 * (k.{rank} - 1) / k.buyers + 1 >= {each} THEN k.{column} END) AS {rank}{each}"
            for rank, column in columns.items()
            for each in _FIFTHS
        ),
    )
