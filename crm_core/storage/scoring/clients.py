"""Status, ABC, XYZ, RFM and the two axes of clients, in one statement a slice, written where they came out differently.

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
from crm_core.storage.scoring.edges import LIVING, Edges, all_at_once, fifth, totals_sql
from crm_core.storage.scoring.slices import Slice
from crm_core.storage.types import UtcDateTime

_MONTH = 30
_MONTHS = 12
_LEAST_MONTHS = 3
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
WITH {totals}, months AS (
  SELECT contact_id, ({today} - day) / {month} AS month, CAST(SUM(money) AS DOUBLE PRECISION) AS money
  FROM days WHERE day > {today} - {month} * {months} GROUP BY contact_id, ({today} - day) / {month}
), spread AS (
  SELECT contact_id, SUM(money) AS total, SUM(money * money) AS squares FROM months GROUP BY contact_id
), buyers AS (
  SELECT t.*, k.fields,
    CASE WHEN ({today} - t.first_day) / {month} < {months} THEN ({today} - t.first_day) / {month} + 1 ELSE {months} END
      AS span,
    COALESCE(s.total, 0) AS total, COALESCE(s.squares, 0) AS squares
  FROM totals AS t JOIN contact AS k ON k.id = t.contact_id LEFT JOIN spread AS s ON s.contact_id = t.contact_id
  WHERE t.orders > 0 AND {among_k} AND {living_k}
), figures AS (
  SELECT b.contact_id AS id, b.fields,
    CASE WHEN b.orders < {regular} THEN CASE WHEN {today} - b.last_day <= {fresh} THEN '{fresh_status}' ELSE '{old}' END
      WHEN {today} - b.last_day <= {gone_after} THEN '{regular_status}' ELSE '{gone}' END AS status,
    b.orders, b.revenue, b.first_at, b.last_at, {abc} AS abc,
    CASE WHEN b.span < {least_months} THEN '' WHEN b.total <= 0 THEN 'Z'
      WHEN b.squares * b.span - b.total * b.total <= {xyz_x} * b.total * b.total THEN 'X'
      WHEN b.squares * b.span - b.total * b.total <= {xyz_y} * b.total * b.total THEN 'Y' ELSE 'Z' END AS xyz,
    {r} AS r, {f} AS f, {m} AS m
  FROM buyers AS b
  UNION ALL
  SELECT c.id, c.fields, '{potential}', 0, 0, NULL, NULL, '', '', NULL, NULL, NULL
  FROM contact AS c WHERE {among_c} AND {living_c} AND {never_bought}
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
_FORGET = """
DELETE FROM client_score WHERE {among} AND contact_id IN (
  SELECT c.id FROM contact AS c WHERE {among_c} AND NOT ({living})
)
"""
# Whoever was nothing yet and has bought nothing becomes «потенциальный» without further ado: nothing happened to them.
_BEGIN = """
UPDATE contact SET status = '{potential}' WHERE {among} AND status IS NULL AND EXISTS (
  SELECT 1 FROM client_score AS s WHERE s.contact_id = contact.id AND s.status = '{potential}'
)
"""


def score_clients(conn: Connection, rules: ClientsBody, day: Day, edges: Edges, some: Slice) -> int:
    """Work out the clients of a slice; how many came out differently from the last time. Three statements, four on
    PostgreSQL."""
    all_at_once(conn)
    among_c = some.of("c.id")
    conn.exec_driver_sql(_FORGET.format(among=some.of("contact_id"), among_c=among_c, living=LIVING.format("c")))
    sql, values = score_sql(conn, rules, day, edges, some)
    written = conn.execute(text(sql).bindparams(bindparam("now", type_=UtcDateTime())), {"now": day.now, **values})
    conn.exec_driver_sql(_BEGIN.format(among=some.of("id"), potential=ClientStatus.POTENTIAL))
    return written.rowcount


def score_sql(conn: Connection, rules: ClientsBody, day: Day, edges: Edges, some: Slice) -> tuple[str, dict[str, Any]]:
    """The statement that works out the clients of a slice, and the values of its parameters."""
    sqlite = conn.dialect.name == "sqlite"
    values: dict[str, Any] = {}
    axes = {
        name: _axis(parts, name, values, sqlite=sqlite)
        for name, parts in (("relation", rules.relation), ("attraction", rules.attraction))
    }
    sql = _SQL.format(
        totals=totals_sql(conn, rules, day, some.of("s.contact_id")),
        today=day.number,
        month=_MONTH,
        months=_MONTHS,
        least_months=_LEAST_MONTHS,
        regular=rules.regular_orders,
        fresh=rules.fresh_within.days,
        gone_after=rules.gone_after.days,
        abc=edges.abc("b.revenue", "b.contact_id"),
        xyz_x=rules.xyz_x**2,
        xyz_y=rules.xyz_y**2,
        r=fifth(edges.r, "b.last_day"),
        f=fifth(edges.f, "b.year_orders"),
        m=fifth(edges.m, "b.revenue"),
        potential=ClientStatus.POTENTIAL,
        fresh_status=ClientStatus.NEW,
        regular_status=ClientStatus.REGULAR,
        old=ClientStatus.OLD,
        gone=ClientStatus.GONE,
        never_bought=_NEVER_BOUGHT[conn.dialect.name],
        among_c=some.of("c.id"),
        among_k=some.of("k.id"),
        living_c=LIVING.format("c"),
        living_k=LIVING.format("k"),
        taken=", ".join(f"{each} = excluded.{each}" for each in _FIGURES),
        known=", ".join(f"client_score.{each}" for each in _FIGURES),
        fresh_figures=", ".join(f"excluded.{each}" for each in _FIGURES),
        **axes,
    )
    return sql, values


def _axis(parts: Sequence[Part], name: str, values: dict[str, Any], *, sqlite: bool) -> str:
    return axis(parts, name, values, columns=frozenset(WORKED_OUT), alias="g", sqlite=sqlite)
