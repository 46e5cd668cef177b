"""Status, ABC, XYZ, RFM and the two axes of every client, in one statement, written where they came out differently.

What each figure means is written in `crm_core.model.definitions.scoring.ClientsBody`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, text

from crm_core.model.definitions.scoring import WORKED_OUT, ClientsBody, Part
from crm_core.model.scores import ClientStatus
from crm_core.storage.scoring.axes import axis
from crm_core.storage.scoring.days import Day
from crm_core.storage.types import UtcDateTime

_YEAR = 365
_MONTH = 30
_MONTHS = 12
_LEAST_MONTHS = 3
_LIVING = "{0}.merged_into IS NULL AND {0}.deleted_at IS NULL"
_FIGURES = (
    "status",
    "orders",
    "revenue",
    "first_sale_at",
    "last_sale_at",
    "abc",
    "xyz",
    "rfm",
    "relation",
    "attraction",
)

_SQL = """
INSERT INTO client_score (contact_id, status, orders, revenue, computed_at, first_sale_at, last_sale_at, abc, xyz, rfm,
  relation, attraction)
WITH days AS (
  SELECT s.contact_id, {day} AS day, SUM(s.amount) AS amount, MIN(s.at) AS first_at, MAX(s.at) AS last_at,
    SUM(CASE WHEN s.currency = '{currency}' THEN s.amount ELSE 0 END) AS money
  FROM sale AS s WHERE s.contact_id IS NOT NULL AND s.at <= :now GROUP BY s.contact_id, {day}
), totals AS (
  SELECT contact_id, COUNT(CASE WHEN amount > 0 THEN 1 END) AS orders,
    SUM(CASE WHEN day > {today} - {year} THEN money ELSE 0 END) AS revenue,
    COUNT(CASE WHEN amount > 0 AND day > {today} - {year} THEN 1 END) AS year_orders,
    MIN(CASE WHEN amount > 0 THEN first_at END) AS first_at, MAX(CASE WHEN amount > 0 THEN last_at END) AS last_at,
    MIN(CASE WHEN amount > 0 THEN day END) AS first_day, MAX(CASE WHEN amount > 0 THEN day END) AS last_day
  FROM days GROUP BY contact_id
), months AS (
  SELECT contact_id, ({today} - day) / {month} AS month, CAST(SUM(money) AS DOUBLE PRECISION) AS money
  FROM days WHERE day > {today} - {month} * {months} GROUP BY contact_id, ({today} - day) / {month}
), spread AS (
  SELECT contact_id, SUM(money) AS total, SUM(money * money) AS squares FROM months GROUP BY contact_id
), buyers AS (
  SELECT t.contact_id, k.fields, t.orders, t.revenue, t.first_at, t.last_at, t.last_day,
    CASE WHEN ({today} - t.first_day) / {month} < {months} THEN ({today} - t.first_day) / {month} + 1 ELSE {months} END
      AS span,
    COALESCE(s.total, 0) AS total, COALESCE(s.squares, 0) AS squares,
    SUM(CASE WHEN t.revenue > 0 THEN t.revenue ELSE 0 END) OVER (
      ORDER BY t.revenue DESC, t.contact_id ROWS UNBOUNDED PRECEDING
    ) - t.revenue AS before,
    SUM(CASE WHEN t.revenue > 0 THEN t.revenue ELSE 0 END) OVER () AS whole,
    COUNT(*) OVER () AS buyers, RANK() OVER (ORDER BY t.last_day) AS r, RANK() OVER (ORDER BY t.year_orders) AS f,
    RANK() OVER (ORDER BY t.revenue) AS m
  FROM totals AS t JOIN contact AS k ON k.id = t.contact_id LEFT JOIN spread AS s ON s.contact_id = t.contact_id
  WHERE t.orders > 0 AND {living_k}
), figures AS (
  SELECT b.contact_id AS id, b.fields,
    CASE WHEN b.orders < {regular} THEN CASE WHEN {today} - b.last_day <= {fresh} THEN '{fresh_status}' ELSE '{old}' END
      WHEN {today} - b.last_day <= {gone_after} THEN '{regular_status}' ELSE '{gone}' END AS status,
    b.orders, b.revenue, b.first_at, b.last_at,
    CASE WHEN b.revenue <= 0 THEN 'C' WHEN b.before < {abc_a} * b.whole THEN 'A'
      WHEN b.before < {abc_b} * b.whole THEN 'B' ELSE 'C' END AS abc,
    CASE WHEN b.span < {least_months} THEN '' WHEN b.total <= 0 THEN 'Z'
      WHEN b.squares * b.span - b.total * b.total <= {xyz_x} * b.total * b.total THEN 'X'
      WHEN b.squares * b.span - b.total * b.total <= {xyz_y} * b.total * b.total THEN 'Y' ELSE 'Z' END AS xyz,
    CAST(5 * (b.r - 1) / b.buyers + 1 AS INTEGER) AS r, CAST(5 * (b.f - 1) / b.buyers + 1 AS INTEGER) AS f,
    CAST(5 * (b.m - 1) / b.buyers + 1 AS INTEGER) AS m
  FROM buyers AS b
  UNION ALL
  SELECT c.id, c.fields, '{potential}', 0, 0, NULL, NULL, '', '', NULL, NULL, NULL
  FROM contact AS c WHERE {living_c} AND {never_bought}
)
SELECT g.id, g.status, g.orders, g.revenue, :now, g.first_at, g.last_at, g.abc, g.xyz,
  CASE WHEN g.r IS NULL THEN '' ELSE CAST(g.r AS TEXT) || CAST(g.f AS TEXT) || CAST(g.m AS TEXT) END,
  {relation}, {attraction}
FROM figures AS g WHERE g.id > 0
ON CONFLICT (contact_id) DO UPDATE SET computed_at = excluded.computed_at, {taken}
WHERE ({known}) IS DISTINCT FROM ({fresh_figures})
"""
# As each engine does it by one look at all buyers, not by one a client.
_NEVER_BOUGHT = {
    "sqlite": "c.id NOT IN (SELECT t.contact_id FROM totals AS t WHERE t.orders > 0)",
    "postgresql": "NOT EXISTS (SELECT 1 FROM totals AS t WHERE t.contact_id = c.id AND t.orders > 0)",
}
# Right after a large import the statistics know of few clients, and one look a client would be taken for cheap.
_ALL_AT_ONCE = "SET LOCAL enable_nestloop = off"
_FORGET = f"""
DELETE FROM client_score WHERE contact_id IN (
  SELECT s.contact_id FROM client_score AS s JOIN contact AS c ON c.id = s.contact_id WHERE NOT ({_LIVING.format("c")})
)
"""
# Whoever was nothing yet and has bought nothing becomes «потенциальный» without further ado: nothing happened to them.
_BEGIN = f"""
UPDATE contact SET status = '{ClientStatus.POTENTIAL}' WHERE status IS NULL AND EXISTS (
  SELECT 1 FROM client_score AS s WHERE s.contact_id = contact.id AND s.status = '{ClientStatus.POTENTIAL}'
)
"""


def score_clients(conn: Connection, rules: ClientsBody, day: Day) -> int:
    """Work out every client; how many came out differently from the last time. Four statements, five on PostgreSQL, one
    where nothing was ever sold: then nothing is known of anybody, and nothing is written."""
    if conn.exec_driver_sql("SELECT 1 FROM sale LIMIT 1").first() is None:
        return 0
    if conn.dialect.name != "sqlite":
        conn.exec_driver_sql(_ALL_AT_ONCE)
    conn.exec_driver_sql(_FORGET)
    sql, values = score_sql(conn, rules, day)
    written = conn.execute(text(sql).bindparams(bindparam("now", type_=UtcDateTime())), {"now": day.now, **values})
    conn.exec_driver_sql(_BEGIN)
    return written.rowcount


def score_sql(conn: Connection, rules: ClientsBody, day: Day) -> tuple[str, dict[str, Any]]:
    """The statement that works out every client, and the values of its parameters."""
    sqlite = conn.dialect.name == "sqlite"
    values: dict[str, Any] = {}
    axes = {
        name: _axis(parts, name, values, sqlite=sqlite)
        for name, parts in (("relation", rules.relation), ("attraction", rules.attraction))
    }
    sql = _SQL.format(
        day=day.of("s.at", sqlite=sqlite),
        today=day.number,
        year=_YEAR,
        month=_MONTH,
        months=_MONTHS,
        least_months=_LEAST_MONTHS,
        currency=rules.currency,
        regular=rules.regular_orders,
        fresh=rules.fresh_within.days,
        gone_after=rules.gone_after.days,
        abc_a=rules.abc_a,
        abc_b=rules.abc_b,
        xyz_x=rules.xyz_x**2,
        xyz_y=rules.xyz_y**2,
        potential=ClientStatus.POTENTIAL,
        fresh_status=ClientStatus.NEW,
        regular_status=ClientStatus.REGULAR,
        old=ClientStatus.OLD,
        gone=ClientStatus.GONE,
        never_bought=_NEVER_BOUGHT[conn.dialect.name],
        living_c=_LIVING.format("c"),
        living_k=_LIVING.format("k"),
        taken=", ".join(f"{each} = excluded.{each}" for each in _FIGURES),
        known=", ".join(f"client_score.{each}" for each in _FIGURES),
        fresh_figures=", ".join(f"excluded.{each}" for each in _FIGURES),
        **axes,
    )
    return sql, values


def _axis(parts: Sequence[Part], name: str, values: dict[str, Any], *, sqlite: bool) -> str:
    return axis(parts, name, values, columns=frozenset(WORKED_OUT), alias="g", sqlite=sqlite)
